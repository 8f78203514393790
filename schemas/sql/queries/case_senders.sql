-- name: case_senders
-- returns: the events of a case that somebody sent from the pages (their id as text), and the name of who did
-- params: subject text
-- used by: services/intake/people/store.py

-- A form that was sent twice is written down twice, and is one event.
select distinct on (sa.detail ->> 'event')
    sa.detail ->> 'event' as event_id,
    coalesce(p.name, sa.username) as name
from staff_actions as sa
left join people as p on sa.person_id = p.person_id
where
    sa.action = 'case-sent'
    and sa.target = %(subject)s
order by sa.detail ->> 'event', sa.action_id;
