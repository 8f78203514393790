-- One reported case per number from %(first)s to %(last)s: a commune and a disease each, an onset on one of
-- 1,000 days, its event journaled under an epoch of its own, and every table as the fold would have left it.
create temporary table filled on commit drop as
select
    n,
    'GROW-' || lpad(n::text, 9, '0') as subject,
    md5('grow' || n)::uuid as event_id,
    '2024-06-01'::timestamptz + n * interval '1 ms' as known_at,
    '2023-01-01T08:00:00+07'::timestamptz + (n %% 1000) * interval '1 day' as event_time,
    ('2023-01-01'::date + (n %% 1000)::int)::text as report_day,
    ('2023-01-01'::date + (n %% 1000)::int - 2)::text as onset_day,
    (%(diseases)s::text[])[1 + n %% cardinality(%(diseases)s::text[])] as disease,
    (%(areas)s::text[])[1 + n * 7919 %% cardinality(%(areas)s::text[])] as area_id
from generate_series(%(first)s::bigint, %(last)s::bigint) as g (n);

insert into event_ids (event_id, subject, content_hash)
select event_id, subject, sha256(convert_to(subject, 'UTF8')) from filled;

insert into case_events (
    known_at, epoch, kafka_partition, kafka_offset, load_id, subject, event_id, event_type, event_time, source,
    data, area_id, is_parked
)
select
    known_at, 0, n %% 12, n / 12, 1, subject, event_id, 'vn.canhdich.case.reported.v1', event_time, '/bench/growth',
    jsonb_build_object(
        'disease', disease, 'area_code', split_part(area_id, '@', 1), 'area_on', '2023-01-01',
        'onset_on', onset_day, 'sex', 'female'
    ),
    area_id, false
from filled;

insert into cases (
    subject, registers, counted_disease, counted_area_id, counted_onset_day, counted_report_day, counted_flags
)
select
    subject,
    jsonb_build_object(
        'disease', jsonb_build_array(stamp, disease), 'area_id', jsonb_build_array(stamp, area_id),
        'onset_on', jsonb_build_array(stamp, onset_day), 'sex', jsonb_build_array(stamp, 'female'),
        'retracted', jsonb_build_array(stamp, null), 'first_reported', jsonb_build_array(stamp, report_day),
        'first_event', jsonb_build_array(stamp, report_day)
    ),
    disease, area_id, onset_day::date, report_day::date, 3
from (
    select
        *,
        lpad(to_hex((extract(epoch from event_time) * 1000000)::bigint), 16, '0')
        || replace(event_id::text, '-', '') as stamp
    from filled
) as f;

insert into count_changes (
    known_at, subject, event_id, disease, area_id, basis, day, via, agent, notified, suspected, probable, confirmed,
    discarded, positive, negative, pending, deaths, imported, hospitalised, epoch, kafka_partition, kafka_offset
)
select
    known_at, subject, event_id, disease, area_id, b.basis, b.day::date, '', '', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, n %% 12, n / 12
from filled
cross join lateral (values ('onset', onset_day), ('report', report_day)) as b (basis, day);
