"""The laws of the PeopleStore port: each holds for the fake and for the real store. And what only the real
one can show: that the trail stays as it is, and that areas lie where the packaged catalogue has them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from services.intake.people import accounts
from services.intake.people.accounts import COMMAND_LINE, Wanted
from services.intake.people.person import Person, Role
from services.intake.people.ports import (
    Account,
    ApiKey,
    Failures,
    Owned,
    PeopleStore,
    PersonChange,
    Session,
    StaffAction,
)
from services.intake.people.secrets import hash_of
from services.intake.people.store import PostgresPeople
from services.intake.people.territory import Territory
from services.intake.people.unfit import Unfit
from streams.domain.errors import DependencyDown
from streams.stores.database import connect
from tests.people_fakes import TERRITORY, FakePeople

NOW = datetime(2026, 1, 15, 1, 0, tzinfo=UTC)
HASH = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA"


def did(action: str, **detail: str) -> StaffAction:
    return StaffAction(None, "tester", action, "target", "192.0.2.1", detail)


def new_account(role: Role = Role.REPORTER, **changed: object) -> Account:
    username = f"u{uuid4().hex[:12]}"
    facility = "LC-TYT-03549" if role is Role.REPORTER else None
    person = Person(uuid4(), username, "Ai đó", role, facility, ("03549", "109"), "vi", is_machine=False)
    return replace(Account(person, HASH, True, None, False), **changed)


def change_of(account: Account, **changed: object) -> PersonChange:
    person = account.person
    same = PersonChange(
        person.name, person.role, person.facility, person.area_codes, person.language, account.is_disabled
    )
    return replace(same, **changed)


class PeopleContract:
    """A store that works (`store`), and one that cannot (`broken_store`)."""

    store: PeopleStore
    broken_store: PeopleStore

    def stored(self, role: Role = Role.REPORTER, **changed: object) -> Account:
        account = new_account(role, **changed)
        self.store.add_account(account, did("person-added"))
        return account

    def session_of(self, account: Account, at: datetime = NOW, **changed: object) -> Session:
        session = Session(hash_of(uuid4().hex), account, at, at, at + timedelta(hours=12))
        session = replace(session, **changed)
        self.store.start_session(session, "192.0.2.1", did("signed-in"))
        return session

    def last_action(self) -> StaffAction:
        return self.store.actions(1)[0]

    def test_an_account_is_found_by_name_id_and_subject(self) -> None:
        subject = uuid4().hex
        account = self.stored(oidc_subject=subject)
        person = account.person
        assert self.store.account_of_name(person.username) == account
        assert self.store.account_of_id(person.id) == account
        assert self.store.account_of_subject(subject) == account
        assert account in self.store.accounts()
        assert self.store.account_of_name("nobody") is None
        assert self.store.account_of_id(uuid4()) is None
        assert self.store.account_of_subject("nobody") is None
        assert self.last_action().action == "person-added"

    def test_a_name_and_a_subject_are_given_once(self) -> None:
        account = self.stored(oidc_subject=uuid4().hex)
        same_name = new_account()
        same_name = replace(same_name, person=replace(same_name.person, username=account.person.username))
        before = self.last_action()
        with pytest.raises(Unfit, match="is taken"):
            self.store.add_account(same_name, did("person-added"))
        with pytest.raises(Unfit, match="Another account"):
            self.store.add_account(new_account(oidc_subject=account.oidc_subject), did("person-added"))
        other = self.stored()
        with pytest.raises(Unfit, match="Another account"):
            self.store.set_subject(other.person.id, account.oidc_subject or "", did("tied"))
        # What was refused left no trace.
        assert self.store.actions(2)[1] == before

    def test_a_change_is_whole(self) -> None:
        account = self.stored()
        change = PersonChange("Tên mới", Role.DEPARTMENT, None, (), "en", False)
        self.store.change_person(account.person.id, change, did("person-changed"))
        changed = self.store.account_of_id(account.person.id)
        assert changed is not None
        person = changed.person
        assert (person.name, person.role, person.facility) == ("Tên mới", Role.DEPARTMENT, None)
        assert (person.area_codes, person.language) == ((), "en")
        with pytest.raises(Unfit, match="no such account"):
            self.store.change_person(uuid4(), change, did("person-changed"))

    def test_disabling_ends_the_sessions(self) -> None:
        account = self.stored()
        session = self.session_of(account)
        self.store.change_person(account.person.id, change_of(account, is_disabled=True), did("disabled"))
        assert self.store.session(session.token_hash) is None

    def test_the_last_administrator_stays(self) -> None:
        first = self.stored(Role.ADMINISTRATOR)
        second = self.stored(Role.ADMINISTRATOR)
        for other in self.store.accounts():
            if other.person.role is Role.ADMINISTRATOR and other.person not in (first.person, second.person):
                self.store.change_person(other.person.id, change_of(other, is_disabled=True), did("x"))
        self.store.change_person(first.person.id, change_of(first, is_disabled=True), did("disabled"))
        for changed in (change_of(second, is_disabled=True), change_of(second, role=Role.EPIDEMIOLOGIST)):
            with pytest.raises(Unfit, match="last administrator"):
                self.store.change_person(second.person.id, changed, did("disabled"))
        assert self.store.account_of_id(second.person.id) == second

    def test_another_password_ends_every_session_but_one(self) -> None:
        account = self.stored()
        kept, ended = self.session_of(account), self.session_of(account)
        other = HASH.replace("aGFzaA", "b3RoZXI")
        self.store.set_password(
            account.person.id, other, did("changed"), must_change=False, keep_session=kept.token_hash
        )
        assert self.store.session(ended.token_hash) is None
        found = self.store.session(kept.token_hash)
        assert found is not None
        assert (found.account.password_hash, found.account.must_change_password) == (other, False)
        self.store.renew_hash(account.person.id, HASH)
        self.store.set_password(account.person.id, other, did("reset"), must_change=True, keep_session=None)
        assert self.store.session(kept.token_hash) is None
        changed = self.store.account_of_id(account.person.id)
        assert changed is not None
        assert changed.must_change_password

    def test_a_renewed_hash_leaves_the_rest(self) -> None:
        account = self.stored()
        session = self.session_of(account)
        other = HASH.replace("aGFzaA", "b3RoZXI")
        self.store.renew_hash(account.person.id, other)
        found = self.store.session(session.token_hash)
        assert found is not None
        assert (found.account.password_hash, found.account.must_change_password) == (other, True)

    def test_a_second_factors_steps_and_recovery_codes_are_good_once(self) -> None:
        person_id = self.stored().person.id
        codes = [hash_of("one"), hash_of("two")]
        self.store.set_totp(person_id, "SECRET", codes, did("second-factor-added"))
        assert [self.store.use_totp_step(person_id, step) for step in (100, 100, 99, 101)] == [
            True,
            False,
            False,
            True,
        ]
        assert self.store.recovery_codes_left(person_id) == 2
        assert [self.store.use_recovery_code(person_id, code) for code in (*codes[:1], *codes[:1])] == [
            True,
            False,
        ]
        assert self.store.recovery_codes_left(person_id) == 1
        self.store.set_totp(person_id, None, (), did("second-factor-removed"))
        assert self.store.recovery_codes_left(person_id) == 0
        assert not self.store.use_recovery_code(person_id, codes[1])
        self.store.set_totp(person_id, "OTHER", (), did("second-factor-added"))
        # A new secret has steps of its own.
        assert self.store.use_totp_step(person_id, 1)

    def test_a_session_is_found_by_its_token_with_the_account_of_now(self) -> None:
        account = self.stored()
        session = self.session_of(account, is_waiting_for_code=True)
        found = self.store.session(session.token_hash)
        assert found is not None
        assert (found.created_at, found.last_seen_at, found.expires_at) == (
            NOW,
            NOW,
            NOW + timedelta(hours=12),
        )
        assert found.is_waiting_for_code
        assert found.account.last_seen_at == NOW
        self.store.change_person(account.person.id, change_of(account, name="Khác"), did("person-changed"))
        self.store.see_session(session.token_hash, NOW + timedelta(minutes=5))
        found = self.store.session(session.token_hash)
        assert found is not None
        assert (found.account.person.name, found.last_seen_at) == ("Khác", NOW + timedelta(minutes=5))
        self.store.end_session(session.token_hash, did("signed-out"))
        assert self.store.session(session.token_hash) is None
        assert self.store.session(b"none") is None
        self.store.see_session(b"none", NOW)

    def test_expired_sessions_are_forgotten_at_the_next_sign_in(self) -> None:
        account = self.stored()
        old = self.session_of(account, at=NOW - timedelta(days=2))
        new = self.session_of(account)
        assert self.store.session(old.token_hash) is None
        assert self.store.session(new.token_hash) is not None

    def test_failures_are_counted_by_account_and_by_address(self) -> None:
        mine, other = hash_of(uuid4().hex), hash_of(uuid4().hex)
        address, elsewhere = f"a{uuid4()}", f"b{uuid4()}"
        for minutes, (account, where) in enumerate([(mine, address), (mine, elsewhere), (other, address)]):
            self.store.add_failure(account, where, NOW + timedelta(minutes=minutes), did("sign-in-failed"))
        since = NOW - timedelta(hours=1)
        assert self.store.failures(mine, address, since) == (
            Failures(2, NOW + timedelta(minutes=1)),
            Failures(2, NOW + timedelta(minutes=2)),
        )
        assert self.store.failures(mine, address, NOW + timedelta(minutes=1))[0].count == 1
        self.store.forget_failures(mine)
        assert self.store.failures(mine, address, since) == (
            Failures(0, None),
            Failures(1, NOW + timedelta(minutes=2)),
        )

    def test_failures_of_a_day_ago_are_forgotten(self) -> None:
        account, address = hash_of(uuid4().hex), f"a{uuid4()}"
        self.store.add_failure(account, address, NOW - timedelta(days=2), did("sign-in-failed"))
        self.store.add_failure(account, address, NOW, did("sign-in-failed"))
        assert self.store.failures(account, address, NOW - timedelta(days=9))[0].count == 1

    def test_a_key_is_found_by_its_hash_and_revoked_once(self) -> None:
        key = ApiKey(
            uuid4(),
            hash_of(uuid4().hex),
            "robot",
            Role.REPORTER,
            "LC-BV-001",
            ("109",),
            ("post_events",),
            NOW + timedelta(days=1),
            NOW,
            "tester",
        )
        self.store.add_key(key, did("key-added"))
        assert self.store.key(key.key_hash) == key
        assert key in self.store.api_keys()
        self.store.see_key(key.id, NOW)
        assert self.store.revoke_key(key.id, NOW, did("key-revoked"))
        assert self.store.key(key.key_hash) == replace(key, last_used_at=NOW, revoked_at=NOW)
        before = self.store.actions(1)
        assert not self.store.revoke_key(key.id, NOW, did("key-revoked"))
        assert not self.store.revoke_key(uuid4(), NOW, did("key-revoked"))
        assert self.store.actions(1) == before
        assert self.store.key(b"none") is None

    def test_the_trail_is_read_newest_first_and_page_by_page(self) -> None:
        for number in range(3):
            self.store.record(did(f"act-{number}", number=str(number), empty=""))
        newest = self.store.actions(2)
        assert [action.action for action in newest] == ["act-2", "act-1"]
        assert newest[0].detail == {"number": "2", "empty": ""}
        assert newest[0].at is not None
        assert self.store.actions(1, newest[1].at)[0].action == "act-0"

    def test_the_trail_says_who_sent_the_events_of_a_case(self) -> None:
        account, subject = self.stored(), f"LC-{uuid4().hex[:8]}"
        sent = replace(
            did("case-sent", event="0190b1f6-6e2a-7c3e-9a58-3f6f1c1f7d11", type="reported"),
            person_id=account.person.id,
            username=account.person.username,
            target=subject,
        )
        # The same form once more, by somebody else; an event of no account; another case; another act.
        self.store.record(sent)
        self.store.record(replace(sent, person_id=None, username="later"))
        self.store.record(replace(sent, person_id=None, username="gone", detail={"event": "other"}))
        self.store.record(replace(sent, target="LC-2"))
        self.store.record(replace(sent, action="case-seen", detail={"event": "seen"}))
        assert self.store.senders(subject) == {
            "0190b1f6-6e2a-7c3e-9a58-3f6f1c1f7d11": "Ai đó",
            "other": "gone",
        }
        assert self.store.senders("LC-0") == {}

    def test_areas_lie_in_areas(self) -> None:
        territory = self.store.territory("2026-01-15")
        assert territory.covers_area(("03549",), "03549@2025-07-01")
        assert territory.covers_area(("109",), "03549@2025-07-01")
        assert territory.covers_area(("12",), "03549@2025-07-01")
        assert not territory.covers_area(("03562", "106"), "03549@2025-07-01")
        # A district of before the reform is the surveillance area of its code.
        assert territory.covers_area(("109",), "109@start")
        assert not territory.covers_area(("03549",), "109@start")
        assert not territory.covers_area(("03549",), "99999@start")
        assert territory.covers_code(("109",), "03549")
        assert not territory.covers_code(("03549",), "109")
        assert not territory.covers_code(("03549",), "99999")
        assert territory.is_present("109")
        assert not territory.is_present("99999")

    def test_a_store_that_does_not_answer_says_so(self) -> None:
        with pytest.raises(DependencyDown):
            self.broken_store.session(b"token")


class TestFake(PeopleContract):
    @pytest.fixture(autouse=True)
    def _stores(self) -> None:
        self.store = FakePeople()
        broken = FakePeople()
        broken.is_down = True
        self.broken_store = broken

    def test_whose_a_case_is(self) -> None:
        store = FakePeople()
        store.owned["case", "LC-1"] = ("03549@start", {"LC-TYT-03549"})
        assert store.owners(["LC-1", "LC-2"], "LC-TYT-03549") == {
            ("case", "LC-1"): Owned("03549@start", True)
        }


@pytest.mark.native
class TestPostgres(PeopleContract):
    @pytest.fixture(autouse=True)
    def _stores(self, database_url: str) -> Iterator[None]:
        store = PostgresPeople(database_url)
        self.store = store
        self.broken_store = PostgresPeople("postgresql://nobody@127.0.0.1:1/none")
        yield
        store.close()

    def test_the_trail_cannot_be_changed(self, database_url: str) -> None:
        self.store.record(did("an-act"))
        with connect(database_url) as connection:
            for statement in (
                "update staff_actions set username = 'somebody else'",
                "delete from staff_actions",
                "truncate staff_actions",
                "delete from staff_actions where false",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege, match="never changed or removed"):
                    connection.execute(statement)
        assert self.last_action().action == "an-act"

    def test_neither_passwords_nor_keys_nor_tokens_are_stored(self, database_url: str) -> None:
        wanted = Wanted(Role.DEPARTMENT, None, ())
        name = f"u{uuid4().hex[:12]}"
        password = accounts.add_person(self.store, COMMAND_LINE, name, "x", wanted, "vi", "2026-01-15")
        _, key = accounts.add_key(self.store, COMMAND_LINE, name, wanted, None, 1, NOW, "2026-01-15")
        signed = accounts.sign_in(self.store, name, password, "192.0.2.1", NOW, timedelta(hours=1))
        with pytest.raises(accounts.WrongSignIn):
            accounts.sign_in(
                self.store, "Mật khẩu của tôi", "Mật khẩu của tôi", "192.0.2.1", NOW, timedelta(1)
            )
        with connect(database_url) as connection:
            tables = ("people", "api_keys", "staff_sessions", "staff_actions", "sign_in_failures")
            text = "".join(
                str(connection.execute(f"select t::text from {table} as t").fetchall())  # noqa: S608
                for table in tables
            )
        account = self.store.account_of_name(name)
        assert account is not None
        assert str(account.password_hash).startswith("$argon2id$v=19$m=65536,t=3,p=4$")
        for secret in (password, key, signed.token, "Mật khẩu của tôi"):
            assert secret not in text

    def test_areas_lie_where_the_packaged_catalogue_has_them(self) -> None:
        territory = self.store.territory("2026-01-15")
        assert territory.name_of("03549") == "Xã Phong Thổ"
        for place in TERRITORY:
            code = place.area_id.partition("@")[0]
            levels = (place.province_code, place.district_code, place.commune_code)
            assert all(territory.covers_area((level,), place.area_id) for level in levels if level), code
        assert isinstance(self.store.territory("2026-01-15"), Territory)

    def test_whose_a_case_is(self, database_url: str) -> None:
        with connect(database_url) as connection:
            connection.execute(
                "insert into cases (subject, registers) values "
                """('LC-1', '{"area_id": ["0", "03549@start"]}'), """
                """('LC-2', '{"reporting_facility": ["0", "LC-BV-001"]}')"""
            )
        found = self.store.owners(["LC-1", "LC-2", "LC-3"], "LC-BV-001")
        assert found == {
            ("case", "LC-1"): Owned("03549@start", False),
            ("case", "LC-2"): Owned(None, True),
        }
        assert self.store.owners(["LC-2"], None) == {("case", "LC-2"): Owned(None, False)}
