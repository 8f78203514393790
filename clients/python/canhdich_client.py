"""Send events to Canh Dịch, exactly once, and ask what became of them. One file; needs httpx only.

    with Client("http://127.0.0.1:8080") as canhdich:
        event = new_event(
            "vn.canhdich.case.reported.v1",
            subject="LC-2024-000123",
            source="/facilities/LC-TYT-03549",
            data={"disease": "dengue", "area_code": "03549", "onset_on": "2024-07-01"},
        )
        canhdich.send(event)                      # returns when the event is safely stored
        canhdich.wait(event, seconds=30).state    # "counted"

An event's id is made before it is first sent, and every attempt sends the same bytes, so that whatever breaks
on the way an event is counted once. Keep an event that could not be sent, and send that very event again.
"""

import json
import random
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Literal, Self
from uuid import UUID

import httpx

MAX_LINES = 500
"""Events that `send_all` puts into one request: fewer than the faulty ones for which it is refused whole."""
MAX_BYTES = 1_000_000
"""Bytes that `send_all` puts into one request, where events are not larger each."""

Event = Mapping[str, Any]
"""A CloudEvent 1.0: specversion, id, source, type, subject, time, data."""


class CanhDichError(Exception):
    """Anything that goes wrong here on purpose."""


class NotSent(CanhDichError):
    """Nobody knows whether the service has it: no attempt got an answer but "later". Send the same again."""


class Refused(CanhDichError):
    """The service does not take it, and would not if it were sent again.

    Attributes:
        status: The HTTP status.
        problem: The answer (RFC 9457); `errors` lists every fault with its field, in Vietnamese and English.
    """

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.problem = problem
        super().__init__(f"{status} {problem.get('detail') or problem.get('title') or 'refused'}")

    @property
    def errors(self) -> Sequence[Mapping[str, Any]]:
        """The faults: index, field, code, message_vi, message_en."""
        found: Sequence[Mapping[str, Any]] = self.problem.get("errors", ())
        return found


