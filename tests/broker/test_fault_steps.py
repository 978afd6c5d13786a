"""T2, T3: a worker that dies at each step that it takes, and one that is told to end: exact afterwards."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from kafka import KafkaProducer

from models.public_silence import Silence
from streams.faults import STEPS, VARIABLE
from streams.silences import dump
from tests.broker.figures import Run
from tests.broker.lab import Lab
from tests.broker.load import Feed, stream

if TYPE_CHECKING:
    from tests.kafka import Broker

pytestmark = pytest.mark.fault
EVENTS = 150
"""For each death."""
ONCE = ("claimed", "restored")
"""Steps that each partition's lane comes to once."""


@pytest.fixture
def lab(kafka: Broker, tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(kafka.bootstrap, tmp_path)
    yield lab
    lab.stop(signal.SIGKILL)


@pytest.mark.parametrize("kind", ["raw", "events", "silences"])
@pytest.mark.reliability(2, "kill -9 at each named step of each kind of lane")
def test_killed_at_each_step_it_takes(
    lab: Lab, figures: Run, kind: str, full: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaths = [f"{kind}.{step}:{arrival}" for step in STEPS for arrival in arrivals(kind, step, full)]
    for number, death in enumerate(deaths):
        monkeypatch.setenv(VARIABLE, death)
        process = lab.start()
        monkeypatch.delenv(VARIABLE)
        with Feed(lab, stream(EVENTS, number * EVENTS)):
            silence(lab, number)
            assert process.wait(60) == -signal.SIGKILL, death
        if full:
            exact(lab, (number + 1) * EVENTS)
            lab.stop(signal.SIGKILL)
    exact(lab, len(deaths) * EVENTS)
    assert len(lab.get("/api/v1/instances?limit=1")["items"]) == 1
    figures.count("killed at", len(deaths), "steps")


def arrivals(kind: str, step: str, full: bool) -> tuple[int, ...]:
    """At which of its comings a lane dies: few events make few checkpoints, and there is one lane of silences."""
    if not full:
        return (2 if kind == "events" and step not in ONCE else 1,)
    return (1,) if kind == "silences" else (1, 2) if step in ONCE else (1, 4)


def exact(lab: Lab, count: int) -> None:
    lab.start()
    lab.wait_done()
    assert lab.audit()["applied"] == count


def silence(lab: Lab, number: int) -> None:
    """Another silence for its lane to carry."""
    name = f"s-{number}"
    span = {"starts_at": "2026-01-01T00:00:00.000Z", "until": "2036-01-01T00:00:00.000Z"}
    silence = Silence.model_validate({"silence_id": name, "matchers": {"cluster": "nobody"}, **span})
    producer = KafkaProducer(bootstrap_servers=lab.bootstrap, acks="all")
    try:
        producer.send(lab.topic("silences"), key=name.encode(), value=dump(silence)).get(timeout=30)
    finally:
        producer.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.reliability(3, "SIGTERM and SIGINT under load")
def test_told_to_end_it_ends_well_and_repeats_nothing(lab: Lab, figures: Run, how: signal.Signals) -> None:
    lab.start()
    lab.wait_ready()
    with Feed(lab, stream(1500)):
        time.sleep(0.8)
        began = time.monotonic()
        assert lab.stop(how) == 0
        figures.seconds("ended after", time.monotonic() - began, at_most=5)
        lab.start()
    lab.wait_done()
    assert lab.audit()["applied"] == 1500
    assert lab.stop() == 0
    assert lab.aborted() == 0
