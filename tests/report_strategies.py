"""Whole reports made by chance: facts in which every sentence of the templates has its turn."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from streams.domain.calendar import Period
from streams.domain.report.bulletin import BulletinFacts, BulletinLine
from streams.domain.report.changes import CaseChange, Standing
from streams.domain.report.facts import (
    AlertFacts,
    DiseaseFacts,
    Estimate,
    Figure,
    FocusFacts,
    FoodPoisoning,
    Forms,
    OutbreakFocus,
    Place,
    Quality,
    Reporters,
    Share,
    SituationFacts,
    TallyFacts,
)
from streams.domain.report.focus import NUMBERS, FocusReportFacts, LinkedCases, Onset
from streams.domain.report.outbreak import FocusPlace, OutbreakFacts
from tests.situations import YEAR, compared, disease, figure, situation, tally

PLACES = ("Huyện Mường Tè", "Huyện Sìn Hồ", "Thành phố Lai Châu", "Xã Bum Tở", "Phường Tân Phong", None)
SMALL = st.integers(0, 12)
ANY = st.one_of(SMALL, st.integers(0, 2_000_000))
DAYS = st.dates(date(2022, 1, 1), date(2023, 12, 31))
FIGURES = st.one_of(st.just(0), ANY).map(figure)
OFTEN = st.sampled_from([True, True, True, False])

DISEASES = (
    ("dengue", "Bệnh Sốt xuất huyết Dengue"),
    ("malaria", "Bệnh Sốt rét"),
    ("anthrax", "Bệnh Than"),
    ("covid19", "COVID-19"),
)
FLOWS = ("slides_examined", "treatment_doses", "persons_examined", "patients_new", "patients_managed")
ISOLATION = (
    "isolated_total",
    "isolated_done",
    "isolated_done_f1",
    "isolated_done_f2",
    "isolated_done_f3",
    "isolated_now",
    "isolated_now_facility",
    "isolated_now_centre",
    "isolated_now_home",
)


def known(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Now and then nobody knows."""
    return st.one_of(st.none(), values)


def parts(draw: Any, total: int, names: Any) -> dict[str | None, int]:
    """A total divided over some places, none with nothing."""
    found: dict[str | None, int] = {}
    rest = total
    for name in draw(st.lists(st.sampled_from(names), unique=True, min_size=1, max_size=4)):
        if rest == 0:
            break
        found[name] = draw(st.integers(1, rest))
        rest -= found[name]
    if rest and found:
        found[next(reversed(found))] += rest
    return found


