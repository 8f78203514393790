"""The matrix of rights.yaml: role × endpoint × none, own or all."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

import yaml

from schemas.strict_yaml import load_yaml
from services.intake.people.person import Role
from streams.domain.errors import ConfigurationError

RIGHTS_FILE: Final = Path(__file__).with_name("rights.yaml")


class Right(StrEnum):
    """How far a role may use an endpoint."""

    NONE = "none"
    OWN = "own"
    """For the areas and the facility of the account; an account without areas has them all."""
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Rights:
    """The matrix.

    Attributes:
        public: Endpoints that need no sign-in.
        matrix: Endpoint -> role -> right; every role stands in every row.
        titles: Endpoint -> what it is in Vietnamese and in English, for the tables that people read.
    """

    public: frozenset[str]
    matrix: Mapping[str, Mapping[Role, Right]]
    titles: Mapping[str, tuple[str, str]]


def read_rights(text: str) -> Rights:
    """The matrix from YAML.

    Raises:
        ConfigurationError: a role is missing or unknown, a right is none, or an endpoint stands twice.
    """
    try:
        document = load_yaml(text)
    except yaml.MarkedYAMLError as error:
        raise ConfigurationError(f"rights.yaml: {error}") from error
    public, rows = document["public"], document["endpoints"]
    matrix: dict[str, Mapping[Role, Right]] = {}
    titles: dict[str, tuple[str, str]] = {}
    for endpoint, row in rows.items():
        cells = {name: value for name, value in row.items() if name not in ("vi", "en")}
        try:
            matrix[endpoint] = {Role(name): Right(value) for name, value in cells.items()}
        except ValueError as error:
            raise ConfigurationError(f"rights.yaml, {endpoint}: {error}.") from error
        missing = sorted(set(Role) - matrix[endpoint].keys())
        if missing:
            raise ConfigurationError(f"rights.yaml, {endpoint}: nothing is said of {', '.join(missing)}.")
        nameless = [language for language in ("vi", "en") if language not in row]
        if nameless:
            raise ConfigurationError(f"rights.yaml, {endpoint}: nothing names it in {', '.join(nameless)}.")
        titles[endpoint] = (row["vi"], row["en"])
    both = sorted(set(public) & matrix.keys())
    if both:
        raise ConfigurationError(f"rights.yaml: {', '.join(both)} cannot be public and have rights.")
    return Rights(frozenset(public), matrix, titles)


@cache
def rights() -> Rights:
    """The matrix in force."""
    return read_rights(RIGHTS_FILE.read_text(encoding="utf-8"))


def right_of(role: Role, endpoint: str) -> Right:
    """What a role may do at an endpoint.

    Raises:
        KeyError: the matrix has no such endpoint, or it is public.
    """
    return rights().matrix[endpoint][role]
