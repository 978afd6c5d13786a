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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.broker.hook import Hook
from tests.kafka import consume
from tests.test_monitoring.going_on import quiet
from tests.test_monitoring.prometheus import promtool

pytestmark = pytest.mark.kafka
SECONDS = 240.0  # more than anything here takes; no test is about speed
OVER = "The incident is over"


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

    def url(self) -> str:
        return self.found(r"Dashboard +(http://\S+)/")

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url()}/api/v1/{path}", timeout=30) as answer:
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


@dataclass
class Watched:
    """A demo whose incident is over, what was open while it was not, and what a sink of default settings was told."""

    demo: Demo
    open: list[dict[str, Any]]
    pages: list[str]

    def anomalies(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.demo.get("anomalies?limit=500")["items"]
        return found

    def raised(self) -> list[dict[str, Any]]:
        return [each for each in self.anomalies() if each["status"] != "retracted"]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with played(tmp_path_factory.mktemp("demo")) as demo:
        demo.wait_for("Dashboard")
        with paged(demo, tmp_path_factory.mktemp("alerts")) as hook:
            eventually(lambda: bool(_crowd(demo)), True)
            open_now = _crowd(demo)
            demo.wait_for(OVER)
            eventually(lambda: _crowd(demo), [])
            eventually(lambda: demo.get("anomalies?status=open&cluster=ml-prod")["items"], [])
            eventually(lambda: [each for each in hook.ids if each.endswith("/close")] != [], True)
        yield Watched(demo, open_now, hook.ids)
        assert demo.end(signal.SIGINT) == 0
        eventually(demo.processes, {})


@contextmanager
def paged(demo: Demo, folder: Path) -> Iterator[Hook]:
    """`alerts run` beside the demo, with one sink that is told what it hears of by default."""
    config = folder / "settings.toml"
    with Hook().up() as hook, (folder / "alerts.log").open("wb") as log:
        config.write_text(f'[[alerts.sinks]]\ntype = "webhook"\nname = "oncall"\nurl = "{hook.url}"\n')
        own = {"BROKERS": demo.found(r"Kafka at (\S+?)[,\s]"), "CONFIG": str(config)}
        command = [sys.executable, "-m", "streams.cli", "alerts", "run"]
        env = {**os.environ, **{f"HYPERPOD_STATE_{name}": value for name, value in own.items()}}
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
        try:
            yield hook
        finally:
            process.terminate()
            assert process.wait(SECONDS) == 0, (folder / "alerts.log").read_text()


def _crowd(demo: Demo) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = demo.get("anomalies?status=open&kind=correlated_failure")["items"]
    return found


def test_an_incident_opened_and_named_what_is_shared(watched):
    (crowd,) = watched.open
    assert (crowd["severity"], crowd["cluster_name"], crowd["instance_group"]) == ("critical", "ml-prod", "p5-train")
    assert "capacity reservation" in crowd["title"]


def test_the_incident_healed_with_all_its_members(watched):
    (crowd,) = (each for each in watched.anomalies() if each["kind"] == "correlated_failure")
    members = [each for each in watched.raised() if each["parent_id"] == crowd["anomaly_id"]]
    assert crowd["anomaly_id"] == watched.open[0]["anomaly_id"]
    assert {each["kind"] for each in members} == {"lifecycle_script_failed", "unhealthy_node"}
    assert {each["status"] for each in (crowd, *members)} == {"resolved"}


def test_whoever_is_on_call_was_paged_once_and_the_page_closed_itself(watched):
    (crowd,) = watched.open
    assert [re.sub(r"/\d+/", " ", each) for each in watched.pages] == [
        f"{crowd['anomaly_id']} open",
        f"{crowd['anomaly_id']} close",
    ]


def test_nothing_was_raised_but_what_the_tale_has(watched):
    """Also nothing that was taken back: the past is a backlog, and no step of it looks late."""
    raised = {each["kind"] for each in watched.anomalies()}
    past = {"slurm_drift", "unhealthy_node", "lifecycle_script_failed", "patch_skipped", "stuck"}
    assert raised <= {*past, "correlated_failure", "bake_alarm", "rollback_started"}
    assert [each["instance_group"] for each in watched.anomalies() if each["kind"] == "stuck"] == ["login"]
    assert [each for each in watched.anomalies() if each["status"] == "retracted"] == []


def test_the_group_has_all_its_instances(watched):
    def shown() -> tuple[Any, ...]:
        (group,) = watched.demo.get("instance-groups?cluster=ml-prod&group=p5-train")["items"]
        return group["phase"], group["members"], group["target_count"]

    eventually(shown, ("InService", {"InService": 48}, 48))  # the last events are still on their way


def test_the_fleet_is_there(watched):
    orchestrated = {each["cluster_name"] for each in watched.demo.get("clusters")["items"]}
    assert orchestrated == {"ml-prod", "ml-research", "hpc-slurm"}
    assert sum(watched.demo.get("summary")["item"]["instances"].values()) > 180


def test_the_page_answers_where_the_demo_says(watched):
    request = urllib.request.Request(f"{watched.demo.url()}/", headers={"Accept": "text/html"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.headers.get_content_type() == "text/html"


def test_nothing_looks_old(watched):
    items = watched.demo.get("clusters")["items"]
    assert min(each["since"] for each in items)[:4] == time.strftime("%Y", time.gmtime(time.time() - 9 * 3600))


def test_consumers_see_the_incident_and_the_dead_letter(watched):
    bootstrap = watched.demo.found(r"Kafka at (\S+?)[,\s]")
    last = {record.key: json.loads(record.value) for record in consume(bootstrap, "hyperpod.anomalies")}
    statuses = {each["status"] for each in last.values() if each["kind"] == "correlated_failure"}
    assert statuses == {"resolved"}
    (dead,) = consume(bootstrap, "hyperpod.deadletter")
    assert json.loads(dead.value)["reason"] == "not_json"


def test_the_feed_is_as_untidy_as_real_ones(watched):
    with urllib.request.urlopen(f"{watched.demo.url()}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    counts: Counter[str] = Counter()
    for outcome, count in re.findall(r'hyperpod_state_values_total{outcome="(\w+)".*} (\d+)', "\n".join(lines)):
        counts[outcome] += int(count)
    assert (counts["duplicate"], counts["ignored"], counts["dead_lettered"]) == (60, 1, 1)
    read = re.findall(r"hyperpod_state_values_read_total{.*} (\d+)", "\n".join(lines))
    assert counts.total() == sum(map(int, read))


def test_no_rule_fires_of_a_fleet_that_goes_on_like_that(watched, tmp_path):
    with urllib.request.urlopen(f"{watched.demo.url()}/metrics", timeout=10) as answer:
        told = quiet(answer.read().decode(), time.time())
    assert len(told["tests"][0]["input_series"]) > 100
    (tmp_path / "quiet.yml").write_text(yaml.safe_dump(told))
    promtool("test", "rules", tmp_path / "quiet.yml")


@pytest.mark.fault
def test_a_second_demo_in_the_same_folder_starts_anew(tmp_path):
    for _ in range(2):
        with played(tmp_path / "demo") as demo:
            demo.wait_for("Dashboard")
            assert len(demo.get("clusters")["items"]) == 3
            assert demo.end(signal.SIGINT) == 0
            assert "Stopped: worker and Kafka have ended." in demo.said
            eventually(demo.processes, {})


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
