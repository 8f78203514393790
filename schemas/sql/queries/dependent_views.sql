-- name: dependent_views
-- returns: name, options and definition of each view that reads one of some tables
-- params: schema text, tables text[]
-- used by: streams/stores/shadow.py

select distinct
    format('%%I.%%I', pn.nspname, pc.relname) as view_name,
    coalesce('with (' || array_to_string(pc.reloptions, ', ') || ')', '') as options,
    pg_get_viewdef(pc.oid) as definition
from pg_depend as de
inner join pg_rewrite as rw
    on
        de.classid = 'pg_rewrite'::regclass
        and de.objid = rw.oid
inner join pg_class as pc on rw.ev_class = pc.oid
inner join pg_namespace as pn on pc.relnamespace = pn.oid
where
    de.refclassid = 'pg_class'::regclass
    and de.refobjid = any(
        select format('%%I.%%I', %(schema)s::text, t.name)::regclass
        from unnest(%(tables)s::text[]) as t (name)
    )
    and pc.relkind = 'v';
