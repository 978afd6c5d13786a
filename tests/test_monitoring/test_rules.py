"""Alert rules: what they ask for exists, what they lead to can be read, and they fire when they should."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.judge.texts import SEVERITY
from tests.test_monitoring import promql
from tests.test_monitoring.prometheus import ROOT, RULES, promtool

TESTS = Path(__file__).with_name("rules.test.yml")
ALERTS: list[dict[str, Any]] = [
    rule for path in RULES for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]
]
ANNOTATIONS = {"summary", "description", "runbook_url"}


def named(alert: dict[str, Any]) -> str:
    return str(alert["alert"])


@pytest.mark.parametrize("alert", ALERTS, ids=named)
def test_a_rule_asks_for_metrics_and_labels_that_there_are(alert: dict[str, Any]) -> None:
    assert promql.faults(alert["expr"]) == []


@pytest.mark.parametrize("alert", ALERTS, ids=named)
def test_a_rule_says_what_to_do(alert: dict[str, Any]) -> None:
    assert set(alert["annotations"]) == ANNOTATIONS
    assert alert["labels"]["severity"] in ("critical", "warning")
    for kind in SEVERITY:
        name, _, anchor = alert["annotations"]["runbook_url"].replace("{{ $labels.kind }}", kind).partition("#")
        assert {anchor} - {""} <= headings((ROOT / name).read_text())


def headings(page: str) -> set[str]:
    lines = [line.lstrip("# ") for line in page.splitlines() if line[:1] == "#"]
    return {re.sub(r"[^\w -]", "", line).lower().replace(" ", "-") for line in lines}


def test_names_are_told_once() -> None:
    assert len({named(alert) for alert in ALERTS}) == len(ALERTS)


def test_a_wrong_query_would_be_noticed() -> None:
    assert promql.faults('hyperpod_state_nothing{a="b"} > 0') == ["no metric hyperpod_state_nothing"]
    assert promql.faults('hyperpod_state_instances{phase="Idle", state="x"}') == [
        "phase is never Idle", "hyperpod_state_instances has no label state"
    ]  # fmt: skip
    assert "nothing below has a label kind" in promql.faults("sum by (kind) (hyperpod_state_instances)")[0]
    with pytest.raises(ValueError, match="paren"):
        promql.faults("sum(hyperpod_state_ready")


def test_promtool_accepts_rules_and_configuration() -> None:
    assert "SUCCESS" in promtool("check", "rules", *RULES)
    assert "SUCCESS" in promtool("check", "config", "deploy/prometheus/prometheus.yml")


def test_rules_fire_when_they_should_and_only_then() -> None:
    promtool("test", "rules", TESTS)


def test_every_rule_has_a_test_in_which_it_fires() -> None:
    tests = [each for test in yaml.safe_load(TESTS.read_text())["tests"] for each in test["alert_rule_test"]]
    assert {each["alertname"] for each in tests if each["exp_alerts"]} == {named(alert) for alert in ALERTS}
