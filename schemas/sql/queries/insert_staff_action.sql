-- name: insert_staff_action
-- returns: nothing
-- params: person_id uuid or null, username text, action text, target text, address text, detail jsonb
-- used by: services/intake/people/store.py

insert into staff_actions (person_id, username, action, target, address, detail)
values (%(person_id)s, %(username)s, %(action)s, %(target)s, %(address)s, %(detail)s);
