"""A PeopleStore in memory, held to the laws of the real one by tests/integration/intake/test_people.py.

A page's test makes somebody and signs them in, without a password:

    people = FakePeople()
    headers = people.signed_in(make_person(Role.REPORTER, area_codes=("03190",)))
    app = create_app(SETTINGS, people=people, ...)
    client.get("/cases/new", headers=headers)          # the cookie, and the token for unsafe methods
    people.actions()                                   # what was written into the trail, newest first
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from services.intake.people.person import Language, Person, Role
from services.intake.people.ports import (
    Account,
    ApiKey,
    Failures,
    Owned,
    OwnedKind,
    PersonChange,
    Session,
    StaffAction,
)
from services.intake.people.secrets import csrf_of, hash_of, new_token
from services.intake.people.territory import Place, Territory
from services.intake.people.unfit import Unfit
from services.intake.people.visitors import SESSION_COOKIE
from streams.domain.errors import DependencyDown

_NAMESPACE = UUID("0d5cf1f1-6f6f-4a7e-9d5e-3f7c2c1f1b5e")
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_FOREVER = datetime(2100, 1, 1, tzinfo=UTC)

TERRITORY = (
    Place("12@start", True, "12", None, None),
    Place("109@start", False, "12", "109", None),
    Place("109@2025-07-01", True, "12", "109", None),
    Place("106@2025-07-01", True, "12", "106", None),
    Place("03549@start", False, "12", "109", "03549"),
    Place("03549@2025-07-01", True, "12", "109", "03549"),
    Place("03562@2025-07-01", True, "12", "109", "03562"),
    Place("03390@2025-07-01", True, "12", "106", "03390"),
)
"""The province 12 with two surveillance areas and three communes, as the packaged catalogue has them."""


def make_person(
    role: Role,
    username: str = "",
    *,
    name: str = "",
    facility: str | None = None,
    area_codes: tuple[str, ...] = (),
    language: Language = "vi",
) -> Person:
    """Somebody with a role; a reporter reports from LC-TYT-03549 unless told otherwise."""
    username = username or role.value
    if role is Role.REPORTER:
        facility = facility or "LC-TYT-03549"
    return Person(
        uuid5(_NAMESPACE, username), username, name or username, role, facility, area_codes, language, False
    )


class FakePeople:
    """A PeopleStore in memory.

    Attributes:
        places: What lies in what.
        owned: Known cases and foci, by kind and subject: area id, and the facilities that reported them.
        is_down: Every question fails.
        clock: When the last row of the trail was written.
    """

    def __init__(self, places: Sequence[Place] = TERRITORY) -> None:
        self.places = places
        self.owned: dict[tuple[OwnedKind, str], tuple[str | None, set[str]]] = {}
        self.is_down = False
        self._accounts: dict[UUID, Account] = {}
        self._steps: dict[UUID, int] = {}
        self._recovery: dict[UUID, set[bytes]] = {}
        self._sessions: dict[bytes, tuple[UUID, Session]] = {}
        self._failures: list[tuple[bytes, str, datetime]] = []
        self._keys: dict[UUID, ApiKey] = {}
        self._actions: list[StaffAction] = []
        self.clock = _EPOCH

    def add(
        self,
        person: Person,
        password_hash: str | None = None,
        *,
        must_change_password: bool = False,
        is_disabled: bool = False,
    ) -> Account:
        """Somebody who has an account already."""
        account = Account(person, password_hash, must_change_password, None, is_disabled)
        self._accounts[person.id] = account
        return account

    def signed_in(
        self, person: Person, *, last_seen_at: datetime = _FOREVER, expires_at: datetime = _FOREVER
    ) -> dict[str, str]:
        """The headers of a session of somebody, who is given an account where there is none."""
        account = self._accounts.get(person.id) or self.add(person)
        token = new_token()
        session = Session(hash_of(token), account, _EPOCH, last_seen_at, expires_at)
        self._sessions[session.token_hash] = (person.id, session)
        return {"cookie": f"{SESSION_COOKIE}={token}", "x-csrf-token": csrf_of(token)}

    def territory(self, today: str) -> Territory:
        """The places given."""
        self._answer()
        return Territory(self.places)

    def owners(self, subjects: Sequence[str], facility: str | None) -> dict[tuple[OwnedKind, str], Owned]:
        """Of those that are known."""
        self._answer()
        return {
            (kind, subject): Owned(area_id, facility in facilities)
            for (kind, subject), (area_id, facilities) in self.owned.items()
            if subject in subjects
        }

    def account_of_name(self, username: str) -> Account | None:
        """By its name."""
        self._answer()
        return next((a for a in self._accounts.values() if a.person.username == username), None)

    def account_of_id(self, person_id: UUID) -> Account | None:
        """By its id."""
        self._answer()
        return self._accounts.get(person_id)

    def account_of_subject(self, subject: str) -> Account | None:
        """By its `sub`."""
        self._answer()
        return next((a for a in self._accounts.values() if a.oidc_subject == subject), None)

    def accounts(self) -> list[Account]:
        """All of them by name."""
        self._answer()
        return sorted(self._accounts.values(), key=lambda account: account.person.username)

    def add_account(self, account: Account, action: StaffAction) -> None:
        """A new one, under a name and a `sub` of its own."""
        self._answer()
        if self.account_of_name(account.person.username) is not None:
            raise Unfit("people.username_taken", username=account.person.username)
        self._check_subject(account.oidc_subject)
        self._accounts[account.person.id] = account
        self.record(action)

    def change_person(self, person_id: UUID, change: PersonChange, action: StaffAction) -> None:
        """Set what changes, but leave an administrator."""
        self._answer()
        account = self._known(person_id)
        person = replace(
            account.person,
            name=change.name,
            role=change.role,
            facility=change.facility,
            area_codes=change.area_codes,
            language=change.language,
        )
        changed = replace(account, person=person, is_disabled=change.is_disabled)
        others = [other for other in self._accounts.values() if other.person.id != person_id]
        if _is_able_administrator(account) and not any(map(_is_able_administrator, [*others, changed])):
            raise Unfit("people.last_administrator")
        self._accounts[person_id] = changed
        if change.is_disabled:
            self._end_sessions(person_id, None)
        self.record(action)

    def set_password(
        self,
        person_id: UUID,
        password_hash: str,
        action: StaffAction,
        *,
        must_change: bool,
        keep_session: bytes | None,
    ) -> None:
        """Another password; other sessions end."""
        self._answer()
        self._accounts[person_id] = replace(
            self._known(person_id), password_hash=password_hash, must_change_password=must_change
        )
        self._end_sessions(person_id, keep_session)
        self.record(action)

    def renew_hash(self, person_id: UUID, password_hash: str) -> None:
        """The same password."""
        self._answer()
        self._accounts[person_id] = replace(self._known(person_id), password_hash=password_hash)

    def set_totp(
        self, person_id: UUID, secret: str | None, recovery_hashes: Sequence[bytes], action: StaffAction
    ) -> None:
        """A second factor, or none."""
        self._answer()
        self._accounts[person_id] = replace(self._known(person_id), totp_secret=secret)
        self._steps.pop(person_id, None)
        self._recovery[person_id] = set(recovery_hashes)
        self.record(action)

    def set_subject(self, person_id: UUID, subject: str, action: StaffAction) -> None:
        """Tie to a `sub`."""
        self._answer()
        self._check_subject(subject)
        self._accounts[person_id] = replace(self._known(person_id), oidc_subject=subject)
        self.record(action)

    def use_totp_step(self, person_id: UUID, step: int) -> bool:
        """Each step once, in their order."""
        self._answer()
        if step <= self._steps.get(person_id, -1):
            return False
        self._steps[person_id] = step
        return True

    def use_recovery_code(self, person_id: UUID, code_hash: bytes) -> bool:
        """Each code once."""
        self._answer()
        codes = self._recovery.get(person_id, set())
        if code_hash not in codes:
            return False
        codes.remove(code_hash)
        return True

    def recovery_codes_left(self, person_id: UUID) -> int:
        """Those not used."""
        self._answer()
        return len(self._recovery.get(person_id, set()))

    def start_session(self, session: Session, address: str, action: StaffAction) -> None:
        """Let in."""
        self._answer()
        self._sessions = {
            token: held for token, held in self._sessions.items() if held[1].expires_at > session.created_at
        }
        person_id = session.account.person.id
        self._sessions[session.token_hash] = (person_id, session)
        self._accounts[person_id] = replace(self._known(person_id), last_seen_at=session.created_at)
        self.record(action)

    def session(self, token_hash: bytes) -> Session | None:
        """With the account as it is now."""
        self._answer()
        held = self._sessions.get(token_hash)
        return held and replace(held[1], account=self._known(held[0]))

    def see_session(self, token_hash: bytes, at: datetime) -> None:
        """Used."""
        self._answer()
        if token_hash in self._sessions:
            person_id, session = self._sessions[token_hash]
            self._sessions[token_hash] = (person_id, replace(session, last_seen_at=at))
            self._accounts[person_id] = replace(self._known(person_id), last_seen_at=at)

    def end_session(self, token_hash: bytes, action: StaffAction) -> None:
        """End one."""
        self._answer()
        self._sessions.pop(token_hash, None)
        self.record(action)

    def failures(self, account_hash: bytes, address: str, since: datetime) -> tuple[Failures, Failures]:
        """What failed since."""
        self._answer()
        recent = [failure for failure in self._failures if failure[2] >= since]
        of_account = [at for other, _, at in recent if other == account_hash]
        of_address = [at for _, other, at in recent if other == address]
        return (
            Failures(len(of_account), max(of_account, default=None)),
            Failures(len(of_address), max(of_address, default=None)),
        )

    def add_failure(self, account_hash: bytes, address: str, at: datetime, action: StaffAction) -> None:
        """One more."""
        self._answer()
        self._failures = [f for f in self._failures if f[2] >= at - timedelta(days=1)]
        self._failures.append((account_hash, address, at))
        self.record(action)

    def forget_failures(self, account_hash: bytes) -> None:
        """Signed in."""
        self._answer()
        self._failures = [failure for failure in self._failures if failure[0] != account_hash]

    def api_keys(self) -> list[ApiKey]:
        """Newest first."""
        self._answer()
        return sorted(self._keys.values(), key=lambda key: key.created_at, reverse=True)

    def key(self, key_hash: bytes) -> ApiKey | None:
        """By its hash."""
        self._answer()
        return next((key for key in self._keys.values() if key.key_hash == key_hash), None)

    def add_key(self, key: ApiKey, action: StaffAction) -> None:
        """A new one."""
        self._answer()
        self._keys[key.id] = key
        self.record(action)

    def see_key(self, key_id: UUID, at: datetime) -> None:
        """Used."""
        self._answer()
        self._keys[key_id] = replace(self._keys[key_id], last_used_at=at)

    def revoke_key(self, key_id: UUID, at: datetime, action: StaffAction) -> bool:
        """Once."""
        self._answer()
        key = self._keys.get(key_id)
        if key is None or key.revoked_at is not None:
            return False
        self._keys[key_id] = replace(key, revoked_at=at)
        self.record(action)
        return True

    def record(self, action: StaffAction) -> None:
        """Write it down."""
        self._answer()
        self.clock += timedelta(seconds=1)
        self._actions.append(replace(action, at=self.clock))

    def actions(self, most: int = 100, before: datetime | None = None) -> list[StaffAction]:
        """Newest first."""
        self._answer()
        found = [a for a in reversed(self._actions) if before is None or (a.at is not None and a.at < before)]
        return found[:most]

    def senders(self, subject: str) -> dict[str, str]:
        """The first to have sent each event of the case."""
        self._answer()
        found: dict[str, str] = {}
        for action in self._actions:
            if (action.action, action.target) == ("case-sent", subject):
                account = self._accounts.get(action.person_id) if action.person_id else None
                found.setdefault(action.detail["event"], account.person.name if account else action.username)
        return found

    def close(self) -> None:
        """Nothing is held."""

    def _known(self, person_id: UUID) -> Account:
        if person_id not in self._accounts:
            raise Unfit("people.unknown")
        return self._accounts[person_id]

    def _check_subject(self, subject: str | None) -> None:
        if subject is not None and self.account_of_subject(subject) is not None:
            raise Unfit("people.subject_taken")

    def _end_sessions(self, person_id: UUID, keep: bytes | None) -> None:
        self._sessions = {
            token: held for token, held in self._sessions.items() if held[0] != person_id or token == keep
        }

    def _answer(self) -> None:
        if self.is_down:
            raise DependencyDown("the fake database is down")


def _is_able_administrator(account: Account) -> bool:
    return account.person.role is Role.ADMINISTRATOR and not account.is_disabled
