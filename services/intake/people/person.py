"""Who uses the intake."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal
from uuid import UUID

Language = Literal["vi", "en"]


class Role(StrEnum):
    """What somebody is here for; rights.yaml says what each may do."""

    REPORTER = "reporter"
    """Reports the cases of one facility: a commune's health station, a hospital, a district centre."""
    EPIDEMIOLOGIST = "epidemiologist"
    """Works with all cases and alerts of the province."""
    DEPARTMENT = "department"
    """The department of health: reads, and sees to alerts."""
    ADMINISTRATOR = "administrator"
    """Keeps accounts, keys and the running of the system; changes no case."""


@dataclass(frozen=True, slots=True)
class Person:
    """An account, of a person or of a program.

    Attributes:
        id: Never used again for anybody else.
        username: What signs in; also the actor of what is done to alerts.
        name: As shown to colleagues. Of staff, never of patients.
        role: What they may do.
        facility: Where they report from, as `source` names it after `/facilities/`; None: of none.
        area_codes: Present codes of the communes (5 digits), former districts (3) or provinces (2) that are
            theirs; empty: everything.
        language: Of the pages.
        is_machine: A program with an API key, or a program of this machine.
    """

    id: UUID
    username: str
    name: str
    role: Role
    facility: str | None
    area_codes: tuple[str, ...]
    language: Language
    is_machine: bool
