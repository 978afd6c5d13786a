"""T6: the broker goes away under a worker: it comes back by itself, and nothing is lost or twice."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from streams.broker import EmbeddedKafka, free_port
from tests.broker.figures import Run
from tests.broker.lab import Lab
from tests.broker.load import busiest_second, stream

pytestmark = [pytest.mark.fault, pytest.mark.kafka]
EVENTS = 1000
"""Before each outage; they are being worked on when it begins."""
MOST_SECONDS, MOST_LINES = 20, 100
LONGEST = 120
"""To wait for an end that has to come."""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedKafka]:
    """One of our own: the tests' common one must not be hurt."""
    broker = EmbeddedKafka(tmp_path / "kafka", port=free_port())
    broker.start()
    yield broker
    if broker.pid is not None:
        os.kill(broker.pid, signal.SIGCONT)
    broker.stop()


@pytest.mark.reliability(6, "the broker frozen, killed and gone for long, under load")
def test_frozen_and_killed_the_broker_is_waited_for(
    broker: EmbeddedKafka, tmp_path: Path, figures: Run, full: bool
) -> None:
    lab = Lab(broker.bootstrap, tmp_path)
    outages = [(freeze, 15), (kill, 25), (kill, 120)] if full else [(freeze, 8), (kill, 8)]
    worker = lab.start()
    lab.wait_ready()
    try:
        for number, (outage, seconds) in enumerate(outages):
            lab.produce(stream(EVENTS, number * EVENTS))
            time.sleep(0.3)
            is_away(lab, figures, broker, outage, seconds)
        assert lab.audit()["applied"] == EVENTS * len(outages)
        assert worker.poll() is None
        assert lab.stop() == 0
    finally:
        lab.stop(signal.SIGKILL)
    figures.count("at most", busiest_second(lab.log()), "log lines a second", at_most=MOST_LINES)


def test_a_worker_that_is_told_to_end_while_kafka_goes_away_does_not_stay(
    broker: EmbeddedKafka, tmp_path: Path
) -> None:
    """Its clients may wait for Kafka for ever, or their threads break: what is committed is whole all the same."""
    lab = Lab(broker.bootstrap, tmp_path)
    worker = lab.start()
    lab.wait_ready()
    try:
        lab.produce(stream(EVENTS, 0))
        assert broker.pid is not None
        os.kill(broker.pid, signal.SIGKILL)
        time.sleep(0.1)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(LONGEST) in (0, 1)
        broker.stop()
        broker.start()
        lab.start()
        lab.wait_done()
        assert lab.audit()["applied"] == EVENTS
        assert lab.stop() == 0
    finally:
        lab.stop(signal.SIGKILL)


def is_away(
    lab: Lab, figures: Run, broker: EmbeddedKafka, outage: Callable[[EmbeddedKafka, int], None], seconds: int
) -> None:
    """Gone for so long, and back: from when on does something move, when is all of it worked?"""
    before = lab.committed()
    outage(broker, seconds)
    back, what = time.monotonic(), f"after {seconds} s of {outage.__name__}"
    lab.wait_for(lambda: lab.committed() != before, "progress")
    figures.seconds(f"{what} progress within", time.monotonic() - back, at_most=MOST_SECONDS)
    lab.wait_done()
    figures.seconds(f"{what} caught up within", time.monotonic() - back)


def freeze(broker: EmbeddedKafka, seconds: int) -> None:
    """It keeps its connections, and answers nothing."""
    assert broker.pid is not None
    os.kill(broker.pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(broker.pid, signal.SIGCONT)


def kill(broker: EmbeddedKafka, seconds: int) -> None:
    """kill -9, and another start; the time of the start comes on top."""
    assert broker.pid is not None
    os.kill(broker.pid, signal.SIGKILL)
    time.sleep(seconds)
    broker.stop()
    broker.start()
