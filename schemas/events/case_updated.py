"""`vn.canhdich.case.updated.v1`: what has changed about a case, and nothing else."""

from typing import Literal, Required

from pydantic import with_config

from schemas.events.case_fields import CaseFields
from schemas.events.common import STRICT, AreaCode, DiseaseCode, Envelope, SubjectCode


@with_config(STRICT)
class CaseUpdatedData(CaseFields, total=False):
    """Any fields of a case, at least one; null takes a field back to its default."""

    disease: DiseaseCode | None
    area_code: AreaCode | None


@with_config(STRICT)
class CaseUpdatedV1(Envelope, total=False):
    """A facility corrects or completes a case."""

    type: Required[Literal["vn.canhdich.case.updated.v1"]]
    subject: Required[SubjectCode]
    data: Required[CaseUpdatedData]
