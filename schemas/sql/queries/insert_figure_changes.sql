-- name: insert_figure_changes
-- returns: nothing
-- params: rows, a JSON array of objects with the columns of figure_changes
-- used by: streams/stores/report_tables.py

insert into figure_changes (
    known_at,
    subject,
    event_id,
    kind,
    indicator,
    disease,
    area_id,
    period_start,
    period_end,
    reported,
    value,
    targeted,
    target,
    epoch,
    kafka_partition,
    kafka_offset,
    load_id
)
select
    r.known_at,
    r.subject,
    r.event_id,
    r.kind,
    r.indicator,
    r.disease,
    r.area_id,
    r.period_start,
    r.period_end,
    r.reported,
    r.value,
    r.targeted,
    r.target,
    r.epoch,
    r.kafka_partition,
    r.kafka_offset,
    r.load_id
from jsonb_populate_recordset(null::figure_changes, %(rows)s::jsonb) as r;
