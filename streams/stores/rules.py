"""The rule book in TimescaleDB: loaded as a whole, versioned; and the outbreaks that people declared."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from schemas.catalogue import Catalogue, CatalogueError
from schemas.catalogue.rules import compose
from schemas.catalogue.rules.notices import NoticeRow
from schemas.sql import query
from streams.domain.errors import ConfigurationError
from streams.domain.rules import RuleBook, book_from
from streams.stores.database import Session


@dataclass(frozen=True, slots=True)
class LoadedRules:
    """What a load did; `is_new` is False where these very rules were in force already."""

    load_id: int
    version: str
    is_new: bool


class PostgresRules:
    """Implements the Rules port of streams/handlers/judge_rules.py."""

    def __init__(self, database_url: str) -> None:
        self._session = Session(database_url)
        self._book: RuleBook | None = None

    def in_force(self) -> RuleBook:
        """The rule book in force; its content is read again only when another was loaded."""
        with self._session.transaction() as connection:
            row = connection.execute(query("current_rules_load")).fetchone()
            if self._book is None or row != (self._book.load_id,):
                self._book = read_rules(connection)
            return self._book

    def close(self) -> None:
        """Close the connection."""
        self._session.close()


def read_rules(connection: Connection[TupleRow]) -> RuleBook:
    """The rule book in force.

    Raises:
        ConfigurationError: none was ever loaded.
    """
    row = connection.execute(query("current_rules")).fetchone()
    if row is None:
        raise ConfigurationError("The database has no alert rules: run `canhdich migrate` first.")
    load_id, version, _, content = row
    return book_from(load_id, version, content)


def load_packaged_rules(
    connection: Connection[TupleRow], catalogue: Catalogue, loaded_by: str
) -> LoadedRules:
    """Put the package's rules in force, under the province's own file if one was loaded before.

    Raises:
        ConfigurationError: the province's file does not go with these rules; says where.
    """
    return _load(connection, catalogue, None, "the province's rules file", loaded_by)


def load_province_rules(
    connection: Connection[TupleRow], catalogue: Catalogue, province: str, name: str, loaded_by: str
) -> LoadedRules:
    """Put a province's own file in force, in the place of the one before.

    Args:
        province: Text of the file.
        name: Of the file, for messages.

    Raises:
        ConfigurationError: the file is wrong; says where.
    """
    return _load(connection, catalogue, province, name, loaded_by)


def _load(
    connection: Connection[TupleRow], catalogue: Catalogue, province: str | None, name: str, loaded_by: str
) -> LoadedRules:
    with connection.transaction():
        connection.execute(query("lock_rules"))
        row = connection.execute(query("current_rules")).fetchone()
        load_id, version, standing = (0, None, None) if row is None else row[:3]
        text = standing if province is None else province
        try:
            composed = compose(catalogue, text, name)
        except CatalogueError as error:
            raise ConfigurationError(str(error)) from error
        area_ids = [entry["area_id"] for entry in composed.content["endemic"]]
        unknown = connection.execute(query("unknown_communes"), {"area_ids": area_ids}).fetchall()
        if unknown:
            raise ConfigurationError(f"{name}: endemic: there is no commune {unknown[0][0]}.")
        if composed.version == version:
            return LoadedRules(load_id, version, False)
        connection.execute(
            query("insert_rules"),
            {
                "load_id": load_id + 1,
                "version": composed.version,
                "loaded_by": loaded_by,
                "province": text,
                "content": Jsonb(composed.content),
            },
        )
        return LoadedRules(load_id + 1, composed.version, True)


def add_notices(
    connection: Connection[TupleRow], notices: Iterable[NoticeRow], diseases: Iterable[str], entered_by: str
) -> int:
    """Enter declared outbreaks; the same notice again changes its end and its source. How many there were.

    A code is read on the notice's first day, else on the last day of its year, else on the first.

    Raises:
        ConfigurationError: a disease or a code is not known; nothing is entered.
    """
    known, entered = set(diseases), 0
    with connection.transaction():
        for notice in notices:
            if notice.disease not in known:
                raise ConfigurationError(f"{notice.disease}: not in the catalogue.")
            connection.execute(
                query("upsert_notice"),
                {
                    "disease": notice.disease,
                    "area_id": _area_id(connection, notice),
                    "year": notice.year,
                    "started_on": notice.started_on,
                    "ended_on": notice.ended_on,
                    "source": notice.source,
                    "entered_by": entered_by,
                },
            )
            entered += 1
    return entered


def add_notice(
    connection: Connection[TupleRow],
    disease: str,
    area_id: str,
    started_on: date,
    source: str,
    entered_by: str,
) -> None:
    """Enter the notice "có dịch" that a station determined; the same again changes nothing but its source."""
    connection.execute(
        query("upsert_notice"),
        {
            "disease": disease,
            "area_id": area_id,
            "year": started_on.year,
            "started_on": started_on,
            "ended_on": None,
            "source": source,
            "entered_by": entered_by,
        },
    )


def end_notice(
    connection: Connection[TupleRow], disease: str, area_id: str, ended_on: date, entered_by: str
) -> date | None:
    """Enter the notice "hết dịch": ends the latest open notice; its first day, None where none was open."""
    row = connection.execute(
        query("end_notice"),
        {"disease": disease, "area_id": area_id, "ended_on": ended_on, "entered_by": entered_by},
    ).fetchone()
    return None if row is None else row[0]


def _area_id(connection: Connection[TupleRow], notice: NoticeRow) -> str:
    days = [date(notice.year, 12, 31), date(notice.year, 1, 1)]
    for day in days if notice.started_on is None else [notice.started_on]:
        row = connection.execute(query("area_of_code"), {"code": notice.area_code, "day": day}).fetchone()
        if row is not None:
            return str(row[0])
    raise ConfigurationError(f"{notice.area_code}: no area had this code in {notice.year}.")
