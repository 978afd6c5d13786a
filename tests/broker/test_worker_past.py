"""A worker on a real Kafka is asked of earlier moments, and answers what `replay --at` says of the same input."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from models.fold import Limits
from models.public import iso
from streams.replay import replay
from tests.broker.lab import START_MS, Lab, event

if TYPE_CHECKING:
    from tests.kafka import Broker

MINUTE = 60_000
LISTS = {
    "clusters": "clusters",
    "instance-groups": "instance_groups",
    "instances": "instances",
    "anomalies": "anomalies",
}


@pytest.fixture
def lab(kafka: Broker, tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(kafka.bootstrap, tmp_path)
    yield lab
    lab.stop()


def story(steps: range = range(30)) -> list[bytes]:
    """Five instances of two clusters, ten times through their scripts: one step a second."""
    return [event(cluster, instance, step) for step in steps for cluster in range(2) for instance in range(5)]


def served(lab: Lab, at: int) -> dict[str, Any]:
    pages = {name: lab.get(f"/api/v1/{name}?limit=1000&at={at}") for name in LISTS}
    assert {page["as_of"] for page in pages.values()} == {iso(at)}
    return {name: _plain(page["items"]) for name, page in pages.items()}


def replayed(lab: Lab, values: list[bytes], at: int, limits: Limits | None = None) -> dict[str, Any]:
    path = lab.folder / "values.jsonl"
    path.write_bytes(b"\n".join(values))
    document = replay([str(path)], at_ms=at, limits=limits).model_dump(mode="json")
    return {name: _plain(document[key]) for name, key in LISTS.items()}


def _plain(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in item.items() if name != "revision"} for item in items]


def test_moments_that_the_rows_keep_are_answered_as_replay_answers_them(lab: Lab) -> None:
    values = story()
    random.Random(3).shuffle(values)
    lab.start()
    lab.wait_ready()
    lab.produce(values, partition=0)
    lab.wait_done()
    for at in (START_MS - MINUTE, START_MS, START_MS + 7_002, START_MS + 29_000, START_MS + MINUTE):
        assert served(lab, at) == replayed(lab, values, at)
    assert lab.get(f"/api/v1/instances?at={START_MS + 7_002}")["items"]
    assert lab.stop() == 0
