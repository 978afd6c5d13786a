"""T12: rows larger than a record may be: refused before they are written, said, and no worker goes in circles."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from tests.broker.figures import Run
from tests.broker.lab import Lab, event
from tests.broker.load import instances

if TYPE_CHECKING:
    from tests.kafka import Broker

pytestmark = pytest.mark.fault
LEAST = 1 << 20
EVENTS = 9


def large(step: int) -> bytes:
    """An event of one instance whose id alone takes 200 KB: the row keeps it, several times over."""
    return event(1, 1, step, name=f"{step}-" + "x" * 200_000)


def values() -> list[bytes]:
    """Large ones, and neighbours in the same and in other clusters."""
    return [each for step in range(EVENTS) for each in (large(step), event(1, 2, step), event(2, step, 0))]


@pytest.fixture
def lab(kafka: Broker, tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(kafka.bootstrap, tmp_path)
    yield lab
    lab.stop(signal.SIGKILL)


def limit(lab: Lab, topic: str, size: int) -> None:
    admin = KafkaAdminClient(bootstrap_servers=lab.bootstrap)
    try:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"max.message.bytes": str(size)})])
    finally:
        admin.close()


def is_whole(lab: Lab) -> int:
    """Every event is applied or buried with its reason, no neighbour is; how many are buried."""
    counts = lab.audit()
    assert counts["applied"] + counts["failed"] == 3 * EVENTS
    assert 0 < counts["failed"] < EVENTS
    letters = Counter(json.loads(record.value)["reason"] for record in lab.read("deadletter"))
    assert letters == {"row_too_large": counts["failed"]}
    assert len(instances(lab)) == 2 + EVENTS
    return counts["failed"]


@pytest.mark.reliability(12, "a row above the record limit")
def test_events_that_make_a_row_too_large_are_buried_alone(lab: Lab, figures: Run) -> None:
    worker = lab.start(max_record_bytes=LEAST)
    lab.wait_ready()
    lab.produce(values())
    lab.wait_done()
    figures.count("buried with the reason", is_whole(lab), f"of {EVENTS} large events")
    assert worker.poll() is None
    lab.stop(signal.SIGKILL)
    lab.start(max_record_bytes=LEAST)
    lab.wait_done()
    is_whole(lab)


@pytest.mark.reliability(12, "a topic's limit lowered while the worker runs: it ends, and keeps to it from then on")
def test_a_limit_that_is_lowered_ends_the_worker_which_then_keeps_to_it(lab: Lab) -> None:
    worker = lab.start()
    lab.wait_ready()
    changelog = f"{lab.app_id}-instances-changelog"
    limit(lab, changelog, LEAST)
    lab.produce(values())
    assert worker.wait(60) == 1
    last = lab.log().splitlines()[-1]
    assert changelog in last
    assert "max.message.bytes" in last
    lab.start()
    lab.wait_done()
    is_whole(lab)
    assert "above what some topic takes" in lab.log()
