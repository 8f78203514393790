"""The PeopleStore port over TimescaleDB."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import Connection
from psycopg.rows import DictRow, TupleRow, class_row, dict_row
from psycopg.types.json import Jsonb

from schemas.sql import query
from services.intake.people.person import Person, Role
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
from services.intake.people.territory import Place, Territory
from services.intake.people.unfit import Unfit
from streams.domain.errors import DependencyDown
from streams.stores import database
from streams.stores.catalogue import current_load_id

# People wait for these answers.
_BOUNDS = ("set statement_timeout = '5s'", "set lock_timeout = '2s'")


class PostgresPeople:
    """Implements the PeopleStore port; connects when first asked. For one thread."""

    def __init__(self, database_url: str) -> None:
        self._session = database.Session(database_url, _BOUNDS)
        self._territory: tuple[tuple[int | None, str], Territory] | None = None

    def territory(self, today: str) -> Territory:
        """What lies in what on a day; read again when another catalogue is in force."""
        with self._transaction() as connection:
            key = (current_load_id(connection), today)
            if self._territory is None or self._territory[0] != key:
                with connection.cursor(row_factory=class_row(Place)) as cursor:
                    places = cursor.execute(query("staff_territory"), {"today": today}).fetchall()
                self._territory = key, Territory(places)
        return self._territory[1]

    def owners(self, subjects: Sequence[str], facility: str | None) -> Mapping[tuple[OwnedKind, str], Owned]:
        """Whose the known ones of some cases and foci are."""
        parameters = {"subjects": list(subjects), "facility": facility}
        with self._transaction() as connection:
            rows = connection.execute(query("subject_owners"), parameters).fetchall()
        return {(kind, subject): Owned(area_id, is_by) for kind, subject, area_id, is_by in rows}

    def account_of_name(self, username: str) -> Account | None:
        """The account with a name."""
        return next(iter(self._accounts(username=username)), None)

    def account_of_id(self, person_id: UUID) -> Account | None:
        """The account of a person."""
        return next(iter(self._accounts(person_id=person_id)), None)

    def account_of_subject(self, subject: str) -> Account | None:
        """The account that signs in at the provider as this `sub`."""
        return next(iter(self._accounts(oidc_subject=subject)), None)

    def accounts(self) -> list[Account]:
        """All accounts by username."""
        return self._accounts()

    def add_account(self, account: Account, action: StaffAction) -> None:
        """Store a new account."""
        person = account.person
        parameters = {
            "person_id": person.id,
            "username": person.username,
            "name": person.name,
            "role": person.role,
            "facility": person.facility,
            "area_codes": list(person.area_codes),
            "language": person.language,
            "password_hash": account.password_hash,
            "must_change_password": account.must_change_password,
            "oidc_subject": account.oidc_subject,
        }
        with self._transaction() as connection:
            try:
                connection.execute(query("insert_person"), parameters)
            except psycopg.errors.UniqueViolation as error:
                if error.diag.constraint_name == "people_oidc_subject_key":
                    raise _subject_taken() from None
                raise Unfit("people.username_taken", username=person.username) from None
            _write(connection, action)

    def change_person(self, person_id: UUID, change: PersonChange, action: StaffAction) -> None:
        """Set what a PersonChange names; disabling ends all sessions."""
        parameters = {
            "person_id": person_id,
            "name": change.name,
            "role": change.role,
            "facility": change.facility,
            "area_codes": list(change.area_codes),
            "language": change.language,
            "is_disabled": change.is_disabled,
        }
        with self._transaction() as connection:
            # Two administrators who disable each other must not both succeed.
            connection.execute(query("lock_people"))
            had_administrator = bool(connection.execute(query("able_administrators")).fetchall())
            if connection.execute(query("update_person"), parameters).fetchone() is None:
                raise Unfit("people.unknown")
            if had_administrator and not connection.execute(query("able_administrators")).fetchall():
                raise Unfit("people.last_administrator")
            if change.is_disabled:
                connection.execute(query("end_sessions_of"), {"person_id": person_id, "keep": None})
            _write(connection, action)

    def set_password(
        self,
        person_id: UUID,
        password_hash: str,
        action: StaffAction,
        *,
        must_change: bool,
        keep_session: bytes | None,
    ) -> None:
        """Store another password and end every session but one."""
        parameters = {"person_id": person_id, "password_hash": password_hash, "must_change": must_change}
        with self._transaction() as connection:
            connection.execute(query("set_password"), parameters)
            connection.execute(query("end_sessions_of"), {"person_id": person_id, "keep": keep_session})
            _write(connection, action)

    def renew_hash(self, person_id: UUID, password_hash: str) -> None:
        """Store the same password hashed with the parameters of today."""
        parameters = {"person_id": person_id, "password_hash": password_hash, "must_change": None}
        with self._transaction() as connection:
            connection.execute(query("set_password"), parameters)

    def set_totp(
        self, person_id: UUID, secret: str | None, recovery_hashes: Sequence[bytes], action: StaffAction
    ) -> None:
        """Set or take away the second factor, with all of its recovery codes."""
        with self._transaction() as connection:
            connection.execute(query("set_totp"), {"person_id": person_id, "secret": secret})
            connection.execute(query("forget_recovery_codes"), {"person_id": person_id})
            parameters = {"person_id": person_id, "code_hashes": list(recovery_hashes)}
            connection.execute(query("insert_recovery_codes"), parameters)
            _write(connection, action)

    def set_subject(self, person_id: UUID, subject: str, action: StaffAction) -> None:
        """Tie an account to its `sub` at the provider."""
        with self._transaction() as connection:
            try:
                parameters = {"person_id": person_id, "oidc_subject": subject}
                connection.execute(query("set_oidc_subject"), parameters)
            except psycopg.errors.UniqueViolation:
                raise _subject_taken() from None
            _write(connection, action)

    def use_totp_step(self, person_id: UUID, step: int) -> bool:
        """Use up a time step of the second factor; False where it, or a later one, was used before."""
        with self._transaction() as connection:
            found = connection.execute(query("use_totp_step"), {"person_id": person_id, "step": step})
            return found.fetchone() is not None

    def use_recovery_code(self, person_id: UUID, code_hash: bytes) -> bool:
        """Use up a recovery code; False where there is none such."""
        parameters = {"person_id": person_id, "code_hash": code_hash}
        with self._transaction() as connection:
            return connection.execute(query("use_recovery_code"), parameters).fetchone() is not None

    def recovery_codes_left(self, person_id: UUID) -> int:
        """How many recovery codes are not used yet."""
        with self._transaction() as connection:
            row = connection.execute(query("recovery_codes_left"), {"person_id": person_id}).fetchone()
        return int(row[0]) if row else 0

    def start_session(self, session: Session, address: str, action: StaffAction) -> None:
        """Let somebody in."""
        parameters = {
            "token_hash": session.token_hash,
            "person_id": session.account.person.id,
            "is_waiting_for_code": session.is_waiting_for_code,
            "at": session.created_at,
            "expires_at": session.expires_at,
        }
        with self._transaction() as connection:
            connection.execute(query("forget_sessions"), {"at": session.created_at})
            connection.execute(query("insert_session"), parameters)
            connection.execute(query("see_person"), parameters)
            _write(connection, action)

    def session(self, token_hash: bytes) -> Session | None:
        """The session with a token, its account as it stands now."""
        with self._transaction() as connection, connection.cursor(row_factory=dict_row) as cursor:
            row = cursor.execute(query("staff_session"), {"token_hash": token_hash}).fetchone()
            if row is None:
                return None
            (account,) = _read_accounts(connection, person_id=row.pop("person_id"))
        return Session(token_hash, account, **row)

    def see_session(self, token_hash: bytes, at: datetime) -> None:
        """Remember when a session was last used."""
        with self._transaction() as connection:
            connection.execute(query("see_session"), {"token_hash": token_hash, "at": at})

    def end_session(self, token_hash: bytes, action: StaffAction) -> None:
        """End a session."""
        with self._transaction() as connection:
            connection.execute(query("end_session"), {"token_hash": token_hash})
            _write(connection, action)

    def failures(self, account_hash: bytes, address: str, since: datetime) -> tuple[Failures, Failures]:
        """What failed since: for an account, and from an address."""
        parameters = {"account_hash": account_hash, "address": address, "since": since}
        with self._transaction() as connection:
            row = connection.execute(query("sign_in_failures"), parameters).fetchone()
        assert row is not None  # noqa: S101 - an aggregate always has a row
        return Failures(row[0], row[1]), Failures(row[2], row[3])

    def add_failure(self, account_hash: bytes, address: str, at: datetime, action: StaffAction) -> None:
        """Remember a failed sign-in."""
        with self._transaction() as connection:
            connection.execute(query("forget_old_failures"), {"at": at})
            parameters = {"account_hash": account_hash, "address": address, "at": at}
            connection.execute(query("insert_sign_in_failure"), parameters)
            _write(connection, action)

    def forget_failures(self, account_hash: bytes) -> None:
        """Somebody has signed in to the account."""
        with self._transaction() as connection:
            connection.execute(query("forget_failures"), {"account_hash": account_hash})

    def api_keys(self) -> list[ApiKey]:
        """All keys, the newest first."""
        return self._keys(None)

    def key(self, key_hash: bytes) -> ApiKey | None:
        """The key with a hash."""
        return next(iter(self._keys(key_hash)), None)

    def add_key(self, key: ApiKey, action: StaffAction) -> None:
        """Store a new key."""
        parameters = {
            "key_id": key.id,
            "key_hash": key.key_hash,
            "name": key.name,
            "role": key.role,
            "facility": key.facility,
            "area_codes": list(key.area_codes),
            "endpoints": None if key.endpoints is None else list(key.endpoints),
            "expires_at": key.expires_at,
            "created_at": key.created_at,
            "created_by": key.created_by,
        }
        with self._transaction() as connection:
            connection.execute(query("insert_api_key"), parameters)
            _write(connection, action)

    def see_key(self, key_id: UUID, at: datetime) -> None:
        """Remember when a key was last used."""
        with self._transaction() as connection:
            connection.execute(query("see_api_key"), {"key_id": key_id, "at": at})

    def revoke_key(self, key_id: UUID, at: datetime, action: StaffAction) -> bool:
        """Refuse a key from now on; False where there is none such that was in force."""
        with self._transaction() as connection:
            found = connection.execute(query("revoke_api_key"), {"key_id": key_id, "at": at}).fetchone()
            if found is not None:
                _write(connection, action)
        return found is not None

    def record(self, action: StaffAction) -> None:
        """Write an action into the trail."""
        with self._transaction() as connection:
            _write(connection, action)

    def actions(self, most: int, before: datetime | None = None) -> list[StaffAction]:
        """The newest actions first, up to before an instant."""
        with (
            self._transaction() as connection,
            connection.cursor(row_factory=class_row(StaffAction)) as cursor,
        ):
            return cursor.execute(query("staff_actions"), {"most": most, "before": before}).fetchall()

    def senders(self, subject: str) -> dict[str, str]:
        """Who sent the events of a case, by event id."""
        with self._transaction() as connection:
            return dict(connection.execute(query("case_senders"), {"subject": subject}).fetchall())

    def close(self) -> None:
        """Give the connection up."""
        self._session.close()

    def _accounts(
        self, person_id: UUID | None = None, username: str | None = None, oidc_subject: str | None = None
    ) -> list[Account]:
        with self._transaction() as connection:
            return _read_accounts(connection, person_id, username, oidc_subject)

    def _keys(self, key_hash: bytes | None) -> list[ApiKey]:
        with self._transaction() as connection, connection.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(query("api_keys"), {"key_hash": key_hash}).fetchall()
        return [_key(row) for row in rows]

    @contextmanager
    def _transaction(self) -> Iterator[Connection[TupleRow]]:
        try:
            with self._session.transaction() as connection:
                yield connection
        except psycopg.Error as error:
            raise DependencyDown(f"TimescaleDB refuses the question: {type(error).__name__}") from error


def _read_accounts(
    connection: Connection[TupleRow],
    person_id: UUID | None = None,
    username: str | None = None,
    oidc_subject: str | None = None,
) -> list[Account]:
    parameters = {"person_id": person_id, "username": username, "oidc_subject": oidc_subject}
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(query("staff_accounts"), parameters).fetchall()
    return [_account(row) for row in rows]


def _account(row: DictRow) -> Account:
    person = Person(
        row["person_id"],
        row["username"],
        row["name"],
        Role(row["role"]),
        row["facility"],
        tuple(row["area_codes"]),
        row["language"],
        is_machine=False,
    )
    return Account(
        person,
        row["password_hash"],
        row["must_change_password"],
        row["totp_secret"],
        row["is_disabled"],
        row["oidc_subject"],
        row["last_seen_at"],
    )


def _key(row: Mapping[str, Any]) -> ApiKey:
    return ApiKey(
        row["key_id"],
        bytes(row["key_hash"]),
        row["name"],
        Role(row["role"]),
        row["facility"],
        tuple(row["area_codes"]),
        None if row["endpoints"] is None else tuple(row["endpoints"]),
        row["expires_at"],
        row["created_at"],
        row["created_by"],
        row["revoked_at"],
        row["last_used_at"],
    )


def _write(connection: Connection[TupleRow], action: StaffAction) -> None:
    connection.execute(
        query("insert_staff_action"),
        {
            "person_id": action.person_id,
            "username": action.username,
            "action": action.action,
            "target": action.target,
            "address": action.address,
            "detail": Jsonb(dict(action.detail)),
        },
    )


def _subject_taken() -> Unfit:
    return Unfit("people.subject_taken")
