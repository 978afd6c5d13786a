"""The audit finds what was tampered with, names it, and is never wrong about what it cannot know."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition

from streams.audit import Report, Window
from tests.broker.lab import START_MS, Lab, arn, event

if TYPE_CHECKING:
    from tests.kafka import Broker

CLUSTERS, INSTANCES = 3, 8
LATER_MS = 3 * 86_400_000
"""Further ahead than the clocks of events and of Kafka may be apart."""


@pytest.fixture(scope="module")
def worked(kafka: Broker, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """A worker that has worked a story and ended: what one test changes must not matter to the next."""
    lab = Lab(kafka.bootstrap, tmp_path_factory.mktemp("audit"), settle_seconds=1)
    lab.start()
    lab.wait_ready()
    lab.produce([*story(range(CLUSTERS)), b"not json", b'{"detail-type":"other","detail":{}}'])
    lab.wait_done()
    lab.wait_for(lambda: lab.read("anomalies"), "an anomaly")
    lab.wait_for(lambda: lab.look().exact, "a judged cut")
    assert lab.stop() == 0
    return lab


@pytest.fixture
def lab(kafka: Broker, tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(kafka.bootstrap, tmp_path)
    yield lab
    lab.stop(signal.SIGKILL)


def story(clusters: Iterable[int], steps: int = 3) -> list[bytes]:
    every = [(cluster, instance) for cluster in clusters for instance in range(INSTANCES)]
    return [event(cluster, instance, step) for cluster, instance in every for step in range(steps)]


def write(lab: Lab, topic: str, record: Any, value: bytes | None) -> None:
    """Puts another value under the key of a record, in its partition."""
    producer = KafkaProducer(bootstrap_servers=lab.bootstrap, acks="all")
    try:
        producer.send(topic, key=record.key, value=value, partition=record.partition).get(timeout=30)
    finally:
        producer.close()


def found(report: Report, name: str = "") -> list[tuple[str, str]]:
    """What differs of the things so named."""
    return [(each.check, each.problem) for each in report.differences if name in each.thing]


def rows(lab: Lab, table: str) -> list[Any]:
    """The last record of each key of a table."""
    return list({r.key: r for r in lab.read_topic(f"{lab.app_id}-{table}-changelog")}.values())


def command(lab: Lab, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "streams.cli", "audit", *words],
        env={**lab.env(), **env}, capture_output=True, text=True, check=False, cwd=lab.folder,
    )  # fmt: skip


def test_a_clean_stream_is_exact_and_everything_was_compared(worked: Lab) -> None:
    done = command(worked, "-o", "json")
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    values = CLUSTERS * INSTANCES * 3
    assert answer["exact"]
    assert answer["counts"] == {"read": values + 2, "ignored": 1, "dead_lettered": 1, "applied": values}
    checked = {each["check"]: each for each in answer["checks"]}
    assert checked["values"]["checked"] == values + 2
    assert checked["rows"]["checked"] >= CLUSTERS * INSTANCES
    assert checked["anomalies"]["checked"] > 0
    assert not any(each["skipped"] for each in answer["checks"])


def test_a_row_that_was_changed_is_named_with_its_fields(worked: Lab) -> None:
    table = f"{worked.app_id}-instances-changelog"
    record = next(r for r in rows(worked, "instances") if b'"provision":"InService"' in r.value)
    write(worked, table, record, record.value.replace(b'"provision":"InService"', b'"provision":"Terminated"'))
    try:
        done = command(worked, "--no-color")
        assert done.returncode == 1
        assert record.key.decode() in done.stdout
        assert "state.machines.provision: 'InService' expected, 'Terminated' found" in done.stdout
    finally:
        write(worked, table, record, record.value)
    assert worked.look().exact


def test_a_row_that_is_gone_is_missed(worked: Lab) -> None:
    record = rows(worked, "instances")[0]
    write(worked, f"{worked.app_id}-instances-changelog", record, None)
    try:
        report = worked.look()
        assert ("rows", "is missing") in found(report, record.key.decode())
    finally:
        write(worked, f"{worked.app_id}-instances-changelog", record, record.value)


def test_a_row_that_no_event_made_is_found(worked: Lab) -> None:
    record = rows(worked, "instances")[0]
    stranger = record._replace(key=f"{record.key.decode()}0".encode())
    write(worked, f"{worked.app_id}-instances-changelog", stranger, record.value)
    try:
        assert ("rows", "should not be there") in found(worked.look())
    finally:
        write(worked, f"{worked.app_id}-instances-changelog", stranger, None)


COUNTS = [
    ("progress", "applied", ("rows", "differs")),
    ("raw_progress", "read", ("values", "the count of values read is wrong")),
]


@pytest.mark.parametrize(("table", "count", "problem"), COUNTS)
def test_a_changed_count_is_found(worked: Lab, table: str, count: str, problem: tuple[str, str]) -> None:
    record = worked.read_topic(f"{worked.app_id}-{table}-changelog")[-1]
    row = json.loads(record.value)
    row["counts"][count] += 1
    write(worked, f"{worked.app_id}-{table}-changelog", record, json.dumps(row).encode())
    try:
        assert found(worked.look()) == [problem]
    finally:
        write(worked, f"{worked.app_id}-{table}-changelog", record, record.value)


def published(lab: Lab, number: int) -> Any:
    """The last record of one of the anomalies: each test has its own, as the topic remembers what others changed.

    Failed scripts, as they stay open: `stuck` may open while half of a story is read, and is retracted then.
    """
    found = [r for r in lab.read_topic(lab.topic("anomalies")) if r.value is not None]
    return list({r.key: r for r in found if b'"lifecycle_script_failed"' in r.value}.values())[number]


def test_an_anomaly_that_was_changed_is_found(worked: Lab) -> None:
    record = published(worked, 0)
    write(worked, worked.topic("anomalies"), record, record.value.replace(b'"severity":"', b'"severity":"not '))
    report = worked.look()
    assert found(report) == [("anomalies", "one revision has two contents"), ("anomalies", "differs on the topic")]
    assert record.key.decode() in report.differences[0].thing
    assert "severity" in report.differences[1].detail


def test_an_anomaly_that_is_missing_is_found(worked: Lab) -> None:
    record = published(worked, 1)
    write(worked, worked.topic("anomalies"), record, None)
    assert found(worked.look(), record.key.decode()) == [("anomalies", "is missing on the topic")]


def test_an_anomaly_whose_revision_fell_is_found(worked: Lab) -> None:
    record = published(worked, 2)
    write(worked, worked.topic("anomalies"), record, json.dumps({**json.loads(record.value), "revision": 1}).encode())
    assert ("anomalies", "a revision fell") in found(worked.look(), record.key.decode())


def test_an_anomaly_that_nobody_judged_is_found_on_the_topic_and_in_the_table(worked: Lab) -> None:
    record = published(worked, 3)
    name = "f" * len(record.key)
    stranger = record._replace(key=name.encode())
    body = json.dumps({**json.loads(record.value), "anomaly_id": name})
    write(worked, worked.topic("anomalies"), stranger, body.encode())
    assert found(worked.look(), name) == [("anomalies", "is on the topic, unknown to the table")]
    [kept] = [r for r in rows(worked, "anomalies") if r.key == record.key]
    write(worked, f"{worked.app_id}-anomalies-changelog", stranger, kept.value.replace(record.key, stranger.key))
    assert found(worked.look(), name) == [("anomalies", "is in the table, but not judged")]


def test_a_raw_value_whose_copy_is_there_twice_is_found(worked: Lab) -> None:
    """The copy stays: it stands behind everything that the worker has read."""
    record = next(r for r in worked.read("events") if r.key != b"tick")
    write(worked, worked.topic("events"), record, record.value)
    report = worked.look()
    origin = json.loads(record.value)["origin"]
    name = f"{worked.topic('raw')}/{origin['partition']} offset {origin['offset']} value {origin['index']}"
    assert found(report, name) == [("values", "is there 2 times")]


def test_a_raw_value_without_a_copy_is_found(worked: Lab) -> None:
    """One that the progress row says was read, and that went nowhere."""
    worked.produce([event(9, 9, 0)], partition=0)
    [at] = [r.offset for r in worked.read("raw") if r.partition == 0][-1:]
    record = [r for r in worked.read_topic(f"{worked.app_id}-raw_progress-changelog") if r.partition == 0][-1]
    row = json.loads(record.value)
    row["counts"]["read"] += 1
    write(worked, f"{worked.app_id}-raw_progress-changelog", record, json.dumps({**row, "next": at + 1}).encode())
    try:
        name = f"{worked.topic('raw')}/0 offset {at} value 0"
        assert found(worked.look(), name) == [("values", "is missing")]
    finally:
        write(worked, f"{worked.app_id}-raw_progress-changelog", record, record.value)


def test_it_looks_while_the_worker_works(lab: Lab) -> None:
    lab.start()
    lab.wait_ready()
    values = [event(number % 5, number // 5 % 20, number // 100) for number in range(2000)]
    feeding = Thread(target=lambda: [lab.produce(values[part : part + 100]) for part in range(0, len(values), 100)])
    feeding.start()
    moments = set()
    while feeding.is_alive():
        report = lab.look()
        assert report.exact, report.differences
        moments.add(report.counts["applied"])
    feeding.join()
    lab.wait_done()
    assert len(moments) > 1
    assert lab.audit()["applied"] == len(values)


def test_what_retention_took_away_is_left_out_and_said(lab: Lab) -> None:
    lab.start()
    lab.wait_ready()
    lab.produce(story(range(CLUSTERS)))
    lab.wait_done()
    cut_off(lab, "raw")
    cut_off(lab, "events")
    lab.produce([event(7, instance, step + LATER_MS // 1000) for instance in range(INSTANCES) for step in range(3)])
    lab.wait_done()
    lab.wait_for(lambda: not lab.look().tallies["anomalies"].skipped, "a judged cut")
    assert lab.stop() == 0
    report = lab.look()
    assert report.exact, report.differences
    assert report.tallies["values"].checked == INSTANCES * 3
    assert report.tallies["rows"].checked >= INSTANCES
    assert report.tallies["rows"].skipped.total() >= CLUSTERS * INSTANCES
    young = next(r for r in rows(lab, "instances") if r.key.startswith(arn(7).encode()) and b'"Succeeded"' in r.value)
    tampered = young.value.replace(b'"lifecycle_script":"Succeeded"', b'"lifecycle_script":"Running"')
    write(lab, f"{lab.app_id}-instances-changelog", young, tampered)
    assert ("rows", "differs") in found(lab.look())


def cut_off(lab: Lab, kind: str) -> None:
    """Deletes every record of a topic that is there now, as retention does."""
    ends = {TopicPartition(lab.topic(kind), r.partition): r.offset + 1 for r in lab.read(kind)}
    admin = KafkaAdminClient(bootstrap_servers=lab.bootstrap)
    try:
        admin.delete_records(ends)
    finally:
        admin.close()


def test_a_window_leaves_out_what_is_outside(worked: Lab) -> None:
    later = worked.look(Window(since=START_MS + LATER_MS))
    assert later.tallies["rows"].skipped["began before the first event that can be read"] > 0
    before = worked.look(Window(until=START_MS - LATER_MS))
    assert before.tallies["rows"].checked == 2  # the two progress rows
    assert before.tallies["rows"].skipped["went on after --to"] >= CLUSTERS * INSTANCES


def test_without_kafka_it_is_unavailable(worked: Lab) -> None:
    done = command(worked, HYPERPOD_STATE_BROKERS="127.0.0.1:1")
    assert done.returncode == 3
    assert done.stderr.startswith("error: No Kafka broker answers at 127.0.0.1:1.")
    assert "Traceback" not in done.stderr


def test_topics_that_no_worker_made_are_unavailable(worked: Lab) -> None:
    done = command(worked, HYPERPOD_STATE_APP_ID="nobody")
    assert done.returncode == 3
    assert "Has a worker run with these HYPERPOD_STATE_ settings?" in done.stderr
    assert done.stdout == ""
