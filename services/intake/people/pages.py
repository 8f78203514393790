"""The pages of people: signing in and out, one's account, the administrator's accounts, keys and trail."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote
from uuid import UUID

import pyotp
import segno
from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from services.intake.guard import BodyReader
from services.intake.people import accounts
from services.intake.people.access import allow, visit_of
from services.intake.people.accounts import (
    SHORTEST_PASSWORD,
    Actor,
    SignedIn,
    TooManyAttempts,
    Wanted,
    WeakPassword,
    WrongSignIn,
)
from services.intake.people.desk import Desk
from services.intake.people.person import Language, Person, Role
from services.intake.people.ports import Account, PeopleStore, PersonChange, StaffAction
from services.intake.people.rights import rights
from services.intake.people.single_sign_on import Meaning, SignOn, SignOnFailed, UnknownPerson, sign_in_by
from services.intake.people.site import Site
from services.intake.people.territory import Territory
from services.intake.people.unfit import Unfit
from services.intake.people.visitors import VISIT_COOKIE, SessionTimes, cookie, session_cookie
from services.intake.problems import Refused
from services.intake.staff.case_words import show_instant
from services.intake.staff.forms import read_form
from services.intake.staff.rendering import language_of, render
from services.intake.staff.routes import own_address
from services.intake.staff.words import LANGUAGES, say, words
from services.intake.threads import Worker
from services.settings import Settings
from streams.domain.calendar import LOCAL_ZONE

_ISSUER: Final = "Canh Dich"
"""As authenticators show it; some of them garble other letters."""
_ROWS: Final = 100
_ROUND_COOKIE: Final = "canhdich-round"
_ROUND_SECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class PeoplePages:
    """What the pages work with.

    Attributes:
        desk: The store.
        site: Whether cookies travel over https only.
        times: How long a session lasts.
        reader: Of forms.
        sign_on: The identity provider with what its claims mean; None: there is none.
    """

    desk: Desk
    site: Site
    times: SessionTimes
    reader: BodyReader
    sign_on: tuple[SignOn, Meaning] | None

    @property
    def provider(self) -> str:
        """The name of the identity provider; empty: none."""
        return self.sign_on[1].name if self.sign_on else ""

    def now(self) -> datetime:
        """The instant."""
        return self.desk.clock()

    def today(self) -> str:
        """The local day."""
        return self.now().astimezone(LOCAL_ZONE).date().isoformat()

    async def territory(self) -> Territory:
        """What lies in what today."""
        today = self.today()
        return await self.desk.look(lambda store: store.territory(today))

    def let_in(self, signed: SignedIn, back: str) -> Response:
        """Hand the session's cookie out; the one from before signing in is taken away."""
        if signed.is_waiting_for_code:
            address = f"/sign-in/code?next={quote(back, safe='/')}"
        else:
            address = "/account" if signed.account.must_change_password else back
        response = RedirectResponse(address, 303)
        is_secure = self.site.is_public
        response.headers.append(
            "Set-Cookie", cookie(session_cookie(is_secure), signed.token, is_secure=is_secure)
        )
        response.headers.append("Set-Cookie", cookie(VISIT_COOKIE, "", is_secure=is_secure, max_age=0))
        return response


def identity_provider(settings: Settings) -> tuple[SignOn, Meaning] | None:
    """The provider of the settings; None: there is none."""
    if not settings.oidc_issuer:
        return None
    # Its libraries take long to import, and most installations have none.
    from services.intake.people.oidc import OpenIdProvider

    return OpenIdProvider(settings), Meaning.of(settings)


