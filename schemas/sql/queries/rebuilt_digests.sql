-- name: rebuilt_digests
-- returns: those of some tables that live and rebuilt do not hold the same multiset of rows; a row of zeros is as good as none
-- params: tables text[], those to be looked at
-- used by: streams/stores/rebuild.py

-- Sums of 64-bit hashes: every row is read once and none is sorted. The hash of a row adds up those of its
-- columns, so it is hashed once more: else a value moved from one row to another would not be seen.
with digests as (
    select
        'cases' as table_name,
        count(*) as row_count,
        sum(hashint8extended(hash_record_extended(t, 0), 0)) as digest
    from public.cases as t
    where 'cases' = any(%(tables)s)
    union all
    select
        'cases' as table_name,
        count(*) as row_count,
        sum(hashint8extended(hash_record_extended(t, 0), 0)) as digest
    from shadow.cases as t
    where 'cases' = any(%(tables)s)
    union all
    select
        'count_changes' as table_name,
        count(*) as row_count,
        sum(hashint8extended(hash_record_extended(t, 0), 0)) as digest
    from public.count_changes as t
    where 'count_changes' = any(%(tables)s)
    union all
    select
        'count_changes' as table_name,
        count(*) as row_count,
        sum(hashint8extended(hash_record_extended(t, 0), 0)) as digest
    from shadow.count_changes as t
    where 'count_changes' = any(%(tables)s)
    union all
    select
        'daily_counts' as table_name,
        count(*) as row_count,
        sum(hashint8extended(hash_record_extended(t, 0), 0)) as digest
    from public.daily_counts as t
    where
        'daily_counts' = any(%(tables)s)
        and (
            t.notified <> 0
            or t.suspected <> 0
            or t.probable <> 0
            or t.confirmed <> 0
            or t.discarded <> 0
            or t.positive <> 0
            or t.negative <> 0
            or t.pending <> 0
            or t.deaths <> 0
            or t.imported <> 0
            or t.hospitalised <> 0
        )
    union all
    select
        'daily_counts' as table_name,
        count(*) as row_count,
        sum(hashint8extended(hash_record_extended(t, 0), 0)) as digest
    from shadow.daily_counts as t
    where
        'daily_counts' = any(%(tables)s)
        and (
            t.notified <> 0
            or t.suspected <> 0
            or t.probable <> 0
            or t.confirmed <> 0
            or t.discarded <> 0
            or t.positive <> 0
            or t.negative <> 0
            or t.pending <> 0
            or t.deaths <> 0
            or t.imported <> 0
            or t.hospitalised <> 0
        )
    union all
    select
        'district_totals' as table_name,
        count(*) as row_count,
        sum(hashint8extended(hash_record_extended(t, 0), 0)) as digest
    from public.district_totals as t
    where
        'district_totals' = any(%(tables)s)
        and (
            t.notified <> 0
            or t.suspected <> 0
            or t.probable <> 0
            or t.confirmed <> 0
            or t.discarded <> 0
            or t.positive <> 0
            or t.negative <> 0
            or t.pending <> 0
            or t.deaths <> 0
            or t.imported <> 0
            or t.hospitalised <> 0
        )
    union all
    select
        'district_totals' as table_name,
        count(*) as row_count,
        sum(hashint8extended(hash_record_extended(t, 0), 0)) as digest
    from shadow.district_totals as t
    where
        'district_totals' = any(%(tables)s)
        and (
            t.notified <> 0
            or t.suspected <> 0
            or t.probable <> 0
            or t.confirmed <> 0
            or t.discarded <> 0
            or t.positive <> 0
            or t.negative <> 0
            or t.pending <> 0
            or t.deaths <> 0
            or t.imported <> 0
            or t.hospitalised <> 0
        )
    union all
    select
        'parked_events' as table_name,
        count(*) as row_count,
        sum(hashint8extended(hash_record_extended(t, 0), 0)) as digest
    from public.parked_events as t
    where 'parked_events' = any(%(tables)s)
    union all
    select
        'parked_events' as table_name,
        count(*) as row_count,
        sum(hashint8extended(hash_record_extended(t, 0), 0)) as digest
    from shadow.parked_events as t
    where 'parked_events' = any(%(tables)s)
    union all
    select
        'tallies' as table_name,
        count(*) as row_count,
        sum(hashint8extended(hash_record_extended(t, 0), 0)) as digest
    from public.tallies as t
    where 'tallies' = any(%(tables)s)
    union all
    select
        'tallies' as table_name,
        count(*) as row_count,
        sum(hashint8extended(hash_record_extended(t, 0), 0)) as digest
    from shadow.tallies as t
    where 'tallies' = any(%(tables)s)
    union all
    select
        'foci' as table_name,
        count(*) as row_count,
        sum(hashint8extended(hash_record_extended(t, 0), 0)) as digest
    from public.foci as t
    where 'foci' = any(%(tables)s)
    union all
    select
        'foci' as table_name,
        count(*) as row_count,
        sum(hashint8extended(hash_record_extended(t, 0), 0)) as digest
    from shadow.foci as t
    where 'foci' = any(%(tables)s)
    union all
    select
        'figure_changes' as table_name,
        count(*) as row_count,
        sum(hashint8extended(hash_record_extended(t, 0), 0)) as digest
    from public.figure_changes as t
    where 'figure_changes' = any(%(tables)s)
    union all
    select
        'figure_changes' as table_name,
        count(*) as row_count,
        sum(hashint8extended(hash_record_extended(t, 0), 0)) as digest
    from shadow.figure_changes as t
    where 'figure_changes' = any(%(tables)s)
    union all
    select
        'parked_reports' as table_name,
        count(*) as row_count,
        sum(hashint8extended(hash_record_extended(t, 0), 0)) as digest
    from public.parked_reports as t
    where 'parked_reports' = any(%(tables)s)
    union all
    select
        'parked_reports' as table_name,
        count(*) as row_count,
        sum(hashint8extended(hash_record_extended(t, 0), 0)) as digest
    from shadow.parked_reports as t
    where 'parked_reports' = any(%(tables)s)
)

select d.table_name
from digests as d
group by d.table_name
having
    min(d.row_count) <> max(d.row_count)
    or min(d.digest) <> max(d.digest)
order by d.table_name;
