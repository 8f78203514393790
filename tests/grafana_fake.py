"""A hand-written Grafana on this machine: keeps what it is sent, and refuses what the HTTP API would refuse.

Rules in our own words, after the HTTP API reference (11 to 13): paths and methods, keys that are required
and keys that exist, enumerations, references between what is sent.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

UID = re.compile(r"[a-zA-Z0-9_-]{1,40}")
RULE_KEYS = frozenset(
    {
        "id",
        "uid",
        "orgID",
        "folderUID",
        "ruleGroup",
        "title",
        "condition",
        "data",
        "updated",
        "noDataState",
        "execErrState",
        "for",
        "annotations",
        "labels",
        "isPaused",
        "provenance",
        "notification_settings",
        "record",
        "keep_firing_for",
        "missing_series_evals_to_resolve",
    }
)
RULE_NEEDS = frozenset(
    {"orgID", "folderUID", "ruleGroup", "title", "condition", "data", "noDataState", "execErrState", "for"}
)
QUERY_KEYS = frozenset({"datasourceUid", "model", "queryType", "refId", "relativeTimeRange"})
GROUP_KEYS = frozenset({"title", "folderUid", "interval", "rules"})
SOURCE_KEYS = frozenset(
    {
        "name",
        "type",
        "uid",
        "url",
        "user",
        "access",
        "database",
        "basicAuth",
        "basicAuthUser",
        "withCredentials",
        "isDefault",
        "jsonData",
        "secureJsonData",
        "version",
    }
)


class Refusal(Exception):
    """An answer that is not 200."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def _need(condition: object, message: str, status: int = 400) -> None:
    if not condition:
        raise Refusal(status, message)


