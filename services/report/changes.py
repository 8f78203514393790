"""The change report: what has changed in a period's counts between two instants."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.report import load_sentences
from services.report.stamp import stamp_of
from streams.domain.calendar import LOCAL_ZONE
from streams.domain.errors import ConfigurationError
from streams.domain.report import Paragraph, Sentences
from streams.domain.report.changes import Group, groups_of, write_changes
from streams.domain.report.facts import Query
from streams.domain.report.language import Lang
from streams.stores.report_changes import read_labels, read_report_changes
from streams.stores.situation import SituationRequest


@dataclass(frozen=True, slots=True)
class ChangeReport:
    """Sentences, and the groups of cases that they tell of.

    Attributes:
        since, until: Both instants.
        stamp: Printed above; None: real data.
    """

    since: datetime
    until: datetime
    groups: Sequence[Group]
    paragraphs: Sequence[Paragraph]
    stamp: str | None


def report_changes(
    connection: Connection[TupleRow],
    request: SituationRequest,
    since: datetime,
    until: datetime | None,
    lang: Lang,
) -> ChangeReport:
    """What has changed in the counts of a report's province and period.

    Args:
        connection: In autocommit, in no transaction.
        request: Province, geography, basis and period matter.
        since: What was known then ...
        until: ... beside what was known then; None: what is known now.
        lang: Of the sentences.

    Raises:
        ConfigurationError: the second instant is before the first, or the province's code means nothing.
    """
    end = until or request.now
    if end < since:
        raise ConfigurationError(
            "Thời điểm sau lại ở trước thời điểm đầu. / The later instant is before the earlier one: --until "
            "is before --since."
        )
    found = read_report_changes(connection, request.counts(), since, end)
    groups = groups_of(found, since.astimezone(LOCAL_ZONE).date())
    query = Query("counts", {"since": since.isoformat(), "until": end.isoformat()}, {}, "notified")
    paragraphs = write_changes(
        groups, read_labels(connection), query, Sentences(lang, **load_sentences(lang))
    )
    return ChangeReport(since, end, groups, paragraphs, stamp_of(connection))
