-- name: dead_letters
-- returns: the newest dead letters first
-- params: is_open boolean (only those not retried), most int, before bigint or null (only older ones), dead_letter_id bigint or null (only this one)
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
    (not %(is_open)s or dl.retried_at is null)
    and (%(before)s::bigint is null or dl.dead_letter_id < %(before)s)
    and (%(dead_letter_id)s::bigint is null or dl.dead_letter_id = %(dead_letter_id)s)
order by dl.dead_letter_id desc
limit %(most)s;
