-- name: granted_rights
-- returns: per table of public and role of the list that has rights on it: them; role null for a table without
-- params: roles text[]
-- used by: streams/stores/rights.py

select
    pc.relname as table_name,
    acl.role,
    acl.privileges
from pg_class as pc
left join lateral (
    select
        pg_get_userbyid(item.grantee)::text as role,
        array_agg(item.privilege_type::text) as privileges
    from aclexplode(pc.relacl) as item
    where item.grantee <> 0 and pg_get_userbyid(item.grantee) = any(%(roles)s)
    group by item.grantee
) as acl on true
where
    pc.relnamespace = 'public'::regnamespace
    and pc.relkind in ('r', 'p')
order by pc.relname, acl.role;
