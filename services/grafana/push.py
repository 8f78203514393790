"""The differences between what Grafana holds and what it is to hold, and making them good."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any, Final, Literal

from services.grafana.server import Server
from services.grafana.wanted import Annotation, RuleGroup, Wanted

_LONGEST_DIFF: Final = 60


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it is to be.

    Attributes:
        kind: What it is.
        name: Which.
        action: What is to be done.
        diff: Lines of a unified diff: what is there (-), what is to be there (+).
        apply: Does it.
    """

    kind: Literal["folder", "datasource", "board", "rules", "annotation"]
    name: str
    action: Literal["create", "update"]
    diff: tuple[str, ...]
    apply: Callable[[], None]

    def document(self) -> dict[str, Any]:
        """As commands print it."""
        return {"kind": self.kind, "name": self.name, "action": self.action, "diff": list(self.diff)}


def changes(server: Server, wanted: Wanted, *, with_secrets: bool = False) -> Iterator[Change]:
    """What differs, in the order in which it has to be made good: a board needs its folder.

    Grafana never tells a secret, so another password alone is not seen.

    Args:
        server: Where to look.
        wanted: What is to be there.
        with_secrets: The data source is written whether it differs or not.

    Raises:
        DependencyDown, ConfigurationError, RefusedAction: as Server's methods.
    """
    for uid, title in wanted.folders.items():
        there = server.folder(uid)
        if there is None or there.get("title") != title:
            yield _change(
                "folder",
                uid,
                None if there is None else {"title": there.get("title")},
                {"title": title},
                _saving_folder(server, uid, title, is_new=there is None),
            )
    yield from _datasource(server, wanted, with_secrets=with_secrets)
    for folder_uid, board in wanted.boards:
        found = server.board(board["uid"])
        shown = None if found is None else _board_there(found)
        if shown != {"folderUid": folder_uid, **board}:
            yield _change(
                "board",
                board["uid"],
                shown,
                {"folderUid": folder_uid, **board},
                _saving_board(server, folder_uid, board),
            )
    for group in wanted.groups:
        before = server.rule_group(group)
        same = None if before is None else _as_wanted(before, group.document)
        if same != group.document:
            yield _change(
                "rules",
                f"{group.folder_uid}/{group.name}",
                same,
                group.document,
                _saving_group(server, group),
            )
    yield from _marks(server, wanted.annotations)


def _datasource(server: Server, wanted: Wanted, *, with_secrets: bool) -> Iterator[Change]:
    there = server.datasource(wanted.datasource["uid"])
    known = None if there is None else _as_wanted(there, wanted.datasource)
    has_secrets = there is not None and all(
        there.get("secureJsonFields", {}).get(name) for name in wanted.secrets
    )
    if known != wanted.datasource or not has_secrets or with_secrets:
        document = {**wanted.datasource, "secureJsonData": dict(wanted.secrets)}
        is_new = there is None
        yield _change(
            "datasource",
            wanted.datasource["uid"],
            None if known is None else {**known, "secrets": "set" if has_secrets else "missing"},
            {**wanted.datasource, "secrets": "set"},
            lambda: server.save_datasource(document, is_new=is_new),
        )


def _marks(server: Server, marks: tuple[Annotation, ...]) -> Iterator[Change]:
    there: dict[str, list[Mapping[str, Any]]] = {}
    for mark in marks:
        if mark.board_uid not in there:
            there[mark.board_uid] = server.annotations(mark.board_uid)
        own = next((one for one in there[mark.board_uid] if mark.tags[1] in one.get("tags", ())), None)
        before = None if own is None else {"time": own["time"], "text": own["text"]}
        after = {"time": mark.time, "text": mark.text}
        if before != after:
            number = None if own is None else int(own["id"])
            yield _change(
                "annotation",
                f"{mark.board_uid} {mark.tags[1]}",
                before,
                after,
                _saving_annotation(server, mark, number),
            )


def _board_there(found: Mapping[str, Any]) -> dict[str, Any]:
    """The board without what Grafana adds to it."""
    board = {key: value for key, value in found["dashboard"].items() if key not in ("id", "version")}
    return {"folderUid": found.get("meta", {}).get("folderUid"), **board}


def _as_wanted(there: Any, wanted: Any) -> Any:
    """What is there, without the keys that nobody asked for: Grafana adds ids, defaults and times."""
    if isinstance(wanted, Mapping) and isinstance(there, Mapping):
        return {key: _as_wanted(there[key], wanted[key]) for key in wanted if key in there}
    if isinstance(wanted, list) and isinstance(there, list):
        return [
            _as_wanted(one, other)
            for one, other in zip(there, [*wanted, *there[len(wanted) :]], strict=False)
        ]
    return there


def _change(kind: Any, name: str, before: Any, after: Any, apply: Callable[[], None]) -> Change:
    lines = unified_diff(_lines(before), _lines(after), "grafana", "files", lineterm="", n=1)
    diff = tuple(line for line in lines if not line.startswith(("---", "+++")))
    if len(diff) > _LONGEST_DIFF:
        diff = (*diff[:_LONGEST_DIFF], f"… and {len(diff) - _LONGEST_DIFF} more lines")
    return Change(kind, name, "create" if before is None else "update", diff, apply)


def _lines(document: Any) -> list[str]:
    if document is None:
        return []
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True).splitlines()


def _saving_folder(server: Server, uid: str, title: str, *, is_new: bool) -> Callable[[], None]:
    return lambda: server.save_folder(uid, title, is_new=is_new)


def _saving_board(server: Server, folder_uid: str, board: Mapping[str, Any]) -> Callable[[], None]:
    return lambda: server.save_board(folder_uid, board)


def _saving_group(server: Server, group: RuleGroup) -> Callable[[], None]:
    return lambda: server.save_rule_group(group)


def _saving_annotation(server: Server, mark: Annotation, number: int | None) -> Callable[[], None]:
    return lambda: server.save_annotation(mark, number)