def add_people_routes(app: FastAPI, pages: PeoplePages) -> None:
    """Serve the pages of people."""
    _add_sign_in(app, pages)
    _add_sign_on(app, pages)
    _add_account(app, pages)
    _add_people(app, pages)
    _add_keys(app, pages)

    @app.get("/trail", name="trail_page")
    async def trail_page(request: Request) -> Response:
        allow(request, "trail_page")
        asked = request.query_params.get("before")
        try:
            before = None if asked is None else datetime.fromisoformat(asked)
        except ValueError:
            raise HTTPException(404) from None
        actions = await pages.desk.look(lambda store: store.actions(_ROWS, before))
        language = language_of(request)
        rows = [
            {
                "action": action,
                "what": said_of(action.action, language),
                "at": _shown(action.at),
                "detail": _detail(action),
            }
            for action in actions
        ]
        last = actions[-1].at if len(actions) == _ROWS else None
        return render(request, "people/trail.html", rows=rows, older=last.isoformat() if last else None)


def _add_sign_in(app: FastAPI, pages: PeoplePages) -> None:
    desk = pages.desk

    def sign_in_again(request: Request, back: str, username: str, message: str, status: int) -> Response:
        return render(
            request,
            "people/sign_in.html",
            status=status,
            message=message,
            next=back,
            username=username,
            provider=pages.provider,
        )

    @app.get("/sign-in", name="sign_in_page")
    async def sign_in_page(request: Request) -> Response:
        back = own_address(request.query_params.get("next"))
        if visit_of(request).person is not None:
            return RedirectResponse(back, 303)
        failed = request.query_params.get("failed")
        key = {"provider": "people.provider_failed", "unknown": "people.provider_unknown"}.get(failed or "")
        message = say(language_of(request), key, name=pages.provider) if key else ""
        return sign_in_again(request, back, "", message, 200)

    @app.post("/sign-in", name="sign_in")
    async def sign_in(request: Request) -> Response:
        form = await read_form(request, pages.reader)
        back, username = own_address(form.get("next")), form.get("username", "")
        now, address, whole = pages.now(), visit_of(request).address, pages.times.whole
        password = form.get("password", "")
        try:
            signed = await desk.act(
                lambda store: accounts.sign_in(store, username, password, address, now, whole)
            )
        except (TooManyAttempts, WrongSignIn) as unfit:
            return sign_in_again(request, back, username[:64], _said(request, unfit), _status(unfit))
        return pages.let_in(signed, back)

    @app.get("/sign-in/code", name="code_page")
    async def code_page(request: Request) -> Response:
        if not _is_waiting(request):
            return RedirectResponse("/sign-in", 303)
        back = own_address(request.query_params.get("next"))
        return render(request, "people/code.html", message="", next=back)

    @app.post("/sign-in/code", name="check_code")
    async def check_code(request: Request) -> Response:
        form = await read_form(request, pages.reader)
        back, visit = own_address(form.get("next")), visit_of(request)
        if not _is_waiting(request) or visit.session_hash is None:
            return RedirectResponse("/sign-in", 303)
        waiting, code, now, whole = visit.session_hash, form.get("code", ""), pages.now(), pages.times.whole
        try:
            signed = await desk.act(
                lambda store: accounts.finish_sign_in(store, waiting, code, visit.address, now, whole)
            )
        except (TooManyAttempts, WrongSignIn) as unfit:
            # The password was right: it is the code.
            is_wrong = isinstance(unfit, WrongSignIn)
            wrong = say(language_of(request), "people.second_factor_wrong")
            return render(
                request,
                "people/code.html",
                status=_status(unfit),
                message=wrong if is_wrong else _said(request, unfit),
                next=back,
            )
        return pages.let_in(signed, back)

    @app.post("/sign-out", name="sign_out")
    async def sign_out(request: Request) -> Response:
        visit = visit_of(request)
        if visit.session_hash is not None:
            token_hash, person = visit.session_hash, visit.person
            name = person.username if person else ""
            action = StaffAction(person.id if person else None, name, "signed-out", name, visit.address)
            await desk.act(lambda store: store.end_session(token_hash, action))
        # What is kept for work without a line belongs to the one who leaves.
        response = RedirectResponse("/sign-in", 303, {"Clear-Site-Data": '"cache", "storage"'})
        is_secure = pages.site.is_public
        response.headers.append(
            "Set-Cookie", cookie(session_cookie(is_secure), "", is_secure=is_secure, max_age=0)
        )
        return response


