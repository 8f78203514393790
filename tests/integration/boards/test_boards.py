"""Every query of every board as the boards' own login sends it, and its figures beside `canhdich counts`."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from statistics import mean
from typing import Any

import pytest
from psycopg import Connection
from psycopg.rows import TupleRow

from dashboards.__main__ import generate
from dashboards.boards import BOARDS
from dashboards.framework import AGES, LANGUAGES, SEXES
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.counts import Basis
from streams.domain.quality import AGE_BANDS
from streams.domain.rules.band import Band
from streams.stores.answers import Extras, read_answer
from streams.stores.counts import CountsRequest
from streams.stores.database import connect
from streams.stores.views import EPIDEMIOLOGISTS
from tests.grafana import EVERY, Range, choose_all, expand, queries
from tests.integration.boards.conftest import AUTUMNS, SEASONAL, Demo

pytestmark = pytest.mark.native

GENERATED = {
    (path.removesuffix(".json").partition("/")[2], path.partition("/")[0]): json.loads(text)
    for path, text in generate().items()
}
YEAR = (date(2023, 1, 1), date(2023, 12, 31))
PART = (date(2023, 3, 15), date(2023, 9, 10))
NOW, BEFORE = date(2026, 11, 1), date(2023, 12, 31)
"""Days in the structures of areas after and before the reform."""
GEOGRAPHIES = {NOW: "2025-07-01", BEFORE: "0001-01-01"}
NUMBERS = {20, 21, 23, 700, 701, 1700}
INSTANT = 1184


def picker(first: date, last: date) -> Range:
    """The time picker from the first instant of a day to the last of another."""
    return Range(
        datetime.combine(first, time(), LOCAL_ZONE),
        datetime.combine(last, time(23, 59, 59, 999_000), LOCAL_ZONE),
    )


@pytest.fixture(scope="module")
def grafana(demo: Demo) -> Iterator[Connection[TupleRow]]:
    """The login of the data source."""
    with demo.login(EPIDEMIOLOGISTS) as connection:
        yield connection


@pytest.fixture
def books(demo: Demo) -> Iterator[Connection[TupleRow]]:
    """The owner's view, for `counts`."""
    with connect(demo.url) as connection:
        yield connection


SETTINGS = {
    "all": {"province": ("12",), "disease": (EVERY,), "district": (EVERY,)},
    "one": {"province": ("12",), "disease": ("dengue",), "district": ("105",), "geography": ("0001-01-01",)},
    "several": {
        "province": ("12",),
        "disease": ("dengue", "hfmd"),
        "district": ("105", "-"),
        "basis": ("report",),
    },
    "quotes": {"province": ("12",), "disease": ("O'Hare",), "district": ("x'; drop",), "basis": ("death",)},
}


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("name", [board.name for board in BOARDS])
def test_every_query_runs(grafana: Connection[TupleRow], name: str, setting: str) -> None:
    chosen_values = SETTINGS[setting]
    for language in LANGUAGES if setting == "all" else ("vi",):
        board = GENERATED[name, language]
        chosen = choose_all(
            grafana, board, lambda name, options: chosen_values.get(name, options[:1]), picker(*YEAR)
        )
        for query in queries(board):
            cursor = grafana.execute(expand(query.sql, chosen, picker(*YEAR)))
            columns = {column.name: column.type_code for column in cursor.description or ()}
            rows = cursor.fetchall()
            if query.is_series:
                _check_series(query.where, columns, rows)
            if query.kind == "stat":
                assert len(rows) == 1, query.where
                assert set(columns.values()) <= NUMBERS | {INSTANT}, (query.where, columns)
            if query.kind == "annotation":
                assert {"time", "text"} <= set(columns), query.where
            assert len(rows) <= 5_000, query.where


def _check_series(where: str, columns: dict[str, int], rows: list[TupleRow]) -> None:
    names = list(columns)
    assert columns.get("time") == INSTANT, where
    others = {name: kind for name, kind in columns.items() if name not in ("time", "metric")}
    assert others, where
    assert set(others.values()) <= NUMBERS, (where, columns)
    assert "metric" not in columns or len(columns) == 3, where
    times = [row[names.index("time")] for row in rows]
    assert times == sorted(times), where
    if "metric" in columns:
        pairs = [(row[names.index("time")], row[names.index("metric")]) for row in rows]
        assert len(set(pairs)) == len(pairs), f"{where}: two points of a series at one time"


