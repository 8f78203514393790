-- name: dead_letters
-- returns: the newest dead letters first
-- params: is_open boolean (only those not retried), most int
-- used by: streams/stores/dead_letters.py

select
    dl.dead_letter_id,
    dl.topic,
    dl.kafka_partition,
    dl.kafka_offset,
    dl.known_at,
    dl.error,
    dl.problems,
    dl.subject,
    dl.event_id,
    convert_from(dl.record_value, 'UTF8') as record,
    convert_from(dl.standing_value, 'UTF8') as standing,
    dl.retried_at
from dead_letters as dl
where
    not %(is_open)s
    or dl.retried_at is null
order by dl.dead_letter_id desc
limit %(most)s;
