"""What Grafana is started with: it ignores keys that it does not know, and takes unset variables for empty.

The keys are written down here in our own words, after the pages "Provision Grafana", "Provision alerting
resources" and "Configure Grafana" of its documentation. Every check is shown to reject.
"""

import configparser
import copy
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.__main__ import generate
from services.monitor import limits

ROOT = Path(__file__).parents[2]
GRAFANA = ROOT / "deploy" / "grafana"
FILES = {
    "datasources": "datasources/surveillance.yaml",
    "dashboards": "dashboards/boards.yaml",
    "notifications": "alerting/notifications.yaml",
    "rules": "alerting/rules.yaml",
}
Documents = dict[str, Any]

# A dict: these keys and no others, each by its own rule; `?` may be left out. A list of one: a list of such.
# A tuple: one of these. A text: a pattern of the whole text. A type: of this type.
_UID = r"[a-zA-Z0-9_-]{1,40}"
_TIME = r"(\d+(ms|s|m|h|d|w))+"
_TEXT = r"(?s).*\S.*"
_SOURCE = {"type": ("grafana-postgresql-datasource",), "uid": ("surveillance",)}
_QUERY = {
    "refId": r"[A-Z]",
    "datasourceUid": ("surveillance",),
    "relativeTimeRange": {"from": int, "to": int},
    "model": {
        "refId": r"[A-Z]",
        "datasource": _SOURCE,
        "editorMode": ("code",),
        "format": ("table", "time_series"),
        "rawQuery": (True,),
        "rawSql": _TEXT,
        "intervalMs": int,
        "maxDataPoints": int,
    },
}
_CONDITION = {
    "refId": r"[A-Z]",
    "datasourceUid": ("__expr__",),
    "relativeTimeRange": {"from": int, "to": int},
    "model": {
        "refId": r"[A-Z]",
        "type": ("threshold",),
        "expression": r"[A-Z]",
        "datasource": {"type": ("__expr__",), "uid": ("__expr__",)},
        "conditions": [{"evaluator": {"type": ("gt", "lt"), "params": list}}],
    },
}
_ROUTE: dict[str, Any] = {
    "receiver": _TEXT,
    "group_by": [_TEXT],
    "group_wait": _TIME,
    "group_interval": _TIME,
    "repeat_interval": _TIME,
}
SHAPES: Mapping[str, Any] = {
    "datasources": {
        "apiVersion": (1,),
        "prune": bool,
        "datasources": [
            {
                "name": _TEXT,
                "uid": ("surveillance",),
                "type": ("grafana-postgresql-datasource",),
                "access": ("proxy",),
                "orgId": int,
                "url": _TEXT,
                "user": ("canhdich_grafana",),
                "isDefault": (True,),
                "editable": (False,),
                "jsonData": {
                    "database": _TEXT,
                    "sslmode": ("require", "verify-ca", "verify-full"),
                    "sslRootCertFile?": _TEXT,
                    "tlsConfigurationMethod?": ("file-path",),
                    "postgresVersion": int,
                    "timescaledb": (True,),
                    "timeInterval": _TIME,
                    "maxOpenConns": int,
                    "maxIdleConns": int,
                    "connMaxLifetime": int,
                },
                "secureJsonData": {"password": r"\$__file\{/run/secrets/\w+\}"},
            }
        ],
    },
    "dashboards": {
        "apiVersion": (1,),
        "providers": [
            {
                "name": _TEXT,
                "orgId": int,
                "type": ("file",),
                "folder": _TEXT,
                "folderUid": _UID,
                "disableDeletion": bool,
                "allowUiUpdates": (False,),
                "updateIntervalSeconds": int,
                "options": {"path": r"/etc/canhdich/boards/\w+", "foldersFromFilesStructure": (False,)},
            }
        ],
    },
    "rules": {
        "apiVersion": (1,),
        "groups": [
            {
                "orgId": int,
                "name": _TEXT,
                "folder": _TEXT,
                "interval": _TIME,
                "rules": [
                    {
                        "uid": _UID,
                        "title": _TEXT,
                        "condition": r"[A-Z]",
                        "for": _TIME,
                        "keepFiringFor?": _TIME,
                        "dashboardUid?": _UID,
                        "panelId?": int,
                        "noDataState": ("OK", "Alerting", "NoData", "KeepLast"),
                        "execErrState": ("OK", "Alerting", "Error", "KeepLast"),
                        "isPaused": (False,),
                        "labels": {
                            "team": ("epidemiology", "operations", "watchdog"),
                            "severity": ("critical", "warning", "notice", "none"),
                        },
                        "annotations": {
                            "summary_vi": _TEXT,
                            "summary_en": _TEXT,
                            "runbook": r"docs/runbook/[\w-]+\.md",
                            "__dashboardUid__?": _UID,
                            "__panelId__?": r"\d+",
                        },
                        "data": list,
                    }
                ],
            }
        ],
        "deleteRules?": [{"orgId": int, "uid": _UID}],
    },
    "notifications": {
        "apiVersion": (1,),
        "contactPoints": [{"orgId": int, "name": _TEXT, "receivers": list}],
        "policies": [{"orgId": int, **_ROUTE, "routes": list}],
        "muteTimes": [{"orgId": int, "name": _TEXT, "time_intervals": list}],
        "templates": [{"orgId": int, "name": _TEXT, "template": _TEXT}],
    },
}
RECEIVERS: Mapping[str, Any] = {
    "email": {
        "addresses": r"\$\{\w+\}",
        "singleEmail": bool,
        "subject": r'\{\{ template "canhdich\.title" \. \}\}',
        "message": r'\{\{ template "canhdich\.message" \. \}\}',
    },
    "webhook": {
        "url": r"\$\{\w+\}",
        "httpMethod": ("POST", "PUT"),
        "authorization_scheme?": ("Bearer",),
        "authorization_credentials?": r"\$__file\{/run/secrets/\w+\}",
        "maxAlerts?": r"\d+",
        "title?": _TEXT,
        "message?": _TEXT,
    },
}
SUBROUTE = {
    **_ROUTE,
    "object_matchers": list,
    "mute_time_intervals?": [_TEXT],
    "continue?": bool,
}
MUTE = {
    "times?": [{"start_time": r"\d\d:\d\d", "end_time": r"\d\d:\d\d"}],
    "weekdays?": [r"(mon|tues|wednes|thurs|fri|satur|sun)day"],
    "location": ("Asia/Ho_Chi_Minh",),
}
INI: Mapping[str, str] = {
    "server": "protocol http_addr http_port domain enforce_domain root_url serve_from_sub_path "
    "router_logging enable_gzip cert_file cert_key read_timeout",
    "security": "disable_initial_admin_creation admin_user admin_password admin_email secret_key "
    "disable_gravatar data_source_proxy_whitelist disable_brute_force_login_protection cookie_secure "
    "cookie_samesite allow_embedding strict_transport_security strict_transport_security_max_age_seconds "
    "x_content_type_options x_xss_protection content_security_policy content_security_policy_template "
    "csrf_trusted_origins csrf_always_check",
    "auth": "login_cookie_name login_maximum_inactive_lifetime_duration login_maximum_lifetime_duration "
    "disable_login disable_login_form disable_signout_menu signout_redirect_url",
    "auth.anonymous": "enabled org_name org_role hide_version",
    "users": "allow_sign_up allow_org_create auto_assign_org auto_assign_org_id auto_assign_org_role "
    "verify_email_enabled default_theme default_language home_page viewers_can_edit editors_can_admin "
    "hidden_users",
    "explore": "enabled",
    "snapshots": "enabled external_enabled external_snapshot_url external_snapshot_name public_mode",
    "public_dashboards": "enabled",
    "dashboards": "versions_to_keep min_refresh_interval default_home_dashboard_path",
    "date_formats": "full_date interval_second interval_minute interval_hour interval_day interval_month "
    "interval_year use_browser_locale default_timezone default_week_start",
    "analytics": "reporting_enabled reporting_distributor check_for_updates check_for_plugin_updates "
    "feedback_links_enabled",
    "news": "news_feed_enabled",
    "plugins": "allow_loading_unsigned_plugins plugin_admin_enabled plugin_admin_external_manage_enabled "
    "plugin_catalog_url disable_plugins public_key_retrieval_disabled public_key_retrieval_on_startup "
    "preinstall preinstall_async preinstall_disabled preinstall_auto_update",
    "unified_alerting": "enabled disabled_orgs execute_alerts evaluation_timeout max_attempts min_interval",
    "smtp": "enabled host user password cert_file key_file skip_verify from_address from_name ehlo_identity "
    "startTLS_policy",
    "dataproxy": "logging timeout row_limit",
    "log": "mode level filters",
}
"""Keys that Grafana reads, by section: of its conf/defaults.ini and sample.ini (10.0 and 11.4), of
pkg/setting/setting_plugins.go (13) and of its page "Configure Grafana" (default_week_start)."""
CLOSED: Mapping[tuple[str, str], str] = {
    ("auth.anonymous", "enabled"): "false",
    ("users", "allow_sign_up"): "false",
    ("users", "auto_assign_org_role"): "Viewer",
    ("users", "viewers_can_edit"): "false",
    ("explore", "enabled"): "false",
    ("snapshots", "enabled"): "false",
    ("snapshots", "external_enabled"): "false",
    ("public_dashboards", "enabled"): "false",
    ("security", "disable_gravatar"): "true",
    ("security", "cookie_secure"): "true",
    ("security", "allow_embedding"): "false",
    ("analytics", "reporting_enabled"): "false",
    ("analytics", "check_for_updates"): "false",
    ("analytics", "check_for_plugin_updates"): "false",
    ("news", "news_feed_enabled"): "false",
    ("plugins", "plugin_admin_enabled"): "false",
    ("plugins", "public_key_retrieval_disabled"): "true",
    ("plugins", "preinstall_disabled"): "true",
    ("plugins", "preinstall_auto_update"): "false",
}
"""Read-only, closed to strangers, and nothing is asked of the outside."""


