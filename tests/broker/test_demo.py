"""`make run`, for real: the demo is played, asked over HTTP, interrupted, killed; nothing of it stays."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from streams.demo import incident
from tests.kafka import consume

pytestmark = pytest.mark.kafka
SECONDS = 120.0  # more than anything here takes; no test is about speed
OVER = "The incident is over"
TICKS_UNDER_WAY = 20
FALSE_ALARMS = {"missing_event", "unexpected_transition", "unrecognized_event", "late_event", "zombie"}


class Demo:
    """A demo as a process of its own, and what it has said so far."""

    def __init__(self, folder: Path, *options: str) -> None:
        command = [sys.executable, "-m", "streams.demo", "--data", str(folder), "--port", "0", "--kafka-port", "0"]
        self.folder, self.said = folder, ""
        self.process = subprocess.Popen(
            [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def wait_for(self, text: str) -> None:
        until = time.monotonic() + SECONDS
        while text not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < until, self.said
            time.sleep(0.1)

    def end(self, how: signal.Signals) -> int:
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(SECONDS)
        self._reader.join(SECONDS)
        return code

    def found(self, pattern: str) -> str:
        match = re.search(pattern, self.said)
        assert match, self.said
        return match.group(1)

    def get(self, path: str) -> Any:
        url = self.found(r"Worker ready at (http://\S+?)[,\s]")
        with urllib.request.urlopen(f"{url}/api/v1/{path}", timeout=10) as answer:
            return json.loads(answer.read())

    def processes(self) -> dict[int, str]:
        """Every process with the demo's folder in its command line, environment or working folder."""
        found: dict[int, str] = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                where = os.readlink(entry / "cwd")
            except OSError:
                continue
            if str(self.folder).encode() in words or where.startswith(str(self.folder)):
                found[int(entry.name)] = words.split(b"\0", 1)[0].decode()
        return found

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
        self.process.stdout.close()


@contextmanager
def played(folder: Path, *options: str) -> Iterator[Demo]:
    demo = Demo(folder, *options)
    try:
        yield demo
    finally:
        demo.end(signal.SIGKILL)


def eventually(question: Callable[[], Any], answer: Any) -> None:
    """Asks until the answer is the expected one; the last answer is compared."""
    until = time.monotonic() + SECONDS
    while (given := question()) != answer and time.monotonic() < until:
        time.sleep(0.2)
    assert given == answer


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One demo, its story told without pauses."""
    with played(tmp_path_factory.mktemp("demo"), "--pace", "0") as demo:
        demo.wait_for(OVER)
        eventually(lambda: _end(demo), ("InService", "InService", "RolledBack", True))
        eventually(lambda: demo.get("clusters")["lag"] < TICKS_UNDER_WAY, True)
        yield demo
        assert demo.end(signal.SIGINT) == 0
        eventually(demo.processes, {})


def _end(demo: Demo) -> tuple[str, str, str, bool]:
    """Where the cluster and the group are, and whether the last node is back: the story's last events."""
    clusters = demo.get("clusters?cluster=demo-eks")["items"]
    cluster = clusters[0]["phase"] if clusters else ""
    groups = demo.get("instance-groups?cluster=demo-eks&group=workers")["items"]
    nodes = demo.get("instances?cluster=demo-eks&group=workers")["items"]
    (group,) = groups or [{"phase": "", "machines": {"rollback": ""}}]
    back = bool(nodes) and all(node["schedulable"] for node in nodes)
    return cluster, group["phase"], group["machines"]["rollback"], back


def test_the_group_is_rolled_back_and_in_service(demo):
    (workers,) = demo.get("instance-groups?cluster=demo-eks&group=workers")["items"]
    assert (workers["phase"], workers["machines"]["rollback"]) == ("InService", "RolledBack")
    assert workers["members"] == {"InService": 4}
    (cluster,) = demo.get("clusters?cluster=demo-eks")["items"]
    assert cluster["phase"] == "InService"


def test_one_instance_is_replaced(demo):
    phases = {item["instance_id"]: item["phase"] for item in demo.get("instances?cluster=demo-eks")["items"]}
    assert phases.pop(incident.W3.instance) == "Terminated"
    assert phases.pop(incident.W3B.instance) == "InService"
    assert set(phases.values()) == {"InService"}


def test_every_anomaly_of_the_incident_is_resolved(demo):
    def states() -> set[tuple[str, str]]:
        items = demo.get("anomalies?cluster=demo-eks")["items"]
        return {(item["kind"], item["status"]) for item in items if item["status"] != "retracted"}

    eventually(states, {(kind, "resolved") for kind in ("unhealthy_node", "bake_alarm", "rollback_started")})


def test_nothing_false_is_open(demo):
    anomalies = demo.get("anomalies?status=open")["items"]
    assert not {item["kind"] for item in anomalies} & FALSE_ALARMS
    opened = {(item["cluster_name"], item["kind"]) for item in anomalies}
    assert opened == {("sample-cluster", "operation_failed"), ("sample-cluster", "unhealthy_node")}


def test_nothing_looks_old(demo):
    """Captured payloads are moved to now, one of them by more than five years."""
    oldest = min(
        item["since"] for kind in ("clusters", "instances") for item in demo.get(kind)["items"] if item["since"]
    )
    assert oldest[:4] == time.strftime("%Y", time.gmtime(time.time() - 3600))


def test_consumers_see_the_anomalies_and_the_dead_letter(demo):
    bootstrap = demo.found(r"Kafka at (\S+?)[,\s]")
    last = {record.key: json.loads(record.value) for record in consume(bootstrap, "hyperpod.anomalies")}
    kinds = {
        item["kind"] for item in last.values() if item["cluster_name"] == "demo-eks" and item["status"] == "resolved"
    }
    assert kinds == {"unhealthy_node", "bake_alarm", "rollback_started"}
    (dead,) = consume(bootstrap, "hyperpod.deadletter")
    assert json.loads(dead.value)["reason"] == "not_json"


def test_the_feed_is_as_untidy_as_real_ones(demo):
    url = demo.found(r"Worker ready at (http://\S+?)[,\s]")
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    counts: Counter[str] = Counter()
    for outcome, count in re.findall(r'hyperpod_state_values_total{outcome="(\w+)".*} (\d+)', "\n".join(lines)):
        counts[outcome] += int(count)
    assert (counts["duplicate"], counts["ignored"], counts["dead_lettered"]) == (2, 1, 1)
    read = re.findall(r"hyperpod_state_values_read_total{.*} (\d+)", "\n".join(lines))
    assert counts.total() == sum(map(int, read))


@pytest.mark.fault
def test_no_process_outlives_a_killed_demo(tmp_path):
    with played(tmp_path / "demo") as demo:
        demo.wait_for("Worker ready")
        assert len(demo.processes()) >= 5  # the demo, two leashes, Java, the worker
        assert demo.end(signal.SIGKILL) == -signal.SIGKILL
        eventually(demo.processes, {})


@pytest.mark.fault
def test_a_worker_that_dies_ends_the_demo(tmp_path):
    with played(tmp_path / "demo") as demo:
        demo.wait_for("Worker ready")
        (worker,) = (number for number in demo.processes() if _is_worker(number))
        os.kill(worker, signal.SIGKILL)
        assert demo.process.wait(SECONDS) == 3
        demo.end(signal.SIGKILL)
        assert "The worker has ended by itself" in demo.said
        eventually(demo.processes, {})


def _is_worker(number: int) -> bool:
    words = Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
    return b"-I" not in words and b"worker" in words
