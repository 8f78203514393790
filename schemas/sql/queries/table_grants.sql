-- name: table_grants
-- returns: privileges (text, several with commas) and to whom they are granted on a table; the owner's own left out
-- params: schema text, table text
-- used by: streams/stores/shadow.py

select
    string_agg(acl.privilege_type, ', ') as privileges,
    case acl.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(acl.grantee)) end as role
from pg_class as pc
cross join lateral aclexplode(pc.relacl) as acl
where
    pc.oid = format('%%I.%%I', %(schema)s::text, %(table)s::text)::regclass
    and acl.grantee <> pc.relowner
group by acl.grantee;