def mismatches(value: Any, shape: Any, where: str) -> Iterator[str]:
    """Where a document is not of a shape, one sentence each."""
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            yield f"{where} is no mapping"
            return
        known = {key.rstrip("?"): (rule, key.endswith("?")) for key, rule in shape.items()}
        yield from (f"{where}.{key} is no key of Grafana's" for key in value if key not in known)
        for key, (rule, is_optional) in known.items():
            if key in value:
                yield from mismatches(value[key], rule, f"{where}.{key}")
            elif not is_optional:
                yield f"{where}.{key} is missing"
    elif isinstance(shape, list):
        if not isinstance(value, list) or not value:
            yield f"{where} is no list, or empty"
            return
        for place, item in enumerate(value):
            yield from mismatches(item, shape[0], f"{where}[{place}]")
    elif isinstance(shape, tuple):
        if not any(value is one or (value == one and type(value) is type(one)) for one in shape):
            yield f"{where} is {value!r}, not one of {shape}"
    elif isinstance(shape, str):
        if not isinstance(value, str) or not re.fullmatch(shape, value):
            yield f"{where} is {value!r}"
    elif type(value) is not shape:
        yield f"{where} is {value!r}, not {shape.__name__}"


def faults(documents: Documents) -> list[str]:
    """Everything that is wrong with the four files together."""
    found = [
        sentence for name, shape in SHAPES.items() for sentence in mismatches(documents[name], shape, name)
    ]
    if not found:
        found += [*_notification_faults(documents["notifications"])]
    if not found:
        found += [*_rule_faults(documents["rules"], documents["notifications"])]
        names = [provider["folderUid"] for provider in documents["dashboards"]["providers"]]
        found += [f"dashboards: two providers fill {name}" for name in set(names) if names.count(name) > 1]
    return found


