"""What concerns clusters of every partition, on a real Kafka: a feed that falls silent, and silences; through kills."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from kafka import KafkaProducer

from streams.cli import main
from streams.transaction import partition_of
from tests.broker.lab import Lab, arn, event
from tests.builders import heartbeat, raw

if TYPE_CHECKING:
    from tests.kafka import Broker

SECONDS = {"feed_silent_minutes": 0.05}
NEAR = [next(n for n in range(100) if partition_of(arn(n).encode(), 2) == partition) for partition in (0, 1)]
"""A cluster of each partition."""


@pytest.fixture
def lab(kafka: Broker, tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(kafka.bootstrap, tmp_path, thresholds=SECONDS)
    yield lab
    lab.stop(signal.SIGKILL)


def beat() -> list[bytes]:
    return raw([heartbeat(int(time.time() * 1000))])


def silences(lab: Lab, status: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = lab.get(f"/api/v1/anomalies?kind=feed_silent&status={status}")["items"]
    return items


def published(lab: Lab) -> dict[str, dict[str, Any]]:
    last = {record.key: record.value for record in lab.read("anomalies")}
    records = [json.loads(value) for value in last.values() if value is not None]
    return {each["anomaly_id"]: each for each in records if each["kind"] == "feed_silent"}


def test_a_silent_feed_is_an_anomaly_of_its_clusters_in_every_partition(lab: Lab) -> None:
    lab.start()
    lab.wait_ready()
    values = [event(number, instance, 0) for number in NEAR for instance in range(3)]
    first = beat()
    lab.produce([*values, *first, *first])
    lab.wait_for(lambda: len(silences(lab, "open")) == 2, "the silence to be noticed")
    opened = silences(lab, "open")
    assert {item["cluster_arn"] for item in opened} == {arn(number) for number in NEAR}
    assert {item["severity"] for item in opened} == {"critical"}
    lab.stop(signal.SIGKILL)
    lab.start()
    lab.wait_ready()
    assert {item["anomaly_id"] for item in silences(lab, "open")} == {item["anomaly_id"] for item in opened}
    lab.produce(beat())
    lab.wait_for(lambda: len(silences(lab, "resolved")) == 2, "the next heartbeat")
    assert {item["anomaly_id"] for item in silences(lab, "resolved")} == {item["anomaly_id"] for item in opened}
    assert {item["status"] for item in published(lab).values()} <= {"resolved", "open"}
    assert lab.stop() == 0
    counts = lab.audit()
    assert (counts["applied"], counts["duplicate"]) == (len(values) + 2, 1)
    assert set(published(lab)) >= {item["anomaly_id"] for item in opened}


@pytest.fixture
def run(lab: Lab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """`hyperpod-state silence …` with the worker's settings in its environment."""
    for name, value in lab.env().items():
        monkeypatch.setenv(name, value)

    def call(*args: str, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["hyperpod-state", "silence", *args])
        ended, (out, err) = main(), capsys.readouterr()
        assert (ended, bool(err)) == (code, bool(code)), err
        return out

    return call


def of(lab: Lab, status: str) -> dict[str, str | None]:
    """Anomalies by instance, and who silenced them: over HTTP and on the topic, once they agree."""
    query = f"/api/v1/anomalies?kind=lifecycle_script_failed&status={status}"
    served = {item["anomaly_id"]: item for item in lab.get(query)["items"]}
    last = {record.key.decode(): json.loads(record.value) for record in lab.read("anomalies") if record.value}
    if any(last.get(name) != item for name, item in served.items()):
        return {}
    return {item["instance_id"]: item["silenced_by"] for item in served.values()}


def write(lab: Lab, key: bytes | None, value: bytes | None) -> None:
    producer = KafkaProducer(bootstrap_servers=lab.bootstrap, acks="all")
    try:
        producer.send(lab.topic("silences"), key=key, value=value).get(timeout=30)
    finally:
        producer.close()


def test_a_silence_reaches_open_anomalies_in_every_partition_and_outlives_a_kill(
    lab: Lab, run: Callable[..., str]
) -> None:
    lab.start()
    lab.wait_ready()
    lab.produce([event(number, 0, step) for number in NEAR for step in range(3)])
    instances = {f"i-{number:04x}{0:013x}" for number in NEAR}
    lab.wait_for(lambda: of(lab, "open") == dict.fromkeys(instances), "the failures")
    name = run("add", "--kind", "lifecycle*", "--until", "1h", "--by", "me", "--reason", "a drill").strip()
    lab.wait_for(lambda: of(lab, "open") == dict.fromkeys(instances, name), "the silence")
    lab.stop(signal.SIGKILL)
    for key, value in [(b"x", b"garbage"), (b"y", b'{"silence_id": "z"}'), (b"\xff", None)]:
        write(lab, key, value)
    lab.start()
    lab.wait_ready()
    assert of(lab, "open") == dict.fromkeys(instances, name)
    lab.wait_for(lambda: len(lab.read("deadletter")) == 3, "the dead letters")
    letters = [json.loads(record.value) for record in lab.read("deadletter")]
    assert {letter["reason"] for letter in letters} == {"not_a_silence"}
    assert {letter["origin"]["topic"] for letter in letters} == {lab.topic("silences")}
    (listed,) = [json.loads(line) for line in run("list", "-o", "jsonl").splitlines()]
    assert (listed["silence_id"], listed["state"], listed["created_by"]) == (name, "active", "me")
    assert run("expire", "nobody", code=1) == ""
    assert run("expire", name) == f"{name} expired\n"
    lab.wait_for(lambda: of(lab, "open") == dict.fromkeys(instances), "the end of the silence")
    assert run("list", "-o", "jsonl") == ""
    assert json.loads(run("list", "--expired", "-o", "jsonl"))["state"] == "expired"
    write(lab, name.encode(), None)
    lab.wait_for(lambda: not any(b"silence|" in key for key in lab.table("broadcasts")), "the silence to be gone")
    assert lab.stop() == 0
    lab.audit()
