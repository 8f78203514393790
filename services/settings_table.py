"""`python -m services.settings_table`: writes docs/settings.md from the settings class."""

import sys
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from services.settings import Settings

TABLE = Path(__file__).parents[1] / "docs" / "settings.md"

_HEAD = """# Settings (Cấu hình)

Made by `python -m services.settings_table` from `services/settings.py`; do not edit by hand.

Every process reads them from its environment, else from the `.native/env` of a running native stack. A value
out of bounds ends the program with exit code 2 and a sentence that names it. For each secret `NAME` the
environment may have `NAME_FILE` in its place, the path of a file that holds it.

| variable | default | allowed | is |
|---|---|---|---|
"""

_KINDS: dict[Any, str] = {
    str: "text",
    SecretStr: "text, a secret",
    int: "whole number",
    float: "number",
    Path: "path",
    dict[str, str]: "JSON object of texts",
}
_BOUNDS = {"ge": "≥ {}", "gt": "> {}", "le": "≤ {}", "lt": "< {}", "pattern": "`{}`"}


def table(settings: type[BaseSettings] = Settings) -> str:
    """The text of docs/settings.md.

    Raises:
        ValueError: a setting has no description, or a type that the table has no word for.
    """
    prefix = str(settings.model_config.get("env_prefix", ""))
    return _HEAD + "".join(_row(prefix, name, field) for name, field in settings.model_fields.items())


def _row(prefix: str, name: str, field: FieldInfo) -> str:
    if not field.description:
        raise ValueError(f"The setting {name} has no description.")
    if get_origin(field.annotation) is Literal:
        kind = " or ".join(f"`{value}`" for value in get_args(field.annotation))
    elif field.annotation in _KINDS:
        kind = _KINDS[field.annotation]
    else:
        raise ValueError(f"The setting {name}: add {field.annotation} to services/settings_table.py.")
    variable = field.validation_alias or (prefix + name).upper()
    allowed = [kind, *_bounds(field)]
    cells = (f"`{variable}`", _default(field), ", ".join(allowed), field.description)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "none: must be set"
    default = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
    return "empty" if default == "" else f"`{default}`"


def _bounds(field: FieldInfo) -> list[str]:
    return [
        text.format(getattr(limit, name))
        for limit in field.metadata
        for name, text in _BOUNDS.items()
        if getattr(limit, name, None) is not None
    ]


def main() -> int:
    """Write the file."""
    TABLE.write_text(table(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
