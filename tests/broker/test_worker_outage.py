"""The broker goes away under a worker: it comes back by itself, and nothing is lost or twice."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.broker import EmbeddedKafka, free_port
from tests.broker.lab import Lab, event

pytestmark = [pytest.mark.fault, pytest.mark.kafka]
EVENTS = 3000


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedKafka]:
    """One of our own: the tests' common one must not be hurt."""
    broker = EmbeddedKafka(tmp_path / "kafka", port=free_port())
    broker.start()
    yield broker
    if broker.pid is not None:
        os.kill(broker.pid, signal.SIGCONT)
    broker.stop()


def test_frozen_and_killed_the_broker_is_waited_for(broker: EmbeddedKafka, tmp_path: Path) -> None:
    lab = Lab(broker.bootstrap, tmp_path)
    values = [event(number % 12, number // 12 % 20, number // 240) for number in range(EVENTS)]
    worker = lab.start()
    lab.wait_ready()
    try:
        lab.produce(values[: EVENTS // 2])
        time.sleep(0.3)
        freeze(broker, 8)
        lab.wait_done()
        lab.produce(values[EVENTS // 2 :])
        time.sleep(0.3)
        kill(broker, 8)
        broker.start()
        lab.wait_done()
        assert lab.audit()["applied"] == EVENTS
        assert worker.poll() is None
        assert lab.stop() == 0
    finally:
        lab.stop(signal.SIGKILL)


def freeze(broker: EmbeddedKafka, seconds: float) -> None:
    assert broker.pid is not None
    os.kill(broker.pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(broker.pid, signal.SIGCONT)


def kill(broker: EmbeddedKafka, seconds: float) -> None:
    assert broker.pid is not None
    os.kill(broker.pid, signal.SIGKILL)
    time.sleep(seconds)
    broker.stop()
