"""Options, and how what was typed is read, for every command that asks about cases, tallies or foci."""

from datetime import UTC, date, datetime
from typing import Annotated, TypeVar

import typer

from streams.domain.calendar import LOCAL_ZONE
from streams.domain.errors import ConfigurationError
from streams.stores.scope import Scope

_Choice = TypeVar("_Choice", bound=str)

ProvinceOption = Annotated[str | None, typer.Option(help="Province code, e.g. 12.")]
DistrictOption = Annotated[str | None, typer.Option(help="District code, e.g. 109.")]
DiseaseOption = Annotated[str | None, typer.Option(help="Disease code, e.g. dengue.")]
FromOption = Annotated[str | None, typer.Option("--from", help="First day, YYYY-MM-DD.")]
ToOption = Annotated[str | None, typer.Option("--to", help="Last day, YYYY-MM-DD.")]
GeographyOption = Annotated[
    str | None,
    typer.Option(help="Day whose structure of areas is shown; by default that of the last day, else today."),
]
BasisOption = Annotated[
    str | None, typer.Option(help="The day under which a case stands: onset (the default) or report.")
]
ByOption = Annotated[
    list[str] | None,
    typer.Option(help="What to group by; repeat the option or separate with commas."),
]

LABELS = {
    "disease_name": "Bệnh",
    "province_name": "Tỉnh",
    "district_name": "Huyện/khu vực",
    "commune_name": "Xã/phường",
    "facility": "Đơn vị báo cáo",
    "week": "Tuần",
    "day": "Ngày",
    "month": "Tháng",
    "year": "Năm",
}
"""Column titles of what rows are grouped by."""


def scope_of(
    province: str | None,
    district: str | None,
    disease: str | None,
    first: str | None,
    last: str | None,
    geography: str | None,
) -> Scope:
    """The scope that was typed.

    Raises:
        ConfigurationError: a day that is none, or days in the wrong order.
    """
    first_day, last_day = day("--from", first), day("--to", last)
    if first_day is not None and last_day is not None and first_day > last_day:
        raise ConfigurationError("--from is after --to.")
    geography_on = day("--geography", geography) or last_day or today()
    return Scope(geography_on, province, district, disease, first_day, last_day)


def today() -> date:
    """The local day."""
    return datetime.now(LOCAL_ZONE).date()


def day(option: str, value: str | None) -> date | None:
    """A day as typed.

    Raises:
        ConfigurationError: it is none.
    """
    if value is None:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise ConfigurationError(f"{option} {value}: a day is written YYYY-MM-DD.") from error


def instant(option: str, value: str | None) -> datetime | None:
    """An instant as typed, in UTC.

    Raises:
        ConfigurationError: it is none.
    """
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError as error:
        raise ConfigurationError(
            f"{option} {value}: an instant is written like 2023-07-04T08:00:00+07:00."
        ) from error
    return (found if found.tzinfo else found.replace(tzinfo=LOCAL_ZONE)).astimezone(UTC)


def choice(option: str, value: str, choices: tuple[_Choice, ...]) -> _Choice:
    """One of some words.

    Raises:
        ConfigurationError: another word.
    """
    if value not in choices:
        raise ConfigurationError(f"{option} {value}: choose from {', '.join(choices)}.")
    return value


def choices_of(option: str, values: list[str] | None, choices: tuple[_Choice, ...]) -> list[_Choice]:
    """Several words, each once, in the order given.

    Raises:
        ConfigurationError: another word.
    """
    parts = [part.strip() for value in values or [] for part in value.split(",") if part.strip()]
    return [choice(option, part, choices) for part in dict.fromkeys(parts)]


def text_of(value: object) -> str:
    """A cell of a table: what is not known is said."""
    return "không rõ" if value is None else str(value)


def percent(share: float | None) -> str:
    """A share as a percentage, Vietnamese decimals."""
    return "–" if share is None else f"{100 * share:.1f}".replace(".", ",") + " %"
