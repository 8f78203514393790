"""Who may do what in Kafka and in the database, from the YAML beside this."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from schemas.strict_yaml import load_yaml

DIRECTORY: Final = Path(__file__).parent

PRIVILEGES: Final[Mapping[str, str]] = {"r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE"}
"""PostgreSQL's own letters of what may be done with a table."""
PREFIX: Final = "canhdich_"
"""Before the names of roles, which the rows of the matrix leave out."""

Operation = Literal["Create", "Describe", "DescribeConfigs", "AlterConfigs", "Read", "Write"]


class RightsError(ValueError):
    """A matrix is wrong: correct the file that the message names."""


class _File(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


_Operations = Annotated[list[Operation], Field(min_length=1)]
_Sentence = Annotated[str, Field(min_length=10)]


class KafkaUser(_File):
    """One user of Kafka: name of topic or group (without prefix) → what it may do with it."""

    purpose: _Sentence
    topics: dict[str, _Operations]
    groups: dict[str, list[Literal["Read"]]] = {}


class KafkaRights(_File):
    """The users of Kafka by name."""

    users: dict[Annotated[str, Field(pattern=r"^canhdich-[a-z]+$")], KafkaUser]


class DatabaseRights(_File):
    """The roles of the database, and what each may do with each table.

    Attributes:
        roles: Name → what it is for.
        temporary: Those that may make temporary tables.
        tables: Table → role without its prefix → letters of PRIVILEGES.
    """

    roles: dict[Annotated[str, Field(pattern=r"^canhdich_[a-z]+$")], _Sentence]
    temporary: list[str]
    tables: dict[str, dict[str, Annotated[str, Field(pattern=r"^r?a?w?d?$", min_length=1)]]]

    @model_validator(mode="after")
    def _names_its_roles(self) -> "DatabaseRights":
        named = {PREFIX + role for row in self.tables.values() for role in row} | set(self.temporary)
        if unknown := sorted(named - self.roles.keys()):
            raise ValueError(f"{unknown[0]} is no role of this file")
        return self

    def privileges(self, role: str) -> dict[str, frozenset[str]]:
        """Table → what a role (full name) may do with it; tables that it may not touch are absent."""
        short = role.removeprefix(PREFIX)
        return {
            table: frozenset(PRIVILEGES[letter] for letter in row[short])
            for table, row in self.tables.items()
            if short in row
        }


@cache
def kafka_rights(path: Path = DIRECTORY / "kafka.yaml") -> KafkaRights:
    """The matrix of Kafka.

    Raises:
        RightsError: the file is not in order.
    """
    try:
        return KafkaRights.model_validate(load_yaml(path.read_text("utf-8")))
    except ValidationError as error:
        raise RightsError(f"{path.name}: {error}") from error


@cache
def database_rights(path: Path = DIRECTORY / "database.yaml") -> DatabaseRights:
    """The matrix of the database.

    Raises:
        RightsError: the file is not in order.
    """
    try:
        return DatabaseRights.model_validate(load_yaml(path.read_text("utf-8")))
    except ValidationError as error:
        raise RightsError(f"{path.name}: {error}") from error
