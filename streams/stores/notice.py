"""What a commune's notice is filled in from: the alert, and the foci of its disease and area."""

from datetime import datetime
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from schemas.sql import query
from streams.domain.alerts import Alert
from streams.domain.areas import code_of
from streams.domain.calendar import LOCAL_ZONE, Period
from streams.domain.errors import ConfigurationError
from streams.domain.report.notice import NoticeFacts
from streams.stores.alerts import read_alert
from streams.stores.counts import CountsRequest, names_of_areas
from streams.stores.foci import read_foci
from streams.stores.report_changes import read_labels


def read_notice(connection: Connection[TupleRow], alert_id: UUID, now: datetime) -> NoticeFacts:
    """The facts of a notice; foci are those of the disease in the commune that have not ended before it.

    Raises:
        ConfigurationError: there is no such alert, or it is not of a commune.
    """
    with connection.transaction():
        alert, _ = read_alert(connection, alert_id)
        day = (alert.determined_at or now).astimezone(LOCAL_ZONE).date()
        placed = connection.execute(
            query("watched_areas"), {"area_ids": [alert.area_id], "on_day": day}
        ).fetchone()
        if placed is None or placed[1] is None:
            raise ConfigurationError(
                f"Alert {alert_id} is of {alert.area_id}, not of a commune: only its station can announce it."
            )
        _, commune_id, _, province_id = placed
        names = names_of_areas(connection, (commune_id, province_id))
        asked = CountsRequest((), day, province=code_of(province_id), disease=alert.disease)
        foci = [
            shown.focus.place
            for shown in read_foci(connection, asked, "outbreak")
            if shown.area.commune_id == commune_id
            and shown.focus.place is not None
            and (shown.focus.ended_on is None or shown.focus.ended_on >= day.isoformat())
        ]
        label = read_labels(connection)[alert.disease][0]
    return NoticeFacts(
        label,
        names[commune_id],
        names[province_id],
        alert.determined_at,
        alert.ended_at,
        _period(alert),
        alert.cases,
        tuple(dict.fromkeys(foci)),
    )


def _period(alert: Alert) -> Period | None:
    latest = alert.periods[-1]
    if latest.start is None or latest.end is None:
        return None
    return Period(latest.start, latest.end)
