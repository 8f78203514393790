-- name: rule_first_day
-- returns: one row: the first day of onset of any counted case of a province, diseases that are never alerted on left out; null where there is none
-- params: province_id text, structure_on date, left_out text[]
-- used by: streams/stores/rule_history.py

select min(first_day.day) as day
from area_geographies as ag
cross join
    lateral (
        select dc.day
        from daily_counts as dc
        where
            dc.area_id = ag.area_id
            and dc.basis = 'onset'
            and dc.agent = ''
            and dc.notified > 0
            and dc.disease <> all(%(left_out)s)
        order by dc.day
        limit 1
    ) as first_day
where
    ag.province_id = %(province_id)s
    and ag.structure_on = %(structure_on)s;
