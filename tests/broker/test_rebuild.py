"""Tables made anew beside a worker that works, and changed over to and back: nothing is lost, nobody is told twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition

from tests.broker.lab import Lab, event
from tests.broker.test_two_workers import shared_out, two

if TYPE_CHECKING:
    from tests.kafka import Broker

CLUSTERS, INSTANCES = 3, 8


@pytest.fixture
def lab(kafka: Broker, tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(kafka.bootstrap, tmp_path, settle_seconds=1)
    yield lab
    lab.stop(signal.SIGKILL)


def story(steps: Iterable[int]) -> list[bytes]:
    every = [(cluster, instance) for cluster in range(CLUSTERS) for instance in range(INSTANCES)]
    return [event(cluster, instance, step) for step in steps for cluster, instance in every]


def command(lab: Lab, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "streams.cli", "rebuild", *words],
        env=lab.env(), capture_output=True, text=True, check=False, cwd=lab.folder,
    )  # fmt: skip


def work(lab: Lab, tables: str, values: list[bytes]) -> None:
    """A worker with these tables works the values and goes on."""
    lab.settings["tables"] = tables
    lab.start()
    lab.wait_ready()
    lab.produce(values)
    lab.wait_done()
    lab.wait_for(lambda: not lab.look().tallies["anomalies"].skipped, "a judged cut")


def repeated(lab: Lab) -> list[Any]:
    """Records that tell of an anomaly what was told of it before, and transitions that were told twice."""
    last: dict[bytes, Any] = {}
    found: list[Any] = []
    for record in lab.read("anomalies"):
        told = {**json.loads(record.value), "revision": 0} if record.value else None
        found += [told] if last.get(record.key) == told else []
        last[record.key] = told
    moved = [json.loads(record.value) for record in lab.read("transitions")]
    counts = Counter((each["transition_id"], each["status"]) for each in moved)
    return found + [each for each, count in counts.items() if count > 1]


def test_new_tables_take_over_and_the_old_ones_again(lab: Lab) -> None:
    work(lab, "", story([0, 1]))
    done = command(lab, "--tables", "v2", "-o", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["differences"] == []
    assert json.loads(done.stdout)["rows"] >= CLUSTERS * INSTANCES
    assert "HYPERPOD_STATE_TABLES=v2" in done.stderr
    lab.produce(story([2]))
    lab.wait_done()
    told = len(lab.read("anomalies"))
    assert told > 0
    assert lab.stop() == 0

    work(lab, "v2", [])
    assert len(lab.read("anomalies")) == told
    lab.produce(story([3, 4]))
    lab.wait_done()
    assert lab.audit()["applied"] == CLUSTERS * INSTANCES * 5
    assert repeated(lab) == []
    assert lab.stop() == 0

    work(lab, "", story([5]))
    assert lab.audit()["applied"] == CLUSTERS * INSTANCES * 6
    assert repeated(lab) == []
    assert lab.stop() == 0


def test_a_wrong_row_is_named_and_made_right(lab: Lab) -> None:
    work(lab, "", story([0, 1, 2]))
    assert lab.stop() == 0
    table = f"{lab.app_id}-instances-changelog"
    row = next(r for r in lab.read_topic(table) if b'"provision":"InService"' in r.value)
    producer = KafkaProducer(bootstrap_servers=lab.bootstrap, acks="all")
    try:
        wrong = row.value.replace(b'"provision":"InService"', b'"provision":"Terminated"')
        producer.send(table, key=row.key, value=wrong, partition=row.partition).get(timeout=30)
    finally:
        producer.close()
    done = command(lab, "--tables", "v2", "--no-color")
    assert done.returncode == 0, done.stderr
    assert row.key.decode() in done.stdout
    assert "different from the present tables: 1" in done.stdout
    work(lab, "v2", story([3]))
    assert lab.audit()["applied"] == CLUSTERS * INSTANCES * 4


def test_tables_that_exist_or_are_in_use_are_not_written_to(lab: Lab) -> None:
    work(lab, "", story([0]))
    assert command(lab, "--tables", "v2").returncode == 0
    again = command(lab, "--tables", "v2")
    assert (again.returncode, "--replace" in again.stderr) == (3, True)
    lab.produce(story([1]))
    lab.wait_done()
    assert command(lab, "--tables", "v2", "--replace").returncode == 0
    assert lab.stop() == 0
    assert lab.start(tables="v9").wait(60) == 1
    assert "hyperpod-state rebuild" in lab.log().splitlines()[-1]
    work(lab, "v2", story([2]))
    assert lab.audit()["applied"] == CLUSTERS * INSTANCES * 3
    for tables, name in (("v2", "v2"), ("", "v2"), ("", "v3")):
        lab.settings["tables"] = tables
        assert command(lab, "--tables", name, "--replace").returncode == 3
    assert command(lab, "--tables", "no name").returncode == 2


def test_what_retention_took_away_is_carried_over(lab: Lab) -> None:
    work(lab, "", story([0, 1]))
    ends = {TopicPartition(lab.topic("events"), r.partition): r.offset + 1 for r in lab.read("events")}
    admin = KafkaAdminClient(bootstrap_servers=lab.bootstrap)
    try:
        admin.delete_records(ends)
    finally:
        admin.close()
    done = command(lab, "--tables", "v2", "-o", "json")
    assert done.returncode == 0, done.stderr
    assert sum(json.loads(done.stdout)["carried"].values()) >= CLUSTERS * INSTANCES
    before = {key: row["row"] for key, row in lab.table("instances").items()}
    after = {key: row["row"] for key, row in lab.table("v2-instances").items()}
    assert before == after
    assert lab.stop() == 0
    work(lab, "v2", story([2]))
    assert lab.look().exact
    assert len(lab.get("/api/v1/instances?limit=1000")["items"]) == CLUSTERS * INSTANCES


def test_a_fleet_changes_over_worker_by_worker(kafka: Broker, tmp_path: Path) -> None:
    """In between some have other tables: Faust then shares out changelogs of partitions that another worker has."""
    one, other = two(kafka, tmp_path)
    try:
        work(one, "", story([0, 1]))
        assert command(one, "--tables", "v2").returncode == 0
        other.start(tables="v2")
        other.wait_for(lambda: shared_out(one, other), "each worker to have a partition")
        other.produce(story([2]))
        other.wait_done()
        assert one.stop() == 0
        work(one, "v2", story([3]))
        other.wait_for(lambda: shared_out(one, other), "each worker to have a partition again")
        assert one.audit()["applied"] == CLUSTERS * INSTANCES * 4
        assert [one.stop(), other.stop()] == [0, 0]
    finally:
        one.stop(signal.SIGKILL)
        other.stop(signal.SIGKILL)