@dataclass
class FakeGrafana:
    """What the server holds.

    Attributes:
        token: The one it knows.
        folders, sources, boards, groups, annotations: By uid (groups: folder and name; annotations: id).
        requests: Method and path of each request that changed something.
        failing: Status that every request is answered with, while set.
        provisioned: The data source came from a file: nobody may change it.
    """

    token: str = "t0ken"  # noqa: S105 - knows nothing worth hiding
    folders: dict[str, dict[str, Any]] = field(default_factory=dict)
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    boards: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    annotations: dict[int, dict[str, Any]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    failing: int | None = None
    provisioned: bool = False

    def answer(self, method: str, url: str, token: str | None, body: Any) -> Any:
        """The answer to one request.

        Raises:
            Refusal: it is another than 200.
        """
        _need(self.failing is None, "failing on purpose", self.failing or 0)
        _need(token == f"Bearer {self.token}", "Unauthorized", 401)
        parts = urlsplit(url)
        if method != "GET":
            self.requests.append((method, parts.path))
        for routed, pattern, handle in self._routes():
            match = re.fullmatch(pattern, parts.path)
            if match is not None and routed == method:
                return handle(body, *match.groups(), **parse_qs(parts.query))
        raise Refusal(404, f"no such route: {method} {parts.path}")

    def _routes(self) -> list[tuple[str, str, Callable[..., Any]]]:
        group = r"/api/v1/provisioning/folder/([^/]+)/rule-groups/([^/]+)"
        return [
            ("GET", r"/api/folders/([^/]+)", lambda _, uid: _there(self.folders, uid)),
            ("POST", r"/api/folders", self._create_folder),
            ("PUT", r"/api/folders/([^/]+)", self._update_folder),
            ("GET", r"/api/datasources/uid/([^/]+)", self._source),
            ("POST", r"/api/datasources", lambda body: self._save_source(body, None)),
            ("PUT", r"/api/datasources/uid/([^/]+)", lambda body, uid: self._save_source(body, uid)),
            ("GET", r"/api/dashboards/uid/([^/]+)", lambda _, uid: _there(self.boards, uid)),
            ("POST", r"/api/dashboards/db", self._save_board),
            ("GET", group, lambda _, folder, name: _there(self.groups, (folder, name))),
            ("PUT", group, self._save_group),
            ("GET", r"/api/annotations", self._find_annotations),
            ("POST", r"/api/annotations", self._add_annotation),
            ("PUT", r"/api/annotations/(\d+)", self._update_annotation),
        ]

    def _create_folder(self, body: Mapping[str, Any]) -> Any:
        _need(body.keys() <= {"title", "uid", "parentUid"} and body.get("title"), "bad folder")
        _need(UID.fullmatch(body["uid"]), "invalid uid for folder provided")
        _need(body["uid"] not in self.folders, "a folder with that uid already exists", 412)
        self.folders[body["uid"]] = {"id": len(self.folders) + 1, "version": 1, **body}
        return self.folders[body["uid"]]

    def _update_folder(self, body: Mapping[str, Any], uid: str) -> Any:
        folder = _there(self.folders, uid)
        _need(body.get("overwrite") or body.get("version") == folder["version"], "version mismatch", 412)
        folder |= {"title": body["title"], "version": folder["version"] + 1}
        return folder

    def _source(self, _: Any, uid: str) -> Any:
        source = _there(self.sources, uid)
        shown = {key: value for key, value in source.items() if key != "secureJsonData"}
        return {
            **shown,
            "readOnly": self.provisioned,
            "secureJsonFields": dict.fromkeys(source.get("secureJsonData", {}), True),
        }

    def _save_source(self, body: Mapping[str, Any], uid: str | None) -> Any:
        _need(not self.provisioned, "Cannot update read-only data source", 403)
        _need(body.keys() <= SOURCE_KEYS, f"unknown keys {sorted(body.keys() - SOURCE_KEYS)}")
        _need(
            body.get("name") and body.get("type") and body.get("access") in ("proxy", "direct"), "bad source"
        )
        _need("database" in body.get("jsonData", {}), "the browser reads jsonData.database only")
        if uid is None:
            _need(body["uid"] not in self.sources, "data source with the same uid already exists", 409)
        else:
            before = _there(self.sources, uid)
            body = {**body, "secureJsonData": {**before["secureJsonData"], **body.get("secureJsonData", {})}}
        self.sources[body["uid"]] = {"id": 1, "orgId": 1, **body}
        return {"message": "Datasource saved", "datasource": {"uid": body["uid"]}}

    def _save_board(self, body: Mapping[str, Any]) -> Any:
        known = {"dashboard", "folderId", "folderUid", "overwrite", "message", "isFolder", "UpdatedAt"}
        _need(body.keys() <= known and "dashboard" in body, f"unknown keys {sorted(body.keys() - known)}")
        board = body["dashboard"]
        _need(board.get("title"), "Dashboard title cannot be empty")
        _need(UID.fullmatch(board.get("uid", "")), "uid contains illegal characters")
        _need(body.get("folderUid") in self.folders, "folder not found")
        ids = [panel["id"] for panel in board["panels"]]
        _need(len(ids) == len(set(ids)), "duplicate panel ids")
        before = self.boards.get(board["uid"])
        _need(before is None or body.get("overwrite"), "the board has been changed", 412)
        version = 1 if before is None else before["dashboard"]["version"] + 1
        self.boards[board["uid"]] = {
            "dashboard": {**board, "id": len(self.boards) + 1, "version": version},
            "meta": {"folderUid": body["folderUid"], "provisioned": False},
        }
        return {"status": "success", "uid": board["uid"], "version": version}

    def _save_group(self, body: Mapping[str, Any], folder: str, name: str) -> Any:
        _need(body.keys() <= GROUP_KEYS, f"unknown keys {sorted(body.keys() - GROUP_KEYS)}")
        _need(folder in self.folders, "folder not found")
        _need(isinstance(body.get("interval"), int) and body["interval"] % 10 == 0, "interval in whole 10 s")
        for rule in body["rules"]:
            _need(rule.keys() <= RULE_KEYS, f"unknown keys {sorted(rule.keys() - RULE_KEYS)}")
            _need(rule.keys() >= RULE_NEEDS, f"missing keys {sorted(RULE_NEEDS - rule.keys())}")
            _need(UID.fullmatch(rule.get("uid", "")), "invalid UID")
            _need(rule["noDataState"] in ("Alerting", "NoData", "OK", "KeepLast"), "unknown no data state")
            _need(rule["execErrState"] in ("OK", "Alerting", "Error", "KeepLast"), "unknown error state")
            texts = [*rule.get("labels", {}).values(), *rule.get("annotations", {}).values()]
            _need(all(isinstance(text, str) for text in texts), "labels and annotations are texts")
            refs = [query["refId"] for query in rule["data"]]
            _need(rule["condition"] in refs, f"condition {rule['condition']} does not exist")
            for query in rule["data"]:
                _need(query.keys() <= QUERY_KEYS, f"unknown keys {sorted(query.keys() - QUERY_KEYS)}")
                source = query["datasourceUid"]
                _need(source == "__expr__" or source in self.sources, f"data source {source} not found")
        rules = [
            {"id": n, "updated": "2026-01-01T00:00:00Z", "provenance": "api", **r}
            for n, r in enumerate(body["rules"])
        ]
        self.groups[folder, name] = {**body, "rules": rules}
        return self.groups[folder, name]

    def _find_annotations(self, _: Any, **query: list[str]) -> Any:
        unknown = query.keys() - {"from", "to", "alertId", "dashboardUID", "panelId", "type", "tags", "limit"}
        _need(not unknown, f"unknown query {sorted(unknown)}")
        wanted = set(query.get("tags", ()))
        return [
            one
            for one in self.annotations.values()
            if one["dashboardUID"] in query["dashboardUID"] and wanted <= set(one["tags"])
        ]

    def _add_annotation(self, body: Mapping[str, Any]) -> Any:
        _need(body.get("text") and isinstance(body.get("time"), int), "text and time are needed")
        _need(body.get("dashboardUID") in self.boards, "dashboard not found", 404)
        number = len(self.annotations) + 1
        self.annotations[number] = {"id": number, **body}
        return {"id": number, "message": "Annotation added"}

    def _update_annotation(self, body: Mapping[str, Any], number: str) -> Any:
        known = {key: value for key, value in body.items() if value is not None}
        _there(self.annotations, int(number)).update(known)
        return {"message": "Annotation updated"}


def _there(things: dict[Any, dict[str, Any]], key: Any) -> dict[str, Any]:
    _need(key in things, "not found", 404)
    return things[key]


@contextmanager
def serving(grafana: FakeGrafana) -> Iterator[str]:
    """The address of the fake while it listens."""

    class Handler(BaseHTTPRequestHandler):
        def _go(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, answer = 200, None
            try:
                answer = grafana.answer(
                    self.command,
                    self.path,
                    self.headers.get("Authorization"),
                    json.loads(raw) if raw else None,
                )
            except Refusal as refusal:
                status, answer = refusal.status, {"message": str(refusal)}
            out = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(out)))
            self.end_headers()
            self.wfile.write(out)

        do_GET = do_POST = do_PUT = do_DELETE = _go  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