def _notification_faults(document: Mapping[str, Any]) -> Iterator[str]:
    uids = []
    for point in document["contactPoints"]:
        for receiver in point["receivers"]:
            where = f"receiver {receiver.get('uid')}"
            shape = RECEIVERS.get(receiver.get("type"))
            if shape is None:
                yield f"{where} is of type {receiver.get('type')!r}"
                continue
            whole = {"uid": _UID, "type": _TEXT, "disableResolveMessage": bool, "settings": shape}
            yield from mismatches(receiver, whole, where)
            uids.append(receiver["uid"])
    yield from (f"two receivers are {uid}" for uid in set(uids) if uids.count(uid) > 1)
    points = {point["name"] for point in document["contactPoints"]}
    mutes = {mute["name"] for mute in document["muteTimes"]}
    if len(document["policies"]) != 1:
        yield "one tree of policies per organisation"
    (root, *_) = document["policies"]
    for place, route in enumerate([root, *root["routes"]]):
        if place:
            yield from mismatches(route, SUBROUTE, f"route {place}")
        if route.get("receiver") not in points:
            yield f"route {place} goes to {route.get('receiver')}, which is no contact point"
        for mute in route.get("mute_time_intervals", ()):
            if mute not in mutes:
                yield f"route {place} is muted by {mute}, which is no mute timing"
        for matcher in route.get("object_matchers", ()):
            if len(matcher) != 3 or matcher[1] not in ("=", "!=", "=~", "!~"):
                yield f"route {place} has the matcher {matcher}"
    used = {route.get("receiver") for route in [root, *root["routes"]]}
    yield from (f"nobody is told through {name}" for name in sorted(points - used))
    for mute in document["muteTimes"]:
        yield from mismatches(mute["time_intervals"], [MUTE], f"mute timing {mute['name']}")
    for template in document["templates"]:
        text = template["template"]
        defined = set(re.findall(r'\{\{ define "([\w.]+)"', text))
        called = set(re.findall(r'template "([\w.]+)"', yaml.safe_dump(document)))
        yield from (f"template {name} is not defined" for name in sorted(called - defined))
        opened = len(re.findall(r"\{\{-? ?(?:define|if|range|with|block)\b", text))
        closed = len(re.findall(r"\{\{-? ?end\b", text))
        if opened != closed or text.count("{{") != text.count("}}"):
            yield f"template {template['name']} does not close what it opens"


