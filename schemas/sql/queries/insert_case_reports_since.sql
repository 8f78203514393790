-- name: insert_case_reports_since
-- returns: nothing
-- params: disease text, province_id text, since date
-- used by: streams/stores/catalogue.py

insert into case_reports_since (disease, province_id, since)
values (%(disease)s, %(province_id)s, %(since)s);
