"""docker-compose.yml as Docker Compose reads it: merged, with the variables of an .env file put in."""

import copy
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docker-compose.yml"
EXAMPLE = ROOT / ".env.example"

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Z0-9_]+)(?:(?P<how>:[-?])(?P<rest>[^{}]*))?\}|(?P<other>\$[^$]?)")


class MissingVariableError(Exception):
    """A variable that must be set is not; the text is what Docker Compose shows."""


def env_file(path: Path = EXAMPLE) -> dict[str, str]:
    """The variables of an .env file."""
    lines = (line for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)


def interpolated(value: Any, variables: Mapping[str, str]) -> Any:
    """Put variables in, as Docker Compose does for the forms that we use.

    Raises:
        MissingVariableError: `${NAME:?sentence}`, and the variable is not set or empty.
        ValueError: another form, or a variable without default that is not set.
    """
    if isinstance(value, dict):
        return {key: interpolated(one, variables) for key, one in value.items()}
    if isinstance(value, list):
        return [interpolated(one, variables) for one in value]
    if not isinstance(value, str):
        return value

    def put_in(match: re.Match[str]) -> str:
        name, how, rest = match["name"], match["how"], match["rest"]
        if name is None:
            raise ValueError(
                f"{value}: of variables this file uses the forms ${{A}}, ${{A:-b}}, ${{A:?b}} only"
            )
        if found := variables.get(name):
            return found
        if how == ":?":
            raise MissingVariableError(rest)
        if how is None and name not in variables:
            raise ValueError(f"{value}: {name} is set nowhere, and has no default")
        return rest or ""

    return _VARIABLE.sub(put_in, value)


def variables_in(text: str) -> set[str]:
    """The names of all variables that a text puts in."""
    return {match["name"] for match in _VARIABLE.finditer(text) if match["name"]}


def read(path: Path = FILE) -> dict[str, Any]:
    """The document, its anchors merged, no variables put in."""
    document: dict[str, Any] = _read(path)
    return copy.deepcopy(document)


@cache
def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def services(variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The services with their variables put in, by default those of .env.example."""
    found: dict[str, Any] = interpolated(read()["services"], env_file() if variables is None else variables)
    return found


def start_order(found: Mapping[str, Any]) -> list[str]:
    """The services in an order in which each comes after what it waits for.

    Raises:
        ValueError: they wait for each other, or for what is not there.
    """
    order: list[str] = []
    waiting = dict(found)
    while waiting:
        ready = [name for name, one in waiting.items() if set(one.get("depends_on", {})) <= set(order)]
        if not ready:
            raise ValueError(f"{', '.join(waiting)} wait for each other, or for what is not there")
        for name in ready:
            order.append(name)
            del waiting[name]
    return order
