"""A worker on a real Kafka whose feed falls silent: by the clock alone, in every partition, through a kill."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from streams.transaction import partition_of
from tests.broker.lab import Lab, arn, event
from tests.builders import heartbeat, raw

if TYPE_CHECKING:
    from tests.kafka import Broker

SECONDS = json.dumps({"feed_silent_minutes": 0.05})
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
