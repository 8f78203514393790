-- name: insert_parked_report
-- returns: nothing
-- params: kind text, subject text, event_id uuid, known_at timestamptz, reason text, code text
-- used by: streams/stores/report_tables.py

insert into parked_reports (kind, subject, event_id, known_at, reason, code)
values (%(kind)s, %(subject)s, %(event_id)s, %(known_at)s, %(reason)s, %(code)s);
