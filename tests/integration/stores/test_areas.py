"""Areas with dates on a real database: a series through the reforms, unknown codes, the next decree."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from schemas.catalogue import Catalogue, OperatorFilesError
from schemas.catalogue.matching import valid_on
from streams.domain.errors import ConfigurationError
from streams.domain.geography import geography_on
from streams.domain.positions import Touched
from streams.stores.areas import Atlas, read_parked_codes
from streams.stores.audit import audit
from streams.stores.catalogue import (
    current_load_id,
    load,
    load_operator_files,
    mark_announced,
    read_operator_files,
    remove_operator_files,
    unannounced_changes,
)
from streams.stores.counts import CountsRequest, Dimension, read_counts
from streams.stores.database import connect
from streams.stores.ledger import PostgresLedger
from streams.stores.snapshots import LATER_COLUMNS, publish_counts, read_snapshot, reprint_counts
from tests.builders import event, position, records
from tests.fakes import run
from tests.ledger_contract import fold

pytestmark = pytest.mark.native

TODAY = date(2026, 11, 22)
READ_AT = datetime(2026, 11, 1, tzinfo=UTC)
OLD, NEW = date(2024, 12, 31), date(2026, 1, 1)
SURVEILLANCE = geography_on("surveillance", None, TODAY)
STRADDLING = {"Phường Đoàn Kết", "Phường Tân Phong", "Xã Sin Suối Hồ", "Xã Hua Bum", "Xã Lê Lợi", "Xã Pa Tần"}
LINKS = "from_code,to_code,on,kind\n"
DECREE = {
    "areas.csv": "code,kind,name_vi,parent_code,valid_from\n03999,commune,Xã Bản Bo,12,2026-06-01\n"
    "03390,commune,Xã Bình Lư,12,2026-06-01\n",
    "area_links.csv": "from_code,to_code,on,kind,is_default\n03390,03390,2026-06-01,part,true\n"
    "03390,03999,2026-06-01,part,false\n",
}


@pytest.fixture
def connection(fresh_database_url: str) -> Iterator[Connection[TupleRow]]:
    with connect(fresh_database_url) as connection:
        yield connection


def tell(database_url: str, events: Sequence[bytes], first_offset: int = 0) -> None:
    """Fold events as a worker would."""
    ledger = PostgresLedger(database_url)
    if first_offset == 0:
        assert run(ledger.replace_positions({0: None}, {0: position()}))
    fold(ledger, records(events, first_offset, at=READ_AT))
    ledger.close()


def read(connection: Connection[TupleRow], on: date, *by: Dimension, **asked: Any) -> list[dict[str, Any]]:
    return read_counts(connection, CountsRequest(by, on, **asked))


def total(rows: list[dict[str, Any]], column: str = "notified") -> int:
    return sum(row[column] for row in rows)


# --- a series through the reforms -------------------------------------------------------------------------


def series(catalogue: Catalogue) -> tuple[list[bytes], Counter[str]]:
    """1,200 cases of Lai Châu, Lào Cai with Yên Bái, Bắc Giang with Bắc Ninh from 2023 to 2026.

    Codes are those of the day of onset, drawn from the communes of that day. Also the cases by area.
    """
    rng = random.Random(20250701)
    by_id = {area.id: area for area in catalogue.areas}

    def province(area_id: str) -> str:
        parent = by_id[area_id].parent_id
        return area_id if parent is None else province(parent)

    wanted = {"12@start", "10@start", "15@start", "24@start", "27@start"}
    wanted |= {"12@2025-07-01", "15@2025-07-01", "24@2025-07-01"}
    communes = [a for a in catalogue.areas if a.kind == "commune" and province(a.id) in wanted]
    first, last = date(2023, 7, 1), date(2026, 6, 30)
    told: Counter[str] = Counter()
    events = []
    # Each straddling commune at least once.
    certain = [a for a in communes if a.name_vi in STRADDLING and a.parent_id == "12@2025-07-01"]
    for number in range(1_200):
        day = first + timedelta(days=rng.randrange((last - first).days))
        area = rng.choice([area for area in communes if valid_on(area, day)])
        if valid_on(area, NEW) and certain:
            area = certain.pop()
        told[area.id] += 1
        time = datetime(day.year, day.month, day.day, 5, tzinfo=UTC)
        events.append(
            event(f"S-{number}", number + 1, time=time, area_code=area.code, onset_on=day.isoformat())
        )
    return events, told


def test_a_series_through_the_reforms_has_equal_totals_in_all_geographies(
    fresh_database_url: str, connection: Connection[TupleRow], published_catalogue: Catalogue
) -> None:
    events, told = series(published_catalogue)
    tell(fresh_database_url, events)
    assert audit(connection).is_clean
    for on in (date(2024, 1, 1), OLD, date(2025, 3, 1), NEW, SURVEILLANCE):
        assert total(read(connection, on)) == 1_200
        assert total(read(connection, on), "approximate") == 0
        for by in ("province", "district", "commune", "month"):
            assert total(read(connection, on, by)) == 1_200, (on, by)
        # Month by month, too: the series does not break.
        assert [(row["month"], row["notified"]) for row in read(connection, on, "month")] == [
            (row["month"], row["notified"]) for row in read(connection, OLD, "month")
        ]
    old = {row["province"]: row["notified"] for row in read(connection, OLD, "province")}
    for on in (NEW, SURVEILLANCE):
        new = {row["province"]: row["notified"] for row in read(connection, on, "province")}
        assert new == {"12": old["12"], "15": old["10"] + old["15"], "24": old["24"] + old["27"]}
        assert read(connection, on, "district") == read(connection, SURVEILLANCE, "district")
    # No commune of today straddles two of these old provinces, so provinces are exact in both directions.
    assert total(read(connection, OLD, "province"), "approximate") == 0

    # Lai Châu in the old districts: the cases since 2025-07-01 in the six straddling communes, and no others.
    rows = read(connection, OLD, "district", province="12")
    straddling = [
        area.id
        for area in published_catalogue.areas
        if area.parent_id == "12@2025-07-01" and area.name_vi in STRADDLING
    ]
    assert all(told[a] for a in straddling)
    assert len(straddling) == 6
    assert total(rows, "approximate") == sum(told[a] for a in straddling) > 0
    assert {row["district"] for row in rows if row["approximate"]} == {"105", "107", "109", "112"}
    for row in rows:
        assert (row["approximate_share"] is None) == (row["approximate"] == 0)
    # Forward nothing is a guess there: no commune of Lai Châu was split.
    assert total(read(connection, NEW, "district", "commune", province="12"), "approximate") == 0
    # Before the reform nothing is a guess either.
    assert (
        total(
            read(connection, OLD, "district", "commune", province="12", last=date(2024, 12, 31)),
            "approximate",
        )
        == 0
    )


def test_which_communes_straddle_is_marked_one_by_one(
    fresh_database_url: str, connection: Connection[TupleRow]
) -> None:
    codes = {"03388": 1 / 5, "03408": 2 / 5, "03394": 1 / 3, "03460": 1 / 2, "03487": 1 / 4, "03503": 1 / 3}
    codes |= {"03390": 0.0, "03549": 0.0}
    time = datetime(2026, 2, 1, tzinfo=UTC)
    events = [
        event(f"S-{code}", number, time=time, area_code=code, onset_on=f"2026-01-{number:02}")
        for number, code in enumerate(codes, 1)
    ]
    tell(fresh_database_url, events)
    for row, share in zip(read(connection, OLD, "day", "district"), codes.values(), strict=True):
        assert (row["notified"], row["approximate"]) == (1, int(share > 0))
        assert row["approximate_share"] == (pytest.approx(share, abs=1e-4) if share else None)
    # A filter is a statement about places, too; a month alone is not.
    assert total(read(connection, OLD, "month"), "approximate") == 0
    assert total(read(connection, OLD, "month", district="105"), "approximate") == 2


def test_binh_lu_by_code_and_day(fresh_database_url: str, connection: Connection[TupleRow]) -> None:
    told = {"LC-1": ("03412", "2024-05-01"), "LC-2": ("03390", "2026-05-01"), "LC-3": ("03390", "2024-05-01")}
    events = [
        event(s, n, time=datetime.fromisoformat(f"{day}T09:00:00+07:00"), area_code=code, onset_on=day)
        for n, (s, (code, day)) in enumerate(told.items(), 1)
    ]
    tell(fresh_database_url, events)
    found = {
        (row["year"], row["commune"]): (row["commune_name"], row["district_name"], row["notified"])
        for row in read(connection, NEW, "year", "commune", "district")
    }
    assert found == {
        (2024, "03390"): ("Xã Bình Lư", "Khu vực Tam Đường", 2),
        (2026, "03390"): ("Xã Bình Lư", "Khu vực Tam Đường", 1),
    }
    old = {
        (row["year"], row["commune"]): (row["commune_name"], row["district_name"])
        for row in read(connection, OLD, "year", "commune", "district")
    }
    assert old == {
        (2024, "03390"): ("Thị trấn Tam Đường", "Huyện Tam Đường"),
        (2024, "03412"): ("Xã Bình Lư", "Huyện Tam Đường"),
        (2026, None): (None, "Huyện Tam Đường"),
    }


def test_bac_giang_on_both_sides_of_new_year_2025(
    fresh_database_url: str, connection: Connection[TupleRow]
) -> None:
    told = [("07702", "2024-12-31"), ("07702", "2025-01-01"), ("221", "2024-12-31"), ("224", "2024-12-31")]
    events = [
        event(
            f"BG-{n}", n, time=datetime.fromisoformat(f"{day}T09:00:00+07:00"), area_code=code, onset_on=day
        )
        for n, (code, day) in enumerate(told, 1)
    ]
    tell(fresh_database_url, events)
    # Thị xã Chũ did not exist yet.
    assert [(p.code, p.events) for p in read_parked_codes(connection)] == [("224", 1)]
    shown = {
        on: {row["district_name"]: row["notified"] for row in read(connection, on, "district")}
        for on in (OLD, date(2025, 1, 1), NEW)
    }
    assert shown == {
        OLD: {"Huyện Yên Dũng": 3},
        date(2025, 1, 1): {"Thành phố Bắc Giang": 3},
        NEW: {"Khu vực Bắc Giang": 3},
    }


# --- unknown codes ----------------------------------------------------------------------------------------


def test_unknown_codes_are_listed_with_what_may_have_been_meant(
    fresh_database_url: str, connection: Connection[TupleRow]
) -> None:
    time = datetime(2026, 3, 1, tzinfo=UTC)
    events = [
        event("LC-1", 1, time=time, area_code="03412", onset_on="2026-02-01"),
        event("LC-2", 2, time=time, area_code="03412", onset_on="2026-02-20"),
        event("LC-3", 3, time=time, area_code="03309", onset_on="2026-02-01"),
        event("LC-4", 4, time=time, area_code="105", onset_on="2026-02-01"),
        event("LC-5", 5, time=time, area_code="03390", onset_on="2026-02-01", disease="dengu"),
    ]
    tell(fresh_database_url, events)
    found = {code.code: code for code in read_parked_codes(connection)}
    assert {code: p.events for code, p in found.items()} == {"03412": 2, "03309": 1, "105": 1, "dengu": 1}
    assert next(iter(found)) == "03412"
    binh_lu = found["03412"]
    assert (binh_lu.first_on, binh_lu.last_on, binh_lu.subject) == ("2026-02-01", "2026-02-20", "LC-1")
    assert (binh_lu.candidates[0].code, binh_lu.candidates[0].name) == ("03390", "Xã Bình Lư")
    assert "Xã Bình Lư" in binh_lu.candidates[0].why_en
    # Two digits swapped.
    assert "03390" in {candidate.code for candidate in found["03309"].candidates}
    assert any("surveillance" in candidate.why_en for candidate in found["105"].candidates)
    assert found["dengu"].candidates[0].code == "dengue"


def test_what_a_code_meant_when(connection: Connection[TupleRow]) -> None:
    atlas = Atlas(connection)
    meanings = atlas.meanings("03390")
    assert [(m.area.name_vi, m.area.valid_to) for m in meanings] == [
        ("Thị trấn Tam Đường", "2025-06-30"),
        ("Xã Bình Lư", None),
    ]
    assert [n.area.id for n in meanings[0].successors] == ["03390@2025-07-01"]
    assert {n.area.id for n in meanings[1].predecessors} == {"03390@start", "03412@start", "03413@start"}
    assert [place.structure_on for place in meanings[1].places] == [
        "0001-01-01",
        "2024-02-01",
        "2025-01-01",
        "2025-07-01",
    ]
    assert atlas.meanings("99999") == []


# --- the next decree --------------------------------------------------------------------------------------


def test_a_decree_is_loaded_and_what_waited_for_it_is_folded(
    fresh_database_url: str, connection: Connection[TupleRow], published_catalogue: Catalogue
) -> None:
    time = datetime(2026, 7, 1, tzinfo=UTC)
    tell(
        fresh_database_url,
        [
            event("LC-1", 1, time=time, area_code="03390", onset_on="2026-05-01"),
            event("LC-2", 2, time=time, area_code="03999", onset_on="2026-06-05"),
            event("LC-3", 3, time=time, area_code="03999", onset_on="2026-05-31"),
        ],
    )
    mark_announced(connection, unannounced_changes(connection))
    trial = load_operator_files(connection, published_catalogue, "nq-1", DECREE, "test", is_trial=True)
    assert (trial.refolded_events, [area.id for area in trial.changes.added]) == (
        1,
        ["03390@2026-06-01", "03999@2026-06-01"],
    )
    assert current_load_id(connection) == 1
    assert read_operator_files(connection) == []
    assert unannounced_changes(connection) == {}

    loaded = load_operator_files(connection, published_catalogue, "nq-1", DECREE, "test")
    assert replace(loaded, load_id=0) == replace(trial, load_id=0)
    assert [area.id for area in loaded.changes.ended] == ["03390@2025-07-01"]
    # From its first day on, and not before.
    assert [(p.code, p.events, p.last_on) for p in read_parked_codes(connection)] == [
        ("03999", 1, "2026-05-31")
    ]
    assert {row["commune"]: row["notified"] for row in read(connection, TODAY, "commune")} == {
        "03390": 1,
        "03999": 1,
    }
    # A case of before in a commune that was split: half of it may lie elsewhere.
    (row,) = read(connection, TODAY, "commune", last=date(2026, 5, 31))
    assert (row["approximate"], row["approximate_share"]) == (1, 0.5)
    assert audit(connection).is_clean

    # What it moved is announced, and recorded as long as it is not.
    assert unannounced_changes(connection) == {2: frozenset({Touched("dengue", "03999@2026-06-01")})}
    mark_announced(connection, [2])
    assert unannounced_changes(connection) == {}


def test_operator_s_files_survive_an_upgrade_and_a_second_load(
    connection: Connection[TupleRow], published_catalogue: Catalogue
) -> None:
    since = {"since.csv": "disease,province_code,since\ndengue,12,2024-01-01\n"}
    load_operator_files(connection, published_catalogue, "nq-1", DECREE, "test")
    second = load_operator_files(connection, published_catalogue, "since", since, "test")
    assert not load(connection, published_catalogue, "migrate").is_new
    assert not load_operator_files(connection, published_catalogue, "since", since, "test").is_new
    upgraded = replace(published_catalogue, version="next", sources={})
    again = load(connection, upgraded, "migrate")
    assert again.is_new
    assert again.version not in (second.version, "next")
    assert [kept.name for kept in read_operator_files(connection)] == ["nq-1", "since"]
    ids = {row[0] for row in connection.execute("select area_id from areas")}
    assert {"03999@2026-06-01", "03390@2026-06-01"} <= ids
    versions = connection.execute(
        "select package_version, jsonb_array_length(operator_files) from catalogue_loads order by load_id"
    ).fetchall()
    package = published_catalogue.version
    assert versions == [(package, 0), (package, 1), (package, 2), ("next", 2)]


def test_an_upgrade_that_the_files_do_not_fit_says_which(
    connection: Connection[TupleRow], published_catalogue: Catalogue
) -> None:
    load_operator_files(connection, published_catalogue, "nq-1", DECREE, "test")
    lost = replace(
        published_catalogue,
        version="next",
        areas=tuple(area for area in published_catalogue.areas if area.code != "03390"),
    )
    with pytest.raises(ConfigurationError, match=r"'nq-1' do not fit.*canhdich areas load"):
        load(connection, lost, "migrate")
    assert current_load_id(connection) == 2


def test_wrong_files_change_nothing(connection: Connection[TupleRow], published_catalogue: Catalogue) -> None:
    with pytest.raises(OperatorFilesError):
        load_operator_files(
            connection, published_catalogue, "x", {"x.csv": LINKS + "1,2,soon,whole\n"}, "test"
        )
    assert current_load_id(connection) == 1
    assert read_operator_files(connection) == []


def test_files_are_taken_out_again_where_nothing_stands_on_them(
    fresh_database_url: str, connection: Connection[TupleRow], published_catalogue: Catalogue
) -> None:
    load_operator_files(connection, published_catalogue, "nq-1", DECREE, "test")
    gone = remove_operator_files(connection, published_catalogue, "nq-1", "test")
    assert {area.id for area in gone.changes.removed} == {"03390@2026-06-01", "03999@2026-06-01"}
    assert gone.version == published_catalogue.version
    with pytest.raises(ConfigurationError, match="areas files"):
        remove_operator_files(connection, published_catalogue, "nq-1", "test")
    load_operator_files(connection, published_catalogue, "nq-1", DECREE, "test")
    time = datetime(2026, 7, 1, tzinfo=UTC)
    tell(fresh_database_url, [event("LC-2", 2, time=time, area_code="03999", onset_on="2026-06-05")])
    with pytest.raises(ConfigurationError, match="cases refer to"):
        remove_operator_files(connection, published_catalogue, "nq-1", "test")


def test_catchments_move_totals_and_say_how_many_cases(
    fresh_database_url: str, connection: Connection[TupleRow], published_catalogue: Catalogue
) -> None:
    time = datetime(2026, 2, 1, tzinfo=UTC)
    told = [event(f"LC-{n}", n, time=time, area_code="03390", onset_on="2026-01-05") for n in (1, 2)]
    tell(fresh_database_url, [*told, event("LC-3", 3, time=time, area_code="03460", onset_on="2026-01-06")])
    before = {row["district"]: row["approximate"] for row in read(connection, OLD, "district")}
    rows = "commune_code,surveillance_code,surveillance_name\n03390,901,Khu vực Bình Lư\n03460,901,\n"
    loaded = load_operator_files(connection, published_catalogue, "khu-vuc", {"k.csv": rows}, "test")
    assert loaded.changes.regrouped_cases == 3
    (row,) = read(connection, SURVEILLANCE, "district")
    assert (row["district"], row["district_name"], row["notified"]) == ("901", "Khu vực Bình Lư", 3)
    # The old districts do not move: Hua Bum still goes to Mường Tè, by land, as a tie.
    assert {row["district"]: row["approximate"] for row in read(connection, OLD, "district")} == before
    assert before == {"106": 0, "107": 1}
    assert audit(connection).is_clean


# --- snapshots of before ----------------------------------------------------------------------------------


def test_a_snapshot_of_before_the_marks_prints_as_it_did(
    fresh_database_url: str, connection: Connection[TupleRow]
) -> None:
    tell(fresh_database_url, [event("LC-1", 1)])
    request = CountsRequest(("district",), OLD)
    kept = publish_counts(connection, "case-events", "mới", request)
    assert kept is not None
    assert not reprint_counts(connection, kept).differs
    rows = orjson.loads(kept.document)
    assert {"approximate", "approximate_share"} <= rows[0].keys()
    old = orjson.dumps(
        [{name: value for name, value in row.items() if name not in LATER_COLUMNS} for row in rows]
    ).decode()
    settings = {name: value for name, value in kept.settings.items() if name != "columns"}
    connection.execute(
        "update snapshots set document = %s, settings = %s, sha256 = sha256(convert_to(%s, 'UTF8'))",
        (old, Jsonb(settings), old),
    )
    again = reprint_counts(connection, read_snapshot(connection, kept.id))
    assert (again.document, again.differs) == (old, False)
