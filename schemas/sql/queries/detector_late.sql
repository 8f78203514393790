-- name: detector_late
-- returns: cases of a disease that are not discarded and were reported later than a week after the week of their onset, per Monday of that week and place in the structure of a day: district, commune
-- params: disease text, on_day date, since date, until date, discarded_flag int
-- used by: streams/stores/detector_series.py

-- The ledger knows where to look: it has an index on disease and day, the cases have none.
with touched as (
    select distinct cc.subject
    from count_changes as cc
    where
        cc.disease = %(disease)s
        and cc.basis = 'onset'
        and cc.agent = ''
        and cc.day between %(since)s and %(until)s
),

counted as (
    select
        c.counted_area_id,
        c.counted_report_day,
        c.counted_onset_day - extract(isodow from c.counted_onset_day)::int + 1 as week_start
    from touched as t
    inner join cases as c on t.subject = c.subject
    where
        c.counted_onset_day between %(since)s and %(until)s
        and c.counted_flags & %(discarded_flag)s = 0
        and (
            c.counted_disease = %(disease)s
            or exists (
                select 1
                from unnest(c.counted_resolved) as r (pair)
                where split_part(r.pair, '=', 2) = %(disease)s
            )
        )
)

select
    ag.district_id,
    ag.commune_id,
    c.week_start,
    count(*)::int as cases
from counted as c
inner join area_geographies as ag
    on
        c.counted_area_id = ag.area_id
        and ag.structure_on = (
            select max(inner_ag.structure_on)
            from area_geographies as inner_ag
            where inner_ag.structure_on <= %(on_day)s
        )
-- Through the Sunday after its own week each week was the last complete one.
where c.counted_report_day > c.week_start + 13
group by ag.district_id, ag.commune_id, c.week_start;
