-- name: audit_window
-- returns: the next journaled events of a partition: where they stand, and of which case
-- params: partition int, epoch int, next_offset bigint (from there on), most int
-- used by: streams/stores/audit_rounds.py

select
    ce.epoch,
    ce.kafka_offset,
    ce.subject
from case_events as ce
where
    ce.kafka_partition = %(partition)s
    and (ce.epoch, ce.kafka_offset) >= (%(epoch)s, %(next_offset)s)
order by ce.epoch, ce.kafka_offset
limit %(most)s;
