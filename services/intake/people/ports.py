"""What people and rights need of a store, as a Protocol; store.py is the one over TimescaleDB.

Every method blocks, and raises CanhDichError when it cannot say. What changes something takes the action
that is written into the trail with it, in one transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from services.intake.people.person import Language, Person, Role
from services.intake.people.territory import Territory


@dataclass(frozen=True, slots=True)
class StaffAction:
    """One thing that somebody did.

    Attributes:
        person_id: Who; None: nobody who had signed in, or somebody at the command line.
        username: Who, as it was then; empty: unknown.
        action: What, as kebab-case words.
        target: To what.
        address: From where; "command line" where it was typed there.
        detail: More about it; never a secret, never anything of a patient.
        at: When, by the database's clock; None before it is stored.
    """

    person_id: UUID | None
    username: str
    action: str
    target: str
    address: str
    detail: Mapping[str, str] = field(default_factory=dict)
    at: datetime | None = None


class Trail(Protocol):
    """Where actions are written down, off the event loop."""

    async def record(self, action: StaffAction) -> None:
        """Write an action; nobody can change it afterwards.

        Raises:
            CanhDichError: it could not be written.
        """

    async def senders(self, subject: str) -> Mapping[str, str]:
        """Event id -> who sent it, for the events of a case that were sent from the pages.

        Raises:
            CanhDichError: nobody can say.
        """


@dataclass(frozen=True, slots=True)
class Account:
    """A person's account with what proves who it is.

    Attributes:
        person: Who.
        password_hash: argon2id, PHC string; None: no password (single sign-on only).
        must_change_password: The password is one that somebody else has made.
        totp_secret: Base32; None: no second factor.
        is_disabled: May not come in.
        oidc_subject: `sub` at the provider; None: never signed in there.
        last_seen_at: About when it was last used; None: never.
    """

    person: Person
    password_hash: str | None
    must_change_password: bool
    totp_secret: str | None
    is_disabled: bool
    oidc_subject: str | None = None
    last_seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who has signed in. `account` is as it stands now, not as it was at sign-in."""

    token_hash: bytes
    account: Account
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    is_waiting_for_code: bool = False
    """The password was right, the second factor is still to come: may do nothing else."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What lets a program in.

    Attributes:
        id: Names it; the key itself is not stored.
        key_hash: SHA-256 of it.
        name: What it is for.
        role, facility, area_codes: As a Person's.
        endpoints: Names of routes; None: everything that the role may.
        expires_at: From then on it is refused.
        revoked_at: Since when it is refused; None: it is not.
        created_at, created_by: When and by whom it was made.
        last_used_at: About when, to the hour; None: never.
    """

    id: UUID
    key_hash: bytes
    name: str
    role: Role
    facility: str | None
    area_codes: tuple[str, ...]
    endpoints: tuple[str, ...] | None
    expires_at: datetime
    created_at: datetime
    created_by: str
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Failures:
    """Sign-ins that failed lately: how many, and when the last one was (None: none)."""

    count: int
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class PersonChange:
    """What of an account an administrator (or its owner, for the language) sets."""

    name: str
    role: Role
    facility: str | None
    area_codes: tuple[str, ...]
    language: Language
    is_disabled: bool


@dataclass(frozen=True, slots=True)
class Owned:
    """Whose a case or a focus is.

    Attributes:
        area_id: Where it lies at present; None where nobody has said.
        is_reported_by: Whether the facility that was asked for has reported it.
    """

    area_id: str | None
    is_reported_by: bool


OwnedKind = Literal["case", "focus"]


