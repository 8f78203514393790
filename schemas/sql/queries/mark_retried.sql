-- name: mark_retried
-- returns: nothing
-- params: dead_letter_id bigint
-- used by: streams/stores/dead_letters.py

update dead_letters
set retried_at = clock_timestamp()
where dead_letter_id = %(dead_letter_id)s;
