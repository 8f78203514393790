"""`vn.canhdich.tally.reported.v1`: an aggregate figure of one area and period."""

from typing import Annotated, Literal, Required, get_args

from pydantic import Field, with_config
from typing_extensions import TypedDict

from schemas.events.common import STRICT, AreaCode, DateText, DiseaseCode, Envelope, TallyNumber

# Summed over time.
TallyFlow = Literal[
    "cases",
    "deaths",
    "hospitalised",
    "pep_started",
    "slides_examined",
    "treatment_doses",
    "persons_examined",
    "isolated_total",
    "isolated_done",
    "isolated_done_f1",
    "isolated_done_f2",
    "isolated_done_f3",
    "patients_new",
]
# A level at the end of the period: never summed over time.
TallyStock = Literal[
    "isolated_now", "isolated_now_facility", "isolated_now_centre", "isolated_now_home", "patients_managed"
]
TALLY_FLOWS: frozenset[str] = frozenset(get_args(TallyFlow))
TALLY_STOCKS: frozenset[str] = frozenset(get_args(TallyStock))
TALLY_SUBJECT_PATTERN = (
    r"^[a-z0-9_]{1,40}\|[a-z0-9_]{1,64}\|(?:[0-9]{2}|[0-9]{3}|[0-9]{5})"
    r"\|[0-9]{4}-[0-9]{2}-[0-9]{2}\|[0-9]{4}-[0-9]{2}-[0-9]{2}$"
)


@with_config(STRICT)
class TallyReportedData(TypedDict, total=False):
    """One figure; zero is a report, silence is not. `target` is what was planned for the period."""

    indicator: Required[Literal[TallyFlow, TallyStock]]
    disease: Required[DiseaseCode]
    area_code: Required[AreaCode]
    period_start: Required[DateText]
    period_end: Required[DateText]
    value: Required[TallyNumber]
    target: TallyNumber | None


@with_config(STRICT)
class TallyReportedV1(Envelope, total=False):
    """An office reports an aggregate; `subject` is `indicator|disease|area|start|end` of its data."""

    type: Required[Literal["vn.canhdich.tally.reported.v1"]]
    subject: Required[Annotated[str, Field(pattern=TALLY_SUBJECT_PATTERN)]]
    data: Required[TallyReportedData]
