"""What a person may say that a doubtful text means: for the command and for the staff's page."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final, Literal, get_args

from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.catalogue import Catalogue
from schemas.catalogue.matching import OFFICIAL, valid_on
from schemas.events import find_identifier
from services.importing.codes import meaning_key
from streams.domain.errors import ConfigurationError
from streams.stores.meanings import decide

Field = Literal["disease", "area_code"]
FIELDS: Final[Sequence[Field]] = get_args(Field)
"""What a text may name."""


class NoMeaning(ConfigurationError):
    """An answer that cannot be taken; its text is "Vietnamese / English"."""


def decide_meaning(
    connection: Connection[TupleRow],
    catalogue: Catalogue,
    field: Field,
    text: str,
    code: str | None,
    on: date,
    *,
    by: str,
    at: datetime,
) -> str | None:
    """Keep what a text means from now on; None opens the question again.

    Args:
        connection: Used for one statement.
        catalogue: Whose codes are taken.
        field: What the text names.
        text: As it stood in the file.
        code: Of a disease or an area.
        on: A day on which the area's code means the area.
        by: Who says so.
        at: When.

    Returns:
        The disease's code or the area's id.

    Raises:
        NoMeaning: there is no such code, or the text looks like a person's identifier.
    """
    if find_identifier(text) is not None:
        raise NoMeaning(
            "Chữ này giống thông tin định danh của một người; không bao giờ lưu. / The text looks like a "
            "person's identifier; such a text is never kept."
        )
    meant = None if code is None else _meant(catalogue, field, code, on)
    decide(connection, field, meaning_key(text), text, meant, by=by, at=at)
    return meant


def _meant(catalogue: Catalogue, field: Field, code: str, on: date) -> str:
    if field == "disease":
        if all(disease.code != code for disease in catalogue.diseases):
            raise NoMeaning(
                f"{code}: không có mã bệnh này trong danh mục. / No code of a disease; `canhdich meanings "
                "list` shows some."
            )
        return code
    for area in catalogue.areas:
        if area.code == code and area.kind in OFFICIAL and valid_on(area, on):
            return area.id
    raise NoMeaning(
        f"{code}: không có địa bàn nào mang mã này vào ngày {on:%d/%m/%Y}. / No area has this code on {on}. "
        f"Give a day with --on; `canhdich areas show {code}` lists what it meant when."
    )
