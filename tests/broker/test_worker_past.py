"""A worker on a real Kafka is asked of earlier moments, and answers what `replay --at` says of the same input."""

from __future__ import annotations

import json
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

import pytest
from kafka import KafkaAdminClient, TopicPartition

from models.fold import Limits
from models.public import iso
from models.timestamps import parse_ms
from streams.replay import replay
from tests.broker.lab import LISTS, START_MS, Lab, event

if TYPE_CHECKING:
    from tests.kafka import Broker

MINUTE = 60_000


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


def test_what_the_rows_forgot_is_folded_again_until_the_topic_forgets_it_too(lab: Lab) -> None:
    """A worker whose rows keep four events and one second, killed on the way."""
    bound = {"lateness_ms": 1000, "lateness_events": 4, "ceiling_events": 6}
    limits = Limits(lateness_ms=1000, keep=4, ceiling_events=6)
    values = story()
    lab.start(**bound)
    lab.wait_ready()
    lab.produce(values[: len(values) // 2], partition=0)
    lab.wait_done()
    lab.stop(signal.SIGKILL)
    lab.start(**bound)
    lab.wait_ready()
    lab.produce(values[len(values) // 2 :], partition=0)
    lab.wait_done()
    for at in (START_MS - MINUTE, START_MS + 7_002, START_MS + 20_000, START_MS + 29_000, START_MS + MINUTE):
        assert served(lab, at) == replayed(lab, values, at, limits)

    forget(lab)
    assert served(lab, START_MS + MINUTE) == replayed(lab, values, START_MS + MINUTE, limits)
    with pytest.raises(HTTPError) as refused:
        lab.get(f"/api/v1/clusters?at={START_MS + 7_003}")
    with refused.value as answer:
        assert answer.code == 410
        oldest = parse_ms(json.loads(answer.read())["error"]["oldest_at"])
    assert oldest is not None
    assert START_MS + 7_003 < oldest <= START_MS + MINUTE
    assert served(lab, oldest) == replayed(lab, values, oldest, limits)
    assert lab.stop() == 0


def forget(lab: Lab) -> None:
    """As retention does: the oldest record of every partition goes."""
    client = KafkaAdminClient(bootstrap_servers=lab.bootstrap)
    try:
        client.delete_records({TopicPartition(lab.topic("events"), part): 1 for part in range(lab.partitions)})
    finally:
        client.close()
