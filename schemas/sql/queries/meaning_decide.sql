-- name: meaning_decide
-- returns: nothing
-- params: field text, text_key text, text text, code text or null to open the question again, decided_by text, at timestamptz
-- used by: streams/stores/meanings.py

insert into import_meanings as im
(field, text_key, text, candidates, waiting_rows, asked_at, code, decided_at, decided_by)
values (
    %(field)s,
    %(text_key)s,
    %(text)s,
    '[]',
    0,
    %(at)s,
    %(code)s,
    case when %(code)s::text is not null then %(at)s::timestamptz end,
    case when %(code)s::text is not null then %(decided_by)s::text end
)
on conflict (field, text_key) do update set
    waiting_rows = 0,
    code = excluded.code,
    decided_at = excluded.decided_at,
    decided_by = excluded.decided_by;
