-- name: detector_weeks
-- returns: cases of a disease that are not discarded, by onset, per Monday of the week and place in the structure of a day: province, district, commune; weeks without a case are absent
-- params: disease text, on_day date, since date, until date
-- used by: streams/stores/detector_series.py

select
    ag.province_id,
    ag.district_id,
    ag.commune_id,
    dc.day - extract(isodow from dc.day)::int + 1 as week_start,
    sum(dc.notified - dc.discarded)::int as cases
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
    dc.disease = %(disease)s
    and dc.basis = 'onset'
    and dc.agent = ''
    and dc.day between %(since)s and %(until)s
group by ag.province_id, ag.district_id, ag.commune_id, week_start
having sum(dc.notified - dc.discarded) <> 0;
