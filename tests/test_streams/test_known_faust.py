"""What the worker takes for granted of Faust's inside, and what it keeps away from: the commits of its consumer.

Knows: Faust's consumer, without any broker.  Must not know: Kafka.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from faust.tables.recovery import Recovery
from faust.transport.consumer import Consumer
from faust.types import TP
from intervaltree import IntervalTree

from streams import known_faust
from streams.app import create_app
from streams.settings import Settings
from streams.topics import wanted

SOURCE = TP("source", 0)
BACKLOG = 500
REPORT = Path(__file__).parents[2] / "docs/upstream/faust-commit-crawl.md"


class Bookkeeping(Consumer):
    """Faust's consumer as far as it keeps acknowledgements; nothing of it speaks to a broker."""

    def __init__(self, acks: bool = True) -> None:
        self.app: Any = SimpleNamespace(topics=SimpleNamespace(acks_enabled_for=lambda topic: acks))
        self._committed_offset = defaultdict(lambda: None)
        self._acked, self._acked_index = defaultdict(list), defaultdict(set)
        self._gap = defaultdict(IntervalTree)
        self._unacked_messages: Any = set()
        self._n_acked = 0
        self._waiting_for_ack = None

    def acked(self, offset: int) -> bool:
        """A message of the source that the stream is done with."""
        return self.ack(_Message(offset))

    def commits_until(self, end: int) -> int:
        """Cycles of Faust's commit until it has got to `end`."""
        for cycle in range(1, 10 * BACKLOG):
            offset = self._new_offset(SOURCE)
            if offset is not None and self._should_commit(SOURCE, offset):
                self._committed_offset[SOURCE] = offset
            if self._committed_offset[SOURCE] == end:
                return cycle
        raise AssertionError(f"never got to {end}: {self._committed_offset[SOURCE]}")


# What it asks a broker for is not asked for here.
Bookkeeping.__abstractmethods__ = frozenset()  # type: ignore[attr-defined]


def mended() -> Bookkeeping:
    """With the change that the report proposes, word for word."""
    code: dict[str, Any] = {}
    exec(REPORT.read_text().split("```python\n")[1].split("```")[0], code)
    return type("Mended", (Bookkeeping,), {"_new_offset": code["_new_offset"]})()


class _Message:
    tp, topic, acked = SOURCE, SOURCE.topic, False

    def __init__(self, offset: int) -> None:
        self.offset = offset


async def behind_a_bogus_gap(consumer: Bookkeeping) -> None:
    """Restarted at 100; the first record that comes is one that was fetched before, and all from 100 on come again."""
    consumer._committed_offset[SOURCE] = 100
    await consumer._add_gap(SOURCE, 101, 100 + BACKLOG)
    for offset in range(100, 100 + BACKLOG + 1):
        consumer.acked(offset)


def test_the_installed_faust_is_one_that_the_worker_knows() -> None:
    now = {place: known_faust.fingerprint(place) for place in known_faust.RELIED_ON}
    assert now == known_faust.RELIED_ON
    known_faust.check()


def test_a_faust_that_changed_inside_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    async def _wait(self: Recovery, coro: Any, timeout: Any = None) -> None:
        """Something else."""

    monkeypatch.setattr(Recovery, "_wait", _wait)
    monkeypatch.delattr(Recovery, "_seek_offsets")
    with pytest.raises(known_faust.UnknownFaust) as refusal:
        known_faust.check()
    assert "Recovery._seek_offsets, Recovery._wait changed since 0.15.3" in str(refusal.value)
    assert "pip install 'faust-streaming==0.15.3'" in str(refusal.value)


def test_commits_of_faust_crawl_behind_a_gap_that_is_none() -> None:
    """When this fails, Faust has mended it: docs/upstream/faust-commit-crawl.md has done its work."""
    stock, better = Bookkeeping(), mended()
    for consumer in (stock, better):
        asyncio.run(behind_a_bogus_gap(consumer))
    end = 100 + BACKLOG + 1
    assert (stock.commits_until(end), better.commits_until(end)) == (BACKLOG, 1)


def test_the_change_waits_for_what_is_not_acknowledged_yet() -> None:
    consumer = mended()
    consumer._committed_offset[SOURCE] = 100
    for offset in (100, 101, 104, 105):
        consumer.acked(offset)
    assert (consumer._new_offset(SOURCE), consumer._acked[SOURCE]) == (102, [104, 105])
    consumer._committed_offset[SOURCE] = 102
    assert consumer._new_offset(SOURCE) is None
    for offset in (102, 103):
        consumer.acked(offset)
    assert (consumer._new_offset(SOURCE), consumer._acked[SOURCE]) == (106, [])


def test_faust_keeps_nothing_to_commit_of_our_topics(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, http_port=0, instance_id="one")
    built = create_app(settings, {topic.name: "x" for topic in wanted(settings)})
    try:
        declared = {agent.channel.get_topic_name(): agent.channel.acks for agent in built.app.agents.values()}
        assert declared == {settings.raw_topic: False, settings.events_topic: False, settings.silences_topic: False}
    finally:
        built.app.http._socket.close()
    consumer = Bookkeeping(acks=False)
    assert not any(consumer.acked(offset) for offset in range(10))
    assert not consumer._acked
    assert consumer._new_offset(SOURCE) is None
