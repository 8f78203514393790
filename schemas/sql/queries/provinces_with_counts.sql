-- name: provinces_with_counts
-- returns: ids of the provinces of the structure of areas in force on a day in which any case was counted
-- params: day date
-- used by: services/intake/staff/report_desk.py, streams/stores/boards.py

select distinct ag.province_id
from district_totals as dt
inner join area_geographies as ag on dt.district_id = ag.area_id
where
    ag.structure_on = (
        select max(newest.structure_on) from area_geographies as newest
        where newest.structure_on <= %(day)s
    )
order by ag.province_id;