MAY_BE_EMPTY = {
    # The demo's events all came on one day: nothing can be said of how late they come.
    "disease": {"Ước tính khi báo cáo đủ"},
    # Nobody watched the stream in that year, and everything could be used.
    "quality": {"Bản ghi lỗi mỗi ngày, theo loại lỗi", "Hàng chờ", "Tuổi của sự kiện mới nhất"},
    # The first alert in the list is the first of its kind.
    "alerts": {"Cảnh báo trước đây của bệnh này ở huyện này"},
}


@pytest.mark.parametrize("name", [board.name for board in BOARDS])
def test_no_panel_is_empty(grafana: Connection[TupleRow], name: str) -> None:
    disease = EVERY if name == "alerts" else "hfmd"
    wanted = {
        "province": ("12",),
        "disease": (disease,),
        "district": ("106",) if name == "area" else (EVERY,),
    }
    board = GENERATED[name, "vi"]
    chosen = choose_all(grafana, board, lambda name, options: wanted.get(name, options[:1]), picker(*YEAR))
    empty = {
        query.where
        for query in queries(board)
        if query.kind != "annotation"
        and not grafana.execute(expand(query.sql, chosen, picker(*YEAR))).fetchall()
    }
    assert empty <= MAY_BE_EMPTY.get(name, set())


# The overview's figures ----------------------------------------------------------------------------


def ask(
    connection: Connection[TupleRow],
    board: str,
    panel: str,
    period: tuple[date, date],
    **values: tuple[str, ...],
) -> list[dict[str, Any]]:
    """The rows of one panel, by its function's name."""
    found = next(b for b in BOARDS if b.name == board)
    place = [make.__name__ for make in found.panels].index(panel)
    generated = GENERATED[board, "en"]
    given = {"province": ("12",), "disease": (EVERY,), "district": (EVERY,), **values}
    chosen = choose_all(
        connection, generated, lambda name, options: given.get(name, options[:1]), picker(*period)
    )
    cursor = connection.execute(
        expand(generated["panels"][place]["targets"][0]["rawSql"], chosen, picker(*period))
    )
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor]


QUESTIONS = [
    pytest.param(YEAR, NOW, None, None, "onset", id="year"),
    pytest.param(YEAR, BEFORE, None, None, "report", id="year-before-the-reform"),
    pytest.param(PART, NOW, "105", None, "onset", id="district"),
    pytest.param(PART, BEFORE, None, "measles", "onset", id="disease-that-a-syndrome-resolves-to"),
    pytest.param(YEAR, NOW, None, None, "death", id="deaths"),
]


