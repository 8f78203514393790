"""`vn.canhdich.focus.reported.v1`: an outbreak focus (ổ dịch) or a food-poisoning event, as it stands."""

from typing import Literal, Required

from pydantic import with_config
from typing_extensions import TypedDict

from schemas.events.common import (
    STRICT,
    AreaCode,
    DateText,
    DiseaseCode,
    Envelope,
    Persons,
    SubjectCode,
    Text64,
    Text120,
)

FocusKind = Literal["outbreak", "food_poisoning"]


@with_config(STRICT)
class FocusReportedData(TypedDict, total=False):
    """What is known of the focus; a number that nobody has counted is null, which is not zero."""

    kind: Required[FocusKind]
    disease: Required[DiseaseCode]
    area_code: Required[AreaCode]
    place: Text120 | None
    started_on: DateText | None
    ended_on: DateText | None
    exposed: Persons | None
    ill: Persons | None
    hospitalised: Persons | None
    dead: Persons | None
    samples: Persons | None
    positives: Persons | None
    first_onset_on: DateText | None
    last_onset_on: DateText | None
    agent: Text64 | None


@with_config(STRICT)
class FocusReportedV1(Envelope, total=False):
    """An office reports a focus, then every day what has become of it, under the same subject."""

    type: Required[Literal["vn.canhdich.focus.reported.v1"]]
    subject: Required[SubjectCode]
    data: Required[FocusReportedData]
