"""What the rules and pipes of the templates let through, asked of moto's matcher of EventBridge patterns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.builders import EVENT, HEALTH, START, STATE, Site, cluster_event, heartbeat, node_health, state_change
from tests.test_deploy.pipe import passes
from tests.test_deploy.templates import NAMES, Template

DATA = Path(__file__).parents[1] / "data"
# The other detail types that Amazon SageMaker sends, by AWS's documentation of its events.
OTHERS = [
    "SageMaker Model State Change",
    "SageMaker Training Job State Change",
    "SageMaker HyperParameter Tuning Job State Change",
    "SageMaker Transform Job State Change",
    "SageMaker Endpoint State Change",
    "SageMaker Feature Group State Change",
    "SageMaker Model Package State Change",
    "SageMaker Model Building Pipeline Execution Status Change",
    "SageMaker Model Building Pipeline Execution Step Status Change",
    "SageMaker Processing Job State Change",
    "SageMaker Image State Change",
    "SageMaker Image Version State Change",
    "SageMaker Endpoint Deployment State Change",
    "SageMaker Model Card State Change",
]


def patterns() -> list[tuple[str, dict[str, Any]]]:
    """Every pattern of every template, as one of envelopes."""
    found = []
    for name in NAMES:
        for resource, each in Template.load(name).data["Resources"].items():
            if "EventPattern" in each["Properties"]:
                found.append((f"{name}.{resource}", each["Properties"]["EventPattern"]))
            if each["Type"] == "AWS::Pipes::Pipe":
                filters = each["Properties"]["SourceParameters"]["FilterCriteria"]["Filters"]
                found += [(f"{name}.{resource}", json.loads(one["Pattern"])["body"]) for one in filters]
    return found


PATTERNS = dict(patterns())


def samples() -> list[dict[str, Any]]:
    """AWS's own samples, and one event of each kind as the tests make them."""
    lines = [
        line
        for file in ("samples", "state_changes_slurm")
        for line in (DATA / f"{file}.jsonl").read_text().splitlines()
    ]
    site = Site()
    made = [
        cluster_event(site, "Instance creation in Cluster train and InstanceGroup p5Inst failed", START, level="Error"),
        state_change(site, START),
        node_health(site, START, "i-0391f86fa0fe0d465"),
        heartbeat(START),
    ]
    return [*map(json.loads, lines), *made]


def test_rules_archives_and_pipes_have_one_pattern() -> None:
    assert len(PATTERNS) == 7
    assert len({json.dumps(pattern, sort_keys=True) for pattern in PATTERNS.values()}) == 1


@pytest.mark.parametrize("place", PATTERNS)
def test_what_hyperpod_says_and_heartbeats_pass(place: str) -> None:
    told = samples()
    assert {event["detail-type"] for event in told} == {EVENT, STATE, HEALTH, "HyperPod State Heartbeat"}
    assert [event["detail-type"] for event in told if not passes(PATTERNS[place], event)] == []


@pytest.mark.parametrize("place", PATTERNS)
def test_what_others_say_stays_out(place: str) -> None:
    event = samples()[0]
    others = [{**event, "detail-type": kind} for kind in OTHERS]
    others += [{**event, "source": source} for source in ("aws.ec2", "aws.SageMaker", "custom.sagemaker", "aws.health")]
    others += [{**event, "detail-type": EVENT.lower()}, {"detail": event["detail"]}]
    assert [(each.get("source"), each.get("detail-type")) for each in others if passes(PATTERNS[place], each)] == []
