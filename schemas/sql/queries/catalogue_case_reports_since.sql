-- name: catalogue_case_reports_since
-- returns: one row per disease and province whose case reports count from a day on
-- params: none
-- used by: streams/stores/catalogue.py, streams/stores/detector_series.py, streams/stores/rule_history.py

select
    crs.disease,
    crs.province_id,
    crs.since::text as since
from case_reports_since as crs
order by crs.disease, crs.province_id;
