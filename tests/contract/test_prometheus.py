"""The alarms: of metrics that are there, with the numbers that doctor uses, each with its page and back."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY, CollectorRegistry

import streams.agents.metrics
from services import intake
from services.intake.metrics import Metrics as IntakeMetrics
from services.measuring import WorkerMetrics
from services.monitor import limits
from services.monitor.metrics import Metrics as MonitorMetrics

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "rules.yml"
RUNBOOK = ROOT / "docs" / "runbook"

_SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
# Of Prometheus itself, and of its client on every page.
_GIVEN = {"up", "process_start_time_seconds"}
_FUNCTIONS = {"sum", "by", "changes", "or", "and"}
_FORM = {"alert", "expr", "for", "labels", "annotations"}
_ANNOTATIONS = {"summary_vi", "summary_en", "runbook"}


def exported() -> set[str]:
    """The names of every sample that workers, intake and monitor can give."""
    assert streams.agents.metrics.READY
    assert intake
    workers = CollectorRegistry()
    WorkerMetrics(workers)
    return {
        family.name + suffix
        for registry in (REGISTRY, workers, IntakeMetrics().registry, MonitorMetrics().registry)
        for family in registry.collect()
        for suffix in _SUFFIXES.get(family.type, ("",))
    }


def read(path: Path = RULES) -> list[dict[str, Any]]:
    """The rules of a file."""
    return [rule for group in yaml.safe_load(path.read_text("utf-8"))["groups"] for rule in group["rules"]]


def names_in(expression: str) -> set[str]:
    """The metrics of an expression: what is no function, no label and no text."""
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|\bby\s*\([^)]*\)", " ", expression)
    return set(re.findall(r"\b[a-z_][a-z0-9_]*\b", bare)) - _FUNCTIONS


def numbers_in(expression: str) -> list[float]:
    """The numbers of an expression, in their order."""
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]", " ", expression)
    return [float(number) for number in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.])", bare)]


def faults(rules: list[dict[str, Any]], runbook: Path = RUNBOOK, root: Path = ROOT) -> Iterator[str]:
    """What is wrong with the rules and with the pages, one sentence each."""
    known = exported() | _GIVEN
    alarms = [rule.get("alert", "?") for rule in rules]
    for name in {name for name in alarms if alarms.count(name) > 1}:
        yield f"{name} is there twice"
    for rule in rules:
        name = rule.get("alert", "?")
        if not rule.keys() <= _FORM or not _FORM - {"for"} <= rule.keys():
            yield f"{name} has {sorted(rule)}"
            continue
        if rule["labels"].get("severity") not in ("critical", "warning"):
            yield f"{name} has no severity"
        if rule["annotations"].keys() != _ANNOTATIONS:
            yield f"{name} has the annotations {sorted(rule['annotations'])}"
            continue
        if rule["expr"].count("(") != rule["expr"].count(")"):
            yield f"{name} has brackets that are not closed"
        for metric in sorted(names_in(rule["expr"]) - known):
            yield f"{name} asks for {metric}, which nobody exports"
        page = root / rule["annotations"]["runbook"]
        if page.parent != runbook or not page.exists():
            yield f"{name} has no page {rule['annotations']['runbook']}"
        elif f"`{name}`" not in page.read_text("utf-8"):
            yield f"{page.name} does not name {name}"
    for page in sorted(runbook.glob("*.md")):
        for name in re.findall(r"`(CanhDich\w+)`", page.read_text("utf-8")):
            if name not in alarms:
                yield f"{page.name} names {name}, which is no alarm"
            elif not any(
                r["alert"] == name and r["annotations"]["runbook"].endswith(page.name) for r in rules
            ):
                yield f"{page.name} names {name}, whose page is another"


def test_the_rules_are_in_order() -> None:
    assert list(faults(read())) == []


GOOD: dict[str, Any] = {
    "alert": "CanhDichTest",
    "expr": "sum by (kind) (canhdich_audit_findings) > 0 and changes(canhdich_folded_offset[5m]) == 0",
    "labels": {"severity": "warning"},
    "annotations": {"summary_vi": "Thử", "summary_en": "Test", "runbook": "runbook/test.md"},
}


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    (tmp_path / "runbook").mkdir()
    (tmp_path / "runbook" / "test.md").write_text("**Seen.** Alarm `CanhDichTest`.")
    (tmp_path / "runbook" / "other.md").write_text("Nothing.")
    return tmp_path


def test_a_good_rule_has_no_faults(pages: Path) -> None:
    assert list(faults([GOOD], pages / "runbook", pages)) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"expr": "canhdich_audit_finding > 0"}, "asks for canhdich_audit_finding, which nobody exports"),
        ({"expr": "canhdich_canary_refused > 0"}, "asks for canhdich_canary_refused, which nobody exports"),
        ({"expr": "sum(canhdich_audit_findings > 0"}, "has brackets that are not closed"),
        ({"labels": {"severity": "high"}}, "has no severity"),
        ({"labels": {}}, "has no severity"),
        ({"record": "x"}, "has ['alert', 'annotations', 'expr', 'labels', 'record']"),
        ({"annotations": {"summary_vi": "Thử", "runbook": "runbook/test.md"}}, "has the annotations"),
        (
            {"annotations": {**GOOD["annotations"], "runbook": "runbook/none.md"}},
            "has no page runbook/none.md",
        ),
        ({"annotations": {**GOOD["annotations"], "runbook": "runbook/other.md"}}, "other.md does not name"),
        ({"alert": "CanhDichOther"}, "test.md does not name CanhDichOther"),
    ],
)
def test_a_bad_rule_is_found(pages: Path, change: dict[str, Any], fault: str) -> None:
    assert any(fault in found for found in faults([{**GOOD, **change}], pages / "runbook", pages))


def test_a_page_that_names_no_alarm_or_another_one_is_found(pages: Path) -> None:
    (pages / "runbook" / "other.md").write_text("`CanhDichGone` and `CanhDichTest`")
    assert list(faults([GOOD], pages / "runbook", pages)) == [
        "other.md names CanhDichGone, which is no alarm",
        "other.md names CanhDichTest, whose page is another",
    ]


def test_two_rules_of_one_name_are_found(pages: Path) -> None:
    assert "CanhDichTest is there twice" in list(faults([GOOD, GOOD], pages / "runbook", pages))


NUMBERS = {
    "CanhDichAuditLate": [limits.AUDIT_ROUND_SECONDS, limits.AUDIT_SWEEP_TIMES],
    "CanhDichCanaryLate": [
        limits.CANARY_WAITING_SECONDS,
        limits.CANARY_MISSED,
        limits.CANARY_WAITING_SECONDS,
        0,
    ],
    "CanhDichLag": [limits.LAG_RECORDS],
    "CanhDichDeadLetters": [limits.DEAD_SHARE, limits.DEAD_LEAST],
    "CanhDichWorkerRestarts": [limits.RESTARTS],
    "CanhDichMonitorBlind": [limits.BLIND_SECONDS],
    "CanhDichDiskNearlyFull": [limits.DISK_FREE_SHARE],
    "CanhDichWatcherLate": [limits.WATCHER_SECONDS],
    "CanhDichDeliveryLate": [limits.DELIVERY_SECONDS],
}


def other_numbers(rules: list[dict[str, Any]]) -> dict[str, list[float]]:
    """The alarms whose numbers are not those of services/monitor/limits.py."""
    found = {rule["alert"]: numbers_in(rule["expr"]) for rule in rules}
    return {name: found.get(name, []) for name, numbers in NUMBERS.items() if found.get(name) != numbers}


def test_alarms_and_doctor_have_the_same_numbers() -> None:
    assert other_numbers(read()) == {}


def test_another_number_is_found() -> None:
    changed = [{**rule, "expr": rule["expr"].replace("10000", "9000")} for rule in read()]
    assert other_numbers(changed) == {"CanhDichLag": [9000]}


def test_prometheus_itself_raises_them_as_meant() -> None:
    """Where promtool is there (Debian's package prometheus); a raised alarm for each, and silence."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not on this machine")
    folder = RULES.parent
    done = subprocess.run(
        [promtool, "test", "rules", folder / "rules_test.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    subprocess.run([promtool, "check", "config", folder / "prometheus.yml"], check=True, capture_output=True)


def test_every_alarm_has_its_case_for_promtool() -> None:
    cases = yaml.safe_load((RULES.parent / "rules_test.yml").read_text("utf-8"))["tests"]
    looked_at = [one for case in cases for one in case["alert_rule_test"]]
    raised = {one["alertname"] for one in looked_at if one.get("exp_alerts")}
    silent = {one["alertname"] for one in looked_at if not one.get("exp_alerts")}
    assert raised == silent == {rule["alert"] for rule in read()}
