"""What the rows have forgotten, out of the events topic: exactly what the lane took, or a refusal."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from models.observation import Observation
from models.public import Picture, iso
from models.workspace import Workspace
from streams import codecs, history
from streams.codecs import Origin
from streams.connection import NoKafka
from streams.history import EventsHistory
from streams.settings import Settings
from streams.web.provider import Behind, Gone
from tests.builders import HOUR, MINUTE, START, Node, Site, provisioned, raw
from tests.oracle import observe

SITE, OTHER = Site("train"), Site("infer")
SEEN = observe(raw(provisioned(Node(SITE, "workers", "i-1", "n-1"), START)))
ELSEWHERE = observe(raw(provisioned(Node(OTHER, "workers", "i-2", "n-2"), START)))
AT = SEEN[-1].time


@dataclass
class Topic:
    """One partition as a reader finds it; `begins` is its first offset, each time it is asked for."""

    values: list[tuple[bytes | None, bytes | None]] = field(default_factory=list)
    begins: list[int] = field(default_factory=lambda: [0])

    def begin(self, topic: str, partition: int) -> int:
        return self.begins[0] if len(self.begins) == 1 else self.begins.pop(0)

    def records(self, topic: str, *, partitions: list[int]) -> Iterator[Any]:
        for offset, (key, value) in enumerate(self.values):
            yield SimpleNamespace(offset=offset, key=key, value=value)

    def holds(self, *seen: Observation) -> Topic:
        for obs in seen:
            place = Origin("raw", 0, len(self.values), 0)
            self.values.append((obs.cluster_arn.encode(), codecs.forwarded(place, obs.time, obs, {})))
        return self


def asked(monkeypatch: pytest.MonkeyPatch, topic: Topic, *, end: int | None = None, generation: int = 1) -> Picture:
    """What is told of the cluster at `AT`, by a worker that has taken the topic up to `end`."""

    @contextmanager
    def reader(settings: Settings) -> Iterator[Topic]:
        yield topic

    monkeypatch.setattr(history, "reader", reader)
    fleet = SimpleNamespace(told_from=lambda arn: AT + HOUR, silences=list)
    progress = SimpleNamespace(generation=generation)
    lane: Any = SimpleNamespace(
        fleet=fleet, partition=0, next=len(topic.values) if end is None else end, progress=progress
    )
    return asyncio.run(EventsHistory(Settings()).picture(lane, SITE.arn, AT))


def wanted(seen: list[Observation]) -> Picture:
    workspace = Workspace(SITE.arn)
    for obs in seen:
        workspace.apply(obs, obs.time)
    return workspace.picture(AT)


def test_it_is_what_the_clusters_own_events_say(monkeypatch):
    topic = Topic().holds(SEEN[0], *ELSEWHERE, *SEEN[1:])
    assert asked(monkeypatch, topic) == wanted(SEEN)


def test_what_was_forwarded_twice_is_taken_once_and_what_is_not_ours_not_at_all(monkeypatch):
    topic = Topic().holds(*SEEN)
    topic.values += [topic.values[0], (None, b"x"), (SITE.arn.encode(), b"x"), (b"tick", codecs.tick(0, AT))]
    assert asked(monkeypatch, topic) == wanted(SEEN)


def test_later_events_and_those_that_the_worker_has_not_taken_yet_are_left_out(monkeypatch):
    later = observe(raw([Node(SITE, "workers", "i-1", "n-1").script(AT + MINUTE, "Started")]))
    assert asked(monkeypatch, Topic().holds(*SEEN, *later)) == wanted(SEEN)
    assert asked(monkeypatch, Topic().holds(*SEEN), end=2) == wanted(SEEN[:2])


@pytest.mark.parametrize(("begins", "generation"), [([1], 1), ([0, 1], 1), ([0], 2)])
def test_without_the_topics_beginning_there_is_no_answer(monkeypatch, begins: list[int], generation: int):
    with pytest.raises(Gone) as gone:
        asked(monkeypatch, Topic(begins=begins).holds(*SEEN), generation=generation)
    assert gone.value.oldest_at == iso(AT + HOUR)


def test_while_kafka_is_away_one_may_ask_again(monkeypatch):
    topic = Topic()
    monkeypatch.setattr(topic, "begin", lambda *_: (_ for _ in ()).throw(NoKafka("No broker answers.")))
    with pytest.raises(Behind, match=r"No broker answers\."):
        asked(monkeypatch, topic)


def test_what_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(history, "SECONDS", -1.0)
    with pytest.raises(Behind, match="reading back to"):
        asked(monkeypatch, Topic().holds(*SEEN))
