-- name: event_dead_letters
-- returns: the dead letters of an event id, in the order of their arrival
-- params: event_id uuid, subject text or null (only of this subject)
-- used by: streams/stores/receipts.py

select
    dl.dead_letter_id,
    dl.subject,
    dl.known_at,
    dl.error,
    dl.problems,
    dl.retried_at,
    convert_from(dl.record_value, 'UTF8') as record
from dead_letters as dl
where
    dl.event_id = %(event_id)s
    and (%(subject)s::text is null or dl.subject = %(subject)s)
order by dl.dead_letter_id;
