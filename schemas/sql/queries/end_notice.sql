-- name: end_notice
-- returns: one row: the first day of the notice that was ended, the latest open one; none where none was open
-- params: disease text, area_id text, ended_on date, entered_by text
-- used by: streams/stores/rules.py

update outbreak_notices as n
set
    ended_on = %(ended_on)s,
    entered_at = clock_timestamp(),
    entered_by = %(entered_by)s
where
    n.disease = %(disease)s
    and n.area_id = %(area_id)s
    and n.ended_on is null
    and n.started_on = (
        select max(o.started_on)
        from outbreak_notices as o
        where
            o.disease = n.disease
            and o.area_id = n.area_id
            and o.ended_on is null
            and o.started_on <= %(ended_on)s
    )
returning n.started_on;
