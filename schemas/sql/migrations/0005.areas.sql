-- Areas: how much of an area's place in a structure is a guess; the operator's own files; what a load has to
-- announce.
-- Applied once, in one transaction; never edited after merge.

-- Geographies ---------------------------------------------------------------------------------------

-- The share of the area, 0 to 1 by number of communes, that lies in another province, district or commune than
-- the one shown. Until the next load computes them: all or nothing.
alter table area_geographies
add column province_doubt double precision not null default 0 check (province_doubt between 0 and 1),
add column district_doubt double precision not null default 0 check (district_doubt between 0 and 1),
add column commune_doubt double precision not null default 0 check (commune_doubt between 0 and 1);

update area_geographies
set district_doubt = 1
where is_approximate;

alter table area_geographies drop column is_approximate;

-- 'assumed': which area of the district took it over is not verified.
alter table area_links drop constraint area_links_kind_check;
alter table area_links add constraint area_links_kind_check check (kind in ('whole', 'part', 'assumed'));

-- Operator's files ------------------------------------------------------------------------------------

-- A decree, or the catchments of the health centres, as an operator gave it: laid over the catalogue of the
-- package at every load, in the order of their positions, so that it survives an upgrade.
create table operator_files (
    name text collate "C" primary key check (name <> ''),
    position int generated always as identity unique,
    -- File name -> text.
    files jsonb not null,
    sha256 bytea not null,
    loaded_at timestamptz not null default clock_timestamp(),
    -- The load that put them in force.
    load_id int not null references catalogue_loads (load_id)
);

-- Catalogue loads -------------------------------------------------------------------------------------

-- What the version of the catalogue is made of: the package's, and the operator's files over it:
-- [{"name", "sha256"}]. Null: the package's alone.
alter table catalogue_loads
add column package_version text,
add column operator_files jsonb not null default '[]';

-- Null until every count that the load moved is announced on count-changes.
alter table catalogue_loads add column announced_at timestamptz;

-- The loads of before were never announced, and whoever listens now looks at all counts first.
update catalogue_loads
set announced_at = known_at;
