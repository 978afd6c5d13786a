"""History on a real Kafka: brought by `backfill`, killed and resumed; sent in bursts to a worker that is idle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from models.timestamps import parse_ms
from streams.broker import EmbeddedKafka, free_port
from streams.replay import replay
from streams.simulate.run import Settings as Made
from streams.simulate.run import simulate
from tests.broker.lab import LISTS, Lab
from tests.builders import HOUR, Site, raw
from tests.control_plane import Cluster, ControlPlane
from tests.kafka import consume, new_topic
from tests.sagemaker import serving
from tests.test_streams.test_backfill import life

if TYPE_CHECKING:
    from tests.kafka import Broker


@pytest.fixture
def lab(kafka: Broker, tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(kafka.bootstrap, tmp_path, settle_seconds=20)  # a busy machine takes longer for a burst than it sleeps
    yield lab
    lab.stop()


def hours_ago(hours: int) -> int:
    return int(time.time() * 1000) - hours * HOUR


def agree(lab: Lab, values: list[bytes]) -> bool:
    """Whether HTTP says what `replay` makes of the live stream's values at that moment, revisions aside."""
    pages = {name: lab.get(f"/api/v1/{name}?limit=1000") for name in LISTS}
    path = lab.folder / "live.jsonl"
    path.write_bytes(b"\n".join(values))
    wanted = replay([str(path)], now_ms=parse_ms(pages["anomalies"]["as_of"])).model_dump(mode="json")
    found = {key: [_known(item) for item in pages[name]["items"]] for name, key in LISTS.items()}
    found["anomalies"] = [item for item in found["anomalies"] if item["status"] != "retracted"]
    return found == {key: [_known(item) for item in wanted[key]] for key in LISTS.values()}


def _known(item: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key not in ("revision", "history")}


def test_five_hundred_events_killed_half_way_and_resumed_are_the_live_stream(lab: Lab, tmp_path: Path) -> None:
    site = Site("train", delay=0)
    events = life(site, 60, hours_ago(9))[:500]
    state = tmp_path / "state"
    command = [sys.executable, "-m", "streams.cli", "backfill", "--state", str(state), "-o", "json"]
    lab.start()
    lab.wait_ready()
    with serving(ControlPlane(Cluster(site, events))) as plane:
        env = {**lab.env(), **plane.env}
        process = list[subprocess.Popen[bytes]]()

        def kill(*_: object) -> None:
            if plane.calls["DescribeClusterEvent"] == 250:
                process[0].kill()

        plane.on_call = kill
        process.append(subprocess.Popen(command, env=env))
        assert process[0].wait(120) == -9
        plane.on_call = lambda *_: None
        for copies in (1, 2):  # as if it had been killed again, after the last event and before it had noted that
            done = subprocess.run(command, env=env, capture_output=True, timeout=120, check=False)
            assert done.returncode == 0, done.stderr.decode()
            (filled,) = json.loads(done.stdout)["items"]
            assert (filled["delivered"], filled["resumed"] > 200) == (500, copies == 1)
            assert not list(state.iterdir())
            lab.wait_done()
            lab.wait_for(lambda: agree(lab, raw(events)), "the state of the live stream")
            counts = lab.audit()
            assert (counts["applied"], counts["duplicate"]) == (500, 500 * (copies - 1))
    records = lab.read("raw")
    assert {record.key for record in records} == {site.arn.encode()}
    told = [record for record in map(_record, lab.read("anomalies")) if record["status"] == "retracted"]
    assert not [record for record in told if record["kind"] == "stuck"]
    assert lab.stop() == 0


@pytest.fixture
def own(tmp_path: Path) -> Iterator[EmbeddedKafka]:
    """One of our own: the tests' common one must not be hurt."""
    with EmbeddedKafka(tmp_path / "kafka", port=free_port()) as broker:
        yield broker


IMPATIENT = """
import sys
from streams.backfill import delivery
delivery.SEND_SECONDS = 5.0
from streams.cli import main
sys.exit(main())
"""


def test_where_kafka_goes_away_it_says_what_is_done_and_the_same_command_goes_on(
    own: EmbeddedKafka, tmp_path: Path
) -> None:
    sites = [Site(name, delay=0) for name in ("one", "two", "three")]
    topic = new_topic(own.bootstrap)
    command = [sys.executable, "-c", IMPATIENT, "backfill", "--state", str(tmp_path / "state"), "-o", "json"]
    with serving(ControlPlane(*[Cluster(site, life(site, 2, hours_ago(9))) for site in sites])) as plane:
        env = {**os.environ, **plane.env, "HYPERPOD_STATE_BROKERS": own.bootstrap, "HYPERPOD_STATE_RAW_TOPIC": topic}
        first, second, third = sorted(plane.clusters)

        def kill(operation: str, asked: dict[str, Any]) -> None:
            if operation == "ListClusterEvents" and asked["ClusterName"] == second and own.pid is not None:
                os.kill(own.pid, signal.SIGKILL)

        plane.on_call = kill
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 3, done.stderr
        assert done.stdout, done.stderr
        found = {each["cluster"]: each for each in json.loads(done.stdout)["items"]}
        assert [found[arn]["status"] for arn in (first, second, third)] == ["done", "failed", "not_begun"], found
        assert f"Kafka does not take events into {topic}" in done.stderr
        assert "Traceback" not in done.stderr
        own.stop()
        own.start()
        plane.on_call = lambda *_: None
        plane.calls.clear()
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, done.stderr
        found = {each["cluster"]: each for each in json.loads(done.stdout)["items"]}
        assert plane.calls["DescribeClusterEvent"] == found[third]["listed"]
    read = [record.key.decode() for record in consume(own.bootstrap, topic) if record.key]
    assert read.count(first) == found[first]["listed"] == found[first]["delivered_before"]
    assert read.count(third) == found[third]["delivered"]
    assert read.count(second) >= found[second]["delivered"] == found[second]["listed"]
    assert list((tmp_path / "state").iterdir()) == []


@pytest.mark.parametrize("partition", [0, None], ids=["one partition, as by key", "several"])
def test_history_in_bursts_to_an_idle_worker_opens_nothing_that_is_taken_back(lab: Lab, partition: int | None) -> None:
    """Without waiting for the rest of it this took 68 of them back.

    Of several partitions one is read first, and shows how far it is before the others' share of the burst is read.
    """
    made = simulate(Made(1, clusters=2, instances=12, hours=3, start_ms=hours_ago(4)))
    values = [value for _, value in made.delivered.values]
    lab.start()
    lab.wait_ready()
    with lab.producing() as produce:
        for begin in range(0, len(values), len(values) // 6):
            produce(values[begin : begin + len(values) // 6], partition)
            time.sleep(3)  # ticks move time on, a second each
    lab.wait_done()
    lab.wait_for(lambda: agree(lab, values), "what replay says, once nothing more has come for a while")
    told = list(map(_record, lab.read("anomalies")))
    assert [record for record in told if record["kind"] == "stuck"]
    back = {record["anomaly_id"] for record in told if record["kind"] == "stuck" and record["status"] == "retracted"}
    assert not back
    lab.audit()
    assert lab.stop() == 0


def _record(found: Any) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(found.value)
    return record
