"""What is done with accounts and keys. All of it blocks: call it through Desk.act, or at the command line."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from services.intake.people.person import Language, Person, Role
from services.intake.people.ports import (
    Account,
    ApiKey,
    Failures,
    PeopleStore,
    PersonChange,
    Session,
    StaffAction,
)
from services.intake.people.rights import rights
from services.intake.people.secrets import KEY_PREFIX, hash_of, new_one_time_password, new_token
from services.intake.people.territory import Territory
from services.intake.people.unfit import Unfit

SHORTEST_PASSWORD: Final = 10
LONGEST_PASSWORD: Final = 200
"""Hashing takes longer the longer it is."""
CODE_MINUTES: Final = 5
"""So long the second factor may take after the password."""
RECOVERY_CODES: Final = 8
SHORTEST_KEY: Final = 40
LONGEST_KEY_DAYS: Final = 3_650

_FREE_FAILURES: Final = 4
_FREE_FAILURES_OF_ADDRESS: Final = 20
"""A health station's people share one address."""
_FIRST_PAUSE: Final = timedelta(seconds=15)
_LONGEST_PAUSE: Final = timedelta(minutes=15)
_REMEMBERED: Final = timedelta(hours=12)
_STEP_SECONDS: Final = 30

_USERNAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_SECRET: Final = re.compile(r"[A-Z2-7]{32}")
_FACILITY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_COMMON_FILE: Final = Path(__file__).with_name("common_passwords.txt")


class TooManyAttempts(Unfit):
    """Signing in has failed too often; `wait` says how long nothing more is tried."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__("people.wait", seconds=int(wait.total_seconds()) + 1)
        self.wait = wait


class WrongSignIn(Unfit):
    """Name, password or code is wrong, the account does not exist, or is disabled: nobody is told which."""

    def __init__(self) -> None:
        super().__init__("people.wrong")


class WeakPassword(Unfit):
    """A password that would be guessed."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, for the trail."""

    person_id: UUID | None
    username: str
    address: str

    def did(self, action: str, target: str, **detail: str) -> StaffAction:
        """The row of the trail."""
        return StaffAction(self.person_id, self.username, action, target, self.address, detail)


COMMAND_LINE: Final = Actor(None, "", "command line")
"""Whoever may read the database's password."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that has begun; `token` goes into the cookie and nowhere else."""

    token: str
    account: Account
    is_waiting_for_code: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an account or a key is to be allowed.

    Attributes:
        role: What for.
        facility: Where they report from; wanted for a reporter.
        area_codes: Present codes; empty: everything.
    """

    role: Role
    facility: str | None
    area_codes: tuple[str, ...]


@cache
def hasher() -> PasswordHasher:
    """argon2id with RFC 9106's second recommended option: 64 MiB, three passes."""
    return PasswordHasher()


@cache
def _common_passwords() -> frozenset[str]:
    return frozenset(_COMMON_FILE.read_text("utf-8").split())


@cache
def _hash_of_nobody() -> str:
    """So that an unknown name takes as long as a known one."""
    return hasher().hash(new_token())


def pause_after(failures: Failures, free: int) -> timedelta:
    """How long after the last failure nothing more is tried.

    >>> at = datetime(2026, 1, 1)
    >>> [int(pause_after(Failures(n, at), 4).total_seconds()) for n in (4, 5, 6, 7, 30)]
    [0, 15, 30, 60, 900]
    """
    beyond = failures.count - free
    return min(_FIRST_PAUSE * 2 ** min(beyond - 1, 20), _LONGEST_PAUSE) if beyond > 0 else timedelta(0)


def normal_username(typed: str) -> str:
    """A username as it is stored: people capitalise names, and phones the first letter.

    >>> normal_username(" Bs.Lan ")
    'bs.lan'
    """
    return unicodedata.normalize("NFKC", typed).strip().lower()


def is_username(name: str) -> bool:
    """Whether a name can be somebody's, and can be taken for nothing else in histories."""
    is_other = name.startswith("key.") or name in ("local", "system")
    return _USERNAME.fullmatch(name) is not None and not is_other


def normal_password(typed: str) -> str:
    """A password as it is hashed: the same characters may be typed in two ways (RFC 8265)."""
    return unicodedata.normalize("NFC", typed)


def check_password(password: str, username: str) -> None:
    """Refuse a password that would be guessed.

    Raises:
        WeakPassword: it is short, long, common, or the username again.
    """
    plain = password.lower()
    if len(password) < SHORTEST_PASSWORD:
        raise WeakPassword("people.password_short", shortest=SHORTEST_PASSWORD)
    if len(password) > LONGEST_PASSWORD:
        raise WeakPassword("people.password_long")
    if plain in _common_passwords() or len(set(plain)) < 5:
        raise WeakPassword("people.password_common")
    if len(username) >= 4 and username in plain:
        raise WeakPassword("people.password_is_username")


