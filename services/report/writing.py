"""Reports asked for and written: what the commands and the staff's pages call.

Every function blocks, and takes a connection in autocommit that is in no transaction: a report is read in one
view of all counts.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from importlib import import_module
from threading import Thread
from typing import Final, Literal, get_args
from uuid import UUID

import orjson
from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.report import agent_names, deadlines, load_forms, load_sentences, with_severities
from services.report.charts import draw_ahead
from services.report.document import (
    Document,
    bulletin_document,
    charts_of,
    focus_document,
    outbreak_document,
    situation_document,
)
from services.report.markdown import markdown
from services.report.stamp import stamp_of
from services.settings import Settings
from streams.domain.calendar import LOCAL_ZONE, Period, iso_week
from streams.domain.delay import Deadline, DeadlineCode
from streams.domain.errors import ConfigurationError
from streams.domain.positions import TOPIC
from streams.domain.report import Sentences, write_situation
from streams.domain.report.bulletin import write_bulletin
from streams.domain.report.focus import write_focus_report
from streams.domain.report.language import Lang
from streams.domain.report.notice import NoticeKind
from streams.domain.report.outbreak import write_outbreak_report
from streams.stores.bulletin import read_bulletin
from streams.stores.counts import one_view
from streams.stores.situation import (
    Situation,
    SituationRequest,
    Tables,
    read_situation,
    read_situation_as_of,
)

Basis = Literal["onset", "report"]
BASES: Final[tuple[Basis, ...]] = get_args(Basis)
Format = Literal["md", "docx", "json"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)

_MEDIA_TYPES: Final[dict[Format, str]] = {
    "md": "text/markdown; charset=utf-8",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "json": "application/json",
}
_DEADLINE_CODES: Final = get_args(DeadlineCode)


@dataclass(frozen=True, slots=True)
class Printed:
    """A document in one of its forms, as a file."""

    content: bytes
    media_type: str
    file_name: str


def situation_report(
    connection: Connection[TupleRow],
    configured: Settings,
    *,
    province: str,
    first: date,
    last: date,
    lang: Lang = "vi",
    as_of: datetime | None = None,
    basis: Basis = "onset",
    geography_on: date | None = None,
    form: Format | None = None,
) -> Document:
    """The situation report of a province and a period.

    Args:
        connection: See above.
        configured: Which topic, and where Kafka is: with `as_of` it is asked whether events may still come.
        province: Its code in the structure of areas of `geography_on`.
        first, last: The period, both days included.
        lang: Of the text.
        as_of: What was known at this instant; None: all that is counted.
        basis: The day on which a case stands.
        geography_on: Day whose structure of areas is shown; None: that of `last`.
        form: In which it will be printed: the charts of a DOCX are begun as soon as their figures are read.

    Raises:
        ConfigurationError: such a period or province is none; says why.
    """
    request = situation_request(province, first, last, as_of, basis, geography_on)
    when_tabled = partial(_draw_ahead, lang=lang) if form == "docx" else None
    if request.as_of is None:
        with one_view(connection):
            read = read_situation(connection, request, when_tabled=when_tabled)
            return written_situation(connection, request, read, lang)
    # Kafka's client and the topics' models take their time, and no other report needs them.
    from schemas.topics import load_topics
    from services.log_ends import ask_log_ends

    topic = configured.topic_prefix + TOPIC
    read, is_provisional = read_situation_as_of(
        connection,
        request,
        request.as_of,
        topic,
        load_topics()[TOPIC].partitions,
        lambda: ask_log_ends(configured.kafka, topic),
        when_tabled,
    )
    return written_situation(connection, request, read, lang, is_provisional)


def weekly_bulletin(
    connection: Connection[TupleRow],
    *,
    province: str,
    week: str,
    lang: Lang = "vi",
    as_of: datetime | None = None,
    basis: Basis = "onset",
    geography_on: date | None = None,
) -> Document:
    """The bulletin of a week and of the year so far; arguments as of `situation_report`.

    Args:
        week: ISO week, e.g. "2023-W27".

    Raises:
        ConfigurationError: such a week or province is none; says why.
    """
    days = _week(week)
    request = situation_request(province, days.first, days.last, as_of, basis, geography_on)
    sentences = Sentences(lang, **load_sentences(lang))
    with one_view(connection):
        facts = read_bulletin(connection, request.counts())
        stamp = stamp_of(connection)
    heading = sentences.names["sections"]["bulletin"]
    return bulletin_document(facts, write_bulletin(facts, sentences), request, lang, heading, stamp)


def focus_report(
    connection: Connection[TupleRow],
    *,
    subject: str,
    on: date | None = None,
    is_end: bool = False,
    as_of: datetime | None = None,
) -> Document:
    """What a commune's station reports of a focus: of a day, or at its end.

    Args:
        connection: See above.
        subject: The focus's own code.
        on: The day up to whose end is reported; None: today.
        is_end: The closing report.
        as_of: What was known at this instant; None: all that is known.

    Raises:
        ConfigurationError: there is no such focus, or nothing of it by that day.
        RefusedAction: the closing report of a focus that has not ended, or the daily one of one that has.
    """
    # As in situation_report.
    from streams.stores.focus_report import read_focus_report

    now = datetime.now(UTC)
    today = (as_of or now).astimezone(LOCAL_ZONE).date()
    if on is not None and on > today:
        raise ConfigurationError(f"{on}: the day has not come.")
    with one_view(connection):
        read = read_focus_report(connection, subject, on or today, as_of)
        stamp = stamp_of(connection)
    forms = load_forms()
    sections = write_focus_report(read.facts, is_end, form_sentences(), forms["sections"], forms["blank"])
    return {**focus_document(read, sections, is_end, as_of, now), "stamp": stamp}


def outbreak_report(
    connection: Connection[TupleRow], *, alert_id: UUID, on: date | None = None, is_end: bool = False
) -> Document:
    """What a commune's station reports of an outbreak that it has determined, or of its end.

    Args:
        connection: See above.
        alert_id: The alert of the outbreak.
        on: The day up to which is reported; None: today, or the day on which the station determined the end.
        is_end: The report of the end.

    Raises:
        ConfigurationError: there is no such alert, or it is of no commune.
        RefusedAction: the station has not determined it.
    """
    # Alerts bring in the detectors and SciPy, which take a second; no other report needs them.
    from streams.stores.alerts import read_alert
    from streams.stores.outbreak_report import day_to_report, read_outbreak_report

    now = datetime.now(UTC)
    with one_view(connection):
        alert, _ = read_alert(connection, alert_id)
        read = read_outbreak_report(connection, alert_id, on or day_to_report(alert, now, is_end))
        stamp = stamp_of(connection)
    forms = load_forms()
    kind: NoticeKind = "end" if is_end else "begin"
    sections = write_outbreak_report(read.facts, kind, form_sentences(), forms["sections"], forms["blank"])
    return {**outbreak_document(read, sections, kind, str(alert_id), now), "stamp": stamp}


def form_sentences() -> Sentences:
    """The sentences of the forms, beside those of the situation report: in Vietnamese alone."""
    forms, common = load_forms(), load_sentences("vi")
    return Sentences(
        "vi",
        {**common["templates"], **forms["templates"]},
        common["overrides"],
        {**common["nouns"], **forms["nouns"]},
        {**common["names"], **forms["names"]},
    )


def situation_request(
    province: str,
    first: date,
    last: date,
    as_of: datetime | None = None,
    basis: Basis = "onset",
    geography_on: date | None = None,
) -> SituationRequest:
    """A period of a province as a question, by our clock.

    Raises:
        ConfigurationError: the period ends before it begins, or has not begun.
    """
    if first > last:
        raise ConfigurationError(f"The period begins on {first}, after its end on {last}.")
    request = SituationRequest(
        province,
        first,
        last,
        geography_on or last,
        datetime.now(UTC),
        basis,
        as_of,
        {code: [_deadline(*row) for row in rows] for code, rows in deadlines().items()},
        agent_names(),
        with_severities(),
    )
    if first > request.today:
        raise ConfigurationError(f"The period has not begun: its first day is {first}.")
    return request


def written_situation(
    connection: Connection[TupleRow],
    request: SituationRequest,
    read: Situation,
    lang: Lang,
    is_provisional: bool = False,
) -> Document:
    """The document of a situation that was read."""
    text = write_situation(read.facts, Sentences(lang, **load_sentences(lang)))
    return situation_document(read, text, request, lang, is_provisional, stamp_of(connection))


def _draw_ahead(tables: Tables, lang: Lang) -> None:
    draw_ahead(charts_of(tables, lang), lang)


def prepare(form: Format) -> None:
    """Import what a form needs while the database answers; for the first report of a process."""
    if form == "docx":
        Thread(target=import_module, args=("services.report.docx",), name="word-processing").start()


def printed(document: Document, form: Format) -> Printed:
    """A document in one of its forms."""
    about = document.get("focus") or document.get("alert") or document["province"]
    name = re.sub(r"[^\w.-]", "_", f"{document['kind']}-{about}-{document['from']}-{document['to']}.{form}")
    return Printed(_content(document, form), _MEDIA_TYPES[form], name)


def _content(document: Document, form: Format) -> bytes:
    if form == "docx":
        # Word processing and drawing are slow to import; all else is without them.
        from services.report.docx import document_docx

        return document_docx(document)
    if form == "json":
        return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return markdown(document).encode()


def _deadline(first: str | None, last: str | None, code: str) -> Deadline:
    def day(text: str | None) -> date | None:
        return None if text is None else date.fromisoformat(text)

    (known,) = (known for known in _DEADLINE_CODES if known == code)
    return Deadline(day(first), day(last), known)


def _week(text: str) -> Period:
    found = re.fullmatch(r"(\d{4})-W(\d{2})", text)
    try:
        if found is not None:
            return iso_week(int(found[1]), int(found[2]))
    except ValueError:
        pass
    raise ConfigurationError(f"{text}: an ISO week is written like 2023-W27, and the year must have it.")
