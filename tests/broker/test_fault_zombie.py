"""T5: a worker that sleeps past its session while another takes its place, and wakes: what it writes does not stick."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from streams.topics import ROW_TABLES
from tests.broker.figures import Run
from tests.broker.lab import Lab
from tests.broker.load import Feed, instances, stream

if TYPE_CHECKING:
    from tests.kafka import Broker

pytestmark = pytest.mark.fault
EVENTS = 2000
COMPACTED_AT_ONCE = {"segment.ms": "500", "min.cleanable.dirty.ratio": "0.01"}


@pytest.fixture
def lab(kafka: Broker, tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(kafka.bootstrap, tmp_path)
    yield lab
    lab.stop(signal.SIGKILL)


@pytest.mark.reliability(5, "a worker stopped past its session and continued, another in its place; then compaction")
def test_a_worker_that_slept_through_its_replacement_writes_nothing_more(
    lab: Lab, figures: Run, tmp_path: Path, full: bool
) -> None:
    other = lab.beside("other")
    sleeper = lab.start()
    lab.wait_ready()
    try:
        with Feed(lab, stream(EVENTS)):
            for _ in range(3 if full else 1):
                sleep_through_it(lab, other, figures)
        lab.wait_for(lambda: lab.behind() == 0, "lag 0")
        assert lab.audit()["applied"] == EVENTS
        assert sleeper.poll() is None
        before = sum(map(len, rows(lab)))
        compact(lab)
        figures.count("compacted away", before - sum(map(len, rows(lab))), "records")
        assert lab.audit()["applied"] == EVENTS + 12
    finally:
        sleeper.send_signal(signal.SIGCONT)
        lab.stop(signal.SIGKILL)
        other.stop(signal.SIGKILL)
    shutil.rmtree(tmp_path / "worker")
    lab.start()
    lab.wait_done()
    assert lab.audit()["applied"] == EVENTS + 12
    assert len(instances(lab)) == 240


def sleep_through_it(lab: Lab, other: Lab, figures: Run) -> None:
    """The one is stopped, the other takes over everything, the one is continued, and gets a share again."""
    assert lab.process is not None
    time.sleep(1.0)
    lab.process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    other.start()
    other.wait_for(lambda: other.owned() == [0, 1], "the other to own all")
    figures.seconds("taken over after", time.monotonic() - began)
    time.sleep(1.0)
    lab.process.send_signal(signal.SIGCONT)
    lab.wait_for(lambda: len(other.owned()) == 1 == len(lab.owned()), "both to work")
    other.stop(signal.SIGKILL)
    lab.wait_for(lambda: lab.owned() == [0, 1], "the one to own all again")


def rows(lab: Lab) -> list[list[object]]:
    return [lab.read_topic(f"{lab.app_id}-{table}-changelog") for table in ROW_TABLES]


def compact(lab: Lab) -> None:
    """Have Kafka compact the tables: segments end at once, and a new record begins the next one."""
    names = [f"{lab.app_id}-{table}-changelog" for table in ROW_TABLES]
    admin = KafkaAdminClient(bootstrap_servers=lab.bootstrap)
    try:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, COMPACTED_AT_ONCE) for name in names])
    finally:
        admin.close()
    time.sleep(1.0)
    before = len(lab.read_topic(names[2]))
    lab.produce(stream(12, EVENTS))
    lab.wait_for(lambda: len(lab.read_topic(names[2])) < before, "compaction")
