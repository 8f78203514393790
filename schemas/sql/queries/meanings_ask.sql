-- name: meanings_ask
-- returns: nothing
-- params: questions jsonb (array of field, text_key, text, candidates, waiting_rows), asked_at timestamptz
-- used by: streams/stores/meanings.py

insert into import_meanings as im (field, text_key, text, candidates, waiting_rows, asked_at)
select
    q.field,
    q.text_key,
    q.text,
    q.candidates,
    q.waiting_rows,
    %(asked_at)s as asked_at
from
    jsonb_to_recordset(%(questions)s::jsonb)
        as q (
            field text,
            text_key text,
            text text,
            candidates jsonb,
            waiting_rows int
        )
on conflict (field, text_key) do update set
    candidates = excluded.candidates,
    waiting_rows = excluded.waiting_rows,
    asked_at = excluded.asked_at;
