-- name: past_case_reports_since
-- returns: nothing
-- params: load_id int; writes the temporary table case_reports_since
-- used by: streams/stores/catalogue.py

insert into pg_temp.case_reports_since (
    disease,
    province_id,
    since
)
select
    p.disease,
    p.province_id,
    p.since
from catalogue_loads as cl
cross join lateral jsonb_populate_recordset(null::case_reports_since, cl.content -> 'case_reports_since') as p
where cl.load_id = %(load_id)s;