def _add_sign_on(app: FastAPI, pages: PeoplePages) -> None:
    # A provider that is slow keeps nobody waiting but those who sign in there.
    worker = Worker("intake-sign-on")
    is_secure = pages.site.is_public
    round_cookie = f"__Host-{_ROUND_COOKIE}" if is_secure else _ROUND_COOKIE

    def redirect_of(request: Request) -> str:
        return f"{pages.site.origin_of(request.scope)}/sign-in/provider/back"

    def provider() -> tuple[SignOn, Meaning]:
        if pages.sign_on is None:
            raise HTTPException(404)
        return pages.sign_on

    def without_round(response: Response) -> Response:
        response.headers.append("Set-Cookie", cookie(round_cookie, "", is_secure=is_secure, max_age=0))
        return response

    @app.get("/sign-in/provider", name="start_sign_on")
    async def start_sign_on(request: Request) -> Response:
        sign_on, _ = provider()
        back = own_address(request.query_params.get("next"))
        try:
            started = await worker.run(sign_on.start, redirect_of(request), back)
        except SignOnFailed:
            return RedirectResponse("/sign-in?failed=provider", 303)
        response = RedirectResponse(started.address, 303)
        response.headers.append(
            "Set-Cookie",
            cookie(round_cookie, started.cookie, is_secure=is_secure, max_age=_ROUND_SECONDS),
        )
        return response

    @app.get("/sign-in/provider/back", name="finish_sign_on")
    async def finish_sign_on(request: Request) -> Response:
        sign_on, meaning = provider()
        kept, asked = request.cookies.get(round_cookie, ""), request.query_params
        address, now, whole, today = visit_of(request).address, pages.now(), pages.times.whole, pages.today()
        try:
            claims = await worker.run(
                sign_on.finish, redirect_of(request), kept, asked.get("state", ""), asked.get("code", "")
            )
            signed = await pages.desk.act(
                lambda store: sign_in_by(store, meaning, claims, address, now, whole, today)
            )
        except SignOnFailed:
            return without_round(RedirectResponse("/sign-in?failed=provider", 303))
        except UnknownPerson:
            return without_round(RedirectResponse("/sign-in?failed=unknown", 303))
        return without_round(pages.let_in(signed, own_address(claims.back)))