@pytest.mark.parametrize(("period", "on", "district", "disease", "basis"), QUESTIONS)
def test_the_overview_is_what_counts_says(
    grafana: Connection[TupleRow],
    books: Connection[TupleRow],
    period: tuple[date, date],
    on: date,
    district: str | None,
    disease: str | None,
    basis: Basis,
) -> None:
    values: dict[str, tuple[str, ...]] = {
        "geography": (GEOGRAPHIES[on],),
        "basis": (basis,),
        "district": (district or EVERY,),
        "disease": (disease or EVERY,),
    }
    counter = "deaths" if basis == "death" else "notified"

    def counts(*by: Any, **more: Any) -> list[dict[str, Any]]:
        asked = {"first": period[0], "last": period[1], **more}
        request = CountsRequest(
            by, on, basis=basis, province="12", district=district, disease=disease, **asked
        )
        return read_answer(books, request)

    (figures,) = ask(grafana, "overview", "cases_in_period", period, **values)
    (total,) = counts()
    assert figures == {name: total[name] for name in ("notified", "deaths")}
    assert total[counter] > 0

    weeks: Counter[date] = Counter()
    shown: Counter[str] = Counter()
    for row in ask(grafana, "overview", "weekly_cases", period, **values):
        weeks[row["time"].astimezone(LOCAL_ZONE).date()] += int(row["cases"])
        shown[row["metric"]] += int(row["cases"])
    assert weeks == Counter({row["week_start"]: row[counter] for row in counts("week")})
    names = dict(books.execute("select name_en, code from diseases").fetchall())
    by_disease = {row["disease"]: row for row in counts("disease")}
    for name, cases in shown.items():
        if name in names:
            row = by_disease[names[name]]
            # In a sum over diseases a case of a syndrome stands there.
            own = row[counter] - (0 if disease or basis == "death" else row["resolved_from_syndrome"])
            assert cases == own, name

    table = ask(grafana, "overview", "what_rises", period, **values)
    assert {row["disease"]: (row["notified"], row["deaths"]) for row in table} == {
        code: (row["notified"], row["deaths"])
        for code, row in by_disease.items()
        if row["notified"] or row["deaths"]
    }
    monday = period[1] + timedelta(days=1) - timedelta(days=(period[1].weekday() + 1) % 7)
    last_weeks = {
        row["disease"]: row[counter]
        for row in counts("disease", first=monday - timedelta(days=28), last=monday - timedelta(days=1))
    }
    assert {row["disease"]: row["recent"] for row in table if row["recent"]} == {
        code: cases for code, cases in last_weeks.items() if cases and code in by_disease
    }

    districts = {row["district"] or "-": (row["notified"], row["deaths"]) for row in counts("district")}
    ranked = ask(grafana, "overview", "districts_ranked", period, **values)
    assert {
        row["district"]: (row["notified"], row["deaths"])
        for row in ranked
        if row["notified"] or row["deaths"]
    } == districts
    on_map = ask(grafana, "overview", "incidence_map", period, **values)
    assert on_map == [row for row in ranked if row["district"] != "-"]
    if basis != "death":
        request = CountsRequest(
            ("district",), on, basis, "12", district, disease, first=period[0], last=period[1]
        )
        rates = {
            row["district"]: row["incidence_per_100k"]
            for row in read_answer(books, request, Extras(rates=True))
        }
        for row in on_map:
            if row["notified"]:
                assert row["rate"] == pytest.approx(rates[row["district"]], abs=1e-4)


def test_what_is_usual_is_the_median_that_counts_compares_with(
    grafana: Connection[TupleRow], books: Connection[TupleRow]
) -> None:
    table = ask(grafana, "overview", "what_rises", YEAR, geography=("0001-01-01",))
    (row,) = [row for row in table if row["disease"] == SEASONAL]
    # The last four whole ISO weeks of 2023.
    first, last = date(2023, 12, 4), date(2023, 12, 31)
    request = CountsRequest(("disease",), BEFORE, province="12", disease=SEASONAL, first=first, last=last)
    (compared,) = read_answer(books, request, Extras(compare="median-5y"))
    assert row["usual"] == compared["median_5y"] > 0
    # Of the others nothing is known before 2022.
    assert {row["usual"] for row in table if row["disease"] != SEASONAL} == {None}


def test_days_without_a_report(grafana: Connection[TupleRow], books: Connection[TupleRow]) -> None:
    found = {row["name"]: row["days"] for row in ask(grafana, "overview", "days_without_report", YEAR)}
    request = CountsRequest(
        ("district", "day"), NOW, "report", "12", first=YEAR[1] - timedelta(days=60), last=YEAR[1]
    )
    last: dict[str, date] = {}
    for row in read_answer(books, request):
        if row["district"] is not None and row["notified"]:
            last[row["district_name"]] = max(row["day"], last.get(row["district_name"], row["day"]))
    assert {name: (YEAR[1] - day).days for name, day in last.items()} == {
        name: days for name, days in found.items() if name in last
    }
    assert {days for name, days in found.items() if name not in last} <= {60}
    assert len(found) == 8


def test_open_alerts_and_their_weeks(grafana: Connection[TupleRow]) -> None:
    assert ask(grafana, "overview", "open_alerts", YEAR) == [
        {"attention": 1, "alert": 1, "above_band": 0, "outbreak": 1}
    ]
    # An alert in the province's name has no district.
    assert ask(grafana, "overview", "open_alerts", YEAR, district=("105",)) == [
        {"attention": 0, "alert": 1, "above_band": 0, "outbreak": 0}
    ]
    weeks = ask(grafana, "overview", "alert_timeline", YEAR, disease=("dengue",))
    levels = {row["time"].astimezone(LOCAL_ZONE).date(): row["level"] for row in weeks}
    assert min(levels) == date(2023, 7, 3)
    days = (date(2023, 7, 31), date(2023, 8, 7), date(2023, 8, 28), date(2023, 9, 4))
    assert [levels[day] for day in days] == [2, 4, 4, 2]


