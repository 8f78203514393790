"""Who may send which events: for areas that are theirs, for their own facility, about cases that are theirs.

Theirs is what lies in one of the account's areas. An account without areas works for the whole province (a
hospital): theirs are the cases that its facility has reported.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import orjson
from fastapi import Request

from schemas.events import CASE_TYPES, FOCUS_REPORTED, TALLY_REPORTED, Event
from services.intake.advisory import CurrentCatalogue
from services.intake.documents import FieldError
from services.intake.people.access import allow, visit_of
from services.intake.people.desk import Desk
from services.intake.people.person import Person
from services.intake.people.ports import Owned, OwnedKind
from services.intake.people.rights import Right, right_of
from services.intake.people.territory import Territory
from services.intake.problems import Refused
from streams.domain.calendar import microseconds
from streams.domain.catalogue import Catalogue
from streams.domain.errors import CanhDichError
from streams.domain.judging import judge, kind_of
from streams.domain.reports import judge_report

_REMEMBERED: Final = 10_000

_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "other_facility": (
        "Tài khoản này chỉ gửi được thay cho đơn vị của mình.",
        "This account may only send for its own facility.",
    ),
    "other_area": (
        "Địa bàn này không thuộc đơn vị của tài khoản. Ca của nơi khác do nơi đó hoặc CDC tỉnh ghi.",
        "This area is not the account's. Such a case is recorded there, or by the province's CDC.",
    ),
    "unknown_area": (
        "Không rõ mã địa bàn này vào ngày đó, nên không biết có thuộc đơn vị của tài khoản hay không.",
        "This area code means nothing on that day, so nobody can say whether it is the account's.",
    ),
    "other_case": (
        "Ca này thuộc địa bàn hoặc đơn vị khác. Cần sửa hoặc chuyển thì báo CDC tỉnh.",
        "This case belongs to another area or facility. Ask the province's CDC to change or move it.",
    ),
    "unknown_case": (
        "Chưa có ca nào mang mã này. Hãy gửi báo cáo ca trước, hoặc kiểm tra lại mã.",
        "No case of this code is known yet. Report it first, or check the code.",
    ),
}


May = Callable[[Sequence[Event]], Awaitable[list[FieldError | None]]]
"""For each event None, or why it may not be sent."""


class EventRights:
    """Judges events by the rights of who sends them."""

    def __init__(self, desk: Desk, catalogue: CurrentCatalogue) -> None:
        self._desk = desk
        self._catalogue = catalogue
        # Sent lately, and perhaps not yet among the cases.
        self._recent: OrderedDict[tuple[OwnedKind, str], Owned] = OrderedDict()

    def may(self, request: Request) -> May | None:
        """As may_send."""
        person = allow(request, "post_events")
        if right_of(person.role, "post_events") is Right.ALL:
            return None

        async def judge_events(events: Sequence[Event]) -> list[FieldError | None]:
            return await self._judge(person, visit_of(request).territory, events)

        return judge_events

    async def _judge(
        self, person: Person, territory: Territory | None, events: Sequence[Event]
    ) -> list[FieldError | None]:
        catalogue = await self._catalogue.get()
        subjects = sorted({event.subject for event in events})
        try:
            known = dict(await self._desk.look(lambda store: store.owners(subjects, person.facility)))
        except CanhDichError:
            raise Refused("database-down") from None
        if catalogue is None or (person.area_codes and territory is None):
            raise Refused("database-down")
        for key in list(self._recent):
            if key[1] in subjects and key not in known:
                known[key] = self._recent[key]
        answers: list[FieldError | None] = []
        for event in events:
            code, field, area_id = _fault(person, territory, event, catalogue, known)
            answers.append(_error(code, field) if code else None)
            kind = _kind(event)
            if not code and kind is not None:
                # Later events of this request, and of the next seconds, are about a case that is theirs.
                before = known.get((kind, event.subject))
                owned = Owned(area_id or (before.area_id if before else None), is_reported_by=True)
                known[kind, event.subject] = owned
                self._recent[kind, event.subject] = owned
                self._recent.move_to_end((kind, event.subject))
                if len(self._recent) > _REMEMBERED:
                    self._recent.popitem(last=False)
        return answers


def may_send(request: Request) -> May | None:
    """What says of events whether whoever asks may send them; None: whatever they are.

    Raises:
        Refused: they may send none at all.
    """
    judge_rights: EventRights = request.app.state.event_rights
    return judge_rights.may(request)


def _fault(
    person: Person,
    territory: Territory | None,
    event: Event,
    catalogue: Catalogue,
    known: Mapping[tuple[OwnedKind, str], Owned],
) -> tuple[str, str, str | None]:
    """Why an event is not theirs, in which field, and the area that it names; "" where it is."""
    data: dict[str, Any] = orjson.loads(orjson.dumps(event.data))
    if person.facility is not None:
        if event.source != f"/facilities/{person.facility}":
            return "other_facility", "source", None
        if data.get("reporting_facility", person.facility) != person.facility:
            return "other_facility", "data.reporting_facility", None
    area_id = None
    if "area_code" in data:
        area_id = _area_id(event, data, catalogue)
        if person.area_codes:
            if area_id is None:
                return ("unknown_area" if data["area_code"] else "other_area"), "data.area_code", None
            if territory is None or not territory.covers_area(person.area_codes, area_id):
                return "other_area", "data.area_code", None
    kind = _kind(event)
    if kind is None:
        return "", "", area_id
    owned = known.get((kind, event.subject))
    if owned is None:
        return ("", "", area_id) if "area_code" in data else ("unknown_case", "subject", None)
    if not person.area_codes:
        is_theirs = owned.is_reported_by
    elif owned.area_id is None:
        is_theirs = owned.is_reported_by or area_id is not None
    else:
        is_theirs = territory is not None and territory.covers_area(person.area_codes, owned.area_id)
    return ("", "", area_id) if is_theirs else ("other_case", "subject", None)


def _kind(event: Event) -> OwnedKind | None:
    """What an event is about; None for a tally, whose subject names its area."""
    return "case" if event.type in CASE_TYPES else "focus" if event.type == FOCUS_REPORTED else None


def _area_id(event: Event, data: Mapping[str, Any], catalogue: Catalogue) -> str | None:
    """The area that an event's code means, read as the stream will read it."""
    time = microseconds(event.time)
    if event.type in CASE_TYPES:
        # Without the disease: an unknown one makes an event wait, and its area is theirs all the same.
        asked = {name: value for name, value in data.items() if name != "disease"}
        return judge(kind_of(event.type), event.subject, event.id, time, asked, catalogue)[1]
    kind = "tally" if event.type == TALLY_REPORTED else "focus"
    return judge_report(kind, event.subject, event.id, time, data, catalogue)[1]  # type: ignore[arg-type]


def _error(code: str, field: str) -> FieldError:
    message_vi, message_en = _WORDS[code]
    return {
        "index": None,
        "field": field,
        "code": code,
        "message_vi": message_vi,
        "message_en": message_en,
    }
