"""`hyperpod-state alerts` as a process: a real Kafka, a real Alertmanager where there is one, and kill -9."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from models.public_anomaly import Anomaly
from models.timestamps import iso
from streams.alerts.config import Config
from streams.alerts.due import Action, Message, Page
from streams.alerts.forms import Request, form
from streams.alerts.words import Links
from streams.broker import free_port
from tests.broker.hook import Hook
from tests.broker.lab import START_MS, Lab, event
from tests.kafka import new_topic, produce
from tests.test_monitoring.prometheus import binary
from tests.test_streams.alerting import anomaly, resolved, retracted

if TYPE_CHECKING:
    from tests.kafka import Broker

pytestmark = pytest.mark.kafka
SECONDS = 90.0


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited in vain for {what}")


class Alerts:
    """One set of topics, and processes of the command on it."""

    def __init__(self, bootstrap: str, folder: Path, sinks: str, topic: str | None = None) -> None:
        self.bootstrap, self.folder = bootstrap, folder
        self.topic = topic or new_topic(bootstrap, 2, "anomalies")
        self.app_id = f"alerts-{uuid.uuid4().hex[:8]}"
        self.config = folder / "settings.toml"
        self.config.write_text(sinks)
        self.processes: list[subprocess.Popen[bytes]] = []

    @property
    def env(self) -> dict[str, str]:
        own = {"APP_ID": self.app_id, "ANOMALIES_TOPIC": self.topic, "BROKERS": self.bootstrap}
        own |= {"ALERTS_TOPIC": f"{self.app_id}.pages", "CONFIG": str(self.config)}
        return {**os.environ, **{f"HYPERPOD_STATE_{name}": value for name, value in own.items()}}

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "streams.cli", "alerts", "run", *words]
        with (self.folder / "alerts.log").open("ab") as log:
            process = subprocess.Popen(command, env=self.env, stderr=log, stdout=subprocess.DEVNULL)
        self.processes.append(process)
        return process

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "streams.cli", "alerts", *words]
        return subprocess.run(command, check=False, env=self.env, capture_output=True, text=True, timeout=SECONDS)

    def log(self) -> str:
        return (self.folder / "alerts.log").read_text()

    def write(self, *records: Anomaly) -> None:
        for each in records:  # the partition of the cluster, as a worker does it
            produce(self.bootstrap, self.topic, [(each.anomaly_id.encode(), each.model_dump_json().encode())], 1)

    def pages(self) -> dict[str, bool]:
        """Each open page, and whether it is sure."""
        found = self.run("list", "-o", "json")
        assert found.returncode == 0, found.stderr
        return {each["page"]: each["sure"] for each in json.loads(found.stdout)["items"]}

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait(10)


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook().up() as found:
        yield found


@pytest.fixture
def alerts(kafka: Broker, tmp_path: Path, hook: Hook) -> Iterator[Alerts]:
    made = Alerts(kafka.bootstrap, tmp_path, f'[[alerts.sinks]]\ntype = "webhook"\nname = "hook"\nurl = "{hook.url}"\n')
    yield made
    made.end()


def test_nothing_is_said_twice_after_a_kill_and_what_was_under_way_has_the_same_id(alerts: Alerts, hook: Hook) -> None:
    alerts.write(anomaly("a"), anomaly("b"))
    process = alerts.start()
    wait_for(lambda: len(hook.ids) == 2, "two pages")
    wait_for(lambda: alerts.pages() == {"a": True, "b": True}, "both written down")
    process.kill()
    process.wait(10)
    alerts.write(resolved("b"))
    process = alerts.start()
    wait_for(lambda: len(hook.ids) == 3, "the end of b")
    assert hook.ids == ["a/1/open", "b/1/open", "b/2/close"]

    hook.held.set()
    alerts.write(anomaly("c"))
    wait_for(lambda: len(hook.ids) == 4, "c, which is not answered")
    process.kill()  # nobody knows whether it was taken
    process.wait(10)
    hook.held.clear()
    assert alerts.pages() == {"a": True, "c": False}
    alerts.write(retracted("a", "d"), anomaly("d"))
    process = alerts.start()
    wait_for(lambda: len(hook.ids) == 6, "c again, and a handed over")
    assert sorted(hook.ids[4:]) == ["a/d.1/update", "c/1/open"]
    assert hook.whole[3] in hook.whole[4:]
    wait_for(lambda: alerts.pages() == {"a": True, "c": True}, "all of it written down")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert alerts.run("run", "--once").returncode == 0
    assert len(hook.ids) == 6


def test_a_second_process_takes_over_and_the_first_says_nothing_more(alerts: Alerts, hook: Hook) -> None:
    first = alerts.start()
    wait_for(lambda: "working" in alerts.log(), "the first to begin")
    second = alerts.start()
    wait_for(lambda: alerts.log().count("working") == 2, "the second to begin")
    alerts.write(anomaly("a"))
    wait_for(lambda: first.poll() is not None, "the first to end")
    assert first.returncode == 3
    assert "Another `hyperpod-state alerts run` has taken over" in alerts.log()
    wait_for(lambda: alerts.pages() == {"a": True}, "the page")
    assert hook.ids == ["a/1/open"]
    assert second.poll() is None


def test_a_dry_run_shows_what_would_be_sent_and_changes_nothing(alerts: Alerts, hook: Hook) -> None:
    alerts.write(anomaly("a"), anomaly("i", severity="critical"), anomaly("b", parent_id="i"))
    for _ in range(2):
        shown = alerts.run("run", "--dry-run", "--once")
        assert shown.returncode == 0, shown.stderr
        lines = [json.loads(line) for line in shown.stdout.splitlines()]
        assert [(each["sink"], each["action"], each["page"]) for each in lines] == [
            ("hook", "open", "i"),
            ("hook", "open", "a"),
        ]
        assert lines[0]["request"]["body"]["data"]["members"] == 1
    assert hook.ids == []


def test_its_metrics_tell_what_was_sent_and_what_waits(alerts: Alerts, hook: Hook) -> None:
    port = free_port()

    def told() -> dict[str, float]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.2:{port}/metrics", timeout=5) as answer:
                families = list(text_string_to_metric_families(answer.read().decode()))
        except OSError:
            return {}
        samples = [sample for family in families for sample in family.samples]
        return {
            " ".join([each.name.removeprefix("hyperpod_state_"), *each.labels.values()]): each.value for each in samples
        }

    alerts.write(anomaly("a"), anomaly("b"))
    alerts.start("--metrics", str(port), "--metrics-host", "127.0.0.2")
    wait_for(lambda: told().get("alerts_sent_total open hook") == 2, "two pages to be counted")
    assert {name: told()[f"alerts_{name} hook"] for name in ("pending", "failed_total", "refused_total")} == {
        "pending": 0, "failed_total": 0, "refused_total": 0
    }  # fmt: skip
    assert told()["alerts_open_pages hook"] == 2
    assert told()["alerts_read_timestamp_seconds"] >= told()["process_start_time_seconds"] - 1
    hook.status = 503
    alerts.write(anomaly("c"))
    wait_for(lambda: told().get("alerts_failed_total hook", 0) >= 1, "a try that failed")
    assert told()["alerts_pending hook"] == 1
    hook.status = 202
    wait_for(lambda: told()["alerts_pending hook"] == 0, "it to be taken")
    assert told()["alerts_sent_total open hook"] == 3


def test_a_topic_that_is_not_there_is_named(alerts: Alerts) -> None:
    alerts.topic = "no-such-topic"
    found = alerts.run("run", "--once")
    assert found.returncode == 3
    assert "There is no topic no-such-topic" in found.stderr
    assert "Traceback" not in found.stderr


@contextmanager
def alertmanager(folder: Path) -> Iterator[str]:
    """A real one; nobody is notified.  The test is skipped where there is none."""
    program = binary("prometheus-alertmanager")
    (folder / "am.yml").write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    port = free_port()
    words = [f"--config.file={folder / 'am.yml'}", f"--storage.path={folder / 'am'}"]
    words += [f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]
    with (folder / "am.log").open("wb") as log:
        process = subprocess.Popen([program, *words], stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: _answers(f"{url}/-/ready"), "Alertmanager")
        yield url
    finally:
        process.kill()
        process.wait(10)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _firing(url: str) -> list[dict[str, Any]]:
    """Alerts that Alertmanager holds for open."""
    with urllib.request.urlopen(f"{url}/api/v2/alerts?active=true", timeout=5) as answer:
        found: list[dict[str, Any]] = json.loads(answer.read())
    return found


def test_an_alert_ends_at_once_in_an_alertmanager_whose_clock_is_behind(tmp_path: Path) -> None:
    """An end that lies ahead of it does not count against what it was told before; the alert would stay for minutes."""
    opened = anomaly(opened_at=iso(_now_ms() - 3_600_000))
    with alertmanager(tmp_path) as url:
        table = {"type": "alertmanager", "name": "am", "url": url}
        am = form(Config.model_validate({"sinks": [table]}).sinks[0], Links())
        _post(am.request(Message(Action.OPEN, "a", opened, None), _now_ms() + 20_000))
        assert len(_firing(url)) == 1
        _post(am.request(Message(Action.CLOSE, "a", opened, Page("a", opened)), _now_ms() + 20_000))
        assert _firing(url) == []


def _now_ms() -> int:
    return round(time.time() * 1000)


def _post(made: Request) -> None:
    headers = {**made.headers, "Content-Type": made.content_type}
    request = urllib.request.Request(made.url, json.dumps(made.body).encode(), headers)
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.status == 200


def test_a_real_worker_and_a_real_alertmanager_a_script_fails_is_paged_and_resolves_itself(
    kafka: Broker, tmp_path: Path
) -> None:
    lab = Lab(kafka.bootstrap, tmp_path)
    with alertmanager(tmp_path) as url:
        table = f'[[alerts.sinks]]\ntype = "alertmanager"\nname = "am"\nurl = "{url}"\nlabels = {{ team = "ml" }}\n'
        alerts = Alerts(kafka.bootstrap, tmp_path, table, lab.topic("anomalies"))
        try:
            lab.start()
            lab.wait_ready()
            process = alerts.start()
            now = (int(time.time() * 1000) - START_MS) // 1000
            texts = ("has Started", "has Failed", "has Started", "has Succeeded")
            told = [_script(now + number, text) for number, text in enumerate(texts)]
            lab.produce(told[:2])
            (alert,) = wait_for(lambda: _firing(url), "the alert")
            named = {"alertname": "HyperpodLifecycleScriptFailed", "severity": "error", "team": "ml"}
            named |= {"cluster": "lab-1", "instance_group": "group-1", "instance_id": "i-00010000000000001"}
            assert named.items() <= alert["labels"].items()
            assert alert["annotations"]["summary"].startswith("lab-1/i-00010000000000001: ")
            key = alert["labels"]["anomaly_id"]
            wait_for(lambda: alerts.pages() == {key: True}, "the page to be written down")
            process.kill()
            process.wait(10)
            process = alerts.start()
            wait_for(lambda: alerts.log().count("working") == 2, "the second process")
            assert [each["fingerprint"] for each in _firing(url)] == [alert["fingerprint"]]
            assert alerts.log().count("action=open") == 1
            lab.produce(told[2:])
            wait_for(lambda: not _firing(url), "the end of the alert")
            wait_for(lambda: alerts.pages() == {}, "the page to be struck out")
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            alerts.end()
            lab.stop(signal.SIGKILL)


def _script(step: int, text: str) -> bytes:
    return event(1, 1, step, text=f"Instance lifecycle script execution for i-00010000000000001 {text}")
