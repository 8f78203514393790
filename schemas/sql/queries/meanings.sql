-- name: meanings
-- returns: one row per doubtful text: what it may mean, how many rows wait, what was decided; most awaited first
-- params: only_open bool
-- used by: streams/stores/meanings.py

select
    im.field,
    im.text,
    im.candidates,
    im.waiting_rows,
    im.asked_at,
    im.code,
    im.decided_at,
    im.decided_by
from import_meanings as im
where not %(only_open)s or im.code is null
order by im.waiting_rows desc, im.field asc, im.text asc;