def check_wanted(wanted: Wanted, territory: Territory) -> None:
    """Refuse rights that make no sense.

    Raises:
        Unfit: a reporter without a facility, a facility that events could not name, or a code that
            names no commune, surveillance area or province of today.
    """
    if wanted.role is Role.REPORTER and not wanted.facility:
        raise Unfit("people.facility_missing")
    if wanted.facility and not _FACILITY.fullmatch(wanted.facility):
        raise Unfit("people.facility_bad", facility=wanted.facility)
    unknown = [code for code in wanted.area_codes if not territory.is_present(code)]
    if unknown:
        raise Unfit("people.areas_unknown", codes=", ".join(unknown))


def sign_in(
    store: PeopleStore, username: str, password: str, address: str, now: datetime, times_whole: timedelta
) -> SignedIn:
    """Let somebody in who knows name and password; a second factor may still be to come.

    An unknown name takes as long as a wrong password, and is paused as one.

    Raises:
        TooManyAttempts: nothing was tried.
        WrongSignIn: with a wrong name or password, or for a disabled account.
    """
    name = normal_username(username)
    _check_pause(store, name, address, now)
    account = store.account_of_name(name)
    is_right = verify(account.password_hash if account else None, password)
    if account is None or not is_right or account.is_disabled:
        _fail(store, account, name, address, now, "password")
        raise WrongSignIn
    assert account.password_hash is not None  # noqa: S101 - it was right
    if hasher().check_needs_rehash(account.password_hash):
        store.renew_hash(account.person.id, hasher().hash(normal_password(password)))
    return begin_session(store, account, "password", address, now, times_whole)


def begin_session(
    store: PeopleStore,
    account: Account,
    by: str,
    address: str,
    now: datetime,
    times_whole: timedelta,
    *,
    has_second_factor: bool = False,
) -> SignedIn:
    """Start a session under a new token: whatever cookie there was before is worth nothing then.

    Args:
        store: Where it is kept.
        account: Whose it is.
        by: password, code, recovery-code or oidc; for the trail.
        address: From where.
        now: The instant.
        times_whole: How long it lasts at most.
        has_second_factor: The second factor was given, or the provider has seen to it.
    """
    is_waiting = account.totp_secret is not None and not has_second_factor
    ends = now + (timedelta(minutes=CODE_MINUTES) if is_waiting else times_whole)
    token = new_token()
    person = account.person
    actor = Actor(person.id, person.username, address)
    if not is_waiting:
        store.forget_failures(hash_of(person.username))
    store.start_session(
        Session(hash_of(token), account, now, now, ends, is_waiting),
        address,
        actor.did("password-accepted" if is_waiting else "signed-in", person.username, by=by),
    )
    return SignedIn(token, account, is_waiting)


def finish_sign_in(
    store: PeopleStore, waiting: bytes, code: str, address: str, now: datetime, times_whole: timedelta
) -> SignedIn:
    """Take the second factor, or a recovery code, of somebody whose password was right.

    Raises:
        TooManyAttempts: nothing was tried.
        WrongSignIn: the code is wrong, was used before, or came too late.
    """
    session = store.session(waiting)
    if session is None or not session.is_waiting_for_code or now >= session.expires_at:
        raise WrongSignIn
    account = store.account_of_id(session.account.person.id)
    assert account is not None  # noqa: S101 - sessions refer to accounts
    name = account.person.username
    _check_pause(store, name, address, now)
    by = _accepted_by(store, account, code, now)
    if by is None or account.is_disabled:
        _fail(store, account, name, address, now, "code")
        raise WrongSignIn
    actor = Actor(account.person.id, name, address)
    store.end_session(waiting, actor.did("code-accepted", name, by=by))
    return begin_session(store, account, by, address, now, times_whole, has_second_factor=True)


