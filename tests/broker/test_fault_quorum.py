"""T6: three brokers with three replicas of everything, of which one is killed: the worker goes on, exact."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker.figures import Run
from tests.broker.lab import Lab
from tests.broker.load import Feed, busiest_second, stream
from tests.broker.quorum import Node, quorum

pytestmark = [pytest.mark.fault, pytest.mark.kafka]
EVENTS = 1500
"""For each broker that is killed."""
MOST_SECONDS, MOST_LINES = 20, 100


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[list[Node]]:
    with quorum(tmp_path / "kafka") as nodes:
        yield nodes


@pytest.mark.reliability(6, "one of three brokers killed and started again, replication factor 3, under load")
def test_one_of_three_brokers_is_killed(nodes: list[Node], tmp_path: Path, figures: Run, full: bool) -> None:
    lab = Lab(",".join(node.bootstrap for node in nodes), tmp_path, replication_factor=3)
    worker = lab.start()
    victims = nodes if full else nodes[:1]
    try:
        lab.wait_ready()
        for number, victim in enumerate(victims):
            with Feed(lab, stream(EVENTS, number * EVENTS), per_second=200):
                time.sleep(2)
                began = time.time()
                victim.kill()
                time.sleep(15)
            lab.wait_done()
            figures.seconds("dark", lab.dark(began, time.time() - 1), at_most=MOST_SECONDS)
            victim.start()
            lab.wait_done()
        assert lab.audit()["applied"] == EVENTS * len(victims)
        assert worker.poll() is None
        assert lab.stop() == 0
    finally:
        lab.stop(signal.SIGKILL)
    figures.count("at most", busiest_second(lab.log()), "log lines a second", at_most=MOST_LINES)
