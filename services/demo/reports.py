"""The demo's tallies and foci: figures of the published report that are no cases, as events of its own.

Sources: báo cáo Sở Y tế Lai Châu năm 2023 (công khai); of the isolation: báo cáo Sở Y tế Lai Châu đến
24/6/2020 (công khai). The dates of the food poisonings and their places within a commune, and the plan of the
tuberculosis examinations (the report gives only that 2.241 are 56 % of it), are the demo's own. The totals of
the food poisonings (25 ill, 23 in hospital) do not follow from the rows; both stand as they are.
"""

import datetime as dt
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from schemas.events import FOCUS_REPORTED, LOCAL_TIMEZONE, TALLY_REPORTED, build_event
from schemas.events.fields import FIELDS
from services.demo.figures import PROVINCE, YEAR, YEAR_BEFORE
from services.demo.ids import DEFAULT_SEED, uuid7
from services.demo.show import STAMP
from streams.domain.reports import ReportKind

NAMES: Final[Mapping[str, str]] = {
    "rabies": "Dại",
    "malaria": "Sốt rét",
    "tuberculosis": "Lao",
    "food_poisoning": "Ngộ độc thực phẩm",
    "streptococcus_suis": "Liên cầu lợn",
    "anthrax": "Than",
    "covid19": "COVID-19",
}


@dataclass(frozen=True, slots=True)
class TallyFigure:
    """One figure of the province; what it was first reported as, where it was corrected."""

    indicator: str
    disease: str
    value: int
    year: int = YEAR
    target: int | None = None
    is_plan_stated: bool = True
    first_reported: int | None = None
    start: dt.date | None = None
    end: dt.date | None = None

    @property
    def period(self) -> tuple[dt.date, dt.date]:
        """First and last day."""
        return self.start or dt.date(self.year, 1, 1), self.end or dt.date(self.year, 12, 31)


_2020: Final = (dt.date(2020, 1, 1), dt.date(2020, 6, 24))
_THEN: Final = (dt.date(2020, 6, 24), dt.date(2020, 6, 24))

TALLIES: Final[tuple[TallyFigure, ...]] = (
    TallyFigure("pep_started", "rabies", 1_971, first_reported=1_965),
    TallyFigure("pep_started", "rabies", 1_203, YEAR_BEFORE),
    TallyFigure("slides_examined", "malaria", 49_617, target=30_000),
    TallyFigure("treatment_doses", "malaria", 14_086),
    TallyFigure("persons_examined", "tuberculosis", 2_241, target=4_000, is_plan_stated=False),
    TallyFigure("persons_examined", "tuberculosis", 2_957, YEAR_BEFORE),
    TallyFigure("cases", "food_poisoning", 25),
    TallyFigure("hospitalised", "food_poisoning", 23),
    TallyFigure("deaths", "food_poisoning", 0),
    # A zero is a report: nothing was notified in 2022, which is what 2023 is compared with.
    TallyFigure("cases", "streptococcus_suis", 0, YEAR_BEFORE),
    TallyFigure("cases", "anthrax", 0, YEAR_BEFORE),
    TallyFigure("isolated_total", "covid19", 14_985, 2020, None, True, None, *_2020),
    TallyFigure("isolated_done", "covid19", 14_923, 2020, None, True, None, *_2020),
    TallyFigure("isolated_done_f1", "covid19", 43, 2020, None, True, None, *_2020),
    TallyFigure("isolated_done_f2", "covid19", 700, 2020, None, True, None, *_2020),
    TallyFigure("isolated_done_f3", "covid19", 3_059, 2020, None, True, None, *_2020),
    TallyFigure("isolated_now", "covid19", 62, 2020, None, True, None, *_THEN),
    TallyFigure("isolated_now_facility", "covid19", 3, 2020, None, True, None, *_THEN),
    TallyFigure("isolated_now_centre", "covid19", 33, 2020, None, True, None, *_THEN),
    TallyFigure("isolated_now_home", "covid19", 26, 2020, None, True, None, *_THEN),
)


