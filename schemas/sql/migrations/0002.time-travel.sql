-- Time travel: ledger rows know their place in the log, catalogue loads keep what they put in force, and
-- what was published can be printed again.
-- Applied once, in one transaction; never edited after merge.

-- Catalogue loads ---------------------------------------------------------------------------------

-- The rows of diseases, areas, area_geographies and case_reports_since as the load left them, by the names
-- of the tables and columns; null for loads that a later one had replaced before this migration.
alter table catalogue_loads add column content jsonb;

update catalogue_loads
set
    content = jsonb_build_object(
        'diseases', (select coalesce(jsonb_agg(to_jsonb(d)), '[]') from diseases as d),
        'areas', (select coalesce(jsonb_agg(to_jsonb(a)), '[]') from areas as a),
        'area_geographies', (select coalesce(jsonb_agg(to_jsonb(ag)), '[]') from area_geographies as ag),
        'case_reports_since', (select coalesce(jsonb_agg(to_jsonb(crs)), '[]') from case_reports_since as crs)
    )
where load_id = (select max(cl.load_id) from catalogue_loads as cl);

-- Ledger --------------------------------------------------------------------------------------------

-- A row belongs to an event that was folded when it came (its place in the log is set) or to a catalogue
-- load (load_id is set), also where the load folded a parked event and the row has that event's id.
alter table count_changes
add column epoch int,
add column kafka_partition int,
add column kafka_offset bigint,
add column load_id int;

update count_changes as cc
set
    epoch = ce.epoch,
    kafka_partition = ce.kafka_partition,
    kafka_offset = ce.kafka_offset
from case_events as ce
where
    ce.subject = cc.subject
    and ce.event_id = cc.event_id
    and not ce.is_parked;

update count_changes as cc
set
    load_id = (
        select min(cl.load_id)
        from catalogue_loads as cl
        where cl.known_at = cc.known_at
    )
where cc.kafka_offset is null;

alter table count_changes
add constraint count_changes_origin check ((kafka_offset is null) = (load_id is not null)),
add constraint count_changes_place check (num_nulls(epoch, kafka_partition, kafka_offset) in (0, 3));

-- Snapshots -----------------------------------------------------------------------------------------

-- What was shown, printed or published, and all that it takes to print it again.
create table snapshots (
    snapshot_id uuid primary key,
    taken_at timestamptz not null,
    label text not null check (label <> ''),
    -- What was published, e.g. 'counts'; it says how to read `settings` and `document`.
    kind text collate "C" not null check (kind <> ''),
    -- The catalogue in force.
    load_id int not null references catalogue_loads (load_id),
    -- What was counted: [{"topic", "topic_id", "partition", "epoch", "next_offset"}], all before next_offset.
    positions jsonb not null,
    settings jsonb not null,
    -- As it was published, to the letter.
    document text not null,
    sha256 bytea not null check (sha256 = sha256(convert_to(document, 'UTF8')))
);

create index snapshots_taken_at_idx on snapshots (taken_at);
