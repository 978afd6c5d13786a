"""The worker as HTTP sees it: the picture of what it owns, how fresh, how ready.

Knows: lanes and their last judgement, and what was last known of partitions that went.
Must not know: routes, Kafka.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Mapping

from models.public import Picture, Summary, iso
from streams.lane import Lane
from streams.lanes import Lanes
from streams.metrics.workings import Workings
from streams.past import History, Pasts
from streams.remembered import Remembered, Shown, merged, shown_by
from streams.shelf import Shelf
from streams.web.provider import Freshness, Holding, Holdings, Partition, Readiness, TopicProgress
from streams.workings import workings

UNASKED_SECONDS = 120.0
"""Longer than from one scrape to the next."""


class WorkerProvider:
    """Answers from memory; every method is cheap but the first `picture` after a checkpoint, and `past`."""

    def __init__(self, lanes: Lanes, history: History | None = None) -> None:
        self._lanes, self._pasts = lanes, Pasts(lanes, history)
        self._picture: tuple[tuple[int, ...], Picture] | None = None
        self._asked_at = 0.0
        self._remembered, self._shelf = Remembered(), Shelf()
        lanes.given_up = self._remembered.keep

    def ready(self) -> Readiness:
        """Ready once every lane works and every partition was judged at or after the end it had at the assignment.

        And only for as long as no lane stalls.
        """
        lanes = self._lanes
        waiting = [str(lane.partition) for lane in lanes.events.values() if not lane.judged]
        closed = [lane for lane in lanes.all() if not lane.open]
        stalled = [lane.stalled for lane in lanes.all() if lane.stalled]
        doubted = [str(lane.partition) for lane in lanes.wakefulness.doubted(lanes.events.values())]
        if not lanes.assigned and lanes.restorer.share is not None:
            message = f"reading tables back from Kafka: {lanes.restorer.share:.0%} so far"
        elif not lanes.assigned:
            message = "waiting for partitions"
        elif stalled:
            message = f"stalled: {'; '.join(stalled)}; the worker's log says more, a restart may help"
        elif closed:
            message = "writing to Kafka again after it was away"
        elif doubted:
            message = f"this process has slept: making sure that partition {', '.join(doubted)} is still its own"
        elif waiting:
            message = f"reading up to the end of partition {', '.join(waiting)}"
        else:
            return Readiness(ready=True, message="ready", partitions=self._partitions())
        return Readiness(ready=False, message=message, partitions=self._partitions())

    def picture(self) -> Picture:
        """Every cluster of this worker, lists in the contract's order; made once per checkpoint."""
        self._asked_at = time.monotonic()
        version = tuple(sorted(lane.shown for lane in self._lanes.events.values()))
        if self._picture is None or self._picture[0] != version:
            self._picture = (version, self.last(self._lanes.events))
        return self._picture[1]

    def forget(self) -> None:
        """Nobody has asked for a while: let go of the last picture, and of what was opened for it."""
        if time.monotonic() - self._asked_at >= UNASKED_SECONDS:
            self._picture, self._shelf = None, Shelf()

    def holdings(self) -> Holdings:
        """What the lanes have judged, and the last pictures of partitions that were given up."""
        state, lanes = self.ready(), self._lanes
        doubted = lanes.wakefulness.doubted(lanes.events.values())
        held = {
            number: Holding(partition=number, as_of=iso(at), fresh=False) for number, at in self._remembered.known()
        }
        for number, lane in lanes.events.items():
            if lane.judged_at is not None:
                fresh = lanes.assigned and lane.open and not lane.stalled and lane not in doubted
                held[number] = Holding(partition=number, as_of=iso(lane.judged_at), fresh=fresh)
                self._remembered.drop(number)
        return Holdings(
            fleet=lanes.fleet,
            generation=lanes.generation,
            ready=state.ready,
            message=state.message,
            lag=sum(map(_lag, lanes.all())),
            partitions=tuple(held[number] for number in sorted(held)),
        )

    def last(self, partitions: Collection[int]) -> Picture:
        """What the lanes show, else what was kept of partitions that went."""
        shown = (self._shown(number) for number in sorted(partitions))
        return merged([each for each in shown if each is not None], self._shelf)

    def summary(self) -> Summary:
        """The counts of everything whose partition is here."""
        raw = [lane.progress for lane in self._lanes.raw.values() if lane.open]
        events = [lane.progress for lane in self._lanes.events.values() if lane.open]
        marks = [each.watermark for each in events if each.watermark is not None]
        ignored: dict[str, int] = {}
        for each in raw:
            for name, count in each.counts.ignored.items():
                ignored[name] = ignored.get(name, 0) + count
        return Summary(
            read=sum(each.counts.read for each in raw),
            applied=sum(each.counts.applied for each in events),
            duplicate=sum(each.counts.duplicate for each in events),
            ignored=ignored,
            dead_lettered=sum(sum(each.counts.dead_lettered.values()) for each in raw)
            + sum(each.counts.failed for each in events),
            late=sum(each.counts.late for each in events),
            unrecognized=sum(each.counts.unrecognized for each in events),
            watermark=iso(max(marks)) if marks else None,
        )

    def dead_letters(self) -> Mapping[str, int]:
        """By reason, of the partitions of the raw topic that are here."""
        found: Counter[str] = Counter()
        for lane in self._lanes.raw.values():
            if lane.open:
                found.update(lane.progress.counts.dead_lettered)
        return dict(sorted(found.items()))

    def freshness(self) -> Freshness:
        """The oldest of the partitions' clocks; the lag of both topics."""
        clocks = [lane.judged_at for lane in self._lanes.events.values()]
        known = [clock for clock in clocks if clock is not None]
        as_of = iso(min(known)) if known and len(known) == len(clocks) else None
        return Freshness(as_of=as_of, lag=sum(map(_lag, self._lanes.all())), partitions=self._partitions())

    def workings(self) -> Workings:
        """For the metrics; see `streams.workings`."""
        return workings(self._lanes)

    async def past(self, at: int, clusters: Collection[str] | None) -> Picture:
        """An earlier moment of these clusters; see `streams.past`."""
        return await self._pasts.picture(at, clusters)

    def _partitions(self) -> tuple[Partition, ...]:
        """By number: the raw partition and the events partition of one number count as one."""
        numbers = sorted(self._lanes.raw.keys() | self._lanes.events.keys())
        return tuple(self._partition(number) for number in numbers)

    def _partition(self, number: int) -> Partition:
        raw, events = self._lanes.raw.get(number), self._lanes.events.get(number)
        lanes: list[Lane] = [lane for lane in (raw, events) if lane is not None]
        whole = all(lane.open for lane in lanes) and (events is None or events.judged)
        state = "stalled" if any(lane.stalled for lane in lanes) else "running" if whole else "recovering"
        as_of = None if events is None or events.judged_at is None else iso(events.judged_at)
        return Partition(
            partition=number,
            state=state,
            lag=sum(map(_lag, lanes)),
            restored=None if whole else self._lanes.restorer.share,
            as_of=as_of,
            topics=tuple(_progress(lane) for lane in lanes),
        )

    def _shown(self, partition: int) -> Shown | None:
        lane = self._lanes.events.get(partition)
        found = None if lane is None else shown_by(lane)
        return found or self._remembered.get(partition)


def _progress(lane: Lane) -> TopicProgress:
    return TopicProgress(
        topic=lane.source,
        folded=lane.next,
        committed=lane.committed,
        lag=_lag(lane),
        still_seconds=round(lane.still, 1),
        stalled=lane.stalled is not None,
    )


def _lag(lane: Lane) -> int:
    return (lane.lag or 0) + lane.unshown
