"""`canhdich people`: accounts of staff, for the first administrator and for when nobody can sign in."""

import getpass
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from services.cli.intake_address import intake_address
from services.cli.options import choice, choices_of, today
from services.cli.output import JsonOption, exits, out, print_json
from services.intake.people import accounts
from services.intake.people.accounts import COMMAND_LINE, Actor, Wanted
from services.intake.people.person import Role
from services.intake.people.ports import Account, PeopleStore
from services.intake.people.store import PostgresPeople
from services.intake.people.unfit import Unfit
from services.intake.staff.words import LANGUAGES
from services.settings import settings
from streams.domain.calendar import LOCAL_ZONE

people = typer.Typer(no_args_is_help=True)

ROLES = tuple(role.value for role in Role)

RoleOption = Annotated[str, typer.Option(help=f"One of {', '.join(ROLES)}.")]
FacilityOption = Annotated[
    str | None,
    typer.Option(help="Where they report from, as events name it after /facilities/; reporters need one."),
]
AreaOption = Annotated[
    list[str] | None,
    typer.Option(
        "--area",
        help="Present code of a commune, surveillance area or province that is theirs; repeat it or "
        "separate with commas. None: the whole province.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(
        people, name="people", help="Accounts of staff: add, list, disable, enable, reset; the trail."
    )


@contextmanager
def people_store() -> Iterator[PeopleStore]:
    """The store of the settings in force."""
    with closing(PostgresPeople(settings().database_url.get_secret_value())) as store:
        yield store


def actor() -> Actor:
    """Whoever types, as the machine knows them."""
    return Actor(None, "", f"{COMMAND_LINE.address}, {getpass.getuser()}")


def wanted(role: str, facility: str | None, areas: list[str] | None) -> Wanted:
    """What was typed about rights.

    Raises:
        ConfigurationError: there is no such role.
    """
    codes = [part.strip() for value in areas or [] for part in value.split(",") if part.strip()]
    return Wanted(Role(choice("--role", role, ROLES)), facility, tuple(dict.fromkeys(codes)))


@people.command("add", help="Make an account and print its one-time password, once.")
@exits
def add(
    username: Annotated[str, typer.Argument(help="a-z 0-9 . _ -; cannot be changed later.")],
    role: RoleOption,
    name: Annotated[str, typer.Option(help="As colleagues see it; by default the username.")] = "",
    facility: FacilityOption = None,
    area: AreaOption = None,
    language: Annotated[str, typer.Option(help="Of the pages: vi or en.")] = "vi",
    json_output: JsonOption = False,
) -> None:
    """Make an account."""
    (spoken,) = choices_of("--language", [language], LANGUAGES)
    rights = wanted(role, facility, area)
    with people_store() as store:
        password = accounts.add_person(
            store, actor(), username, name or username, rights, spoken, today().isoformat()
        )
    _print_password(accounts.normal_username(username), password, json_output)


@people.command("list", help="Every account with its rights.")
@exits
def list_(json_output: JsonOption = False) -> None:
    """Print the accounts; nothing of what proves who somebody is."""
    with people_store() as store:
        found = store.accounts()
    if json_output:
        print_json([_document(account) for account in found])
        return
    table = Table()
    for title in ("Tên đăng nhập", "Tên", "Vai trò", "Đơn vị", "Địa bàn", "Tình trạng", "Lần cuối"):
        table.add_column(title, overflow="fold")
    for account in found:
        person = account.person
        table.add_row(
            person.username,
            person.name,
            person.role.value,
            person.facility or "",
            ", ".join(person.area_codes) or "toàn tỉnh",
            "đã khoá"
            if account.is_disabled
            else "chưa đổi mật khẩu được cấp"
            if account.must_change_password
            else "đang dùng",
            local(account.last_seen_at),
        )
    out.print(table)


@people.command("disable", help="Let an account in no longer; its sessions end.")
@exits
def disable(username: Annotated[str, typer.Argument(help="Whose.")], json_output: JsonOption = False) -> None:
    """Disable an account."""
    _set_disabled(username, json_output, is_disabled=True)


@people.command("enable", help="Let a disabled account in again.")
@exits
def enable(username: Annotated[str, typer.Argument(help="Whose.")], json_output: JsonOption = False) -> None:
    """Enable an account."""
    _set_disabled(username, json_output, is_disabled=False)


@people.command("reset", help="Print a new one-time password; the second factor and all sessions end.")
@exits
def reset(username: Annotated[str, typer.Argument(help="Whose.")], json_output: JsonOption = False) -> None:
    """Make a new one-time password."""
    with people_store() as store:
        account = _account(store, username)
        password = accounts.reset_password(store, actor(), account.person.id)
    _print_password(account.person.username, password, json_output)


@people.command("trail", help="What was done, by whom, when and from where; nobody can change it.")
@exits
def trail(
    most: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    json_output: JsonOption = False,
) -> None:
    """Print the trail, the newest first."""
    with people_store() as store:
        found = store.actions(most)
    if json_output:
        print_json(
            [
                {
                    "at": action.at,
                    "username": action.username,
                    "action": action.action,
                    "target": action.target,
                    "address": action.address,
                    "detail": dict(action.detail),
                }
                for action in found
            ]
        )
        return
    table = Table()
    for title in ("Lúc", "Ai", "Việc", "Với", "Từ", "Chi tiết"):
        table.add_column(title, overflow="fold")
    for action in found:
        detail = "; ".join(f"{name}: {value}" for name, value in action.detail.items() if value)
        table.add_row(local(action.at), action.username, action.action, action.target, action.address, detail)
    out.print(table)


def local(at: datetime | None) -> str:
    """An instant in Viet Nam; "" for none."""
    return "" if at is None else f"{at.astimezone(LOCAL_ZONE):%d/%m/%Y %H:%M}"


def _set_disabled(username: str, json_output: bool, *, is_disabled: bool) -> None:
    with people_store() as store:
        person_id = _account(store, username).person.id
        accounts.set_disabled(store, actor(), person_id, today().isoformat(), is_disabled=is_disabled)
        account = accounts.known_account(store, person_id)
    if json_output:
        print_json(_document(account))
        return
    state = "đã khoá / disabled" if is_disabled else "đang dùng / enabled"
    out.print(f"{account.person.username}: {state}")


def _account(store: PeopleStore, username: str) -> Account:
    account = store.account_of_name(accounts.normal_username(username))
    if account is None:
        raise Unfit("people.unknown")
    return account


def _print_password(username: str, password: str, json_output: bool) -> None:
    if json_output:
        print_json({"username": username, "one_time_password": password})
        return
    out.print(
        f"Tên đăng nhập / username: {username}\n"
        f"Mật khẩu dùng một lần / one-time password: {password}\n"
        f"Đăng nhập tại / sign in at: {intake_address(settings())}\n"
        "Chỉ hiện một lần này; phải đổi khi đăng nhập. Shown only now; it must be replaced at the first "
        "sign-in.",
        markup=False,
        highlight=False,
    )


def _document(account: Account) -> dict[str, object]:
    person = account.person
    return {
        "username": person.username,
        "name": person.name,
        "role": person.role.value,
        "facility": person.facility,
        "area_codes": list(person.area_codes),
        "language": person.language,
        "is_disabled": account.is_disabled,
        "must_change_password": account.must_change_password,
        "has_second_factor": account.totp_secret is not None,
        "last_seen_at": account.last_seen_at,
    }
