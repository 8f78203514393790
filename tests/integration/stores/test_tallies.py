"""What tallies add up to, what they stand for, what is known and what differs, on real TimescaleDB."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from psycopg import Connection
from psycopg.rows import TupleRow

import schemas.catalogue as published
from streams.domain.as_of import Place, Vector
from streams.domain.calendar import Period
from streams.domain.errors import ConfigurationError
from streams.domain.reports import ReportKind
from streams.handlers.fold_cases import Record
from streams.stores.catalogue import load
from streams.stores.counts import CountsRequest, read_counts
from streams.stores.foci import read_foci, read_foci_totals
from streams.stores.ledger import PostgresLedger
from streams.stores.report_audit import ReportsAudit, audit_reports
from streams.stores.reports import PostgresReports
from streams.stores.tallies import read_coverage, read_discrepancies, read_tallies, read_tally_counts
from tests import ledger_contract
from tests.builders import DISEASES, START, event, minutes, position, records, small_catalogue
from tests.fakes import run
from tests.report_builders import focus, tally
from tests.reports_contract import fold

pytestmark = pytest.mark.native

BEFORE, AFTER = date(2023, 12, 31), date(2026, 12, 31)
YEAR = {"first": date(2022, 1, 1), "last": date(2022, 12, 31)}


_NOW = timedelta()


class Office:
    """A database with the small catalogue, and what is sent to it."""

    def __init__(self, url: str, connection: Connection[TupleRow]) -> None:
        self.connection = connection
        self._ledgers: dict[str, Any] = {
            "tally": PostgresReports(url, "tally"),
            "focus": PostgresReports(url, "focus"),
            "case": PostgresLedger(url),
        }
        self._next = dict.fromkeys(self._ledgers, 0)
        for ledger in self._ledgers.values():
            assert run(ledger.replace_positions({0: None}, {0: position()}))

    def close(self) -> None:
        for ledger in self._ledgers.values():
            ledger.close()

    def tell(self, kind: ReportKind, *values: bytes, at: timedelta = _NOW) -> None:
        fold(self._ledgers[kind], kind, self._records(kind, values, at))

    def report_cases(self, *values: bytes, at: timedelta = _NOW) -> None:
        ledger_contract.fold(self._ledgers["case"], self._records("case", values, at))

    def _records(self, kind: str, values: Sequence[bytes], at: timedelta) -> list[Record]:
        first = self._next[kind]
        self._next[kind] += len(values)
        return records(values, first, at=START + at)

    def load(self, **changes: Any) -> None:
        load(self.connection, small_catalogue("next", **changes), "test")

    def ask(self, *by: Any, **changes: Any) -> CountsRequest:
        return CountsRequest(**{"by": by, "geography_on": BEFORE, "province": "12", **changes})


@pytest.fixture
def office(small_database_url: str, connection: Connection[TupleRow]) -> Iterator[Office]:
    office = Office(small_database_url, connection)
    yield office
    office.close()


def since(disease: str, day: str) -> published.CaseReportsSince:
    return published.CaseReportsSince(disease, "12", date.fromisoformat(day))


def tally_counts(connection: Connection[TupleRow], request: CountsRequest) -> list[dict[str, Any]]:
    (rows,) = read_tally_counts(connection, request, [(request.first, request.last)])
    return rows


def months(indicator: str, numbers: Sequence[int], values: Sequence[int], **data: Any) -> list[bytes]:
    found = []
    for number, value in zip(numbers, values, strict=True):
        after = date(2022 + number // 12, number % 12 + 1, 1)
        last = (after - timedelta(days=1)).isoformat()
        found.append(tally(indicator, value, 100 + number, start=f"2022-{number:02d}-01", end=last, **data))
    return found


def values(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def test_months_stand_for_the_year_or_the_year_for_itself(office: Office) -> None:
    office.tell("tally", tally(value=100, target=80), *months("pep_started", range(1, 12), range(1, 12)))
    (row,) = read_tallies(office.connection, office.ask(**YEAR))
    assert (row["value"], row["target"], row["tallies"], row["complete"]) == (100, 80, 1, True)
    assert (row["indicator"], row["disease"], row["disease_name"], row["kind"]) == (
        "pep_started",
        "dengue",
        "Bệnh dengue",
        "flow",
    )
    office.tell("tally", *months("pep_started", [12], [12]))
    (row,) = read_tallies(office.connection, office.ask(**YEAR))
    # The plan is by the year, and stands.
    assert (row["value"], row["target"], row["tallies"]) == (78, 80, 12)
    by_month = read_tallies(office.connection, office.ask("month", **YEAR))
    assert values(by_month, "month", "value")[0] == ("2022-01", 1)
    assert sum(row["value"] for row in by_month) == 78


def test_a_part_of_the_period_is_said_to_be_a_part(office: Office) -> None:
    office.tell("tally", *months("pep_started", [1, 2, 4], [5, 6, 7]))
    (row,) = read_tallies(office.connection, office.ask(**YEAR))
    assert (row["value"], row["complete"]) == (18, False)
    assert row["known"] == [
        {"first": date(2022, 1, 1), "last": date(2022, 2, 28)},
        {"first": date(2022, 4, 1), "last": date(2022, 4, 30)},
    ]
    assert read_tallies(office.connection, office.ask(first=date(2022, 7, 1))) == []


def test_districts_stand_for_the_province_where_all_of_them_reported(office: Office) -> None:
    office.tell("tally", tally(value=100), tally(value=30, number=2, area="106"))
    by_district = office.ask("district", **YEAR)
    assert values(read_tallies(office.connection, by_district), "district", "value") == [(None, 100)]
    (row,) = read_tallies(office.connection, office.ask(district="106", **YEAR))
    assert (row["value"], row["complete"]) == (30, True)
    office.tell("tally", tally(value=50, number=3, area="109"))
    rows = read_tallies(office.connection, by_district)
    assert values(rows, "district", "district_name", "value") == [
        ("106", "district 106@start", 30),
        ("109", "district 109@start", 50),
    ]


def test_stocks_are_never_added_up(office: Office) -> None:
    office.tell(
        "tally",
        tally("isolated_now", 62, 1, start="2022-06-24", end="2022-06-24"),
        tally("isolated_now", 40, 2, start="2022-07-01", end="2022-07-01"),
        tally("isolated_now", 30, 3, area="106", start="2022-07-01", end="2022-07-01"),
        tally("isolated_now", 9, 4, area="109", start="2022-06-01", end="2022-06-01"),
    )
    (row,) = read_tallies(office.connection, office.ask())
    assert (row["kind"], row["value"], row["last"]) == ("stock", 40, date(2022, 7, 1))
    (row,) = read_tallies(office.connection, office.ask(last=date(2022, 6, 30)))
    assert row["value"] == 62
    rows = read_tallies(office.connection, office.ask("district"))
    assert values(rows, "district", "value") == [("106", 30), ("109", 9)]


def test_cases_count_only_before_the_case_reports(office: Office) -> None:
    office.tell(
        "tally",
        tally("cases", 18),
        tally("deaths", 2, 2),
        tally("cases", 40, 3, start="2023-01-01", end="2023-12-31"),
        tally("cases", 99, 4, disease="measles"),
    )
    old = event("LC-1", 1, onset_on="2022-05-01", classification="confirmed")
    office.report_cases(old, event("LC-2", 2, onset_on="2023-07-01"))
    everything = office.ask("disease", "year", last=BEFORE)
    assert tally_counts(office.connection, everything) == []
    before = datetime_of_last(office)
    office.load(case_reports_since=(since("dengue", "2023-01-01"),))
    (row,) = tally_counts(office.connection, everything)
    assert row == {
        "disease": "dengue",
        "disease_name": "Bệnh dengue",
        "year": 2022,
        "notified": 18,
        "deaths": 2,
    }
    assert values(read_counts(office.connection, everything), "year", "notified") == [(2023, 1)]
    (row,) = tally_counts(office.connection, office.ask(last=BEFORE))
    assert (row["notified"], row["deaths"]) == (18, 2)
    # What was known before the switch is as it was then.
    as_of = replace(everything, as_of=before)
    assert tally_counts(office.connection, as_of) == []
    assert values(read_counts(office.connection, as_of), "year", "notified") == [(2022, 1), (2023, 1)]
    # Neither agents nor a day of death.
    assert tally_counts(office.connection, office.ask("agent")) == []
    (row,) = tally_counts(office.connection, office.ask(basis="death"))
    assert (row["notified"], row["deaths"]) == (0, 2)


def datetime_of_last(office: Office) -> Any:
    row = office.connection.execute("select max(last_known_at) from stream_offsets").fetchone()
    assert row is not None
    return row[0]


def test_a_resolved_case_is_left_to_the_tallies_of_its_disease(office: Office) -> None:
    """Rash in 2022 that was measles: measles has tallies until 2023, rash has case reports."""
    rash = event("LC-1", 1, disease="rash", onset_on="2022-05-01", lab={"measles": "positive"})
    late = event("LC-2", 2, disease="rash", onset_on="2023-05-01", lab={"measles": "positive"})
    office.report_cases(rash, late)
    office.tell("tally", tally("cases", 7, disease="measles"))
    asked = office.ask("disease", "year", last=BEFORE)
    counted = [("measles", 2022, 1), ("measles", 2023, 1), ("rash", 2022, 1), ("rash", 2023, 1)]
    assert values(read_counts(office.connection, asked), "disease", "year", "notified") == counted
    office.load(case_reports_since=(since("measles", "2023-01-01"),))
    rows = values(read_counts(office.connection, asked), "disease", "year", "notified")
    assert rows == [row for row in counted if row != ("measles", 2022, 1)]
    assert values(tally_counts(office.connection, asked), "disease", "year", "notified") == [
        ("measles", 2022, 7)
    ]


def test_as_of_and_a_vector_show_what_was_known(office: Office) -> None:
    office.tell("tally", tally(value=10, target=5))
    office.tell("tally", tally(value=12, number=2, time=START + minutes(1)), at=minutes(60))
    request = office.ask(**YEAR)

    def value_of(**known: Any) -> Any:
        rows = read_tallies(
            office.connection, replace(request, as_of=known.get("as_of")), None, known.get("vector")
        )
        return [row["value"] for row in rows]

    assert value_of() == [12]
    assert value_of(as_of=START + minutes(1)) == [10]
    assert value_of(as_of=START - minutes(1)) == []
    assert value_of(vector=Vector(1, {}, {0: Place(0, 1)})) == [10]
    assert value_of(vector=Vector(1, {}, {0: Place(0, 2)})) == [12]
    assert value_of(vector=Vector(1, {})) == []


def test_the_old_province_is_shown_as_the_new_one(office: Office) -> None:
    late = START + minutes(4 * 365 * 24 * 60)
    office.tell(
        "tally",
        tally(value=10),
        tally(value=30, number=2, start="2025-01-01", end="2025-12-31", time=late),
        tally(value=4, number=3, area="03552"),
        at=minutes(4 * 365 * 24 * 60),
    )
    new = office.ask("year", geography_on=AFTER)
    assert values(read_tallies(office.connection, new), "year", "value", "approximate") == [
        (2022, 10, 0),
        (2025, 30, 0),
    ]
    # A tally of the province that was there before it was drawn anew speaks for the old one, too.
    whole = office.ask(geography_on=AFTER, first=date(2025, 1, 1), last=date(2025, 12, 31))
    (row,) = read_tallies(office.connection, whole)
    assert row["complete"]
    # 03552 was split between two communes.
    (row,) = read_tallies(
        office.connection, office.ask("commune", district="109", geography_on=AFTER, **YEAR)
    )
    assert (row["commune"], row["value"], row["approximate"], row["complete"]) == ("03549", 4, 4, False)


def test_what_is_known_and_what_is_silence(office: Office) -> None:
    office.report_cases(event("LC-1", 1, onset_on="2021-07-01"))
    office.tell(
        "tally",
        tally("cases", 0, disease="measles"),
        tally("cases", 3, 2, disease="rubella"),
        tally("cases", 0, 3, disease="rubella", area="106", start="2021-01-01", end="2021-12-31"),
    )
    coverage = read_coverage(office.connection, office.ask())
    year = (date(2021, 1, 1), date(2021, 12, 31))
    # A case makes its year known, a tally of zero its period; one of three that does not count: nothing.
    assert coverage.known("dengue") == [Period(*year)]
    assert coverage.known("measles") == [Period(date(2022, 1, 1), date(2022, 12, 31))]
    assert coverage.known("rubella") == []
    assert coverage.gaps("rash", *year) == [Period(*year)]
    district = read_coverage(office.connection, office.ask(district="106"))
    assert district.is_known("rubella", *year)
    assert not district.is_known("rubella", date(2021, 1, 1), date(2021, 6, 30))
    assert district.is_known("dengue", *year)

    office.load(case_reports_since=(since("rubella", "2023-01-01"),))
    coverage = read_coverage(office.connection, office.ask())
    assert coverage.gaps("rubella", date(2021, 1, 1), date(2023, 6, 30)) == [Period(*year)]
    assert not coverage.is_known("rubella", date(2022, 1, 1), date(2022, 6, 30))
    # Of no province in particular: of those that were ever heard of.
    anywhere = read_coverage(office.connection, office.ask(province=None))
    assert anywhere.gaps("rubella", date(2021, 1, 1), date(2023, 6, 30)) == [Period(*year)]
    far = date(2999, 1, 1)
    assert coverage.gaps("rubella", far, far) == [Period(far, far)]
    before = office.ask(as_of=START - minutes(1))
    assert read_coverage(office.connection, before).known("dengue") == []


def test_what_does_not_count_is_compared(office: Office) -> None:
    office.tell(
        "tally",
        tally("cases", 3, disease="dengue"),
        tally("deaths", 1, 2, disease="dengue"),
        tally("cases", 1, 3, disease="dengue", area="106"),
        tally("cases", 5, 4, disease="dengue", area="109", start="2021-01-01", end="2021-12-31"),
        tally("pep_started", 5, 5),
    )
    office.report_cases(
        event("LC-1", 1, onset_on="2022-07-01", outcome="dead"),
        event("LC-2", 2, onset_on="2022-07-02"),
        event("LC-3", 3, onset_on="2022-07-03", area_code="109"),
        event("LC-4", 4, onset_on="2023-01-01"),
    )

    def compared(**changes: Any) -> list[tuple[Any, ...]]:
        found = read_discrepancies(office.connection, office.ask(**changes))
        return [
            (d.indicator, d.area.area_id, d.period.first.year, d.value, d.counted, d.difference)
            for d in found
        ]

    assert compared() == [
        ("cases", "109@start", 2021, 5, 0, 5),
        ("cases", "106@start", 2022, 1, 2, -1),
        ("cases", "12@start", 2022, 3, 3, 0),
        ("deaths", "12@start", 2022, 1, 1, 0),
    ]
    assert compared(district="106") == [("cases", "106@start", 2022, 1, 2, -1)]
    assert compared(first=date(2022, 1, 1), disease="measles") == []
    with pytest.raises(ConfigurationError, match="no day of death"):
        compared(basis="death")
    office.load(case_reports_since=(since("dengue", "2022-07-02"),))
    found = read_discrepancies(office.connection, office.ask())
    # 2021 counts now; of 2022 the cases before the switch are in no count.
    assert [(d.indicator, d.value, d.counted, d.case_reports_since) for d in found] == [
        ("cases", 1, 1, date(2022, 7, 2)),
        ("cases", 3, 2, date(2022, 7, 2)),
        ("deaths", 1, 0, date(2022, 7, 2)),
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"province": "99"}, "--province 99"),
        ({"district": "999"}, "--district 999"),
        ({"district": "106", "province": "12", "geography_on": date(1, 1, 1), "disease": "x"}, "--disease x"),
    ],
)
def test_a_code_that_means_nothing_is_refused(office: Office, changes: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        read_tallies(office.connection, office.ask(**changes))


FOOD_POISONING = (
    focus("NDTP-1", 1, started_on="2023-03-01", exposed=21, ill=14, dead=0),
    focus("NDTP-2", 2, started_on="2023-06-02", exposed=7, ill=7, hospitalised=7, dead=0),
    focus("NDTP-3", 3, started_on="2023-06-20", exposed=4, hospitalised=2, dead=0),
)


def test_totals_of_foci_say_what_they_leave_out(office: Office) -> None:
    office.tell("focus", *FOOD_POISONING)
    office.tell(
        "tally",
        tally("cases", 25, start="2023-01-01", end="2023-12-31"),
        tally("hospitalised", 23, 2, start="2023-01-01", end="2023-12-31"),
        tally("hospitalised", 1, 3, start="2023-01-01", end="2023-06-30"),
    )
    request = office.ask(first=date(2023, 1, 1), last=date(2023, 12, 31))
    foci = read_foci(office.connection, request)
    assert [shown.subject for shown in foci] == ["NDTP-1", "NDTP-2", "NDTP-3"]
    (total,) = read_foci_totals(office.connection, request, foci)
    assert (total.foci, total.reported) == (3, {"ill": 25, "hospitalised": 23})
    sums = {name: (found.known_sum, found.unknown) for name, found in total.rows.items()}
    assert sums == {
        "exposed": (32, 0),
        "ill": (21, 1),
        "hospitalised": (9, 1),
        "dead": (0, 0),
        "samples": (0, 3),
        "positives": (0, 3),
    }
    assert total.incomplete == ["ill", "hospitalised"]
    assert read_foci(office.connection, request, "outbreak") == []
    assert len(read_foci(office.connection, office.ask(last=date(2023, 6, 2)))) == 2


def test_foci_as_of(office: Office) -> None:
    office.tell("focus", *FOOD_POISONING)
    office.tell(
        "focus",
        focus("NDTP-1", 4, START + minutes(1), started_on="2023-03-01", ill=16),
        focus("NDTP-9", 5, disease="chikungunya"),
        at=minutes(60),
    )

    def known(as_of: Any) -> list[tuple[str, Any]]:
        return [
            (shown.subject, shown.focus.ill)
            for shown in read_foci(office.connection, office.ask(as_of=as_of))
        ]

    assert known(START + minutes(30)) == [("NDTP-1", 14), ("NDTP-2", 7), ("NDTP-3", None)]
    assert known(START - minutes(30)) == []
    assert known(START + minutes(90)) == [("NDTP-1", 16), ("NDTP-2", 7), ("NDTP-3", None)]
    office.load(diseases=(*DISEASES, replace(DISEASES[0], code="chikungunya", agents=())))
    assert known(START + minutes(90)) == [("NDTP-1", 16), ("NDTP-2", 7), ("NDTP-3", None)]
    after = datetime_of_last(office)
    assert known(after) == [("NDTP-1", 16), ("NDTP-2", 7), ("NDTP-9", None), ("NDTP-3", None)]
    assert known(after) == known(None)


@pytest.fixture
def told(office: Office) -> Office:
    office.tell("focus", *FOOD_POISONING)
    office.tell(
        "tally",
        tally(value=10, target=20),
        tally(value=12, number=2, time=START + minutes(1)),
        tally("deaths", 0, 3),
        tally("cases", 1, 4, disease="chikungunya"),
    )
    office.tell("focus", focus("NDTP-1", 4, START + minutes(1), started_on="2023-03-01", ill=16))
    return office


def test_the_books_balance(told: Office) -> None:
    assert audit_reports(told.connection) == ReportsAudit(8, 2, 3, 1, 0, 0)
    told.load(diseases=(*DISEASES, replace(DISEASES[0], code="chikungunya", agents=())))
    assert audit_reports(told.connection) == ReportsAudit(8, 3, 3, 0, 0, 0)


@pytest.mark.parametrize(
    ("drift", "seen"),
    [
        ("update tallies set value = value + 1 where indicator = 'pep_started'", (1, 1)),
        ("update tallies set target = null where indicator = 'pep_started'", (1, 1)),
        ("update tallies set registers = '{}' where indicator = 'deaths'", (1, 0)),
        ("delete from tallies where indicator = 'deaths'", (1, 1)),
        ("update foci set ill = 0 where subject = 'NDTP-3'", (1, 1)),
        ("update foci set place = 'elsewhere' where subject = 'NDTP-3'", (1, 0)),
        ("delete from foci where subject = 'NDTP-3'", (1, 4)),
        ("delete from report_events where subject = 'NDTP-3'", (1, 0)),
        ("update report_events set data = data || '{\"ill\": 1}' where subject = 'NDTP-3'", (1, 0)),
        ("delete from figure_changes where subject = 'NDTP-3' and indicator = 'foci'", (0, 1)),
        ("insert into figure_changes select * from figure_changes where indicator = 'deaths'", (0, 1)),
        ("delete from parked_reports", (1, 0)),
    ],
)
def test_drift_is_seen_where_it_is(told: Office, drift: Any, seen: tuple[int, int]) -> None:
    assert told.connection.execute(drift).rowcount == 1, "the drift itself went wrong"
    found = audit_reports(told.connection)
    assert not found.is_clean
    assert (found.state, found.ledger) == seen
