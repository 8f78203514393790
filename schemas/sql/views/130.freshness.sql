-- One row: when the newest case event was taken in by Kafka; null before the first.
create view boards.freshness as
select max(so.last_known_at) as newest_at
from public.stream_offsets as so
where so.topic like '%case-events' and so.next_offset > 0;
