-- name: meanings_decided
-- returns: field, text_key, code of every text whose meaning somebody decided
-- params: none
-- used by: streams/stores/meanings.py

select
    im.field,
    im.text_key,
    im.code
from import_meanings as im
where im.code is not null;
