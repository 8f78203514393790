"""`vn.canhdich.case.retracted.v1`: a case that should not be counted."""

from typing import Literal, Required

from pydantic import with_config
from typing_extensions import TypedDict

from schemas.events.common import STRICT, Envelope, SubjectCode

RetractionReason = Literal["entered_in_error", "duplicate"]


@with_config(STRICT)
class CaseRetractedData(TypedDict, total=False):
    """Why; for a duplicate also the case that stays."""

    reason: Required[RetractionReason]
    duplicate_of: SubjectCode | None


@with_config(STRICT)
class CaseRetractedV1(Envelope, total=False):
    """A facility takes a case back; only a later report of the same case reinstates it."""

    type: Required[Literal["vn.canhdich.case.retracted.v1"]]
    subject: Required[SubjectCode]
    data: Required[CaseRetractedData]
