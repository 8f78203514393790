-- name: insert_dead_letter
-- returns: nothing
-- params: topic text, epoch int, partition int, offset bigint, known_at timestamptz, error text, problems jsonb, key bytea, value bytea, standing bytea, subject text, event_id uuid
-- used by: streams/stores/ledger.py, streams/stores/reports.py

insert into dead_letters (
    topic,
    epoch,
    kafka_partition,
    kafka_offset,
    known_at,
    error,
    problems,
    record_key,
    record_value,
    standing_value,
    subject,
    event_id
)
values (
    %(topic)s,
    %(epoch)s,
    %(partition)s,
    %(offset)s,
    %(known_at)s,
    %(error)s,
    %(problems)s,
    %(key)s,
    %(value)s,
    %(standing)s,
    %(subject)s,
    %(event_id)s
)
on conflict (topic, epoch, kafka_partition, kafka_offset) do nothing;
