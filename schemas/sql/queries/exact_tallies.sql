-- name: exact_tallies
-- returns: the tallies of exactly one area and period, as they stood by an instant
-- params: indicators text[], code text (of the area on the period's last day), first and last date, as_of timestamptz or null
-- used by: streams/stores/foci.py

select
    fc.indicator,
    fc.disease,
    sum(fc.value)::bigint as value
from figure_changes as fc
inner join areas as a on fc.area_id = a.area_id
where
    fc.kind = 'tally'
    and fc.indicator = any(%(indicators)s)
    and a.code = %(code)s
    and fc.period_start = %(first)s
    and fc.period_end = %(last)s
    and (%(as_of)s::timestamptz is null or fc.known_at <= %(as_of)s)
group by fc.indicator, fc.disease
having sum(fc.reported) > 0;