def routed(labels: Mapping[str, str], document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The policy that takes an alert: the first whose matchers all hold, else the root."""
    (root,) = document["policies"]
    for route in root["routes"]:
        if all(labels.get(name) == value for name, _, value in route["object_matchers"]):
            return route  # type: ignore[no-any-return]
    return root  # type: ignore[no-any-return]


def _rule_faults(document: Mapping[str, Any], notifications: Mapping[str, Any]) -> Iterator[str]:
    rules = [rule for group in document["groups"] for rule in group["rules"]]
    uids = [rule["uid"] for rule in rules]
    yield from (f"two rules are {uid}" for uid in set(uids) if uids.count(uid) > 1)
    for rule in rules:
        uid = rule["uid"]
        queries = [query for query in rule["data"] if query.get("datasourceUid") == "surveillance"]
        conditions = [query for query in rule["data"] if query.get("datasourceUid") == "__expr__"]
        if len(queries) + len(conditions) != len(rule["data"]):
            yield f"{uid} asks another data source"
        for query, shape in [*((q, _QUERY) for q in queries), *((q, _CONDITION) for q in conditions)]:
            yield from mismatches(query, shape, f"{uid}/{query.get('refId')}")
            if query["model"].get("refId") != query["refId"]:
                yield f"{uid}/{query['refId']}: the model has another refId"
        refs = {query["refId"] for query in rule["data"]}
        if rule["condition"] not in {query["refId"] for query in conditions}:
            yield f"{uid}: condition {rule['condition']} is no threshold"
        for query in conditions:
            if query["model"].get("expression") not in refs - {query["refId"]}:
                yield f"{uid}: the threshold is on {query['model'].get('expression')}, which is no query"
        for query in queries:
            sql = query["model"]["rawSql"]
            if re.search(r"\$\{|\$(?!__)\w|\[\[", sql):
                yield f"{uid}: an alert rule has no variables of a board"
            if re.search(r"\b(public\.|case_events|cases\b|registers)", sql):
                yield f"{uid}: rules read the boards' views only"
        if any("$" in value for value in rule["labels"].values()):
            yield f"{uid}: labels are filled from the environment"
        if re.search(r"\$\{", yaml.safe_dump(rule["annotations"])):
            yield f"{uid}: annotations are filled from the environment"
        page = ROOT / rule["annotations"]["runbook"]
        if not page.exists():
            yield f"{uid} has no page {rule['annotations']['runbook']}"
        elif f"`{uid}`" not in page.read_text("utf-8"):
            yield f"{page.name} does not name {uid}"
        yield from _board_faults(rule)
        is_critical = rule["labels"]["severity"] == "critical"
        if is_critical and routed(rule["labels"], notifications).get("mute_time_intervals"):
            yield f"{uid} is critical and muted"
    watchdogs = [rule for rule in rules if rule["labels"]["team"] == "watchdog"]
    if [(rule["noDataState"], rule["execErrState"]) for rule in watchdogs] != [("OK", "OK")]:
        yield "one watchdog, which an outage must not keep firing"
    elif routed(watchdogs[0]["labels"], notifications)["receiver"] != "heartbeat":
        yield "the watchdog does not go to the heartbeat"


def _board_faults(rule: Mapping[str, Any]) -> Iterator[str]:
    """The board and panel that a message leads to: the watchdog has none."""
    place = (rule.get("dashboardUid"), rule.get("panelId"))
    notes = rule["annotations"]
    if (notes.get("__dashboardUid__"), notes.get("__panelId__")) != (place[0], place[1] and str(place[1])):
        yield f"{rule['uid']}: its annotations lead to another panel"
    if place not in _PANELS and (place != (None, None) or rule["labels"]["team"] != "watchdog"):
        yield f"{rule['uid']} belongs to {place}, which is no panel"


_PANELS = {
    (board["uid"], panel["id"]) for board in map(json.loads, generate().values()) for panel in board["panels"]
}


def ini_faults(text: str) -> Iterator[str]:
    """What is wrong with grafana.ini."""
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(text)
    for section in parser.sections():
        known = INI.get(section, "").split()
        if not known:
            yield f"[{section}] is no section of Grafana's"
        yield from (
            f"[{section}] {key} is no key of Grafana's" for key in parser[section] if key not in known
        )
    for (section, key), value in CLOSED.items():
        if parser.get(section, key, fallback=None) != value:
            yield f"[{section}] {key} is not {value}"
    for section, key in (("security", "admin_password"), ("security", "secret_key"), ("smtp", "password")):
        if not parser.get(section, key, fallback="").startswith("$__file{/run/secrets/"):
            yield f"[{section}] {key} is not read from a secret file"


def read() -> Documents:
    return {
        name: yaml.safe_load((GRAFANA / "provisioning" / path).read_text("utf-8"))
        for name, path in FILES.items()
    }


@pytest.fixture(scope="module")
def documents() -> Documents:
    return read()


def test_the_files_are_in_order(documents: Documents) -> None:
    assert faults(documents) == []


def test_no_file_is_overlooked() -> None:
    there = {
        path.relative_to(GRAFANA / "provisioning").as_posix()
        for path in GRAFANA.rglob("*.yaml")
        if "provisioning" in path.parts
    }
    assert there == set(FILES.values())


Break = Callable[[Documents], None]


def put(*path: Any, value: Any) -> Break:
    """Sets a value deep in the documents."""

    def change(documents: Documents) -> None:
        node: Any = documents
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = value

    return change


def take(*path: Any) -> Break:
    """Takes a value out."""

    def change(documents: Documents) -> None:
        node: Any = documents
        for key in path[:-1]:
            node = node[key]
        del node[path[-1]]

    return change


SOURCE = ("datasources", "datasources", 0)
RULE = ("rules", "groups", 0, "rules", 0)
POLICY = ("notifications", "policies", 0)
RECEIVER = ("notifications", "contactPoints", 0, "receivers", 0)
TEMPLATE = ("notifications", "templates", 0, "template")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (put(*SOURCE, "database", value="canhdich"), "datasources[0].database is no key"),
        (put(*SOURCE, "jsonData", "timescaledb", value=False), "timescaledb is False"),
        (take(*SOURCE, "jsonData", "database"), "jsonData.database is missing"),
        (put(*SOURCE, "uid", value="other"), "uid is 'other'"),
        (put(*SOURCE, "user", value="postgres"), "user is 'postgres'"),
        (put(*SOURCE, "editable", value=True), "editable is True"),
        (put(*SOURCE, "jsonData", "sslmode", value="disable"), "sslmode is 'disable'"),
        (put(*SOURCE, "secureJsonData", "password", value="secret"), "password is 'secret'"),
        (take("dashboards", "apiVersion"), "apiVersion is missing"),
        (put("dashboards", "providers", 0, "allowUiUpdates", value=True), "allowUiUpdates is True"),
        (put("dashboards", "providers", 0, "path", value="/x"), "path is no key"),
        (put("dashboards", "providers", 0, "folderUid", value="canhdich-en"), "two providers fill"),
        (put(*RULE, "keep_firing_for", value="1m"), "keep_firing_for is no key"),
        (put(*RULE, "for", value="5 minutes"), "for is '5 minutes'"),
        (put(*RULE, "noDataState", value="Ok"), "noDataState is 'Ok'"),
        (take(*RULE, "execErrState"), "execErrState is missing"),
        (put(*RULE, "isPaused", value=True), "isPaused is True"),
        (put(*RULE, "uid", value="alert-open"), "two rules are alert-open"),
        (put(*RULE, "condition", value="A"), "condition A is no threshold"),
        (put(*RULE, "data", 1, "model", "expression", value="B"), "which is no query"),
        (put(*RULE, "data", 0, "model", "refId", value="B"), "another refId"),
        (put(*RULE, "data", 0, "datasourceUid", value="other"), "asks another data source"),
        (put(*RULE, "data", 0, "model", "format", value="tabel"), "format is 'tabel'"),
        (put(*RULE, "data", 0, "model", "rawSql", value="select ${x}"), "no variables of a board"),
        (put(*RULE, "data", 0, "model", "rawSql", value="select 1 from public.cases"), "views only"),
        (put(*RULE, "labels", "team", value="$TEAM"), "team is '$TEAM'"),
        (put(*RULE, "labels", "severity", value="high"), "severity is 'high'"),
        (put(*RULE, "annotations", "summary_en", value="${X}"), "annotations are filled"),
        (take(*RULE, "annotations", "summary_vi"), "summary_vi is missing"),
        (put(*RULE, "annotations", "runbook", value="docs/runbook/none.md"), "has no page"),
        (put(*RULE, "annotations", "runbook", value="docs/runbook/drift.md"), "does not name"),
        (put(*RULE, "panelId", value=99), "which is no panel"),
        (put(*RULE, "dashboardUid", value="alarms-vi"), "which is no panel"),
        (take(*RULE, "dashboardUid"), "which is no panel"),
        (put(*RULE, "annotations", "__panelId__", value="6"), "lead to another panel"),
        (take(*RULE, "annotations", "__dashboardUid__"), "lead to another panel"),
        (put("rules", "groups", 2, "rules", 0, "execErrState", value="Error"), "one watchdog"),
        (put("rules", "groups", 2, "rules", 0, "labels", "team", value="operations"), "one watchdog"),
        (put(*POLICY, "receiver", value="nobody"), "goes to nobody"),
        (put(*POLICY, "mute_time_intervals", value=["nights"]), "mute_time_intervals is no key"),
        (put(*POLICY, "routes", 0, "receiver", value="operations"), "through heartbeat"),
        (put(*POLICY, "routes", 0, "object_matchers", value=[["team", "=", "x"]]), "not go to the heartbeat"),
        (put(*POLICY, "routes", 0, "muteTimings", value=["nights"]), "muteTimings is no key"),
        (put(*POLICY, "routes", 0, "repeat_interval", value="often"), "repeat_interval is 'often'"),
        (put(*POLICY, "routes", 1, "mute_time_intervals", value=["nights"]), "is critical and muted"),
        (put(*POLICY, "routes", 2, "mute_time_intervals", value=["noon"]), "muted by noon"),
        (put(*POLICY, "routes", 0, "object_matchers", value=[["team", "watchdog"]]), "has the matcher"),
        (take(*POLICY, "routes", 3), "nobody is told through epidemiology"),
        (put(*RECEIVER, "type", value="e-mail"), "is of type 'e-mail'"),
        (put(*RECEIVER, "uid", value="operations-email"), "two receivers are operations-email"),
        (put(*RECEIVER, "settings", "adresses", value="x"), "adresses is no key"),
        (put(*RECEIVER, "settings", "addresses", value="a@example.vn"), "addresses is 'a@example.vn'"),
        (put("notifications", "muteTimes", 0, "time_intervals", 0, "location", value="UTC"), "location is"),
        (put("notifications", "muteTimes", 1, "time_intervals", 0, "weekdays", value=["sabbath"]), "sabbath"),
        (put("notifications", "muteTimings", value=[]), "muteTimings is no key"),
        (put(*TEMPLATE, value='{{ define "canhdich.title" }}x{{ end }}'), "is not defined"),
    ],
)
def test_a_broken_file_is_found(documents: Documents, change: Break, fault: str) -> None:
    broken = copy.deepcopy(documents)
    change(broken)
    assert any(fault in found for found in faults(broken)), faults(broken)


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every mapping of the documents."""
    if isinstance(node, dict):
        yield path
    for key, item in node.items() if isinstance(node, dict) else enumerate(node):
        if isinstance(item, dict | list):
            yield from places(item, (*path, key))


def test_an_unknown_key_is_found_wherever_it_stands(documents: Documents) -> None:
    # One of each kind: receivers, routes, mute timings, queries, conditions, providers ...
    ways = {tuple(key for key in way if isinstance(key, str)): way for way in places(documents) if way}
    assert len(ways) >= 25
    broken = copy.deepcopy(documents)
    for way in ways.values():
        node: Any = broken
        for key in way:
            node = node[key]
        node["unheard_of"] = 1
        assert any("unheard_of" in fault for fault in faults(broken)), way
        del node["unheard_of"]


def test_a_template_that_is_not_closed_is_found(documents: Documents) -> None:
    broken = copy.deepcopy(documents)
    broken["notifications"]["templates"][0]["template"] += "{{ if .Alerts }}"
    assert faults(broken) == ["template canhdich does not close what it opens"]


def test_grafana_ini_is_in_order() -> None:
    assert list(ini_faults((GRAFANA / "grafana.ini").read_text("utf-8"))) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("check_for_updates = false", "check_for_update = false", "check_for_update is no key"),
        ("preinstall_disabled = true", "preinstall_disable = true", "preinstall_disable is no key"),
        ("preinstall_disabled = true\n", "", "preinstall_disabled is not true"),
        ("interval_day = DD/MM", "interval_days = DD/MM", "interval_days is no key"),
        ("[news]", "[new]", "[new] is no section"),
        ("viewers_can_edit = false", "viewers_can_edit = true", "viewers_can_edit is not false"),
        ("disable_gravatar = true\n", "", "disable_gravatar is not true"),
        ("admin_password = $__file{/run", "admin_password = admin #", "is not read from a secret file"),
    ],
)
def test_a_broken_ini_is_found(old: str, new: str, fault: str) -> None:
    text = (GRAFANA / "grafana.ini").read_text("utf-8")
    assert old in text
    assert any(fault in found for found in ini_faults(text.replace(old, new, 1)))