def _add_account(app: FastAPI, pages: PeoplePages) -> None:
    desk = pages.desk

    async def account_with(
        request: Request, person: Person, errors: Mapping[str, str], status: int
    ) -> Response:
        def ask(store: PeopleStore) -> tuple[Account, int]:
            return accounts.known_account(store, person.id), store.recovery_codes_left(person.id)

        account, left = await desk.look(ask)
        territory = await pages.territory()
        return render(
            request,
            "people/account.html",
            status=status,
            must_change=account.must_change_password,
            is_changed="changed" in request.query_params,
            areas=_areas(person.area_codes, territory),
            has_password=account.password_hash is not None,
            shortest=SHORTEST_PASSWORD,
            codes_left=left if account.totp_secret else None,
            errors=errors,
        )

    @app.get("/account", name="account")
    async def account(request: Request) -> Response:
        return await account_with(request, allow(request, "account"), {}, 200)

    @app.post("/account/password", name="change_password")
    async def change_password(request: Request) -> Response:
        person, visit = allow(request, "change_password"), visit_of(request)
        form = await read_form(request, pages.reader)
        old, new = form.get("old", ""), form.get("new", "")
        if new != form.get("again", ""):
            errors = {"again": say(person.language, "people.not_again")}
            return await account_with(request, person, errors, 422)
        actor, session, now = _actor(request), visit.session_hash or b"", pages.now()
        try:
            await desk.act(
                lambda store: accounts.change_password(store, actor, person.id, old, new, session, now)
            )
        except (TooManyAttempts, WrongSignIn, WeakPassword) as unfit:
            field = "new" if isinstance(unfit, WeakPassword) else "old"
            return await account_with(request, person, {field: _said(request, unfit)}, _status(unfit))
        return RedirectResponse("/account?changed", 303)

    @app.post("/account/language", name="change_language")
    async def change_language(request: Request) -> Response:
        person = allow(request, "change_language")
        form = await read_form(request, pages.reader)
        language = _language(form.get("language"), person.language)
        actor = _actor(request)
        await desk.act(lambda store: accounts.change_language(store, actor, person.id, language))
        return RedirectResponse("/account?changed", 303)

    @app.get("/account/second-factor", name="second_factor_page")
    async def second_factor_page(request: Request) -> Response:
        person = allow(request, "second_factor_page")
        return _enrolment(request, person, pyotp.random_base32(), "", 200)

    @app.post("/account/second-factor", name="add_second_factor")
    async def add_second_factor(request: Request) -> Response:
        person = allow(request, "add_second_factor")
        form = await read_form(request, pages.reader)
        secret, code, actor, now = form.get("secret", ""), form.get("code", ""), _actor(request), pages.now()
        try:
            codes = await desk.act(lambda store: accounts.enrol(store, actor, person.id, secret, code, now))
        except WrongSignIn:
            message = say(person.language, "people.second_factor_wrong")
            return _enrolment(request, person, accounts.secret_again(secret), message, 422)
        return render(request, "people/recovery.html", codes=codes)

    @app.post("/account/second-factor/remove", name="remove_second_factor")
    async def remove_second_factor(request: Request) -> Response:
        person = allow(request, "remove_second_factor")
        form = await read_form(request, pages.reader)
        password, actor, now = form.get("password", ""), _actor(request), pages.now()
        try:
            await desk.act(
                lambda store: accounts.remove_second_factor(store, actor, person.id, password, now)
            )
        except (TooManyAttempts, WrongSignIn) as unfit:
            return await account_with(request, person, {"password": _said(request, unfit)}, _status(unfit))
        return RedirectResponse("/account?changed", 303)


def _enrolment(request: Request, person: Person, secret: str, message: str, status: int) -> Response:
    address = pyotp.TOTP(secret).provisioning_uri(name=person.username, issuer_name=_ISSUER)
    return render(
        request,
        "people/second_factor.html",
        status=status,
        message=message,
        secret=secret,
        spaced=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        qr=segno.make(address, error="m").svg_data_uri(scale=4, border=4),
    )


