-- name: areas_in_use
-- returns: those of some areas that an event or a count refers to
-- params: area_ids text[]
-- used by: streams/stores/catalogue.py

select a.area_id
from unnest(%(area_ids)s::text[]) as a (area_id)
where
    exists (
        select 1 from case_events as ce
        where ce.area_id = a.area_id
    )
    or exists (
        select 1 from count_changes as cc
        where cc.area_id = a.area_id
    )
    or exists (
        select 1 from report_events as re
        where re.area_id = a.area_id
    )
order by a.area_id;
