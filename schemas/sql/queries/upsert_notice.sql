-- name: upsert_notice
-- returns: nothing
-- params: disease text, area_id text, year int, started_on date or null, ended_on date or null, source text, entered_by text
-- used by: streams/stores/rules.py

insert into outbreak_notices (disease, area_id, year, started_on, ended_on, source, entered_by)
values (
    %(disease)s, %(area_id)s, %(year)s, %(started_on)s, %(ended_on)s, %(source)s, %(entered_by)s
)
on conflict on constraint outbreak_notices_key do update
    set
        ended_on = excluded.ended_on,
        source = excluded.source,
        entered_at = clock_timestamp(),
        entered_by = excluded.entered_by;