# --- Limits ---------------------------------------------------------------------------------------------

NUMBERS = {
    "lag": limits.LAG_RECORDS,
    "stream-silent": limits.CANARY_MISSED * 300 + limits.CANARY_WAITING_SECONDS,
    "monitor-blind": limits.BLIND_SECONDS,
    "audit-late": limits.AUDIT_ROUND_SECONDS,
    "dead-letters": limits.DEAD_SHARE,
}


def other_numbers(document: Mapping[str, Any]) -> dict[str, float]:
    """The rules whose threshold is not that of services/monitor/limits.py."""
    found = {
        rule["uid"]: rule["data"][1]["model"]["conditions"][0]["evaluator"]["params"][0]
        for group in document["groups"]
        for rule in group["rules"]
    }
    return {uid: found[uid] for uid, number in NUMBERS.items() if found[uid] != number}


def test_rules_and_doctor_have_the_same_numbers(documents: Documents) -> None:
    assert other_numbers(documents["rules"]) == {}
    (dead,) = [r for g in documents["rules"]["groups"] for r in g["rules"] if r["uid"] == "dead-letters"]
    assert f"dead_recent >= {limits.DEAD_LEAST}" in dead["data"][0]["model"]["rawSql"]


def test_another_number_is_found(documents: Documents) -> None:
    broken = copy.deepcopy(documents)
    broken["rules"]["groups"][1]["rules"][1]["data"][1]["model"]["conditions"][0]["evaluator"]["params"] = [9]
    assert other_numbers(broken["rules"]) == {"lag": 9}


