"""`python -m services.settings_table`: writes docs/settings.md from the settings class."""

import sys
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from services.settings import Settings

TABLE = Path(__file__).parents[1] / "docs" / "settings.md"

_HEAD = """# Settings (Cấu hình)

Made by `python -m services.settings_table` from `services/settings.py`; do not edit by hand.

Every process reads them from its environment, else from the `.native/env` of a running native stack. A value
out of bounds ends the program with exit code 2 and a sentence that names it.

| variable | default | allowed | is |
|---|---|---|---|
"""

_BOUNDS = {Ge: ("ge", "≥"), Gt: ("gt", ">"), Le: ("le", "≤"), Lt: ("lt", "<")}


def table() -> str:
    """The text of docs/settings.md."""
    rows = (_row(name, field) for name, field in Settings.model_fields.items())
    return _HEAD + "".join(rows)


def _row(name: str, field: FieldInfo) -> str:
    if not field.description:
        raise ValueError(f"Settings.{name} has no description")
    prefix = str(Settings.model_config.get("env_prefix", ""))
    variable = field.validation_alias if isinstance(field.validation_alias, str) else (prefix + name).upper()
    default = _default(field.default)
    cells = (f"`{variable}`", default, _allowed(field), field.description)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return "none: must be set"
    return "empty" if value in ("", None) else f"`{value}`"


def _allowed(field: FieldInfo) -> str:
    parts = [_type_name(field.annotation)]
    for limit in field.metadata:
        if type(limit) in _BOUNDS:
            attribute, sign = _BOUNDS[type(limit)]
            parts.append(f"{sign} {getattr(limit, attribute)}")
        elif pattern := getattr(limit, "pattern", None):
            parts.append(f"`{pattern}`")
    return ", ".join(parts)


def _type_name(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{choice}`" for choice in get_args(annotation))
    if get_origin(annotation) in (Union, UnionType):
        return " or ".join(_type_name(part) for part in get_args(annotation) if part is not type(None))
    names = {"str": "text", "SecretStr": "text (a secret)", "int": "whole number", "float": "number"}
    return names.get(annotation.__name__, annotation.__name__.lower())


def main() -> int:
    """Write the file."""
    TABLE.write_text(table(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