def _accepted_by(store: PeopleStore, account: Account, code: str, now: datetime) -> str | None:
    plain = code.replace(" ", "").replace("-", "").lower()
    if account.totp_secret is None:
        return None
    if len(plain) == 6 and plain.isascii() and plain.isdigit():
        step = step_of(account.totp_secret, plain, now)
        return "code" if step is not None and store.use_totp_step(account.person.id, step) else None
    return "recovery-code" if store.use_recovery_code(account.person.id, hash_of(plain)) else None


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The time step of which a code is; None where it is of none within half a minute of now."""
    totp = pyotp.TOTP(secret)
    present = int(now.timestamp()) // _STEP_SECONDS
    for step in (present, present - 1, present + 1):
        if pyotp.utils.strings_equal(totp.at(step * _STEP_SECONDS), code):
            return step
    return None


def verify(password_hash: str | None, password: str) -> bool:
    """Whether a password is right; takes the same time where there is no hash."""
    typed = normal_password(password)[:LONGEST_PASSWORD]
    try:
        return hasher().verify(password_hash or _hash_of_nobody(), typed) and password_hash is not None
    except (Argon2Error, InvalidHashError):
        return False


def _check_pause(store: PeopleStore, name: str, address: str, now: datetime) -> None:
    of_account, of_address = store.failures(hash_of(name), address, now - _REMEMBERED)
    until = max(
        (
            failures.last_at + pause_after(failures, free)
            for failures, free in ((of_account, _FREE_FAILURES), (of_address, _FREE_FAILURES_OF_ADDRESS))
            if failures.last_at is not None
        ),
        default=now,
    )
    if until > now:
        raise TooManyAttempts(until - now)


def _fail(
    store: PeopleStore, account: Account | None, name: str, address: str, now: datetime, what: str
) -> None:
    # An unknown name is not written down: it may be a password in the wrong field.
    known = account.person.username if account else ""
    actor = Actor(account.person.id if account else None, known, address)
    store.add_failure(hash_of(name), address, now, actor.did("sign-in-failed", known, what=what))


def add_person(
    store: PeopleStore,
    actor: Actor,
    username: str,
    name: str,
    wanted: Wanted,
    language: Language,
    today: str,
) -> str:
    """Make an account; returns the one-time password, which is said once.

    Raises:
        Unfit: the name is taken or none, or the rights make no sense.
    """
    normal = normal_username(username)
    if not is_username(normal):
        raise Unfit("people.username_bad", username=username)
    if not name.strip():
        raise Unfit("people.name_missing")
    check_wanted(wanted, store.territory(today))
    password = new_one_time_password()
    person = Person(
        uuid4(),
        normal,
        name.strip(),
        wanted.role,
        wanted.facility,
        wanted.area_codes,
        language,
        is_machine=False,
    )
    account = Account(person, hasher().hash(password), True, None, False)
    store.add_account(account, actor.did("person-added", normal, **_rights_said(wanted)))
    return password


def change_person(
    store: PeopleStore, actor: Actor, person_id: UUID, change: PersonChange, today: str
) -> None:
    """Set role, facility, areas, name, language, or whether the account is disabled.

    Raises:
        Unfit: there is no such account, the rights make no sense, or the last administrator would go.
    """
    account = known_account(store, person_id)
    wanted = Wanted(change.role, change.facility, change.area_codes)
    if not change.is_disabled:
        check_wanted(wanted, store.territory(today))
    if not change.name.strip():
        raise Unfit("people.name_missing")
    verb = "person-changed"
    if change.is_disabled != account.is_disabled:
        verb = "person-disabled" if change.is_disabled else "person-enabled"
    store.change_person(person_id, change, actor.did(verb, account.person.username, **_rights_said(wanted)))


def set_disabled(store: PeopleStore, actor: Actor, person_id: UUID, today: str, *, is_disabled: bool) -> None:
    """Let an account in no longer, or again.

    Raises:
        Unfit: there is no such account, or it is the last administrator's.
    """
    person = known_account(store, person_id).person
    change = PersonChange(
        person.name, person.role, person.facility, person.area_codes, person.language, is_disabled
    )
    change_person(store, actor, person_id, change, today)


def reset_password(store: PeopleStore, actor: Actor, person_id: UUID) -> str:
    """A new one-time password; the second factor is taken away, too, and every session ends.

    Raises:
        Unfit: there is no such account.
    """
    account = known_account(store, person_id)
    password = new_one_time_password()
    name = account.person.username
    if account.totp_secret is not None:
        store.set_totp(person_id, None, (), actor.did("second-factor-removed", name))
    store.set_password(
        person_id,
        hasher().hash(password),
        actor.did("password-reset", name),
        must_change=True,
        keep_session=None,
    )
    store.forget_failures(hash_of(name))
    return password


def change_password(
    store: PeopleStore, actor: Actor, person_id: UUID, old: str, new: str, session_hash: bytes, now: datetime
) -> None:
    """Set one's own password; every other session ends.

    Raises:
        TooManyAttempts, WrongSignIn: the old password is wrong.
        WeakPassword: the new one would be guessed.
    """
    account = known_account(store, person_id)
    name = account.person.username
    _check_pause(store, name, actor.address, now)
    if not verify(account.password_hash, old):
        _fail(store, account, name, actor.address, now, "old-password")
        raise WrongSignIn
    check_password(normal_password(new), name)
    if normal_password(new) == normal_password(old):
        raise WeakPassword("people.password_same")
    store.set_password(
        person_id,
        hasher().hash(normal_password(new)),
        actor.did("password-changed", name),
        must_change=False,
        keep_session=session_hash,
    )


def change_language(store: PeopleStore, actor: Actor, person_id: UUID, language: Language) -> None:
    """Set the language of one's own pages."""
    account = known_account(store, person_id)
    person = account.person
    change = PersonChange(
        person.name, person.role, person.facility, person.area_codes, language, account.is_disabled
    )
    store.change_person(person_id, change, actor.did("language-changed", person.username, language=language))


