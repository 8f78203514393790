-- name: dead_letter
-- returns: one row: a dead letter's record and topic, locked; none where the id is unknown
-- params: dead_letter_id bigint
-- used by: streams/stores/dead_letters.py

select
    dl.topic,
    dl.record_value,
    dl.retried_at
from dead_letters as dl
where dl.dead_letter_id = %(dead_letter_id)s
for update;
