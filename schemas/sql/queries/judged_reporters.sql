-- name: judged_reporters
-- returns: one row per regular reporter as it was judged on a Monday, the silent ones first: its district in a structure, and whether that is in the place asked for; none where nobody was judged then
-- params: structure_on date, judged_on date (a Monday), province_id and district_id text or null
-- used by: streams/stores/silence.py

select
    rw.reporter,
    ag.district_id,
    rw.state,
    rw.last_active,
    rw.silent_weeks,
    rw.longest_gap,
    (%(province_id)s::text is null or coalesce(ag.province_id = %(province_id)s, false))
    and (%(district_id)s::text is null or coalesce(ag.district_id = %(district_id)s, false)) as is_here
from reporter_weeks as rw
left join area_geographies as ag
    on
        rw.district_id = ag.area_id
        and ag.structure_on = %(structure_on)s
where rw.judged_on = %(judged_on)s
order by rw.state = 'silent' desc, rw.silent_weeks desc, rw.reporter asc;
