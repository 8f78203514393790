-- name: audit_figures
-- returns: the ledger's sum of every figure that is not nothing; days as ISO text
-- params: none
-- used by: streams/stores/report_audit.py

select
    fc.kind,
    fc.indicator,
    fc.disease,
    fc.area_id,
    fc.period_start::text,
    fc.period_end::text,
    sum(fc.reported)::bigint as reported,
    sum(fc.value)::bigint as value,
    sum(fc.targeted)::bigint as targeted,
    sum(fc.target)::bigint as target
from figure_changes as fc
group by fc.kind, fc.indicator, fc.disease, fc.area_id, fc.period_start, fc.period_end
having sum(fc.reported) <> 0 or sum(fc.value) <> 0 or sum(fc.targeted) <> 0 or sum(fc.target) <> 0;
