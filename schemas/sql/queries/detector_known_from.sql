-- name: detector_known_from
-- returns: per province of the structure of a day the first day of onset of any counted case, diseases that are never alerted on left out
-- params: on_day date, left_out text[]
-- used by: streams/stores/detector_series.py

select
    ag.province_id,
    min(dc.day) as first_day
from daily_counts as dc
inner join area_geographies as ag
    on
        dc.area_id = ag.area_id
        and ag.structure_on = (
            select max(inner_ag.structure_on)
            from area_geographies as inner_ag
            where inner_ag.structure_on <= %(on_day)s
        )
where
    dc.basis = 'onset'
    and dc.agent = ''
    and dc.notified > 0
    and dc.disease <> all(%(left_out)s)
group by ag.province_id
having min(dc.day) is not null;
