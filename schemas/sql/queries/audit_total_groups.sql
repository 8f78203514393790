-- name: audit_total_groups
-- returns: every (disease, basis, year) that totals or counts of some diseases have
-- params: diseases text[]
-- used by: streams/stores/audit_rounds.py

select
    dt.disease,
    dt.basis,
    dt.year
from district_totals as dt
where dt.disease = any(%(diseases)s)
union
select
    dc.disease,
    dc.basis,
    extract(year from dc.day)::smallint as year
from daily_counts as dc
where dc.disease = any(%(diseases)s);