@st.composite
def diseases(draw: Any, code: str = "dengue", label: str = "Bệnh Sốt xuất huyết Dengue") -> DiseaseFacts:
    """Any figures of a disease that do not contradict each other."""
    cases = draw(ANY)
    deaths = draw(st.one_of(st.integers(0, min(cases, 2)), st.integers(0, cases)))
    positive = draw(st.integers(0, cases))
    negative = draw(st.integers(0, cases - positive))
    pending = draw(st.integers(0, cases - positive - negative))
    names = draw(st.lists(st.sampled_from([code, "denv1", "measles", "je"]), unique=True))
    agents = {name: draw(st.integers(1, positive)) for name in names} if positive else {}
    match draw(st.sampled_from(["any", "any", "one kind", "two kinds"])):
        case "one kind" if cases:
            positive, negative, pending, agents = cases, 0, 0, {"je": cases}
        case "two kinds" if positive > 1:
            agents = {"measles": 1, "rubella": positive - 1}
    exposures = None
    if draw(st.booleans()):
        exposures = tally("pep_started", draw(ANY), draw(known(ANY)))
    near = st.integers(-cases // 8, cases // 8).map(lambda change: cases + change)
    return disease(
        cases,
        deaths,
        draw(st.one_of(st.none(), ANY, near)),
        draw(st.one_of(st.none(), SMALL, st.just(deaths))),
        code=code,
        label=label,
        lab=(positive, negative, pending),
        agents=agents,
        imported=draw(st.one_of(st.integers(0, cases), st.just(cases))),
        discarded=draw(st.integers(0, cases)),
        resolved=draw(st.one_of(st.just(0), st.integers(0, cases))),
        places=parts(draw, cases, PLACES),
        death_places=parts(draw, deaths, draw(st.sampled_from([PLACES, PLACES, (None,)]))),
        region=draw(st.sampled_from([None, None, "Khu vực Mường Tè"])),
        is_syndrome=draw(st.booleans()),
        exposures=exposures,
        year=draw(st.sampled_from([2022, None])),
        tallies=tuple(draw(tallies())),
    )


@st.composite
def tallies(draw: Any) -> list[TallyFacts]:
    """What offices report as sums: none, some plans, isolation in any of its classes."""
    found = [
        tally(
            name,
            draw(ANY),
            draw(known(ANY)),
            draw(known(ANY)),
            is_complete=draw(st.booleans()),
        )
        for name in draw(st.lists(st.sampled_from(FLOWS), unique=True, max_size=2))
    ]
    if draw(st.sampled_from([False, False, True])):
        found += [
            tally(name, draw(ANY))
            for name in draw(st.lists(st.sampled_from(ISOLATION), unique=True, min_size=1))
        ]
    return found


@st.composite
def food_poisonings(draw: Any) -> FoodPoisoning:
    """Some events of which some numbers are not known."""
    rows = draw(
        st.lists(
            st.builds(
                FocusFacts,
                st.sampled_from([name for name in PLACES if name]),
                known(DAYS),
                *[known(FIGURES)] * 4,
            ),
            min_size=1,
            max_size=3,
        )
    )
    totals = [draw(known(FIGURES)) for _ in range(3)]
    named = [name for name, total in zip(("ill", "hospitalised", "dead"), totals, strict=True) if total]
    return FoodPoisoning(
        figure(len(rows)),
        *totals,
        tuple(rows),
        incomplete=tuple(name for name in named if draw(st.booleans())),
        at_least=tuple(name for name in named if name != "dead" and draw(st.booleans())),
    )


@st.composite
def alerts(draw: Any) -> AlertFacts:
    """An alert of the law's levels in any state."""
    first = draw(DAYS)
    return AlertFacts(
        "a1",
        "Bệnh Sởi",
        "Measles",
        draw(st.sampled_from([name for name in PLACES if name])),
        draw(st.sampled_from(["outbreak", "above_band", "alert"])),
        draw(st.sampled_from(["raised", "acknowledged", "verified", "dismissed", "closed"])),
        draw(st.booleans()),
        "TT 15/2026/TT-BYT Điều 16.1b",
        draw(known(st.just(Period(first, first + timedelta(days=6))))),
        draw(FIGURES),
        draw(known(DAYS)),
        draw(known(DAYS)),
    )


@st.composite
def qualities(draw: Any) -> Quality:
    """Any quality of the data."""
    regular = draw(SMALL)
    heard = draw(st.one_of(st.just(regular), st.integers(0, regular)))
    cases = draw(ANY)
    incomplete = draw(st.one_of(st.just(0), st.integers(0, cases)))
    asked = cases * 10
    share = Share(figure(asked - draw(st.integers(incomplete, 10 * incomplete))), figure(asked))
    judged = draw(ANY)
    late = draw(st.one_of(st.just(0), st.integers(0, judged)))
    lower, upper = sorted(draw(st.tuples(ANY, ANY)))
    monday = date(2023, 12, 18)
    return Quality(
        draw(
            known(st.just(Reporters(figure(regular), figure(heard), figure(draw(st.integers(0, regular))))))
        ),
        draw(known(st.just(Forms(figure(cases), figure(incomplete), share if cases else None)))),
        *draw(st.sampled_from([(None, None), (figure(judged), figure(late))])),
        *[draw(known(FIGURES)) for _ in range(3)],
        draw(
            known(
                st.just(
                    Estimate(
                        monday, monday + timedelta(days=6), draw(FIGURES), (lower + upper) // 2, lower, upper
                    )
                )
            )
        ),
        draw(st.sampled_from([None, ("chưa đủ dữ liệu", "too little is known")])),
        draw(st.booleans()),
    )


@st.composite
def situations(draw: Any) -> SituationFacts:
    """A whole report."""
    chosen = draw(st.lists(st.sampled_from(DISEASES), unique=True, max_size=3))
    told = [draw(diseases(code, label)) for code, label in chosen]
    return situation(
        *told,
        period=draw(st.sampled_from([YEAR, Period(date(2023, 1, 1), date(2023, 6, 24))])),
        food_poisoning=draw(known(food_poisonings())),
        alerts=tuple(draw(st.lists(alerts(), max_size=2))),
        attention=draw(known(FIGURES)),
        foci=tuple(
            draw(
                st.lists(
                    st.builds(
                        OutbreakFocus,
                        st.just("Bệnh Dại"),
                        st.just("Rabies"),
                        st.just("Xã Bum Tở"),
                        known(DAYS),
                        known(DAYS),
                        known(FIGURES),
                        known(FIGURES),
                    ),
                    max_size=1,
                )
            )
        ),
        quality=draw(qualities()),
        merged_from=draw(st.sampled_from([(), ("Tỉnh Lào Cai", "Tỉnh Yên Bái")])),
    )


@st.composite
def bulletins(draw: Any) -> BulletinFacts:
    """A week."""
    lines = []
    for code, label in draw(st.lists(st.sampled_from(DISEASES), unique=True, max_size=3)):
        year = draw(ANY)
        deaths = draw(st.integers(0, min(year, 12)))
        week = draw(st.integers(0, year))
        places = tuple(Place(name, figure(count)) for name, count in parts(draw, deaths, PLACES).items())
        week_deaths = figure(draw(st.integers(0, min(week, 3))))
        lines.append(
            BulletinLine(
                code,
                label,
                code.capitalize(),
                figure(week),
                week_deaths,
                figure(year),
                figure(deaths),
                places,
            )
        )
    week_days = Period(date(2023, 7, 3), date(2023, 7, 9))
    return BulletinFacts("Tỉnh Lai Châu", week_days, draw(FIGURES), draw(FIGURES), tuple(lines))


@st.composite
def case_changes(draw: Any) -> list[CaseChange]:
    """Cases between two instants."""
    standing = known(
        st.builds(
            Standing,
            st.sampled_from(["dengue", "measles"]),
            st.sampled_from(["Xã A", "Xã B", ""]),
            st.sampled_from(["Huyện Sìn Hồ", "Huyện Phong Thổ", ""]),
            st.sampled_from([date(2023, 6, 30), date(2023, 7, 4), date(2023, 8, 2)]),
            st.booleans(),
            OFTEN,
        )
    )
    died = standing.map(lambda before: (before, before and replace(before, is_dead=not before.is_dead)))
    pairs = draw(st.lists(st.one_of(died, st.tuples(standing, standing)), max_size=5))
    return [CaseChange(f"LC-{n}", before, after) for n, (before, after) in enumerate(pairs)]


@st.composite
def focus_reports(draw: Any) -> FocusReportFacts:
    """A focus at the end of a day; it may have ended on it."""
    on = date(2026, 8, 21)
    updated = draw(st.sampled_from([on, on - timedelta(days=2)]))
    moves = st.integers(-900, 900).map(figure)
    numbers: dict[str, Figure | None] = {name: draw(known(FIGURES)) for name in NUMBERS}
    return FocusReportFacts(
        "LC-OD-1",
        "Bệnh Sởi",
        draw(known(st.just("bản Nà Hum"))),
        "Xã Bum Tở",
        "Tỉnh Lai Châu",
        on,
        *[draw(known(st.builds(Onset, DAYS, st.booleans()))) for _ in range(2)],
        updated - timedelta(days=3),
        updated,
        draw(known(st.just(updated - timedelta(days=3)))),
        draw(known(st.just(on))),
        draw(SMALL),
        numbers,
        {name: draw(known(moves)) for name in NUMBERS},
        draw(known(st.builds(LinkedCases, *[FIGURES] * 4))),
        draw(known(moves)),
    )


@st.composite
def outbreaks(draw: Any) -> OutbreakFacts:
    """An outbreak that the station has determined, and perhaps its end."""
    cases = draw(ANY)
    positive = draw(st.integers(0, cases))
    negative = draw(st.integers(0, cases - positive))
    pending = draw(st.integers(0, cases - positive - negative))
    determined_at = datetime(2026, 8, 20, 1, tzinfo=UTC)

    def groups(*names: str | None) -> Any:
        return tuple((name, figure(count)) for name, count in parts(draw, cases, names).items())

    onset = draw(DAYS) if cases else None
    near = st.integers(-cases // 8, cases // 8).map(lambda change: cases + change)
    return OutbreakFacts(
        "Bệnh Sởi",
        "Xã Bum Tở",
        "Tỉnh Lai Châu",
        determined_at,
        draw(known(st.just(determined_at + timedelta(days=30)))),
        Period(date(2026, 8, 1), date(2026, 8, 21)),
        figure(cases),
        figure(draw(st.integers(0, cases))),
        figure(positive),
        figure(negative),
        figure(pending),
        compared(cases, draw(st.one_of(st.none(), ANY, near)), 2025),
        onset,
        onset,
        groups("bản Nà Hum", "bản Phìn Hồ", None),
        groups("male", "female", "unknown"),
        groups(
            "age_0", "age_1_4", "age_5_9", "age_10_14", "age_15_24", "age_25_44", "age_45_64", "age_65_up"
        ),
        tuple(draw(st.lists(st.builds(FocusPlace, st.just("bản Nà Hum"), known(DAYS)), max_size=1))),
        draw(st.sampled_from(["outbreak", "above_band", "alert"])),
        "Điều 16.1b Thông tư 15/2026/TT-BYT",
        draw(FIGURES),
    )