def _add_people(app: FastAPI, pages: PeoplePages) -> None:
    desk = pages.desk

    async def people_with(
        request: Request,
        given: Mapping[str, str],
        unfit: Unfit | None = None,
        one_time: tuple[str, str] | None = None,
    ) -> Response:
        everybody = await desk.look(lambda store: store.accounts())
        territory = await pages.territory()
        rows = [
            {
                "account": account,
                "areas": _areas(account.person.area_codes, territory),
                "last_seen": _shown(account.last_seen_at),
            }
            for account in everybody
        ]
        return render(
            request,
            "people/people.html",
            status=422 if unfit else 200,
            people=rows,
            roles=_roles(request),
            given=given,
            errors={},
            message=_said(request, unfit) if unfit else "",
            one_time=one_time,
        )

    @app.get("/people", name="people_page")
    async def people_page(request: Request) -> Response:
        allow(request, "people_page")
        return await people_with(request, _NOTHING_GIVEN)

    @app.post("/people", name="add_person")
    async def add_person(request: Request) -> Response:
        allow(request, "add_person")
        form = await read_form(request, pages.reader)
        given = {**_NOTHING_GIVEN, **form}
        actor, today = _actor(request), pages.today()
        try:
            wanted = _wanted(given)
            password = await desk.act(
                lambda store: accounts.add_person(
                    store, actor, given["username"], given["name"], wanted, "vi", today
                )
            )
        except Unfit as unfit:
            return await people_with(request, given, unfit)
        # Shown in the answer itself: a password belongs into no address and no cookie.
        shown = accounts.normal_username(given["username"]), password
        return await people_with(request, _NOTHING_GIVEN, one_time=shown)

    async def person_with(
        request: Request, person_id: str, given: Mapping[str, object] | None, unfit: Unfit | None
    ) -> Response:
        whole = _id(person_id)
        account = await desk.look(lambda store: store.account_of_id(whole))
        if account is None:
            raise HTTPException(404)
        person = account.person
        stored = {
            "name": person.name,
            "role": person.role.value,
            "facility": person.facility or "",
            "areas": " ".join(person.area_codes),
            "is_disabled": account.is_disabled,
        }
        return render(
            request,
            "people/person.html",
            status=422 if unfit else 200,
            account=account,
            roles=_roles(request),
            given=stored if given is None else given,
            errors={},
            is_changed="changed" in request.query_params,
            message=_said(request, unfit) if unfit else "",
        )

    @app.get("/people/{person_id}", name="person_page")
    async def person_page(request: Request, person_id: str) -> Response:
        allow(request, "person_page")
        return await person_with(request, person_id, None, None)

    @app.post("/people/{person_id}", name="change_person")
    async def change_person(request: Request, person_id: str) -> Response:
        allow(request, "change_person")
        form = await read_form(request, pages.reader)
        given = {**_NOTHING_GIVEN, **form}
        whole, actor, today = _id(person_id), _actor(request), pages.today()
        is_disabled = given.get("is_disabled") == "yes"

        def change(store: PeopleStore) -> None:
            wanted, known = _wanted(given), accounts.known_account(store, whole).person
            changed = PersonChange(
                given["name"], wanted.role, wanted.facility, wanted.area_codes, known.language, is_disabled
            )
            accounts.change_person(store, actor, whole, changed, today)

        try:
            await desk.act(change)
        except Unfit as unfit:
            return await person_with(request, person_id, {**given, "is_disabled": is_disabled}, unfit)
        return RedirectResponse(f"/people/{whole}?changed", 303)

    @app.post("/people/{person_id}/reset", name="reset_person")
    async def reset_person(request: Request, person_id: str) -> Response:
        allow(request, "reset_person")
        whole, actor = _id(person_id), _actor(request)

        def reset(store: PeopleStore) -> tuple[str, str]:
            account = accounts.known_account(store, whole)
            return account.person.username, accounts.reset_password(store, actor, whole)

        try:
            shown = await desk.act(reset)
        except Unfit as unfit:
            return await people_with(request, _NOTHING_GIVEN, unfit)
        return await people_with(request, _NOTHING_GIVEN, one_time=shown)


def _add_keys(app: FastAPI, pages: PeoplePages) -> None:
    desk = pages.desk

    async def keys_with(
        request: Request,
        given: Mapping[str, str],
        unfit: Unfit | None = None,
        shown: tuple[str, str] | None = None,
    ) -> Response:
        keys = await desk.look(lambda store: store.api_keys())
        territory, now, language = await pages.territory(), pages.now(), language_of(request)
        rows = [
            {
                "key": key,
                "areas": _areas(key.area_codes, territory),
                "endpoints": ", ".join(_endpoints(language).get(name, name) for name in key.endpoints or ())
                or "/v1",
                "until": _shown(key.expires_at),
                "used": _shown(key.last_used_at),
                "is_expired": key.expires_at <= now,
            }
            for key in keys
        ]
        return render(
            request,
            "people/keys.html",
            status=422 if unfit else 200,
            keys=rows,
            roles=_roles(request),
            endpoints=_endpoints(language),
            given=given,
            errors={},
            message=_said(request, unfit) if unfit else "",
            shown=shown,
        )

    @app.get("/keys", name="keys_page")
    async def keys_page(request: Request) -> Response:
        allow(request, "keys_page")
        return await keys_with(request, _NO_KEY_GIVEN)

    @app.post("/keys", name="add_key")
    async def add_key(request: Request) -> Response:
        allow(request, "add_key")
        form = await read_form(request, pages.reader)
        given = {**_NO_KEY_GIVEN, **form}
        actor, now, today = _actor(request), pages.now(), pages.today()
        endpoints = [given["endpoint"]] if given["endpoint"] else None
        days = int(given["days"]) if given["days"].isascii() and given["days"].isdigit() else 0
        try:
            wanted = _wanted(given)
            key, text = await desk.act(
                lambda store: accounts.add_key(
                    store, actor, given["name"], wanted, endpoints, days, now, today
                )
            )
        except Unfit as unfit:
            return await keys_with(request, given, unfit)
        return await keys_with(request, _NO_KEY_GIVEN, shown=(key.name, text))

    @app.post("/keys/{key_id}/revoke", name="revoke_key")
    async def revoke_key(request: Request, key_id: str) -> Response:
        allow(request, "revoke_key")
        whole, actor, now = _id(key_id), _actor(request), pages.now()
        try:
            await desk.act(lambda store: accounts.revoke_key(store, actor, whole, now))
        except Unfit as unfit:
            return await keys_with(request, _NO_KEY_GIVEN, unfit)
        return RedirectResponse("/keys", 303)


