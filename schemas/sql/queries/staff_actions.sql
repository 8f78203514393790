-- name: staff_actions
-- returns: the newest actions, newest first
-- params: most int, before timestamptz or null
-- used by: services/intake/people/store.py

select
    sa.person_id,
    sa.username,
    sa.action,
    sa.target,
    sa.address,
    sa.detail,
    sa.at
from staff_actions as sa
where %(before)s::timestamptz is null or sa.at < %(before)s
order by sa.at desc, sa.action_id desc
limit %(most)s;
