-- name: signs_of_life
-- returns: when each process of the chain last did its work, and when the newest canary that was folded had been sent; what was never heard of is absent
-- params: first_canary and after_canaries text (the subjects of canaries lie between)
-- used by: streams/stores/deliveries.py

select
    sol.name,
    sol.at
from signs_of_life as sol
union all
select
    'canary' as name,
    max(ce.event_time) as at
from case_events as ce
where
    ce.subject >= %(first_canary)s
    and ce.subject < %(after_canaries)s
having max(ce.event_time) is not null;