_NOTHING_GIVEN: Final[Mapping[str, str]] = {
    "username": "",
    "name": "",
    "role": "",
    "facility": "",
    "areas": "",
}
_NO_KEY_GIVEN: Final[Mapping[str, str]] = {**_NOTHING_GIVEN, "endpoint": "", "days": "365"}


def _actor(request: Request) -> Actor:
    visit = visit_of(request)
    if visit.person is None:
        raise Refused("not-signed-in")
    return Actor(visit.person.id, visit.person.username, visit.address)


def _is_waiting(request: Request) -> bool:
    visit = visit_of(request)
    return visit.person is None and visit.session_hash is not None


def _wanted(given: Mapping[str, str]) -> Wanted:
    role = next((role for role in Role if role.value == given["role"]), None)
    if role is None:
        raise Unfit("people.role_missing")
    codes = given["areas"].replace(",", " ").replace(";", " ").split()
    return Wanted(role, given["facility"] or None, tuple(dict.fromkeys(codes)))


def _language(typed: str | None, otherwise: Language) -> Language:
    return next((language for language in LANGUAGES if language == typed), otherwise)


def _roles(request: Request) -> dict[str, str]:
    language = language_of(request)
    return {role.value: say(language, f"people.role.{role.value}") for role in Role}


def _endpoints(language: Language) -> dict[str, str]:
    """What programs use: the routes of /v1 and the metrics."""
    names = ("post_events", "get_event", "get_alerts", "get_alert", "post_action", "get_metrics")
    titles = rights().titles
    return {name: titles[name][LANGUAGES.index(language)] for name in names}


def _areas(codes: tuple[str, ...], territory: Territory) -> str:
    return ", ".join(f"{code} {territory.name_of(code)}".strip() for code in codes)


def _shown(instant: datetime | None) -> str:
    return "" if instant is None else show_instant(instant)


def said_of(action: str, language: Language) -> str:
    """What an action of the trail is called; its own name where nothing is said of it.

    >>> said_of("signed-in", "en"), said_of("alert-dismiss", "en"), said_of("of-old", "en")
    ('Signed in', 'Alert: Dismiss', 'of-old')
    """
    known = words(language)
    kind, _, done = action.partition("-")
    if kind == "alert" and f"alerts.action.{done}" in known:
        return say(language, "people.did.alert", action=known[f"alerts.action.{done}"])
    return known.get(f"people.did.{action.replace('-', '_')}", action)


def _detail(action: StaffAction) -> str:
    return "; ".join(f"{name}: {value}" for name, value in action.detail.items() if value)


def _said(request: Request, unfit: Unfit) -> str:
    return say(language_of(request), unfit.key, **unfit.values)


def _status(unfit: Unfit) -> int:
    return 429 if isinstance(unfit, TooManyAttempts) else 422


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise HTTPException(404) from None