def secret_again(secret: str) -> str:
    """The secret of an enrolment that failed, not to be scanned again; a new one where it is none."""
    return secret if _SECRET.fullmatch(secret) else pyotp.random_base32()


def enrol(
    store: PeopleStore, actor: Actor, person_id: UUID, secret: str, code: str, now: datetime
) -> tuple[str, ...]:
    """Set up the second factor with a first code; returns the recovery codes, which are said once.

    Raises:
        WrongSignIn: the code is none of the secret.
    """
    account = known_account(store, person_id)
    step = step_of(secret, code.replace(" ", ""), now) if _SECRET.fullmatch(secret) else None
    if step is None:
        raise WrongSignIn
    codes = tuple(new_one_time_password()[:14] for _ in range(RECOVERY_CODES))
    hashes = [hash_of(recovery.replace("-", "")) for recovery in codes]
    store.set_totp(person_id, secret, hashes, actor.did("second-factor-added", account.person.username))
    store.use_totp_step(person_id, step)
    return codes


def remove_second_factor(
    store: PeopleStore, actor: Actor, person_id: UUID, password: str, now: datetime
) -> None:
    """Go on without a second factor.

    Raises:
        TooManyAttempts, WrongSignIn: the password is wrong.
    """
    account = known_account(store, person_id)
    name = account.person.username
    _check_pause(store, name, actor.address, now)
    if not verify(account.password_hash, password):
        _fail(store, account, name, actor.address, now, "old-password")
        raise WrongSignIn
    store.set_totp(person_id, None, (), actor.did("second-factor-removed", name))


def add_key(
    store: PeopleStore,
    actor: Actor,
    name: str,
    wanted: Wanted,
    endpoints: Sequence[str] | None,
    days: int,
    now: datetime,
    today: str,
    text: str | None = None,
) -> tuple[ApiKey, str]:
    """Make a key for a program; returns it with its text, which is said once.

    A given text is for installations that make their secrets beforehand: where such a key is in force, it
    is returned as it is.

    Raises:
        Unfit: a name, right, endpoint or number of days that makes no sense.
    """
    if text is not None:
        if len(text) < SHORTEST_KEY:
            raise Unfit("people.key_short", shortest=SHORTEST_KEY)
        known = store.key(hash_of(text))
        if known is not None and known.revoked_at is None and known.expires_at > now:
            return known, text
        if known is not None:
            raise Unfit("people.key_used_up", name=known.name)
    normal = normal_username(name)
    if not _USERNAME.fullmatch(normal) or len(normal) > 60:
        raise Unfit("people.key_name_bad", name=name)
    if any(
        key.name == normal and key.revoked_at is None and key.expires_at > now for key in store.api_keys()
    ):
        raise Unfit("people.key_name_taken", name=normal)
    if not 1 <= days <= LONGEST_KEY_DAYS:
        raise Unfit("people.key_days_bad", most=LONGEST_KEY_DAYS)
    unknown = sorted(set(endpoints or ()) - rights().matrix.keys())
    if unknown:
        raise Unfit(
            "people.key_endpoints_unknown", names=", ".join(unknown), known=" ".join(sorted(rights().matrix))
        )
    check_wanted(wanted, store.territory(today))
    text = text or KEY_PREFIX + new_token()
    key = ApiKey(
        uuid4(),
        hash_of(text),
        normal,
        wanted.role,
        wanted.facility,
        wanted.area_codes,
        None if endpoints is None else tuple(sorted(set(endpoints))),
        now + timedelta(days=days),
        now,
        actor.username or actor.address,
    )
    detail = _rights_said(wanted) | {"days": str(days), "endpoints": " ".join(key.endpoints or ("all",))}
    store.add_key(key, actor.did("key-added", normal, **detail))
    return key, text


def revoke_key(store: PeopleStore, actor: Actor, key_id: UUID, now: datetime) -> None:
    """Refuse a key from now on.

    Raises:
        Unfit: there is no such key in force.
    """
    name = next((key.name for key in store.api_keys() if key.id == key_id), "")
    if not store.revoke_key(key_id, now, actor.did("key-revoked", name)):
        raise Unfit("people.key_unknown")


def known_account(store: PeopleStore, person_id: UUID) -> Account:
    """The account of a person.

    Raises:
        Unfit: there is none.
    """
    account = store.account_of_id(person_id)
    if account is None:
        raise Unfit("people.unknown")
    return account


def _rights_said(wanted: Wanted) -> dict[str, str]:
    return {
        "role": wanted.role.value,
        "facility": wanted.facility or "",
        "areas": " ".join(wanted.area_codes),
    }