def test_the_newest_report(grafana: Connection[TupleRow], books: Connection[TupleRow]) -> None:
    ((age,),) = books.execute("select now() - max(last_known_at) from stream_offsets").fetchall()
    (shown,) = ask(grafana, "overview", "newest_report", YEAR)
    assert shown["newest_age_seconds"] == pytest.approx(age.total_seconds(), abs=60)


def test_who_still_reports(grafana: Connection[TupleRow], books: Connection[TupleRow]) -> None:
    """As judged on the last Monday of the period, district by district."""
    judged = books.execute(
        "select a.code, a.name_vi, rw.reporter, rw.state from reporter_weeks as rw "
        "join areas as a on rw.district_id = a.area_id where rw.judged_on = %s",
        (YEAR[1] - timedelta(days=YEAR[1].weekday()),),
    ).fetchall()
    assert len(judged) > 3
    by_district: dict[str, list[bool]] = {}
    for _, name, _, state in judged:
        by_district.setdefault(name, []).append(state == "reporting")
    shown = ask(grafana, "overview", "reporting_completeness", YEAR)
    assert {row["name"]: row["share"] for row in shown} == {
        name: pytest.approx(mean(states)) for name, states in by_district.items()
    }
    assert [row["share"] for row in shown] == sorted(row["share"] for row in shown)

    district = judged[0][0]
    there = ask(grafana, "area", "reporters", YEAR, district=(district,))
    assert {row["reporter"]: row["state"] for row in there} == {
        reporter: "reports" if state == "reporting" else "silent"
        for code, _, reporter, state in judged
        if code == district
    }


# Disease and area ------------------------------------------------------------------------------------


def test_the_band_is_the_laws(grafana: Connection[TupleRow]) -> None:
    rows = ask(
        grafana,
        "disease",
        "observed_and_expected",
        (date(2023, 11, 27), date(2023, 12, 31)),
        disease=(SEASONAL,),
    )
    assert [row["time"].astimezone(LOCAL_ZONE).date() for row in rows] == [
        date(2023, 11, 27) + timedelta(weeks=week) for week in range(5)
    ]
    for row in rows:
        week = row["time"].astimezone(LOCAL_ZONE).date().isocalendar().week
        *counts, this_year = [_autumn(year, week) for year in AUTUMNS]
        band = Band.of(counts)
        assert row["observed"] == this_year
        assert row["expected"] == pytest.approx(mean(counts))
        assert row["one_sd"] == pytest.approx(mean(counts) + band.deviation, abs=1e-3)
        assert row["two_sd"] == pytest.approx(mean(counts) + 2 * band.deviation, abs=1e-3)


WEEKS_OF_THE_YEAR = (date(2022, 12, 26), date(2023, 12, 31))
"""The whole ISO weeks that the year lies in."""


def test_ages_and_sexes_add_up_to_the_cases(
    grafana: Connection[TupleRow], books: Connection[TupleRow]
) -> None:
    for district in (None, "105"):
        # They stand under the districts of their own time.
        values = {"disease": ("hfmd",), "geography": ("0001-01-01",)}
        values |= {"district": (district,)} if district else {}
        rows = ask(grafana, "disease", "ages", YEAR, **values)
        first, last = WEEKS_OF_THE_YEAR
        request = CountsRequest((), BEFORE, "report", "12", district, "hfmd", first=first, last=last)
        (counted,) = read_answer(books, request)
        assert sum(row[sex] for row in rows for sex in SEXES) == counted["notified"] > 0
        assert [row["age"] for row in rows] == [text.en for text in AGES.values()]
        # The demo's are children of both sexes.
        assert all(sum(row[sex] for row in rows) for sex in ("male", "female"))
        assert rows[1]["male"] > 0 == rows[7]["male"]


def test_the_bands_are_those_of_the_domain() -> None:
    assert list(AGES) == [*(name for name, _ in AGE_BANDS), "age_65_up", "age_unknown"]


