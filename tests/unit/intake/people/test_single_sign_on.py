"""Signing in by an identity provider that really signs and checks: who comes in, and what does not."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc.jwk import OctKey, RSAKey
from pydantic import SecretStr

from services.intake.people.person import Role
from services.intake.people.single_sign_on import Meaning
from streams.domain.errors import ConfigurationError
from tests.oidc_provider import CLIENT_ID, CLIENT_SECRET, Provider, running_provider
from tests.people_fakes import FakePeople, make_person
from tests.unit.intake.door import SETTINGS, Doorstep
from tests.unit.intake.people.browser import Browser

LAN = make_person(Role.EPIDEMIOLOGIST, "bs.lan")
ROLES = {
    "oidc_role_claim": "groups",
    "oidc_roles": {"quan-tri": "administrator", "dich-te": "epidemiologist", "tram": "reporter"},
    "oidc_facility_claim": "facility",
    "oidc_area_claim": "areas",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Provider]:
    with running_provider() as running:
        yield running


@pytest.fixture
def provider(server: Provider) -> Provider:
    """The provider, with nothing wrong."""
    fresh = Provider(server.address)
    vars(server).update(vars(fresh))
    return server


def door_of(provider: Provider, people: FakePeople, **changed: Any) -> Doorstep:
    update = {
        "oidc_issuer": provider.address,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": SecretStr(CLIENT_SECRET),
        "oidc_name": "SSO Lai Châu",
    }
    return Doorstep(people=people, settings=SETTINGS.model_copy(update=update | changed))


def with_lan() -> FakePeople:
    people = FakePeople()
    people.add(LAN)
    return people


def go(browser: Browser, provider: Provider, back: str = "/account") -> httpx.Response:
    """Through the provider and back."""
    started = browser.get(f"/sign-in/provider?next={back}")
    assert started.status_code == 303
    address = urlsplit(started.headers["location"])
    assert f"http://{address.netloc}" == provider.address
    asked = {name: values[0] for name, values in parse_qs(address.query).items()}
    returned = urlsplit(provider.authorize(asked))
    return browser.get(f"{returned.path}?{returned.query}")


def test_an_account_made_here_is_found_by_name_and_tied_for_good(provider: Provider) -> None:
    people = with_lan()
    with door_of(provider, people) as door:
        browser = Browser(door)
        assert "Đăng nhập bằng SSO Lai Châu" in browser.get("/sign-in?next=/account").text
        assert go(browser, provider).headers["location"] == "/account"
        page = browser.get("/account").text
        assert "bs.lan" in page
        # No password here, so there is none to change.
        assert "/account/password" not in page
        assert [a.action for a in people.actions()] == ["signed-in", "tied-to-provider"]
        # From now on the `sub` says who it is, whatever they are called.
        provider.claims["preferred_username"] = "bs.lan.nguyen"
        assert go(Browser(door), provider).headers["location"] == "/account"
        # And nobody else comes in under the name.
        provider.claims = {"sub": "u-2", "preferred_username": "bs.lan"}
        assert go(Browser(door), provider).headers["location"] == "/sign-in?failed=unknown"


def test_an_unknown_person_is_told_so_and_given_nothing(provider: Provider) -> None:
    with door_of(provider, FakePeople()) as door:
        browser = Browser(door)
        assert go(browser, provider).headers["location"] == "/sign-in?failed=unknown"
        assert "chưa được cấp quyền" in browser.get("/sign-in?failed=unknown").text
        assert browser.get("/account").status_code == 303
        assert door.people.accounts() == []


def test_a_disabled_account_does_not_come_in(provider: Provider) -> None:
    people = with_lan()
    people._accounts[LAN.id] = replace(people._accounts[LAN.id], is_disabled=True)
    with door_of(provider, people) as door:
        assert go(Browser(door), provider).headers["location"] == "/sign-in?failed=unknown"


def test_claims_give_role_facility_and_areas_at_every_sign_in(provider: Provider) -> None:
    provider.claims |= {"groups": ["x", "tram"], "facility": "LC-TYT-03549", "areas": "03549 03562"}
    people = FakePeople()
    with door_of(provider, people, **ROLES) as door:
        assert go(Browser(door), provider).headers["location"] == "/account"
        (account,) = people.accounts()
        assert account.person.name == "Bs. Lan"
        assert account.password_hash is None
        assert (account.person.role, account.person.facility) == (Role.REPORTER, "LC-TYT-03549")
        assert account.person.area_codes == ("03549", "03562")
        provider.claims |= {"groups": "dich-te", "areas": []}
        go(Browser(door), provider)
        person = people.accounts()[0].person
        assert (person.role, person.area_codes) == (Role.EPIDEMIOLOGIST, ())
        # Whoever lost the group lost the rights.
        provider.claims["groups"] = []
        assert go(Browser(door), provider).headers["location"] == "/sign-in?failed=unknown"


@pytest.mark.parametrize(
    "claims",
    [
        {"groups": ["tram"]},
        {"groups": ["tram"], "facility": "LC-TYT-03549", "areas": ["99999"]},
        {"groups": ["tram"], "facility": "LC-TYT-03549", "preferred_username": "Bác sĩ Lan"},
        {"groups": ["tram"], "facility": "LC-TYT-03549", "preferred_username": None},
        {"groups": [{"name": "quan-tri"}]},
        {"groups": {"quan-tri": True}},
    ],
)
def test_claims_that_make_no_account_let_nobody_in(provider: Provider, claims: dict[str, Any]) -> None:
    provider.claims |= claims
    with door_of(provider, FakePeople(), **ROLES) as door:
        assert go(Browser(door), provider).headers["location"] == "/sign-in?failed=unknown"
        assert door.people.accounts() == []


HOUR_AGO = int(datetime.now(UTC).timestamp()) - 3_600


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "another round's"},
        {"nonce": None},
        {"iss": "https://evil.example"},
        {"aud": "another client"},
        {"aud": None},
        {"aud": [CLIENT_ID, "another client"], "azp": "another client"},
        {"exp": HOUR_AGO},
        {"exp": None},
        {"sub": None},
    ],
)
def test_a_token_with_anything_wrong_lets_nobody_in(provider: Provider, wrong: dict[str, Any]) -> None:
    provider.wrong = wrong
    with door_of(provider, with_lan()) as door:
        browser = Browser(door)
        assert go(browser, provider).headers["location"] == "/sign-in?failed=provider"
        assert "không thành công" in browser.get("/sign-in?failed=provider").text
        assert browser.get("/account").status_code == 303
        assert len(provider.redeemed) == 1


def test_a_token_that_somebody_else_signed_lets_nobody_in(provider: Provider) -> None:
    with door_of(provider, with_lan()) as door:
        provider.key = RSAKey.generate_key(2048, {"kid": "one"})
        assert go(Browser(door), provider).headers["location"] == "/sign-in?failed=provider"
        # With what everybody knows as the shared secret.
        public = json.dumps(provider.published.as_dict(private=False)).encode()
        provider.key, provider.algorithm = OctKey.import_key(public), "HS256"
        assert go(Browser(door), provider).headers["location"] == "/sign-in?failed=provider"


def test_another_state_or_another_browser_lets_nobody_in(provider: Provider) -> None:
    with door_of(provider, with_lan()) as door:
        victim, attacker = Browser(door), Browser(door)
        started = attacker.get("/sign-in/provider")
        asked = parse_qs(urlsplit(started.headers["location"]).query)
        returned = urlsplit(provider.authorize({name: values[0] for name, values in asked.items()}))
        back = f"{returned.path}?{returned.query}"
        assert victim.get(back).headers["location"] == "/sign-in?failed=provider"
        victim.get("/sign-in/provider")
        assert victim.get(back).headers["location"] == "/sign-in?failed=provider"
        assert provider.redeemed == []
        # Whoever began it ends it, and once.
        assert attacker.get(back).headers["location"] == "/"
        attacker.cookies = {name: v for name, v in attacker.cookies.items() if name != "canhdich"}
        assert attacker.get(back).headers["location"] == "/sign-in?failed=provider"


def test_a_provider_that_is_down_or_another_one_is_said(provider: Provider) -> None:
    provider.is_down = True
    with door_of(provider, with_lan()) as door:
        browser = Browser(door)
        assert browser.get("/sign-in/provider").headers["location"] == "/sign-in?failed=provider"
        provider.is_down = False
        provider.metadata = {"issuer": "https://evil.example"}
        assert browser.get("/sign-in/provider").headers["location"] == "/sign-in?failed=provider"
        # The next attempt asks anew.
        provider.metadata = {}
        assert go(browser, provider).headers["location"] == "/account"


def test_a_provider_that_signs_with_nothing_we_trust_is_refused(provider: Provider) -> None:
    provider.metadata = {"id_token_signing_alg_values_supported": ["none", "HS256"]}
    with door_of(provider, with_lan()) as door:
        started = Browser(door).get("/sign-in/provider")
        assert started.headers["location"] == "/sign-in?failed=provider"


def test_without_a_provider_there_is_no_such_page() -> None:
    with Doorstep() as door:
        assert door.get("/sign-in/provider").status_code == 404
        assert door.get("/sign-in/provider/back").status_code == 404
        assert "/sign-in/provider" not in door.get("/sign-in", accept="text/html").text


@pytest.mark.parametrize(
    "changed",
    [
        {"oidc_role_claim": "groups"},
        {"oidc_roles": {"x": "reporter"}},
        {"oidc_role_claim": "groups", "oidc_roles": {"x": "king"}},
    ],
)
def test_settings_that_make_no_sense_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="CANHDICH_OIDC_ROLE"):
        Meaning.of(SETTINGS.model_copy(update=changed))
