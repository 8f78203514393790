-- name: report_diseases
-- returns: how the report calls each disease: code, label, English name, whether it is a syndrome; in its order
-- params: none
-- used by: streams/stores/report_changes.py, streams/stores/situation.py

select
    d.code,
    d.report_label_vi,
    d.name_en,
    d.resolves_to <> '{}'::jsonb as is_syndrome
from diseases as d
order by d.report_order;
