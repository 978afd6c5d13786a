"""What AWS's API says, as `hyperpod-state reconcile` brings it to a worker on a real Kafka."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.broker.lab import START_MS, Lab, arn, event
from tests.builders import Event, Site, cluster_event, group_entry
from tests.control_plane import Cluster, ControlPlane, Refused, node
from tests.sagemaker import serving

if TYPE_CHECKING:
    from tests.kafka import Broker

ARN = arn(1)
LOST = "0ddba11e-0000-4000-8000-000000000000"
INTERVAL = 2.0
"""Of the test alone: the command asks no more often than every 30 seconds."""
DRIFT = {"drift_minutes": 0.05}


ONE, TWO = (f"i-0001{number:013x}" for number in (1, 2))
DENIED = "ListClusterNodes"


def lost() -> Event:
    """A failure that EventBridge never delivered."""
    why = {"FailureMessage": "Lifecycle scripts did not run successfully."}
    text = f"Instance lifecycle script execution for {ONE} has Failed"
    site = Site("lab-1", known_arn=ARN)
    return cluster_event(
        site, text, START_MS + 1500, group="group-1", instance=ONE, slot="slot-1", level="Error",
        metadata={"Instance": why}, event_id=LOST,
    )  # fmt: skip


@pytest.fixture
def lab(kafka: Broker, tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(kafka.bootstrap, tmp_path, thresholds=DRIFT, settle_seconds=1)
    yield lab
    lab.stop(signal.SIGKILL)


@pytest.fixture
def cluster() -> Cluster:
    """One, as its API tells of it."""
    nodes = [node(name, f"group-{name[-1]}") for name in (ONE, TWO)]
    groups = [group_entry(f"group-{number}") for number in (1, 2)]
    return Cluster(Site("lab-1", known_arn=ARN), [lost()], nodes=nodes, groups=groups)


@pytest.fixture
def aws(cluster: Cluster) -> Iterator[ControlPlane]:
    plane = ControlPlane(cluster)
    plane.nodes_page = 1
    with serving(plane):
        yield plane


def deny(aws: ControlPlane, *, denied: bool = True) -> None:
    def refuse(operation: str, _: dict[str, Any]) -> None:
        if denied and operation == DENIED:
            raise Refused("AccessDeniedException", "you may not")

    aws.on_call = refuse


COMMAND = f"""
import sys
from streams.reconcile import run
from streams.settings import Settings
from streams.aws import Account
run.run(Settings(), Account(), run.Options(interval={INTERVAL}))
"""


@pytest.fixture
def reconciling(lab: Lab, aws: ControlPlane) -> Iterator[subprocess.Popen[bytes]]:
    """The command, but for its least interval."""
    with (lab.folder / "reconcile.log").open("ab") as log:
        environment = {**lab.env(), **aws.env}
        process = subprocess.Popen([sys.executable, "-c", COMMAND], env=environment, stderr=log)
    yield process
    if process.poll() is None:
        process.kill()
        process.wait(10)


def of(lab: Lab, kind: str, status: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = lab.get(f"/api/v1/anomalies?kind={kind}&status={status}")["items"]
    return items


def test_a_drift_opens_and_closes_and_a_lost_failure_is_found(
    lab: Lab, cluster: Cluster, aws: ControlPlane, request: pytest.FixtureRequest
) -> None:
    lab.start()
    lab.wait_ready()
    lab.produce([event(1, instance, step) for step in range(3) for instance in (1, 2)])
    process: subprocess.Popen[bytes] = request.getfixturevalue("reconciling")

    def waits(condition: Callable[[], Any], what: str) -> None:
        lab.wait_for(lambda: process.poll() is not None or condition(), what)
        assert process.poll() is None, (lab.folder / "reconcile.log").read_text()

    waits(lambda: of(lab, "lifecycle_script_failed", "resolved"), "the failure that was never delivered")
    (found,) = of(lab, "lifecycle_script_failed", "resolved")
    assert (found["instance_id"], found["evidence"], found["cause"]) == (
        ONE,
        [LOST],
        "lifecycle_script",
    )
    items = {item["instance_id"]: item for item in lab.get("/api/v1/instances")["items"]}
    assert {item["observed"]["status"] for item in items.values()} == {"Running"}
    assert [g["current_count"] for g in lab.get("/api/v1/instance-groups")["items"]] == [1, 1]
    assert not of(lab, "drift", "open")

    cluster.nodes[1] = node(TWO, "group-2", "Failure")
    waits(lambda: of(lab, "drift", "open"), "the drift")
    (drift,) = of(lab, "drift", "open")
    assert (drift["instance_id"], drift["machine"]) == (TWO, "provision")
    assert "node lists say Failure" in drift["title"]

    deny(aws)
    polls = aws.calls[DENIED]
    waits(lambda: aws.calls[DENIED] > polls, "a question that is refused")
    time.sleep(INTERVAL)
    assert of(lab, "drift", "open") == [drift]
    deny(aws, denied=False)

    cluster.nodes[1] = node(TWO, "group-2")
    waits(lambda: of(lab, "drift", "resolved"), "the end of the drift")
    assert aws.calls["DescribeClusterEvent"] == 1
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    log = (lab.folder / "reconcile.log").read_text()
    told = [line for line in log.splitlines() if "sagemaker:ListClusterNodes is missing" in line]
    assert ["over:" in line for line in told] == [False, True], log
    assert lab.stop() == 0
    counts = lab.audit()
    assert counts.get("dead_lettered", 0) == 0
    assert {record.key for record in lab.read("raw") if record.key} == {ARN.encode()}


def test_the_command_asks_once_writes_files_and_says_what_it_may_not(
    lab: Lab, aws: ControlPlane, tmp_path: Path
) -> None:
    def call(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "streams.cli", *words]
        environment = {**os.environ, **aws.env, "HYPERPOD_STATE_BROKERS": "127.0.0.1:1"}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    done = call("reconcile", "--once", "--out", str(tmp_path / "all.jsonl"))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    records = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert len(records) == 4
    replayed = json.loads(call("replay", str(tmp_path / "all.jsonl"), "-o", "json").stdout)
    assert [item["observed"]["status"] for item in replayed["instances"]] == ["Running"] * 2
    assert replayed["summary"]["applied"] == 4
    deny(aws)
    done = call("reconcile", "--once", "--out", str(tmp_path / f"folder-{uuid.uuid4().hex}"))
    assert done.returncode == 3
    assert "sagemaker:ListClusterNodes is missing" in done.stderr
    assert "Traceback" not in done.stderr
    done = call("reconcile", "--once")
    assert done.returncode == 3
    assert "No Kafka broker answers at 127.0.0.1:1" in done.stderr
