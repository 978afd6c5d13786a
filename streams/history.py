"""Moments that the rows have forgotten: a cluster folded again from the beginning of its events topic.

Knows: how to read a partition of `hyperpod.events` as a bystander, which of its records are of a cluster.
Must not know: lanes' work, routes.

Exact only while Kafka keeps the topic from its very first record on: what was deleted may have been of any cluster.
Then, and where a topic was made anew, there is no answer (`Gone`) rather than one that lacks something.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass

from models.broadcasts import Broadcasts, is_heartbeat
from models.observation import Observation
from models.public import Picture, iso
from models.public_silence import Silence
from models.workspace import Workspace
from streams import codecs
from streams.agents.events import EventsLane
from streams.connection import NoKafka
from streams.reader import Reader, reader
from streams.settings import Settings
from streams.web.provider import Behind, Gone

SECONDS = 90.0
"""A question that takes longer than this is given up: others wait for it."""
FEED = b"feed|"


@dataclass(frozen=True)
class _Question:
    """Which cluster, when, and up to which offset of which partition: the lane's own cut."""

    arn: str
    at: int
    partition: int
    end: int
    silences: list[Silence]


class EventsHistory:
    """Reads the whole partition for every question."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def picture(self, lane: EventsLane, arn: str, at: int) -> Picture:
        """The cluster at that moment.  Raises Gone or Behind."""
        oldest = lane.fleet.told_from(arn)
        question = _Question(arn, at, lane.partition, lane.next, lane.fleet.silences())
        found = await asyncio.to_thread(self._answer, question) if lane.progress.generation == 1 else None
        if found is None:
            raise Gone(None if oldest is None else iso(oldest))
        return found

    def _answer(self, question: _Question) -> Picture | None:
        """None where the beginning is gone; it is looked at after reading too, as it may go meanwhile."""
        try:
            with reader(self._settings) as source:
                if self._is_whole(source, question.partition):
                    picture = self._fold(source, question)
                    return picture if self._is_whole(source, question.partition) else None
                return None
        except NoKafka as error:
            raise Behind(str(error)) from error

    def _is_whole(self, source: Reader, partition: int) -> bool:
        return source.begin(self._settings.events_topic, partition) == 0

    def _fold(self, source: Reader, question: _Question) -> Picture:
        limits, thresholds = self._settings.limits, self._settings.thresholds
        workspace, shared = Workspace(question.arn, limits), Broadcasts(limits, thresholds)
        for observation, read_at in self._events(source, question):
            if observation.time > question.at:
                continue
            if is_heartbeat(observation):
                shared.hear(observation)
            elif observation.cluster_arn == question.arn:
                workspace.apply(observation, read_at)
        return workspace.picture(question.at, thresholds, shared.feed(question.arn), question.silences)

    def _events(self, source: Reader, question: _Question) -> Iterator[tuple[Observation, int | None]]:
        """What concerns the cluster, as the lane took it: what a crash made the raw agent forward twice is one."""
        own, last = question.arn.encode(), dict[int, tuple[str, int, int]]()
        until = time.monotonic() + SECONDS
        for found in source.records(self._settings.events_topic, partitions=[question.partition]):
            if found.offset >= question.end:
                return
            if time.monotonic() > until:
                raise Behind(f"reading back to {iso(question.at)} takes more than {SECONDS:.0f} s")
            if found.key is None or not (found.key == own or found.key.startswith(FEED)):
                continue
            try:
                record = codecs.read_forwarded(found.value)
            except codecs.DecodeError:
                continue
            if record.observation is None or record.origin is None:
                continue
            origin = record.origin
            place, before = (origin.incarnation, origin.offset, origin.index), last.get(origin.partition)
            if before is None or before[0] != place[0] or place > before:
                last[origin.partition] = place
                yield record.observation, record.observed_ms
