"""`canhdich rights`: who may do what in Kafka and in the database, and bringing the servers to it."""

from pathlib import Path
from typing import Annotated

import typer

from schemas.rights import database_rights, kafka_rights
from services.cli.connection import connected
from services.cli.output import EXIT_FAILED, JsonOption, exits, out, print_json
from services.settings import settings
from streams.domain.errors import ConfigurationError
from streams.stores.rights import differences, grant_rights, login_creation, missing_logins
from streams.stores.views import set_password

_group = typer.Typer(
    help="Who may do what in Kafka and in the database.", no_args_is_help=True, rich_markup_mode=None
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(_group, name="rights")


@_group.command("check")
@exits
def check(json_output: JsonOption = False) -> int:
    """Compare the database's grants with schemas/rights/database.yaml; exit 1 on a difference."""
    with connected() as connection:
        found = differences(connection)
        missing = missing_logins(connection)
    if json_output:
        print_json({"differences": [str(one) for one in found], "missing": missing})
    else:
        for one in found:
            out.print(str(one), markup=False, highlight=False)
        for role in missing:
            out.print(f"There is no login {role}: an administrator runs `{login_creation(role)}`.")
        if not found and not missing:
            out.print("The database's logins may do what they should, and nothing else.")
    return EXIT_FAILED if found or missing else 0


@_group.command("apply")
@exits
def apply(
    passwords: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            help="Folder with a file per login, named as it, holding its password.",
        ),
    ] = None,
    kafka: Annotated[
        bool, typer.Option(help="Also Kafka's users and ACLs; needs the administrator's login there.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Grant exactly the matrices; set the passwords for which there are files."""
    configured = settings()
    secrets = passwords_in(passwords)
    with connected() as connection:
        changed = grant_rights(connection)
        roles = [role for role in database_rights().roles if role in secrets]
        for role in roles:
            set_password(connection, role, secrets[role])
    done: dict[str, object] = {"database": {"changed": len(changed), "passwords": roles}}
    if kafka:
        from streams.stores.kafka_rights import apply_rights

        users = {user: secrets[user] for user in kafka_rights().users if user in secrets}
        changes = apply_rights(configured.kafka, users, configured.topic_prefix)
        done["kafka"] = {"added": changes.added, "removed": changes.removed, "passwords": changes.users}
    if json_output:
        print_json(done)
    else:
        for server, what in done.items():
            out.print(f"{server}: {what}", markup=False, highlight=False)


def passwords_in(folder: Path | None) -> dict[str, str]:
    """Login → password.

    Raises:
        ConfigurationError: a file is for no login of ours, or others than its owner may read it.
    """
    if folder is None:
        return {}
    known = {*database_rights().roles, *kafka_rights().users}
    found = {}
    for path in sorted(folder.iterdir()):
        if path.name not in known:
            raise ConfigurationError(f"{path} is for no login; there are {', '.join(sorted(known))}.")
        if path.stat().st_mode & 0o007:
            raise ConfigurationError(f"Everybody may read {path}: `chmod o-rwx {path}` first.")
        secret = path.read_text("utf-8").strip()
        if len(secret) < 12:
            raise ConfigurationError(f"{path} holds fewer than 12 characters.")
        found[path.name] = secret
    return found
