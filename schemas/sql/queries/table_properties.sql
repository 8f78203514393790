-- name: table_properties
-- returns: clauses of `alter table` that give a twin the table's owner, storage parameters and keys under their names
-- params: schema text, table text
-- used by: streams/stores/shadow.py

select format('owner to %%I', pg_get_userbyid(pc.relowner)) as clause
from pg_class as pc
where pc.oid = format('%%I.%%I', %(schema)s::text, %(table)s::text)::regclass
union all
select format('set (%%s)', array_to_string(pc.reloptions, ', '))
from pg_class as pc
where
    pc.oid = format('%%I.%%I', %(schema)s::text, %(table)s::text)::regclass
    and pc.reloptions is not null
union all
select format('add constraint %%I %%s', co.conname, pg_get_constraintdef(co.oid))
from pg_constraint as co
where
    co.conrelid = format('%%I.%%I', %(schema)s::text, %(table)s::text)::regclass
    and co.contype in ('p', 'u', 'x', 'f');