@dataclass(frozen=True, slots=True)
class FocusFigure:
    """One food poisoning: what its updates say, the first report first. Numbers not named are not known."""

    subject: str
    area_code: str
    started_on: dt.date
    updates: tuple[Mapping[str, Any], ...]
    known: Mapping[str, int] = field(default_factory=dict)


FOCI: Final[tuple[FocusFigure, ...]] = (
    FocusFigure(
        "LC-NDTP-2023-01",
        "03403",
        dt.date(2023, 3, 18),
        ({"exposed": 21, "ill": 9, "dead": 0, "place": "bản Cắng Đắng"}, {"ill": 14, "dead": 0}),
        {"exposed": 21, "ill": 14, "dead": 0},
    ),
    FocusFigure(
        "LC-NDTP-2023-02",
        "03412",
        dt.date(2023, 6, 2),
        ({"exposed": 7, "ill": 7, "hospitalised": 7, "dead": 0, "place": "bản Nà Hum", "agent": "muscarin"},),
        {"exposed": 7, "ill": 7, "hospitalised": 7, "dead": 0},
    ),
    FocusFigure(
        "LC-NDTP-2023-03",
        "03463",
        dt.date(2023, 9, 9),
        ({"exposed": 4, "hospitalised": 2, "dead": 0, "place": "bản Cô Lô Hồ"},),
        {"exposed": 4, "hospitalised": 2, "dead": 0},
    ),
)


@dataclass(frozen=True, slots=True)
class DemoReport:
    """One tally or focus event as it was posted."""

    kind: ReportKind
    subject: str
    raw: bytes


def demo_reports(seed: int = DEFAULT_SEED) -> list[DemoReport]:
    """Every event of the tallies and foci, in the order of posting; the same seed gives the same bytes."""
    rng = random.Random(seed)  # noqa: S311 - simulated data, not secrets
    posts: list[tuple[dt.datetime, ReportKind, str, Mapping[str, Any]]] = []
    for tally in TALLIES:
        start, end = tally.period
        data: dict[str, Any] = {
            "indicator": tally.indicator,
            "disease": tally.disease,
            "area_code": PROVINCE,
            "period_start": start.isoformat(),
            "period_end": end.isoformat(),
            "value": tally.value,
        }
        if tally.target is not None:
            data["target"] = tally.target
        subject = "|".join(
            (tally.indicator, tally.disease, PROVINCE, data["period_start"], data["period_end"])
        )
        reported_at = _office_hour(end + dt.timedelta(days=4), rng)
        if tally.first_reported is not None:
            posts.append((reported_at, "tally", subject, {**data, "value": tally.first_reported}))
            reported_at += dt.timedelta(days=6)
        posts.append((reported_at, "tally", subject, data))
    for focus in FOCI:
        head = {"kind": "food_poisoning", "disease": "food_poisoning", "area_code": focus.area_code}
        for number, update in enumerate(focus.updates):
            known_at = _office_hour(focus.started_on + dt.timedelta(days=number), rng)
            said = {**head, "started_on": focus.started_on.isoformat(), **update}
            posts.append((known_at, "focus", focus.subject, said))
    return [
        DemoReport(kind, subject, _cloud_event(kind, subject, time, data, rng))
        for time, kind, subject, data in sorted(posts, key=lambda post: post[:3])
    ]


def _office_hour(day: dt.date, rng: random.Random) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(16, rng.randint(0, 59), tzinfo=LOCAL_TIMEZONE))


def _cloud_event(
    kind: ReportKind, subject: str, time: dt.datetime, data: Mapping[str, Any], rng: random.Random
) -> bytes:
    return build_event(
        subject=subject,
        type=TALLY_REPORTED if kind == "tally" else FOCUS_REPORTED,
        data=data,
        time=time,
        source="/facilities/LC-CDC",
        id=uuid7(time, rng),
        now=time,
        max_ahead=dt.timedelta(),
    )


Row = Mapping[str, Any]


