-- name: save_audit_position
-- returns: nothing
-- params: topic text, partition int, epoch int, next_offset bigint
-- used by: streams/stores/audit_rounds.py

insert into audit_positions (topic, kafka_partition, epoch, next_offset)
values (%(topic)s, %(partition)s, %(epoch)s, %(next_offset)s)
on conflict (topic, kafka_partition) do update
    set
        epoch = excluded.epoch,
        next_offset = excluded.next_offset;
