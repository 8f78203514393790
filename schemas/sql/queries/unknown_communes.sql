-- name: unknown_communes
-- returns: those of some area ids that are no commune
-- params: area_ids text[]
-- used by: streams/stores/rules.py

select asked.area_id
from unnest(%(area_ids)s::text[]) as asked (area_id)
where
    not exists (
        select 1
        from areas as a
        where
            a.area_id = asked.area_id
            and a.kind = 'commune'
    )
order by asked.area_id;
