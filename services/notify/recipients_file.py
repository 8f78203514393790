"""The operator's file of recipients (YAML): who is told what, by which way."""

from collections.abc import Callable, Collection
from datetime import time
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from streams.domain.errors import ConfigurationError
from streams.domain.recipients import Recipient
from streams.domain.rules.verdicts import Level

_Time = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class _Quiet(BaseModel):
    model_config = ConfigDict(extra="forbid")
    since: _Time = Field(alias="from")
    until: _Time = Field(alias="to")


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    name: Annotated[str, Field(min_length=1, max_length=120)]
    channel: Literal["email", "webhook", "chat"]
    address: Annotated[str, Field(min_length=3, max_length=500)]
    areas: list[Annotated[str, Field(pattern=r"^(\d{2}|\d{3}|\d{5})$")]] | None = None
    diseases: list[str] | None = None
    least_level: Literal["attention", "alert", "above_band", "outbreak"] = "alert"
    language: Literal["vi", "en"] = "vi"
    quiet_hours: _Quiet | None = None
    digest_at: _Time | None = None

    @model_validator(mode="after")
    def _fits(self) -> "_Row":
        is_named = self.address.startswith(("env:", "file:"))
        if self.channel == "email" and not is_named and "@" not in self.address:
            raise ValueError("address: an e-mail address has an @")
        if (
            self.channel == "webhook"
            and not is_named
            and not self.address.startswith(("https://", "http://"))
        ):
            raise ValueError("address: a webhook is an http(s) URL")
        if self.channel == "chat" and not is_named:
            raise ValueError(
                "address: a chat's URL holds a secret; name it as env:VARIABLE or file:/path instead"
            )
        return self


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    recipients: list[_Row]


def read_recipients(
    text: str, name: str, diseases: Collection[str], area_ids: Callable[[str], list[str]]
) -> list[Recipient]:
    """The recipients of a file.

    Args:
        text: YAML; docs/alerts.md has its form.
        name: Of the file, for messages.
        diseases: The codes of the catalogue.
        area_ids: The ids of the areas that have a code at present; empty where none has.

    Raises:
        ConfigurationError: something is wrong in the file; says where and what.
    """
    try:
        content = _File.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{name} is not YAML: {error}") from error
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()
        )
        raise ConfigurationError(f"{name}: {faults}") from error
    seen: set[str] = set()
    for row in content.recipients:
        if row.id in seen:
            raise ConfigurationError(f"{name}: the id {row.id} stands there twice.")
        seen.add(row.id)
        for disease in row.diseases or ():
            if disease not in diseases:
                raise ConfigurationError(f"{name}: {row.id}: diseases: {disease} is not in the catalogue.")
    return [_recipient(row, name, area_ids) for row in content.recipients]


def _recipient(row: _Row, name: str, area_ids: Callable[[str], list[str]]) -> Recipient:
    areas: set[str] | None = None
    if row.areas is not None:
        areas = set()
        for code in row.areas:
            found = area_ids(code)
            if not found:
                raise ConfigurationError(f"{name}: {row.id}: areas: no area has the code {code} at present.")
            areas.update(found)
    return Recipient(
        id=row.id,
        name=row.name,
        channel=row.channel,
        address=row.address,
        area_ids=None if areas is None else frozenset(areas),
        diseases=None if row.diseases is None else frozenset(row.diseases),
        least_level=Level(row.least_level),
        language=row.language,
        quiet_from=None if row.quiet_hours is None else time.fromisoformat(row.quiet_hours.since),
        quiet_to=None if row.quiet_hours is None else time.fromisoformat(row.quiet_hours.until),
        digest_at=None if row.digest_at is None else time.fromisoformat(row.digest_at),
    )
