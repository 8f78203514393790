-- name: audit_window_size
-- returns: one row: how many events of a partition no round has looked at yet, counted up to a limit
-- params: partition int, epoch int, next_offset bigint (from there on), most int
-- used by: streams/stores/audit_rounds.py

with waiting as (
    select ce.kafka_offset
    from case_events as ce
    where
        ce.kafka_partition = %(partition)s
        and (ce.epoch, ce.kafka_offset) >= (%(epoch)s, %(next_offset)s)
    order by ce.epoch, ce.kafka_offset
    limit %(most)s
)

select count(*) as waiting from waiting;
