"""Small things to test tallies and foci with: events as JSON."""

import json
from datetime import datetime
from typing import Any

from schemas.events import FOCUS_REPORTED, TALLY_REPORTED
from tests.builders import START, uuid


def tally(
    indicator: str = "pep_started",
    value: int = 10,
    number: int = 1,
    time: datetime = START,
    *,
    disease: str = "dengue",
    area: str = "12",
    start: str = "2022-01-01",
    end: str = "2022-12-31",
    **data: Any,
) -> bytes:
    """A tally event; its subject is that of its data."""
    subject = "|".join((indicator, disease, area, start, end))
    return _event(
        TALLY_REPORTED,
        subject,
        number,
        time,
        {
            "indicator": indicator,
            "disease": disease,
            "area_code": area,
            "period_start": start,
            "period_end": end,
            "value": value,
            **data,
        },
    )


def focus(subject: str = "OD-1", number: int = 1, time: datetime = START, **data: Any) -> bytes:
    """A focus event: food poisoning (the disease is one of the small catalogue) in commune 03412."""
    named = {
        "kind": "food_poisoning",
        "disease": "dengue",
        "area_code": "03412",
        "started_on": "2023-06-02",
        **data,
    }
    return _event(FOCUS_REPORTED, subject, number, time, named)


def _event(event_type: str, subject: str, number: int, time: datetime, data: dict[str, Any]) -> bytes:
    envelope = {
        "specversion": "1.0",
        "id": str(uuid(number)),
        "source": "/offices/LC-CDC",
        "type": event_type,
        "subject": subject,
        "time": time.isoformat(),
        "data": data,
    }
    return json.dumps(envelope, ensure_ascii=False).encode()
