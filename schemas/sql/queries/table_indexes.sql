-- name: table_indexes
-- returns: the definition of each index of a table that belongs to no constraint
-- params: schema text, table text
-- used by: streams/stores/shadow.py

select pg_get_indexdef(ix.indexrelid) as definition
from pg_index as ix
where
    ix.indrelid = format('%%I.%%I', %(schema)s::text, %(table)s::text)::regclass
    and not exists (
        select 1 from pg_constraint as co
        where co.conindid = ix.indexrelid
    )
order by ix.indexrelid;
