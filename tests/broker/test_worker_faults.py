"""T1, T7: a worker killed in mid-stream, and what is read back where its folder is lost: all of it, and once."""

from __future__ import annotations

import random
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.broker.figures import Run
from tests.broker.lab import Lab, event
from tests.broker.load import Feed, instances, stream

if TYPE_CHECKING:
    from tests.kafka import Broker

pytestmark = pytest.mark.fault
KILLS = 6
EVENTS = 1500
"""Between two kills."""
PER_SECOND = 2500
EAGER = {"forward_interval": 0.02, "checkpoint_interval": 0.02, "quiet_seconds": 0.005, "cache_mb": 1}
"""One transaction after the other while there is work, so that a kill seldom falls between two; and so little memory
that clusters are let go and opened again all the time."""
ROUNDS = 4
"""Rounds of kills at most: where a kill hits is chance, and a round whose kills hit nothing proves nothing."""
KEYS = 1000


@pytest.fixture
def lab(kafka: Broker, tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(kafka.bootstrap, tmp_path)
    yield lab
    lab.stop(signal.SIGKILL)


@pytest.fixture
def eager(kafka: Broker, tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(kafka.bootstrap, tmp_path, **EAGER)
    yield lab
    lab.stop(signal.SIGKILL)


@pytest.mark.reliability(1, f"kill -9 at random points, {KILLS} times in one stream; each run another seed")
def test_killed_in_mid_stream_it_ends_as_if_it_had_not_been(eager: Lab, figures: Run, seed: int) -> None:
    lab, pauses = eager, random.Random(seed)
    lab.start()
    for done in range(0, ROUNDS * KILLS * EVENTS, KILLS * EVENTS):
        killed(lab, figures, pauses, done)
        lab.wait_done()
        assert lab.audit()["applied"] == done + KILLS * EVENTS
        lab.stop()
        if (aborted := lab.aborted()) > 0:
            figures.count("taken back and done again", aborted, "records")
            return
        lab.start()
    raise AssertionError("no kill hit a transaction: these runs proved nothing")


def killed(lab: Lab, figures: Run, pauses: random.Random, done: int) -> None:
    """Some events, a kill while they are worked on, and a worker again; so many times."""
    lab.wait_ready()
    for begin in range(done, done + KILLS * EVENTS, EVENTS):
        with Feed(lab, stream(EVENTS, begin), PER_SECOND) as feed:
            feed.flowing.wait(30)
            time.sleep(pauses.uniform(0.1, EVENTS / PER_SECOND))
            lab.stop(signal.SIGKILL)
        figures.seconds("ready again after", lab.ready_again(), at_most=5)


@pytest.mark.reliability(7, f"{KEYS} keys of one event each with kills between, then the local tables wiped")
def test_keys_of_one_event_survive_kills_and_a_wiped_folder(lab: Lab, figures: Run, tmp_path: Path, full: bool) -> None:
    keys = [event(cluster, instance, 0) for cluster in range(10) for instance in range(KEYS // 10)]
    parts = 8 if full else 2
    for part in range(parts):
        lab.ready_again()
        lab.produce(keys[part::parts])
        time.sleep(0.3)
        lab.stop(signal.SIGKILL)
    shutil.rmtree(tmp_path / "worker")
    figures.seconds("restored and ready after", lab.ready_again())
    lab.wait_done()
    assert lab.audit()["applied"] == KEYS
    lab.wait_for(lambda: len(instances(lab)) == KEYS, "all instances over HTTP")
