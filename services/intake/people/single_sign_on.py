"""Signing in by the province's own identity provider: its port, and what its claims mean here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, Self
from uuid import uuid4

from services.intake.people.accounts import (
    Actor,
    SignedIn,
    Wanted,
    begin_session,
    check_wanted,
    is_username,
    normal_username,
)
from services.intake.people.person import Person, Role
from services.intake.people.ports import Account, PeopleStore, PersonChange
from services.intake.people.unfit import Unfit
from services.settings import Settings
from streams.domain.errors import CanhDichError, ConfigurationError

_LONGEST_NAME: Final = 80


class SignOnFailed(CanhDichError):
    """The provider's answer is none that lets anybody in."""


class UnknownPerson(Unfit):
    """The provider knows somebody who has no rights here."""

    def __init__(self, name: str) -> None:
        super().__init__("people.provider_unknown", name=name)


@dataclass(frozen=True, slots=True)
class Started:
    """Where to send the browser, and the cookie that it has to bring back."""

    address: str
    cookie: str


@dataclass(frozen=True, slots=True)
class Claims:
    """Who has come back: `sub`, everything that the provider says, and where they wanted to go."""

    subject: str
    all: Mapping[str, Any]
    back: str


class SignOn(Protocol):
    """An identity provider; its methods block."""

    def start(self, redirect: str, back: str) -> Started:
        """Where to send the browser.

        Raises:
            SignOnFailed: the provider does not answer.
        """

    def finish(self, redirect: str, cookie: str, state: str, code: str) -> Claims:
        """Who has come back.

        Raises:
            SignOnFailed: nobody that may be believed.
        """


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the provider's claims mean here.

    Attributes:
        name: Of the provider, as the page shows it.
        username: Claim by which an account that was made here is found the first time; empty: none is.
        role: Claim whose values give roles; empty: accounts and their rights are made here.
        roles: Value of that claim -> role, the first that fits.
        facility: Claim with the facility; empty: as set here.
        areas: Claim with the codes of areas; empty: as set here.
    """

    name: str
    username: str
    role: str
    roles: Mapping[str, Role]
    facility: str
    areas: str

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """From the settings.

        Raises:
            ConfigurationError: a role that there is not, or roles without their claim.
        """
        try:
            roles = {value: Role(role) for value, role in settings.oidc_roles.items()}
        except ValueError as error:
            raise ConfigurationError(f"CANHDICH_OIDC_ROLES: {error}; roles are {', '.join(Role)}.") from error
        if bool(roles) != bool(settings.oidc_role_claim):
            raise ConfigurationError(
                "CANHDICH_OIDC_ROLE_CLAIM names the claim whose values CANHDICH_OIDC_ROLES maps to roles: "
                "set both or neither."
            )
        return cls(
            settings.oidc_name,
            settings.oidc_username_claim,
            settings.oidc_role_claim,
            roles,
            settings.oidc_facility_claim,
            settings.oidc_area_claim,
        )

    def wanted(self, claims: Mapping[str, Any], before: Wanted | None) -> Wanted | None:
        """The rights that claims give; None: none. What no claim says is as it was."""
        held = set(_texts(claims.get(self.role))) if self.role else set()
        role = next((role for value, role in self.roles.items() if value in held), None)
        if self.role and role is None:
            return None
        if before is None and role is None:
            return None
        known = before or Wanted(Role.DEPARTMENT, None, ())
        facility = next(iter(_texts(claims.get(self.facility))), None) if self.facility else known.facility
        areas = tuple(dict.fromkeys(_texts(claims.get(self.areas)))) if self.areas else known.area_codes
        return Wanted(role or known.role, facility, areas)


def sign_in_by(
    store: PeopleStore,
    meaning: Meaning,
    claims: Claims,
    address: str,
    now: datetime,
    whole: timedelta,
    today: str,
) -> SignedIn:
    """Let somebody in whom the provider has sent.

    The account is the one with this `sub`; else one that was made here under the name that the provider
    gives, which is tied to the `sub` for good; else, where roles come from claims, a new one. What claims
    say of role, facility and areas is taken over at every sign-in.

    Raises:
        UnknownPerson: no account and no role, a disabled account, or rights that make no sense.
    """
    typed = claims.all.get(meaning.username) if meaning.username else None
    username = normal_username(typed) if isinstance(typed, str) else ""
    account = store.account_of_subject(claims.subject)
    is_new = account is None
    if account is None and username:
        account = store.account_of_name(username)
        if account is not None and account.oidc_subject is not None:
            raise UnknownPerson(meaning.name)
    before = _rights_of(account.person) if account else None
    wanted = meaning.wanted(claims.all, before)
    if wanted is None or (account is not None and account.is_disabled):
        raise UnknownPerson(meaning.name)
    try:
        if wanted != before:
            check_wanted(wanted, store.territory(today))
        if account is None:
            account = _add(store, claims, username, wanted, address)
        else:
            account = _brought_up(store, account, claims.subject, wanted, address, is_new=is_new)
    except Unfit as unfit:
        raise UnknownPerson(meaning.name) from unfit
    return begin_session(store, account, "oidc", address, now, whole, has_second_factor=True)


def _add(store: PeopleStore, claims: Claims, username: str, wanted: Wanted, address: str) -> Account:
    if not is_username(username):
        raise Unfit("people.username_bad", username=username)
    name = claims.all.get("name")
    shown = name.strip()[:_LONGEST_NAME] if isinstance(name, str) and name.strip() else username
    person = Person(
        uuid4(), username, shown, wanted.role, wanted.facility, wanted.area_codes, "vi", is_machine=False
    )
    account = Account(person, None, False, None, False, claims.subject)
    actor = Actor(person.id, username, address)
    store.add_account(account, actor.did("person-added", username, by="oidc", role=wanted.role.value))
    return account


def _brought_up(
    store: PeopleStore, account: Account, subject: str, wanted: Wanted, address: str, *, is_new: bool
) -> Account:
    person = account.person
    actor = Actor(person.id, person.username, address)
    if is_new:
        store.set_subject(person.id, subject, actor.did("tied-to-provider", person.username))
    if wanted != _rights_of(person):
        change = PersonChange(
            person.name, wanted.role, wanted.facility, wanted.area_codes, person.language, account.is_disabled
        )
        store.change_person(
            person.id, change, actor.did("person-changed", person.username, by="oidc", role=wanted.role.value)
        )
    changed = store.account_of_id(person.id)
    assert changed is not None  # noqa: S101 - accounts are never removed
    return changed


def _rights_of(person: Person) -> Wanted:
    return Wanted(person.role, person.facility, person.area_codes)


def _texts(claim: object) -> list[str]:
    """The values of a claim, which providers write as a list or as words."""
    if isinstance(claim, str):
        return re.split(r"[\s,;]+", claim.strip()) if claim.strip() else []
    return [str(value) for value in claim if isinstance(value, (str, int))] if isinstance(claim, list) else []
