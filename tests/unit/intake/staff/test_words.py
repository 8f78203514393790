"""Every sentence stands in both languages, and every sentence is said."""

import re
import string
from pathlib import Path
from typing import get_args

import pytest

from services.intake.people.pages import said_of
from services.intake.staff import words as module
from services.intake.staff.words import LANGUAGES, say, words
from streams.domain.alerts import Action
from streams.domain.errors import ConfigurationError

_INTAKE = Path(module.__file__).parents[1]
_KEY = r"[a-z0-9_]+\.[a-z0-9_.]+"
# "area.key" as it stands in a template or in Python; a key that is put together ends in a point there:
# "area.state." ~ state, f"area.state.{state}".
_WHOLE = re.compile(rf"""["']({_KEY})["']""")
# What is done, in kebab-case, where it is written down: did("…"), record(request, "…"), or just before.
_ACTION = re.compile(
    r"""(?:did\(|record(?:_done)?\(request, |_(?:waiting|disabled) else |verb = |name, )"""
    r""""([a-z]+(?:-[a-z]+)+)\""""
)
_BEGINNING = re.compile(r"""["']([a-z0-9_]+(?:\.[a-z0-9_]+)*\.)(?:["']\s*[~+]|\{)""")


def _sources() -> list[str]:
    pages = [path for path in _INTAKE.rglob("*") if path.suffix in (".html", ".py")]
    return [path.read_text("utf-8") for path in pages]


def _names(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def unsaid(keys: set[str], sources: list[str]) -> set[str]:
    """The keys that no page and no program names."""
    whole = {key for source in sources for key in _WHOLE.findall(source)}
    beginnings = tuple({begin for source in sources for begin in _BEGINNING.findall(source)})
    return {key for key in keys if key not in whole and not key.startswith(beginnings)}


def test_both_languages_have_the_same_keys_with_the_same_names_in_them() -> None:
    vi, en = words("vi"), words("en")
    assert vi.keys() == en.keys()
    assert {key for key in vi if _names(vi[key]) != _names(en[key])} == set()


def test_every_sentence_is_said_somewhere() -> None:
    # Names of fields come in between: f"cases.{name}_missing", f"cases.field_{name}".
    put_together = {f"cases.{name}_missing" for name in ("disease", "area")} | {
        f"cases.field_{name}" for name in ("area", "lab_agent", "register")
    }
    assert unsaid(set(words("vi")) - put_together, _sources()) == set()


def test_a_sentence_that_nobody_says_is_found() -> None:
    sources = ["""{{ t("a.one") }} {{ t("a.state." ~ state) }}""", """say(language, f"a.kind.{kind}")"""]
    assert unsaid({"a.one", "a.state.open", "a.kind.new", "a.two", "a.kinds"}, sources) == {
        "a.two",
        "a.kinds",
    }


def test_every_key_that_a_template_names_exists() -> None:
    named = {
        key
        for path in (_INTAKE / "staff/templates").rglob("*.html")
        for key in re.findall(rf"""\bt\(["']({_KEY})["']""", path.read_text("utf-8"))
        if not key.endswith(".")
    }
    assert named <= words("vi").keys()
    assert named


def actions_of(sources: list[str]) -> set[str]:
    """What programs write into the trail."""
    return {action for source in sources for action in _ACTION.findall(source)}


def test_every_action_of_the_trail_has_words() -> None:
    named = actions_of(_sources())
    assert {"signed-out", "case-sent", "person-disabled", "sign-in-failed"} <= named
    assert {action for action in named if said_of(action, "vi") == action} == set()
    assert {
        action for action in get_args(Action) if said_of(f"alert-{action}", "vi").startswith("alert")
    } == set()
    assert actions_of(['await record(request, "new-deed", "", {})']) == {"new-deed"}


def test_values_are_put_in_and_a_missing_one_is_an_error() -> None:
    assert say("en", "common.queued", count=3) == "3 waiting"
    with pytest.raises(KeyError):
        say("en", "common.queued", number=3)
    with pytest.raises(KeyError):
        say("vi", "common.no_such_sentence")


@pytest.mark.parametrize("content", ["other.key: text", "common.number: 3", "common.a: b: c"])
def test_a_file_with_a_foreign_key_or_no_text_is_refused(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "common.vi.yaml").write_text(content, "utf-8")
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    words.cache_clear()
    try:
        with pytest.raises(ConfigurationError, match=r"common\.vi\.yaml"):
            words("vi")
    finally:
        monkeypatch.undo()
        words.cache_clear()
    assert len(LANGUAGES) == 2
