"""What a route asks of who came: who they are, whether they may, and that it be written down.

The one law is the matrix in rights.yaml. services/intake/people/visitors.py finds out who it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog
from fastapi import Request

from services.intake.people.person import Person, Role
from services.intake.people.ports import StaffAction, Trail
from services.intake.people.rights import Right, right_of, rights
from services.intake.people.territory import Territory
from services.intake.problems import Refused
from streams.domain.errors import CanhDichError

log = structlog.get_logger(__name__)

LOCAL_PROGRAM: Final = Person(
    UUID(int=0), "local", "Program of this machine", Role.EPIDEMIOLOGIST, None, (), "vi", True
)
"""Who sends to /v1 from this machine without a key, where no public_url is set."""


WITH_A_HANDED_PASSWORD: Final = frozenset({"account", "change_password", "sign_out"})
"""What somebody may use before they have replaced the password that somebody else has made."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Who came with a request, as the middleware found out.

    Attributes:
        person: None: nobody that we know.
        csrf: What a form of this visit has to send back; empty where no cookie came with it.
        address: Of the one who asks, behind our proxies.
        territory: What lies in what; None where it is not needed or not known.
        endpoints: What an API key may be used for; None: everything that its role may.
        session_hash: Of the session; None where there is none.
        must_change_password: Signed in with a password that somebody else has made.
        trail: Where it is written down.
    """

    person: Person | None
    csrf: str
    address: str
    territory: Territory | None
    endpoints: frozenset[str] | None
    session_hash: bytes | None
    must_change_password: bool
    trail: Trail


def visit_of(request: Request) -> Visit:
    """The visit that a request belongs to."""
    visit: Visit = request.state.visit
    return visit


def person_of(request: Request) -> Person | None:
    """Who asks; None where nobody has signed in."""
    return visit_of(request).person


def allow(request: Request, endpoint: str, area_code: str | None = None) -> Person:
    """Let somebody in, or refuse.

    Args:
        request: As it came.
        endpoint: Name of the route, a row of rights.yaml.
        area_code: Present code of the area that is asked for; None: none in particular. Whoever lists then
            lists no more than `areas_of` says.

    Raises:
        Refused: not-signed-in, password-to-change, not-allowed, or (rarely) database-down, where nobody can
            say what lies in what.
    """
    visit = visit_of(request)
    person = visit.person
    if person is None:
        raise Refused("not-signed-in")
    if visit.must_change_password and endpoint not in WITH_A_HANDED_PASSWORD:
        raise Refused("password-to-change")
    right = right_of(person.role, endpoint)
    # Keys are for programs: on the pages whatever a key does would be done in a person's name.
    is_page = not request.url.path.startswith(("/v1/", "/metrics"))
    if (
        right is Right.NONE
        or (visit.endpoints is not None and endpoint not in visit.endpoints)
        or (person.is_machine and is_page)
    ):
        raise Refused("not-allowed")
    if area_code is not None and right is Right.OWN and person.area_codes:
        if visit.territory is None:
            raise Refused("database-down")
        if not visit.territory.covers_code(person.area_codes, area_code):
            raise Refused("not-allowed")
    return person


def may(person: Person, endpoint: str) -> bool:
    """Whether a role may use an endpoint at all, so that a link to it is worth showing."""
    return endpoint in rights().public or right_of(person.role, endpoint) is not Right.NONE


def areas_of(request: Request, endpoint: str) -> tuple[str, ...] | None:
    """Present codes of the areas to which a list is to be limited; None: no limit.

    Raises:
        Refused: as `allow`.
    """
    person = allow(request, endpoint)
    return person.area_codes if right_of(person.role, endpoint) is Right.OWN and person.area_codes else None


def csrf_token(request: Request) -> str:
    """What a form has to send back as its field `csrf`, a script as the header X-CSRF-Token."""
    return visit_of(request).csrf


async def record(request: Request, action: str, target: str, detail: Mapping[str, str]) -> None:
    """Write down what somebody did; nobody can change it afterwards.

    Args:
        request: Of whoever did it.
        action: What, as kebab-case words, e.g. "person-disabled".
        target: To what: a username, an alert's id, a subject.
        detail: More about it. Never a password, a key, or anything of a patient.

    Raises:
        CanhDichError: it could not be written.
    """
    visit = visit_of(request)
    person = visit.person
    await visit.trail.record(
        StaffAction(
            person.id if person else None,
            person.username if person else "",
            action,
            target,
            visit.address,
            dict(detail),
        )
    )


async def senders_of(request: Request, subject: str) -> Mapping[str, str]:
    """Event id -> name of who sent it from the pages, for those who may change the case.

    They may have to ask back; to others staff are no more than their facility. Empty where nobody can say.
    """
    try:
        allow(request, "change_case")
        return await visit_of(request).trail.senders(subject)
    except (CanhDichError, Refused):
        return {}


async def record_sent(request: Request, accepted: int, event_ids: Sequence[str]) -> None:
    """Write down that events were sent, with the first of their ids; nothing of a program of our own."""
    person = person_of(request)
    if person is None or person is LOCAL_PROGRAM or not accepted:
        return
    await record_done(request, "events-sent", event_ids[0], {"accepted": str(accepted)})


async def record_done(request: Request, action: str, target: str, detail: Mapping[str, str]) -> None:
    """As `record`, of what Kafka has by now.

    That it could not be written is logged, and no reason to send the events again.
    """
    try:
        await record(request, action, target, detail)
    except (CanhDichError, Refused) as error:
        person = person_of(request)
        log.error(  # noqa: TRY400
            "trail_not_written",
            action=action,
            detail=dict(detail),
            error=type(error).__name__,
            username=person.username if person else "",
        )
