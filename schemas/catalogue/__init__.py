"""The catalogue: diseases with their agents, groups and deadlines; areas with their dates and links.

`load_catalogue()` reads the files beside this module, validates them and checks them against each other.
README.md says what each file is and how to change it.
"""

from schemas.catalogue.errors import CatalogueError, Fault
from schemas.catalogue.loader import load_catalogue
from schemas.catalogue.models import (
    Agent,
    Area,
    AreaKind,
    AreaLink,
    CaseReportsSince,
    Catalogue,
    Deadline,
    Disease,
    Endemic,
    EndemicOverride,
    GroupPeriod,
    LegalRule,
    Statement,
    SurveillanceShare,
)
from schemas.catalogue.operator_files import OperatorFilesError, Problem, digest, with_files

__all__ = [
    "Agent",
    "Area",
    "AreaKind",
    "AreaLink",
    "CaseReportsSince",
    "Catalogue",
    "CatalogueError",
    "Deadline",
    "Disease",
    "Endemic",
    "EndemicOverride",
    "Fault",
    "GroupPeriod",
    "LegalRule",
    "OperatorFilesError",
    "Problem",
    "Statement",
    "SurveillanceShare",
    "digest",
    "load_catalogue",
    "with_files",
]
