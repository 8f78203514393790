-- name: watched_areas
-- returns: for each area asked about the commune, district and province in which its cases stand on a day
-- params: area_ids text[], on_day date
-- used by: streams/stores/alerts.py, streams/stores/focus_report.py, streams/stores/notice.py, streams/stores/outbreak_report.py

select
    ag.area_id,
    ag.commune_id,
    ag.district_id,
    ag.province_id
from area_geographies as ag
where
    ag.area_id = any(%(area_ids)s::text[])
    and ag.structure_on = (
        select max(inner_ag.structure_on)
        from area_geographies as inner_ag
        where inner_ag.structure_on <= %(on_day)s
    );
