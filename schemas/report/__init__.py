"""The sentences of the reports, one file per language; streams/domain/report fills them."""

from functools import cache
from pathlib import Path
from typing import Any

from schemas.strict_yaml import load_yaml

_ROOT = Path(__file__).parent
_PARTS = {"templates", "overrides", "nouns", "names"}


@cache
def load_sentences(lang: str) -> dict[str, Any]:
    """Templates, overrides, nouns and names of a language.

    Raises:
        FileNotFoundError: there is no such language.
        ValueError: a part is missing or unknown.
    """
    found: dict[str, Any] = load_yaml((_ROOT / f"{lang}.yaml").read_text("utf-8"))
    if set(found) != _PARTS:
        raise ValueError(f"{lang}.yaml: its parts are {', '.join(sorted(_PARTS))}")
    return found


@cache
def load_notices() -> dict[str, Any]:
    """The commune's notices: `begin` and `end`, and what fills them."""
    found: dict[str, Any] = load_yaml((_ROOT / "notices.yaml").read_text("utf-8"))
    return found


@cache
def load_forms() -> dict[str, Any]:
    """The reports of a focus and of an outbreak: titles, sections, templates, and what fills them."""
    found: dict[str, Any] = load_yaml((_ROOT / "forms.yaml").read_text("utf-8"))
    return found


@cache
def agent_names() -> dict[str, tuple[str, str]]:
    """Agent -> its Vietnamese and English name, from the packaged catalogue."""
    return {agent["code"]: (agent["name_vi"], agent["name_en"]) for agent in _diseases()["agents"]}


@cache
def deadlines() -> dict[str, list[tuple[str | None, str | None, str]]]:
    """Disease -> (first day, last day, code) of each deadline of the law; days as ISO text."""
    return {
        disease["code"]: [(row["valid_from"], row["valid_to"], row["code"]) for row in disease["deadlines"]]
        for disease in _diseases()["diseases"]
    }


@cache
def with_severities() -> frozenset[str]:
    """The diseases whose form asks for the severity."""
    return frozenset(disease["code"] for disease in _diseases()["diseases"] if disease.get("severities"))


@cache
def _diseases() -> dict[str, Any]:
    """The file of the diseases alone: the whole catalogue, with its areas, takes seconds to read."""
    found: dict[str, Any] = load_yaml((_ROOT.parent / "catalogue" / "diseases.yaml").read_text("utf-8"))
    return found
