-- name: report_journal_page
-- returns: the next journaled tallies or foci of a partition, in the order in which they came; their kind as event_type
-- params: kind text, partition int, epoch int, next_offset bigint (from there on), end_epoch int, end_offset bigint (before there), most int
-- used by: streams/stores/rebuild_folding.py

select
    re.known_at,
    re.epoch,
    re.kafka_offset,
    re.load_id,
    re.subject,
    re.event_id,
    re.kind as event_type,
    re.event_time,
    re.data,
    re.area_id,
    re.is_parked
from report_events as re
where
    re.kind = %(kind)s
    and re.kafka_partition = %(partition)s
    and (re.epoch, re.kafka_offset) >= (%(epoch)s, %(next_offset)s)
    and (re.epoch, re.kafka_offset) < (%(end_epoch)s, %(end_offset)s)
order by re.epoch, re.kafka_offset
limit %(most)s;
