-- name: rule_cases
-- returns: per number of a key the cases that stand in its disease and in its areas at present, with onset or report in a period: registers and the counted_ columns
-- params: of equal length, one entry per area of a key: key_nos int[], diseases text[], area_ids text[], first_days date[]; until date
-- used by: streams/stores/area_cases.py, streams/stores/rule_history.py

-- The counts know on which days an area has cases, the ledger by its index which those are. Distinct within:
-- joined as wholes, the tables would be read as wholes.
with asked as (
    select
        a.key_no,
        a.disease,
        a.area_id,
        a.since
    from
        unnest(
            %(key_nos)s::int[], %(diseases)s::text[], %(area_ids)s::text[], %(first_days)s::date[]
        ) as a (key_no, disease, area_id, since)
),

counted as (
    select
        a.key_no,
        a.disease,
        a.area_id,
        d.basis,
        d.day
    from asked as a
    cross join
        lateral (
            select distinct
                dc.basis,
                dc.day
            from daily_counts as dc
            where
                dc.area_id = a.area_id
                and dc.basis in ('onset', 'report')
                and dc.agent = ''
                and dc.day between a.since and %(until)s
                and dc.disease = a.disease
                and dc.notified <> 0
        ) as d
),

touched as (
    select distinct
        co.key_no,
        co.disease,
        t.subject
    from counted as co
    cross join
        lateral (
            select distinct cc.subject
            from count_changes as cc
            where
                cc.disease = co.disease
                and cc.basis = co.basis
                and cc.agent = ''
                and cc.day = co.day
                and cc.area_id = co.area_id
        ) as t
)

select
    t.key_no,
    c.registers,
    c.counted_disease,
    c.counted_area_id,
    c.counted_onset_day::text as counted_onset_day,
    c.counted_report_day::text as counted_report_day,
    c.counted_death_day::text as counted_death_day,
    c.counted_flags,
    c.counted_resolved,
    c.counted_agents
from touched as t
inner join cases as c on t.subject = c.subject
where
    exists (
        select 1
        from asked as a
        where
            a.key_no = t.key_no
            and a.area_id = c.counted_area_id
    )
    and (
        c.counted_disease = t.disease
        or exists (
            select 1
            from unnest(c.counted_resolved) as r (pair)
            where split_part(r.pair, '=', 2) = t.disease
        )
    );
