-- name: rule_cases
-- returns: the cases that stand in a disease and in some areas at present, with onset or report in a period: registers and the counted_ columns
-- params: disease text, area_ids text[], since date, until date
-- used by: streams/stores/rule_history.py

-- The ledger knows where to look: it has an index on disease and day, the cases have none.
with touched as (
    select distinct cc.subject
    from count_changes as cc
    where
        cc.disease = %(disease)s
        and cc.basis in ('onset', 'report')
        and cc.agent = ''
        and cc.day between %(since)s and %(until)s
        and cc.area_id = any(%(area_ids)s)
)

select
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
    c.counted_area_id = any(%(area_ids)s)
    and (
        c.counted_disease = %(disease)s
        or exists (
            select 1
            from unnest(c.counted_resolved) as r (pair)
            where split_part(r.pair, '=', 2) = %(disease)s
        )
    );
