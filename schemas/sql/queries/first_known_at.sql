-- name: first_known_at
-- returns: when the system knew its first event; no row where it knows none
-- params: none
-- used by: streams/stores/delay.py

select ce.known_at
from case_events as ce
order by ce.known_at
limit 1;
