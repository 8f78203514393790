-- name: last_reporters_judged
-- returns: one row: the Monday on which reporters were last judged, or null
-- params: none
-- used by: streams/stores/quality.py

select max(rw.judged_on) as judged_on
from reporter_weeks as rw;
