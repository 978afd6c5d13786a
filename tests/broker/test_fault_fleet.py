"""T4: several workers that join, are killed, return and leave, under load: exact, and dark no longer than need be."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.broker.figures import Run
from tests.broker.lab import Lab
from tests.broker.load import Feed, stream

if TYPE_CHECKING:
    from tests.kafka import Broker

pytestmark = pytest.mark.fault
SESSION = 10
JOIN_MOST, KILL_MOST = 10, SESSION + 6
SETTLED = 2.0
"""A checkpoint a second is written where there is an owner: after so long the new one has written several."""


@pytest.fixture
def labs(kafka: Broker, tmp_path: Path, full: bool) -> Iterator[list[Lab]]:
    """Two workers of one fleet, or three; none is started yet."""
    first = Lab(kafka.bootstrap, tmp_path, partitions=3 if full else 2, session_timeout=SESSION)
    labs = [first, *(first.beside(name) for name in ("second", "third")[: 2 if full else 1])]
    yield labs
    for lab in labs:
        lab.stop(signal.SIGKILL)


@pytest.mark.reliability(4, "workers join, are killed, return within their session and after it, and leave")
def test_a_fleet_that_comes_and_goes_is_exact(labs: list[Lab], figures: Run, full: bool) -> None:
    first, *others = labs
    count = 30_000 if full else 4_000
    figures.count("workers", len(labs), "")
    first.start()
    first.wait_ready()
    with Feed(first, stream(count), per_second=300 if full else 60):
        for other in others:
            joins(labs, other, figures)
        for other in others:
            returns_at_once(labs, other, figures)
            is_killed(labs, other, figures)
            joins(labs, other, figures)
        leaves(labs, others[-1], figures)
    first.wait_done()
    assert first.audit()["applied"] == count


def joins(labs: list[Lab], lab: Lab, figures: Run) -> None:
    began = time.time()
    lab.start()
    lab.wait_for(lambda: all(owned(each) for each in running(labs)), "every worker to own something")
    figures.seconds("dark at a join", dark(labs, began), at_most=JOIN_MOST)


def returns_at_once(labs: list[Lab], lab: Lab, figures: Run) -> None:
    """Its id is known, so the group hands it what it had."""
    began = time.time()
    lab.stop(signal.SIGKILL)
    figures.seconds("ready after a return within the session", lab.ready_again())
    figures.seconds("dark at a return within the session", dark(labs, began), at_most=JOIN_MOST)


def is_killed(labs: list[Lab], lab: Lab, figures: Run) -> None:
    began = time.time()
    lab.stop(signal.SIGKILL)
    figures.seconds("dark after a kill", dark_until_all_owned(labs, began), at_most=KILL_MOST)


def leaves(labs: list[Lab], lab: Lab, figures: Run) -> None:
    """It may be back at any moment, so the group waits for it as for one that was killed."""
    began = time.time()
    assert lab.stop() == 0
    figures.seconds("dark after an orderly end", dark_until_all_owned(labs, began), at_most=KILL_MOST)


def dark_until_all_owned(labs: list[Lab], began: float) -> float:
    wanted = set(range(labs[0].partitions))
    labs[0].wait_for(lambda: {n for each in running(labs) for n in owned(each)} == wanted, "all to be owned again")
    return dark(labs, began)


def dark(labs: list[Lab], began: float) -> float:
    time.sleep(SETTLED)
    return labs[0].dark(began, time.time() - 1)


def running(labs: list[Lab]) -> list[Lab]:
    return [each for each in labs if each.process is not None]


def owned(lab: Lab) -> list[int]:
    """The events partitions that the worker says it has; none while it takes over."""
    now = lab.log().rsplit("starting", 1)[-1]
    if "partitions taken over" not in now:
        return []
    listed = now.rsplit("events=[", 1)[1].split("]", 1)[0]
    return [int(number) for number in listed.split(",") if number.strip()]
