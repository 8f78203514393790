-- name: audit_total_diseases
-- returns: the next diseases after one, of catalogue, totals and counts alike, in their order
-- params: after text, most int
-- used by: streams/stores/audit_rounds.py

(
    select d.code as disease
    from diseases as d
    where d.code > %(after)s
    order by d.code
    limit %(most)s
)
union
(
    select distinct dt.disease
    from district_totals as dt
    where dt.disease > %(after)s
    order by dt.disease
    limit %(most)s
)
union
(
    select distinct dc.disease
    from daily_counts as dc
    where dc.disease > %(after)s
    order by dc.disease
    limit %(most)s
)
order by disease
limit %(most)s;
