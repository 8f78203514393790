"""The data fields that a case's report and its updates have in common."""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from schemas.events.common import (
    MAX_EXTERNAL_IDS,
    MAX_LAB_AGENTS,
    AgentCode,
    AgeYears,
    AreaCode,
    Code,
    DateOrInstantText,
    DateText,
    Doses,
    Text40,
    Text64,
    Text80,
)

Classification = Literal["suspected", "probable", "confirmed", "discarded"]
LabResult = Literal["pending", "positive", "negative", "inconclusive", "not_tested"]
TestType = Literal["rapid", "serology", "pcr", "culture", "microscopy", "other"]
Outcome = Literal["unknown", "in_care", "recovered", "transferred", "dead"]
DeathDueTo = Literal["this_disease", "other", "unknown"]
Origin = Literal["unknown", "local", "imported"]
Sex = Literal["male", "female", "unknown"]
Vaccination = Literal["yes", "no", "unknown"]
ExternalSystem = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,32}$")]
# Each agent is a register of its own: null takes back that agent's result, `lab: null` those of all agents.
Lab = Annotated[dict[AgentCode, LabResult | None], Field(max_length=MAX_LAB_AGENTS)]
ExternalIds = Annotated[dict[ExternalSystem, Text64], Field(max_length=MAX_EXTERNAL_IDS)]


class CaseFields(TypedDict, total=False):
    """Every field may be left out (not said) or null (back to its default): the two are not the same."""

    area_on: DateText | None
    hamlet: Text80 | None
    onset_on: DateText | None
    admitted_on: DateText | None
    sampled_on: DateText | None
    diagnosed_at: DateOrInstantText | None
    reported_on: DateText | None
    discharged_on: DateText | None
    died_at: DateOrInstantText | None
    classification: Classification | None
    lab: Lab | None
    test_type: TestType | None
    outcome: Outcome | None
    death_due_to: DeathDueTo | None
    death_agent: Text64 | None
    origin: Origin | None
    origin_area_code: AreaCode | None
    sex: Sex | None
    age_years: AgeYears | None
    hospitalised: bool | None
    severity: Text40 | None
    vaccination: Vaccination | None
    doses: Doses | None
    occupation: Code | None
    institution_code: Code | None
    reporting_facility: Code | None
    treating_facility: Code | None
    cluster: Text64 | None
    external_ids: ExternalIds | None
