"""What Grafana is to hold, read from the files that provision it: dashboards/generated, deploy/grafana.

Over the HTTP API Grafana puts in no variables, so the data source's are put in here.
"""

import json
import os
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from streams.domain.errors import ConfigurationError

ROOT: Final = Path(__file__).parents[2]
BOARDS: Final = ROOT / "dashboards" / "generated"
PROVISIONING: Final = ROOT / "deploy" / "grafana" / "provisioning"
ANNOTATIONS: Final = ROOT / "deploy" / "grafana" / "annotations.yaml"

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|__env\{(\w+)\}|__file\{([^}]+)\})")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@dataclass(frozen=True, slots=True)
class Annotation:
    """A mark on every board of a language: something that makes figures before and after it another thing.

    Attributes:
        board_uid: Of the board.
        time: Milliseconds since 1970.
        text: What happened.
        tags: The first two are the project's and the mark's own name, by which it is found again.
    """

    board_uid: str
    time: int
    text: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """Rules that are evaluated together, in the shape of the HTTP API."""

    folder_uid: str
    name: str
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Everything that is pushed.

    Attributes:
        folders: Title by uid.
        datasource: In the shape of the HTTP API, without its secrets.
        secrets: Its secureJsonData.
        boards: (folder's uid, the board's JSON).
        groups: The alert rules.
        annotations: Marks on the boards.
    """

    folders: Mapping[str, str]
    datasource: Mapping[str, Any]
    secrets: Mapping[str, str]
    boards: tuple[tuple[str, Mapping[str, Any]], ...]
    groups: tuple[RuleGroup, ...]
    annotations: tuple[Annotation, ...]


def read_wanted(
    boards: Path = BOARDS,
    provisioning: Path = PROVISIONING,
    annotations: Path = ANNOTATIONS,
    environment: Mapping[str, str] | None = None,
) -> Wanted:
    """Read the files.

    Args:
        boards: One folder per language, named as in the provisioned paths.
        provisioning: As Grafana reads it.
        annotations: The marks.
        environment: Where variables are looked up; the process's own by default.

    Raises:
        ConfigurationError: a file is missing or unreadable, or variables and secret files are; names all.
    """
    folders: dict[str, str] = {}
    found: list[tuple[str, Mapping[str, Any]]] = []
    languages: dict[str, list[str]] = {}
    for provider in _yaml(provisioning / "dashboards" / "boards.yaml")["providers"]:
        folders[provider["folderUid"]] = provider["folder"]
        language = Path(provider["options"]["path"]).name
        for path in sorted((boards / language).glob("*.json")):
            board = _json(path)
            found.append((provider["folderUid"], board))
            languages.setdefault(language, []).append(board["uid"])
    if not found:
        raise ConfigurationError(f"{boards} holds no boards: run `make dashboards`.")
    (source,) = _yaml(provisioning / "datasources" / "surveillance.yaml")["datasources"]
    environment = os.environ if environment is None else environment
    source = _filled_in(source, environment)
    secrets = source.pop("secureJsonData")
    # Keys of the file that the API does not have.
    for key in ("editable", "orgId"):
        source.pop(key, None)
    groups = list(_groups(_yaml(provisioning / "alerting" / "rules.yaml")["groups"], folders))
    return Wanted(
        folders,
        source,
        secrets,
        tuple(found),
        tuple(groups),
        tuple(_annotations(_yaml(annotations)["annotations"], languages)),
    )


def slug(title: str) -> str:
    """A uid made of a title: ASCII letters and digits with hyphens.

    >>> slug("Cảnh báo dịch")
    'canh-bao-dich'
    """
    plain = unicodedata.normalize("NFKD", title.replace("đ", "d").replace("Đ", "D"))
    ascii_text = plain.encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text).strip("-")


def seconds(duration: str) -> int:
    """Seconds of a duration as the provisioning files write it.

    >>> seconds("1m"), seconds("2h")
    (60, 7200)
    """
    return int(duration[:-1]) * _SECONDS[duration[-1]]


def _groups(groups: list[Mapping[str, Any]], folders: dict[str, str]) -> Iterator[RuleGroup]:
    for group in groups:
        uid = slug(group["folder"])
        folders[uid] = group["folder"]
        rules = [
            {**rule, "ruleGroup": group["name"], "folderUID": uid, "orgID": group.get("orgId", 1)}
            for rule in group["rules"]
        ]
        for rule in rules:
            # The API has the board that a rule belongs to among its annotations only.
            for key in ("dashboardUid", "panelId"):
                rule.pop(key, None)
        yield RuleGroup(
            uid,
            group["name"],
            {
                "title": group["name"],
                "folderUid": uid,
                "interval": seconds(group["interval"]),
                "rules": rules,
            },
        )


def _annotations(marks: list[Mapping[str, Any]], languages: Mapping[str, list[str]]) -> Iterator[Annotation]:
    for mark in marks:
        time = int(mark["time"].timestamp() * 1000)
        for language, uids in languages.items():
            for uid in uids:
                yield Annotation(
                    uid, time, mark[f"text_{language}"], ("canhdich", f"canhdich:{mark['name']}")
                )


def _filled_in(document: Any, environment: Mapping[str, str]) -> Any:
    """The document with what its variables and secret files hold.

    Raises:
        ConfigurationError: some are missing or empty; names all of them.
    """
    missing: list[str] = []

    def value(match: re.Match[str]) -> str:
        name, path = match[1] or match[2], match[3]
        if name:
            text = environment.get(name, "")
            if not text:
                missing.append(f"the variable {name}")
            return text
        try:
            text = Path(path).read_text("utf-8").strip()
        except OSError:
            text = ""
        if not text:
            missing.append(f"the file {path}")
        return text

    def fill(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: fill(item) for key, item in node.items()}
        if isinstance(node, list):
            return [fill(item) for item in node]
        return _VARIABLE.sub(value, node) if isinstance(node, str) else node

    filled = fill(document)
    if missing:
        raise ConfigurationError(
            f"The data source needs {', '.join(missing)}; docs/boards.md says what each is for."
        )
    return filled


def _yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error
