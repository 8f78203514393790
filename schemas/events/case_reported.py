"""`vn.canhdich.case.reported.v1`: a case, as first reported (or reported again after a retraction)."""

from typing import Literal, Required

from pydantic import with_config

from schemas.events.case_fields import CaseFields
from schemas.events.common import STRICT, AreaCode, DiseaseCode, Envelope, SubjectCode


@with_config(STRICT)
class CaseReportedData(CaseFields, total=False):
    """A disease and an area, and whatever else is known of the case."""

    disease: Required[DiseaseCode]
    area_code: Required[AreaCode]


@with_config(STRICT)
class CaseReportedV1(Envelope, total=False):
    """A facility reports a case."""

    type: Required[Literal["vn.canhdich.case.reported.v1"]]
    subject: Required[SubjectCode]
    data: Required[CaseReportedData]