class PeopleStore(Protocol):
    """Accounts, sessions, keys, failed sign-ins and the trail."""

    def owners(self, subjects: Sequence[str], facility: str | None) -> Mapping[tuple[OwnedKind, str], Owned]:
        """Whose the known ones of some cases and foci are, by kind and subject."""

    def territory(self, today: str) -> Territory:
        """What lies in what in the structure in force on a day (ISO)."""

    def account_of_name(self, username: str) -> Account | None:
        """The account with a name (lower case)."""

    def account_of_id(self, person_id: UUID) -> Account | None:
        """The account of a person."""

    def account_of_subject(self, subject: str) -> Account | None:
        """The account that signs in at the provider as this `sub`."""

    def accounts(self) -> Sequence[Account]:
        """All accounts by username."""

    def add_account(self, account: Account, action: StaffAction) -> None:
        """Store a new account.

        Raises:
            Unfit: the name, or the subject at the provider, is taken.
        """

    def change_person(self, person_id: UUID, change: PersonChange, action: StaffAction) -> None:
        """Set what a PersonChange names; disabling ends all sessions.

        Raises:
            Unfit: there is no such account, or no administrator would be left who can come in.
        """

    def set_password(
        self,
        person_id: UUID,
        password_hash: str,
        action: StaffAction,
        *,
        must_change: bool,
        keep_session: bytes | None,
    ) -> None:
        """Store another password and end every session but one (by its hash)."""

    def renew_hash(self, person_id: UUID, password_hash: str) -> None:
        """Store the same password hashed with the parameters of today."""

    def set_totp(
        self, person_id: UUID, secret: str | None, recovery_hashes: Sequence[bytes], action: StaffAction
    ) -> None:
        """Set or take away the second factor, with all of its recovery codes."""

    def set_subject(self, person_id: UUID, subject: str, action: StaffAction) -> None:
        """Tie an account to its `sub` at the provider.

        Raises:
            Unfit: another account has it.
        """

    def use_totp_step(self, person_id: UUID, step: int) -> bool:
        """Use up a time step of the second factor; False where it, or a later one, was used before."""

    def use_recovery_code(self, person_id: UUID, code_hash: bytes) -> bool:
        """Use up a recovery code; False where there is none such."""

    def recovery_codes_left(self, person_id: UUID) -> int:
        """How many recovery codes are not used yet."""

    def start_session(self, session: Session, address: str, action: StaffAction) -> None:
        """Let somebody in; ended and expired sessions are forgotten on this occasion."""

    def session(self, token_hash: bytes) -> Session | None:
        """The session with a token; whether it is still good is for the caller to judge."""

    def see_session(self, token_hash: bytes, at: datetime) -> None:
        """Remember when a session was last used."""

    def end_session(self, token_hash: bytes, action: StaffAction) -> None:
        """End a session."""

    def failures(self, account_hash: bytes, address: str, since: datetime) -> tuple[Failures, Failures]:
        """What failed since: for an account, and from an address."""

    def add_failure(self, account_hash: bytes, address: str, at: datetime, action: StaffAction) -> None:
        """Remember a failed sign-in; those older than a day are forgotten on this occasion."""

    def forget_failures(self, account_hash: bytes) -> None:
        """Somebody has signed in to the account."""

    def api_keys(self) -> Sequence[ApiKey]:
        """All keys, the newest first."""

    def key(self, key_hash: bytes) -> ApiKey | None:
        """The key with a hash; whether it is still good is for the caller to judge."""

    def add_key(self, key: ApiKey, action: StaffAction) -> None:
        """Store a new key."""

    def see_key(self, key_id: UUID, at: datetime) -> None:
        """Remember when a key was last used."""

    def revoke_key(self, key_id: UUID, at: datetime, action: StaffAction) -> bool:
        """Refuse a key from now on; False where there is none such that was in force."""

    def record(self, action: StaffAction) -> None:
        """Write an action into the trail."""

    def actions(self, most: int, before: datetime | None = None) -> Sequence[StaffAction]:
        """The newest actions first, up to before an instant."""

    def senders(self, subject: str) -> Mapping[str, str]:
        """Event id -> name of who sent it, for the events of a case that were sent from the pages."""

    def close(self) -> None:
        """Give the connection up."""
