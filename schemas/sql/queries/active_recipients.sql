-- name: active_recipients
-- returns: the documents of everybody who is told, by id
-- params: none
-- used by: streams/stores/deliveries.py

select r.document
from recipients as r
where r.is_active
order by r.recipient_id;