@dataclass(frozen=True, slots=True)
class Sent:
    """What the service said of one event.

    Attributes:
        event: As it was given.
        outcome: accepted (stored now), unchanged (was there already), repeat (of an earlier one sent with it)
            or refused (by `send_all` only; `send` raises).
        warnings: What to look at although it was accepted: an unknown disease or area.
        errors: Why it is refused.
    """

    event: Event
    outcome: Literal["accepted", "unchanged", "repeat", "refused"]
    warnings: Sequence[Mapping[str, str]] = ()
    errors: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an event.

    Attributes:
        subject: Of the event; None where it was dead-lettered and its subject was not fit to be kept.
        state: accepted (stored, not read yet), counted, overruled (later entries have set all that it set),
            parked (waits for the catalogue) or dead_lettered (cannot be used).
        is_counted: Whether its case counts at present.
        document: The whole receipt.
    """

    subject: str | None
    state: Literal["accepted", "counted", "overruled", "parked", "dead_lettered"]
    is_counted: bool
    document: Mapping[str, Any]

    @property
    def is_final(self) -> bool:
        """Whether the stream has read it; a parked event is counted when the catalogue learns its code."""
        return self.state != "accepted"


def new_id() -> str:
    """A new event id: a UUID of version 7, so that ids sort by the time at which they were made."""
    number = (int(time.time() * 1_000) << 80) | secrets.randbits(80)
    number = (number & ~(0xF << 76) & ~(0x3 << 62)) | (0x7 << 76) | (0x2 << 62)
    return str(UUID(int=number))


def new_event(
    event_type: str,
    *,
    subject: str,
    source: str,
    data: Mapping[str, Any],
    recorded_at: datetime | None = None,
    event_id: str | None = None,
) -> dict[str, Any]:
    """An event with an id of its own.

    Args:
        event_type: For example `vn.canhdich.case.reported.v1`.
        subject: The case's own code. No name, no number of a person.
        source: Who reports, for example `/facilities/LC-TYT-03549`.
        data: The event's fields; of an update those that changed.
        recorded_at: When the fact was recorded, with an offset; by default now.
        event_id: Only to repeat an event that was made before.

    Raises:
        ValueError: recorded_at has no offset.
    """
    at = recorded_at or datetime.now().astimezone()
    if at.tzinfo is None:
        raise ValueError("recorded_at needs an offset from UTC")
    return {
        "specversion": "1.0",
        "id": event_id or new_id(),
        "source": source,
        "type": event_type,
        "subject": subject,
        "time": at.isoformat(),
        "datacontenttype": "application/json",
        "data": dict(data),
    }


class Client:
    """Talks to one service. Use as a context, or call `close`. Not for several threads at a time."""

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        attempts: int = 6,
        longest_pause: float = 30.0,
        timeout: float = 30.0,
        http: httpx.Client | None = None,
    ) -> None:
        """Connect at the first request.

        Args:
            url: Of the service, for example `https://canhdich.example`.
            api_key: Not needed by programs of the service's own machine.
            attempts: How often a request is sent at most.
            longest_pause: Seconds between two attempts at most; the first pauses are shorter.
            timeout: Seconds without an answer after which an attempt has failed.
            http: A client of your own (a proxy, a certificate); `url` and `timeout` are then its own.
        """
        self._http = http or httpx.Client(base_url=url, timeout=timeout)
        self._headers = {} if api_key is None else {"authorization": f"Bearer {api_key}"}
        self._attempts = attempts
        self._longest_pause = longest_pause

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection up."""
        self._http.close()

    def send(self, event: Event) -> Sent:
        """Send one event; returns when it is safely stored.

        Raises:
            Refused: it is not valid, conflicts with an earlier one of its id, or is not yours to send.
            NotSent: no attempt was answered; send the same event again.
        """
        answer = self._post([event], "application/cloudevents+json")
        (told,) = answer["events"]
        return Sent(event, told["outcome"], told["warnings"])

    def send_all(self, events: Iterable[Event]) -> Iterator[Sent]:
        """Send any number of events, many in a request; yields what was said of each, in their order.

        An event that is refused does not stop the others. Take everything that is yielded: what is not asked
        for is not sent.

        Raises:
            Refused: a whole request, for instance because nobody may send with this key.
            NotSent: from here on nobody knows; send these events again.
        """
        for batch in _batches(events):
            told = {line["index"]: line for line in self._post(batch, "application/x-ndjson")["lines"]}
            for place, event in enumerate(batch):
                line = told[place]
                yield Sent(event, line["outcome"], line["warnings"], line["errors"])

    def receipts(self, event_id: str, subject: str | None = None) -> list[Receipt]:
        """What became of the events with an id; none where the service knows of none.

        Raises:
            Refused: the id is none, or it is not yours to ask.
            NotSent: no attempt was answered.
        """
        parameters = {} if subject is None else {"subject": subject}
        response = self._request("GET", f"/v1/events/{UUID(event_id)}", params=parameters)
        if response.status_code == httpx.codes.NOT_FOUND:
            return []
        return [
            Receipt(found["subject"], found["state"], found["is_counted"], found)
            for found in _read(response)["events"]
        ]

    def wait(self, event: Event, *, seconds: float = 60.0, pause: float = 0.2) -> Receipt | None:
        """The receipt of an event once the stream has read it; None where it has not within the time.

        Raises:
            Refused, NotSent: as `receipts`.
        """
        until = time.monotonic() + seconds
        while True:
            for receipt in self.receipts(event["id"], event["subject"]):
                if receipt.is_final:
                    return receipt
            if time.monotonic() + pause > until:
                return None
            time.sleep(pause)
            pause = min(pause * 1.5, 5.0)

    def alerts(self, **wanted: str | int | bool) -> Iterator[Mapping[str, Any]]:
        """Alerts, those that wait and the loudest first, over all pages.

        Args:
            wanted: open, disease, area, limit (of a page), as the service describes them.

        Raises:
            Refused, NotSent: as `receipts`.
        """
        response = self._request("GET", "/v1/alerts", params=dict(wanted))
        while True:
            yield from _read(response)["alerts"]
            following = response.links.get("next")
            if following is None:
                return
            response = self._request("GET", following["url"])

    def _post(self, events: Sequence[Event], media_type: str) -> Any:
        body = b"\n".join(_line(event) for event in events)
        return _read(self._request("POST", "/v1/events", content=body, headers={"content-type": media_type}))

    def _request(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        params: Mapping[str, str | int | bool] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """One answer that is not "later"; the same request again until there is one."""
        fault = "was not tried"
        for attempt in range(self._attempts):
            try:
                response = self._http.request(
                    method,
                    path,
                    content=content,
                    # httpx takes empty parameters for "without those of the address".
                    params=params or None,
                    headers={**self._headers, **(headers or {})},
                )
            except httpx.TransportError as error:
                fault, asked = type(error).__name__, None
            else:
                if response.status_code not in _LATER:
                    return response
                fault, asked = f"answered {response.status_code}", _seconds(response)
            if attempt + 1 < self._attempts:
                # Spread, so that many senders do not come back in the same instant.
                own = random.uniform(0.5, 1.0) * 0.5 * 2**attempt  # noqa: S311
                time.sleep(min(own if asked is None else asked, self._longest_pause))
        raise NotSent(f"The service {fault} at {self._attempts} attempts; send the same again later.")


_LATER = frozenset({408, 429, 502, 503, 504})


def _seconds(response: httpx.Response) -> float | None:
    """What the service asks to wait."""
    text = response.headers.get("retry-after", "")
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except ValueError:
        return None


def _read(response: httpx.Response) -> Any:
    try:
        document = response.json()
    except ValueError:
        title = "The answer is no JSON: is this the address of Canh Dịch?"
        raise Refused(response.status_code, {"title": title}) from None
    if not response.is_success:
        raise Refused(response.status_code, document)
    return document


def _line(event: Event) -> bytes:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def _batches(events: Iterable[Event]) -> Iterator[list[Event]]:
    batch: list[Event] = []
    size = 0
    for event in events:
        length = len(_line(event)) + 1
        if batch and (len(batch) == MAX_LINES or size + length > MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += length
    if batch:
        yield batch
