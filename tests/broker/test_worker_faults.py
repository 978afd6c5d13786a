"""A worker killed, stopped and replaced in mid-stream: nothing lost, nothing twice."""

from __future__ import annotations

import random
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from streams.faults import VARIABLE
from tests.broker.lab import Lab, event

if TYPE_CHECKING:
    from tests.kafka import Broker

pytestmark = pytest.mark.fault
EVENTS = 2000
ROUNDS = 4
"""Rounds of kills at most: where a kill hits is chance, and a round whose kills hit nothing proves nothing."""
STEPS = ("read:700", "sent:9", "offsets:10", "committed:9", "committed:10", "stored:11")


@pytest.fixture
def lab(kafka: Broker, tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(kafka.bootstrap, tmp_path)
    yield lab
    lab.stop(signal.SIGKILL)


def stream(count: int = EVENTS) -> list[bytes]:
    return [event(number % 12, number // 12 % 20, number // 240) for number in range(count)]


def feed(lab: Lab, values: list[bytes]) -> Thread:
    """Produces in the background, slowly enough to be killed in the middle of it."""

    def run() -> None:
        for start in range(0, len(values), 200):
            lab.produce(values[start : start + 200])
            time.sleep(0.2)

    thread = Thread(target=run)
    thread.start()
    return thread


def test_killed_in_mid_stream_it_ends_as_if_it_had_not_been(lab: Lab) -> None:
    pauses = random.Random(3)
    values = stream(ROUNDS * EVENTS)
    for done in range(EVENTS, (ROUNDS + 1) * EVENTS, EVENTS):
        lab.start()
        for part in range(done - EVENTS, done, EVENTS // 4):
            lab.wait_ready()
            lab.produce(values[part : part + EVENTS // 4])
            time.sleep(pauses.uniform(0.1, 0.5))
            lab.stop(signal.SIGKILL)
            lab.start()
        lab.wait_done()
        assert lab.audit()["applied"] == done
        lab.stop()
        if lab.aborted() > 0:
            return
    raise AssertionError("no kill hit a transaction: these runs proved nothing")


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_each_step_of_a_checkpoint(lab: Lab, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, step)
    process = lab.start()
    monkeypatch.delenv(VARIABLE)
    feeding = feed(lab, stream(1500))
    assert process.wait(60) == -signal.SIGKILL
    lab.start()
    feeding.join()
    lab.wait_done()
    assert lab.audit()["applied"] == 1500


def test_a_wiped_folder_is_read_back_whole(lab: Lab, tmp_path: Path) -> None:
    lab.start()
    lab.wait_ready()
    lab.produce([event(cluster, instance, 0) for cluster in range(10) for instance in range(100)])
    time.sleep(0.3)
    lab.stop(signal.SIGKILL)
    shutil.rmtree(tmp_path / "worker")
    lab.start()
    lab.wait_done()
    assert lab.audit()["applied"] == 1000
    lab.wait_for(lambda: instances(lab) == 1000, "all instances over HTTP")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_it_ends_well_and_repeats_nothing(lab: Lab, how: signal.Signals) -> None:
    lab.start()
    lab.wait_ready()
    feeding = feed(lab, stream(1500))
    time.sleep(0.8)
    assert lab.stop(how) == 0
    lab.start()
    feeding.join()
    lab.wait_done()
    assert lab.audit()["applied"] == 1500
    assert lab.stop() == 0
    assert lab.aborted() == 0


def test_a_worker_that_slept_through_its_replacement_writes_nothing_more(lab: Lab, tmp_path: Path) -> None:
    sleeper = lab.start()
    lab.wait_ready()
    feeding = feed(lab, stream())
    time.sleep(1.0)
    sleeper.send_signal(signal.SIGSTOP)
    lab.port += 1
    other = lab.start(data_dir=tmp_path / "other", http_port=0)
    try:
        lab.wait_for(lambda: "events=[0, 1]" in lab.log().rsplit("starting", 1)[1], "the other to own all")
        time.sleep(1.0)
        sleeper.send_signal(signal.SIGCONT)
        feeding.join()
        lab.wait_for(lambda: lab.behind() == 0, "lag 0")
        assert lab.audit()["applied"] == EVENTS
        assert other.poll() is None
    finally:
        for process in (sleeper, other):
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait(10)


def instances(lab: Lab) -> int:
    token, count = "", 0
    while True:
        page = lab.get(f"/api/v1/instances?limit=500{token}")
        count += len(page["items"])
        if page["continue"] is None:
            return count
        token = f"&continue={page['continue']}"
