"""A replay by several processes: each has some of the clusters, this one reads and deals out.

Knows: which process has which cluster, what is asked of all of them and when.
Must not know: files of events, how clusters are reconstructed, how a document is shown.

What concerns no cluster, or many (heartbeats, what cannot be read or is of no concern), stays here.  Nothing depends on
how many processes there are, or on which has which cluster.
"""

from __future__ import annotations

import selectors
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self, TypeVar

from models.broadcasts import is_heartbeat
from models.observation import Observation
from models.reading import read
from models.unwrap import Ignored, Unreadable, Value, unwrap
from streams.replay import messages
from streams.replay.core import Replay, Terms
from streams.replay.messages import (
    Counted,
    Event,
    Judging,
    Raw,
    Timeless,
    Written,
)
from streams.replay.process import BATCH, Member
from streams.replay.routing import cluster_of
from streams.replay.spool import Spool
from streams.replay.tally import Place
from streams.replay.told import Part, Told

AN_EVENT = BATCH // 256
"""About so many bytes is one that was read."""
Progress = Callable[[int, int | None], None]
Answer = TypeVar("Answer", Counted, Written)


class Crew:
    """The processes, while values come in and until what they tell was used."""

    def __init__(self, count: int, terms: Terms) -> None:
        self._own = Replay(at_ms=terms.at_ms, limits=terms.limits, thresholds=terms.thresholds)
        self._members: list[Member] = []
        self._owners: dict[str, Member] = {}
        self._fed = 0
        self._timeless = False
        self._count, self._terms = count, terms

    def __enter__(self) -> Self:
        try:
            for number in range(1, self._count + 1):
                self._members.append(Member(f"process {number} of {self._count}"))
                self._members[-1].begin(self._terms)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()

    def feed(self, origin: str, raw: bytes) -> None:
        """One raw value, to whom it concerns.  Never raises on data."""
        arn = cluster_of(raw)
        if arn is not None:
            self._owner(arn).send(Raw(self._fed, origin, arn, raw), len(raw))
        else:
            for index, value in enumerate(unwrap(raw)):
                self._deal(Place(self._fed, index, origin), value)
        self._fed += 1

    def tell(self, now_ms: int | None, progress: Progress | None = None) -> Told:
        """Everything so far, judged; `progress` is told the clusters that are.  Good until the crew is left."""
        for member in self._members:
            member.flush()
            member.say(messages.End())
        clusters = 0
        for _, counted in self._hear(Counted):
            self._own.tally.add(counted.tally)
            clusters += counted.clusters
        clock, feeds = self._own.clock(now_ms), self._own.feeds()
        for member in self._members:
            member.say(messages.Judge(clock, feeds))
        written: list[tuple[Spool, list[Part]]] = []
        letters = [self._own.letters]
        for member, answer in self._hear(Written, progress, clusters):
            buried, items = member.spools(answer)
            letters.append(buried)
            written.append((items, answer.parts))
        return Told(self._own.summary(), written, letters)

    def _deal(self, place: Place, value: Value | Ignored | Unreadable) -> None:
        """One value that had to be read to know whom it concerns."""
        self._timeless = False
        outcome = read(value, latest=self._no_time) if isinstance(value, Value) else value
        if not isinstance(outcome, Observation) or is_heartbeat(outcome):
            self._own.count(place, outcome)
            return
        owner = self._owner(outcome.cluster_arn)
        if self._timeless and isinstance(value, Value):
            data = value.data
            owner.send(Timeless(*place, value.form, value.body, data), 2 * len(data))
        else:
            owner.send(Event(*place, outcome), AN_EVENT)

    def _no_time(self, arn: str) -> int:
        """Whoever has the cluster knows its newest time; here the answer only has to be read to its end."""
        del arn
        self._timeless = True
        return 0

    def _owner(self, arn: str) -> Member:
        """A new cluster goes to whoever had least so far."""
        if arn not in self._owners:
            self._owners[arn] = min(self._members, key=lambda member: member.load)
        return self._owners[arn]

    def _hear(
        self, kind: type[Answer], progress: Progress | None = None, total: int = 0
    ) -> Iterator[tuple[Member, Answer]]:
        """That message of everyone, as they come."""
        done = dict.fromkeys(self._members, 0)
        with selectors.DefaultSelector() as waiting:
            for member in self._members:
                waiting.register(member.told, selectors.EVENT_READ, member)
            while waiting.get_map():
                for key, _ in waiting.select():
                    message = key.data.hear()
                    if isinstance(message, Judging):
                        done[key.data] = message.clusters
                        if progress is not None:
                            progress(sum(done.values()), total)
                    elif isinstance(message, kind):
                        waiting.unregister(key.fileobj)
                        yield key.data, message

    def _stop(self) -> None:
        for member in self._members:
            member.leave()
        for member in self._members:
            member.stop()
