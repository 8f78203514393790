-- name: journal_page
-- returns: the next journaled events of a partition, in the order in which they came
-- params: partition int, epoch int, next_offset bigint (from there on), end_epoch int, end_offset bigint (before there), most int
-- used by: streams/stores/rebuild_folding.py

select
    ce.known_at,
    ce.epoch,
    ce.kafka_offset,
    ce.load_id,
    ce.subject,
    ce.event_id,
    ce.event_type,
    ce.event_time,
    ce.data,
    ce.area_id,
    ce.is_parked
from case_events as ce
where
    ce.kafka_partition = %(partition)s
    and (ce.epoch, ce.kafka_offset) >= (%(epoch)s, %(next_offset)s)
    and (ce.epoch, ce.kafka_offset) < (%(end_epoch)s, %(end_offset)s)
order by ce.epoch, ce.kafka_offset
limit %(most)s;