def show_reports(
    rows: Sequence[Row],
    rows_before: Sequence[Row],
    discrepancies: Sequence[Row],
    foci: Mapping[str, Any],
    console: Console,
) -> list[str]:
    """Print the tallies and the food poisonings; what differs from the report, in Vietnamese.

    Args:
        rows: `canhdich tallies --json` of the province in 2023.
        rows_before: The same of 2022.
        discrepancies: `canhdich tallies --discrepancies --json` of 2022 and 2023.
        foci: `canhdich foci --json` of 2023.
        console: Where to print.
    """
    console.print(f"*** {STAMP} (simulated data) ***", style="bold", justify="center")
    differing: list[str] = []
    counted = {(row["indicator"], row["disease"], row["first"].year): row for row in (*rows, *rows_before)}
    compared = {(row["indicator"], row["disease"], row["first"].year): row for row in discrepancies}
    table = Table(
        title=f"Số liệu tổng hợp (không phải ca bệnh), năm {YEAR} bên cạnh {YEAR_BEFORE}",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column("Bệnh", no_wrap=True)
    table.add_column("Chỉ số", overflow="fold")
    for title in (str(YEAR), str(YEAR_BEFORE), "Kế hoạch"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("Khớp\nbáo cáo", justify="right")
    by_figure: dict[tuple[str, str], dict[int, TallyFigure]] = {}
    for figure in TALLIES:
        if figure.year in (YEAR, YEAR_BEFORE):
            by_figure.setdefault((figure.disease, figure.indicator), {})[figure.year] = figure
    for (disease, indicator), figures in by_figure.items():
        found = {
            year: counted.get((indicator, disease, year))
            or _as_tally(compared.get((indicator, disease, year)))
            for year in (YEAR, YEAR_BEFORE)
        }
        name = (FIELDS["indicator"].values or {})[indicator]
        wrong = []
        for year, figure in figures.items():
            row = found[year]
            if row is None or row["value"] != figure.value:
                wrong.append(
                    f"{NAMES[disease]}, {name} {year}: {_value(row)} (báo cáo: {_number(figure.value)})"
                )
        differing += wrong
        plan = found[YEAR] or {}
        stated = figures[YEAR].is_plan_stated if YEAR in figures else True
        table.add_row(
            NAMES[disease],
            name,
            _value(found[YEAR]),
            _value(found[YEAR_BEFORE]),
            _number(plan.get("target")) + ("" if stated else "*"),
            "✗" if wrong else "✓",
        )
    console.print(table)
    console.print("* báo cáo không nêu con số này: số mô phỏng   – không có số liệu", style="dim")
    differing += _show_foci(foci, console)
    return differing


def _show_foci(foci: Mapping[str, Any], console: Console) -> list[str]:
    names = {"exposed": "phơi nhiễm", "ill": "mắc", "hospitalised": "nhập viện", "dead": "tử vong"}
    table = Table(
        title=f"Ngộ độc thực phẩm năm {YEAR} (–: không rõ, không phải là 0)",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for title in ("Vụ", "Xã", "Ngày"):
        table.add_column(title, no_wrap=True)
    for title in names.values():
        table.add_column(title, justify="right", no_wrap=True)
    by_subject = {row["subject"]: row for row in foci["foci"]}
    differing: list[str] = []
    for figure in FOCI:
        row = by_subject.get(figure.subject)
        if row is None:
            differing.append(f"{figure.subject}: không có")
            continue
        wrong = [name for name in names if row[name] != figure.known.get(name)]
        differing += [f"{figure.subject}, {names[name]}: {_number(row[name])}" for name in wrong]
        table.add_row(
            figure.subject,
            row["commune_name"],
            f"{figure.started_on:%d/%m/%Y}",
            *(_number(row[name]) for name in names),
        )
    console.print(table)
    for total in foci["totals"]:
        for note in total["notes"]:
            console.print(f"{note['message_vi']} / {note['message_en']}", highlight=False)
    return differing


def _as_tally(row: Row | None) -> Row | None:
    """A tally that does not count, as one that does."""
    return None if row is None else {"value": row["tally"], "target": None}


def _value(row: Row | None) -> str:
    return "–" if row is None else _number(row["value"])


def _number(value: int | None) -> str:
    return "–" if value is None else f"{value:,}".replace(",", ".")