# --- Variables and secret files -----------------------------------------------------------------------------


def variables(*folders: Path) -> set[str]:
    """The variables that files are filled with."""
    text = "".join(path.read_text("utf-8") for folder in folders for path in _files(folder))
    return set(re.findall(r"\$(?:__env)?\{(CANHDICH_\w+)\}", text))


def secret_files(*folders: Path) -> set[str]:
    text = "".join(path.read_text("utf-8") for folder in folders for path in _files(folder))
    return set(re.findall(r"\$__file\{([^}]+)\}", text))


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(path.rglob("*.yaml"))


USED = (GRAFANA / "provisioning", GRAFANA / "grafana.ini")


def test_every_variable_has_an_example_and_is_explained() -> None:
    example = (GRAFANA / "grafana.env.example").read_text("utf-8")
    given = set(re.findall(r"^(CANHDICH_\w+)=\S", example, re.MULTILINE))
    page = (ROOT / "docs" / "boards.md").read_text("utf-8")
    assert variables(*USED) == given
    assert [name for name in sorted(given | secret_files(*USED)) if name not in page] == []


def start(folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(GRAFANA / "start.sh"), "echo", "started"],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )


@pytest.fixture
def complete(tmp_path: Path) -> dict[str, str]:
    """An environment in which nothing is missing."""
    for name in secret_files(*USED):
        path = tmp_path / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("s3cret")
    return {
        **dict.fromkeys(variables(*USED), "x"),
        "CANHDICH_GRAFANA_FILES": str(GRAFANA),
        "CANHDICH_GRAFANA_SECRETS_ROOT": str(tmp_path),
    }


def test_grafana_is_started_when_all_is_there(tmp_path: Path, complete: dict[str, str]) -> None:
    done = start(tmp_path, complete)
    assert (done.returncode, done.stdout) == (0, "started\n"), done.stderr


def test_grafana_is_not_started_without_a_variable_or_a_secret(
    tmp_path: Path, complete: dict[str, str]
) -> None:
    for name in variables(*USED):
        done = start(tmp_path, {**complete, name: ""})
        assert (done.returncode, done.stdout) == (2, "")
        assert f"the variable {name} is not set" in done.stderr
    for name in secret_files(*USED):
        path = tmp_path / name.lstrip("/")
        path.write_text("")
        done = start(tmp_path, complete)
        assert (done.returncode, f"the file {name} is missing or empty" in done.stderr) == (2, True)
        path.write_text("s3cret")
