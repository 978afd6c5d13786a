"""A worker on a real Kafka, killed half way: its ledger of rollouts and its figures are those of the same events read
from files."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from models.explain.times import milliseconds
from models.public import Picture, iso
from models.report import report
from streams.replay import Replay
from streams.simulate.run import Faults, Settings, simulate
from tests.broker.lab import Lab

if TYPE_CHECKING:
    from tests.kafka import Broker

HOURS = 8


@pytest.fixture
def lab(kafka: Broker, tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(kafka.bootstrap, tmp_path)
    yield lab
    lab.stop()


def story() -> list[bytes]:
    """Two small fleets with much trouble and a rollout at least; it ends before now."""
    start = int(time.time() * 1000) - 2 * HOURS * 3_600_000
    made = simulate(Settings(3, clusters=2, instances=10, hours=HOURS, faults=Faults.many, start_ms=start))
    return [value for _, value in made.delivered.values]


def from_files(values: list[bytes], now: str) -> Picture:
    job = Replay()
    for value in values:
        job.feed("story", value)
    return job.picture(milliseconds(now))


def test_figures_survive_a_kill_and_are_those_of_the_files(lab: Lab) -> None:
    values = story()
    mixed = random.Random(5).sample(values, len(values))
    lab.start()
    lab.wait_ready()
    lab.produce(mixed[: len(mixed) // 2])
    lab.wait_done()
    lab.stop(signal.SIGKILL)
    lab.start()
    lab.wait_ready()
    lab.produce(mixed[len(mixed) // 2 :])
    lab.wait_done()
    told: dict[str, Any] = lab.get("/api/v1/report")
    picture = from_files(mixed, told["as_of"])
    assert told["item"] == report(picture, told["as_of"]).model_dump(mode="json")
    fleet = told["item"]["figures"][0]
    assert fleet["by"] == "fleet"
    assert fleet["failures"] > 0
    assert told["item"]["until"] == iso(milliseconds(told["as_of"]))
    ledger = lab.get("/api/v1/rollouts")
    assert ledger["items"] == [item.model_dump(mode="json") for item in from_files(mixed, ledger["as_of"]).rollouts]
    assert ledger["items"]
    assert lab.stop() == 0