def test_what_stands_behind_an_alert(grafana: Connection[TupleRow], books: Connection[TupleRow]) -> None:
    ((later,), (earlier,)) = books.execute(
        "select alert_id::text from alerts where disease = 'dengue' order by raised_at desc"
    ).fetchall()
    first, last = WEEKS_OF_THE_YEAR
    request = CountsRequest((), BEFORE, "report", "12", "105", "dengue", first=first, last=last)
    (counted,) = read_answer(books, request)
    before = {"geography": ("0001-01-01",)}
    rows = ask(grafana, "alerts", "ages", YEAR, alert=(later,), **before)
    assert sum(row[sex] for row in rows for sex in SEXES) == counted["notified"] > 0

    ((malaria,),) = books.execute("select alert_id::text from alerts where disease = 'malaria'").fetchall()
    (province,) = read_answer(
        books, CountsRequest((), BEFORE, "report", "12", None, "malaria", first=first, last=last)
    )
    rows = ask(grafana, "alerts", "ages", YEAR, alert=(malaria,), **before)
    assert sum(row[sex] for row in rows for sex in SEXES) == province["notified"] > 0
    assert ask(grafana, "alerts", "neighbours", YEAR, alert=(malaria,)) == []

    shown = ask(grafana, "alerts", "neighbours", YEAR, alert=(later,))
    labels = sorted({row["metric"] for row in shown})
    assert len(labels) > 1
    assert labels[0].startswith("0. ")
    here = {row["time"]: row["rate"] for row in shown if row["metric"] == labels[0]}
    assert here == {
        row["time"]: row["rate"]
        for row in ask(
            grafana, "area", "neighbours", YEAR, district=("105",), disease=("dengue",), basis=("onset",)
        )
        if row["metric"] == labels[0]
    }

    weeks = Counter(row["metric"] for row in shown)
    # A week without a case is a zero, and no gap that a line is drawn over.
    assert set(weeks.values()) == {53}
    assert min(here.values()) == 0 < max(here.values())

    (first_one,) = ask(grafana, "alerts", "earlier_alerts", YEAR, alert=(later,))
    assert (first_one["level"], first_one["said"], first_one["cases"]) == (2, "Right", 7)
    assert first_one["rule"] == "Weekly alert, groups B and C, endemic"
    assert ask(grafana, "alerts", "earlier_alerts", YEAR, alert=(earlier,)) == []


def test_the_alerts_of_a_week_are_one_mark(grafana: Connection[TupleRow]) -> None:
    board = GENERATED["disease", "en"]
    chosen = choose_all(
        grafana,
        board,
        lambda name, options: (
            ("12",) if name == "province" else options[:1] if name != "district" else (EVERY,)
        ),
        picker(*YEAR),
    )
    (mark,) = [one for one in board["annotations"]["list"] if one["name"] == "Alerts"]
    marks = grafana.execute(expand(mark["target"]["rawSql"], chosen, picker(*YEAR))).fetchall()
    assert [(at.astimezone(LOCAL_ZONE).date(), text, tags) for at, text, tags in marks] == [
        (date(2023, 8, 7), "1 alert(s): Dengue · Thành phố Lai Châu: above", "outbreak"),
        (date(2023, 7, 3), "1 alert(s): Dengue · Thành phố Lai Châu: above", "alert"),
    ]


def test_each_disease_of_a_district(grafana: Connection[TupleRow], books: Connection[TupleRow]) -> None:
    shown: Counter[str] = Counter()
    for row in ask(grafana, "area", "diseases_by_week", YEAR, district=("105",), geography=("0001-01-01",)):
        shown[row["metric"]] += int(row["cases"])
    request = CountsRequest(("disease",), BEFORE, "onset", "12", "105", None, first=YEAR[0], last=YEAR[1])
    names = dict(books.execute("select code, name_en from diseases").fetchall())
    assert shown == {
        names[row["disease"]]: row["notified"] - row["resolved_from_syndrome"]
        for row in read_answer(books, request)
        if row["notified"] - row["resolved_from_syndrome"]
    }


def _autumn(year: int, week: int) -> int:
    """Cases of the added history in an ISO week."""
    return sum(
        AUTUMNS[year] + number
        for number in range(5)
        if (date(year, 11, 27) + timedelta(days=7 * number)).isocalendar()[:2] == (year, week)
    )
