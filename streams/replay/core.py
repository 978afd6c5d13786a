"""Values to clusters: the reconstruction in one process, with no broker.

Knows: reading, workspaces; the very rows and the very bound that the worker has.
Must not know: files, Kafka, Faust, other processes, how a document is shown.

Values are taken in the order read, never sorted, never deduplicated beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from models.broadcasts import Broadcasts, is_heartbeat
from models.deadlines import Thresholds
from models.fold import Limits
from models.observation import Observation
from models.public import Document, Picture, Summary, join
from models.public_silence import Silence
from models.reading import read
from models.unwrap import Ignored, Unreadable, Value, unwrap
from models.workspace import Outcome, Workspace
from streams.replay.spool import Spool
from streams.replay.tally import Place, Tally, bury, exhume


@dataclass(frozen=True)
class Terms:
    """What a replay goes by; None stands for what holds unless told otherwise."""

    at_ms: int | None = None
    limits: Limits | None = None
    thresholds: Thresholds | None = None
    silences: Sequence[Silence] = ()


class _Known:
    """What is known of some of the values: clusters, and what concerns many of them."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self.clusters: dict[str, Workspace] = {}
        self.shared = Broadcasts(terms.limits, terms.thresholds)

    def apply(self, obs: Observation) -> Outcome:
        if is_heartbeat(obs):
            return self.shared.hear(obs)
        if obs.cluster_arn not in self.clusters:
            self.clusters[obs.cluster_arn] = Workspace(obs.cluster_arn, self._terms.limits)
        return self.clusters[obs.cluster_arn].apply(obs)

    def pictures(self, now: int) -> Iterator[tuple[str, Picture]]:
        feed, terms = self.shared.feed, self._terms
        for arn, cluster in sorted(self.clusters.items()):
            yield arn, cluster.picture(now, terms.thresholds, feed(arn), terms.silences)


class Replay:
    """Counts and clusters while values come in."""

    def __init__(
        self,
        *,
        at_ms: int | None = None,
        limits: Limits | None = None,
        thresholds: Thresholds | None = None,
        silences: Sequence[Silence] = (),
        letters: Spool | None = None,
    ) -> None:
        """`letters`: where dead letters are kept, unless in a place of its own."""
        terms = Terms(at_ms, limits, thresholds, silences)
        self._at = at_ms
        self._counted = _Known(terms)
        self._asked = self._counted if at_ms is None else _Known(terms)
        self._latest: dict[str, int] = {}
        self._fed = 0
        self.tally = Tally()
        self.letters = letters or Spool()

    def feed(self, origin: str, raw: bytes) -> None:
        """One raw value: a line, a document, a Kafka record.  Never raises on data."""
        for index, value in enumerate(unwrap(raw)):
            self.take(Place(self._fed, index, origin), value)
        self._fed += 1

    def take(self, place: Place, value: Value | Ignored | Unreadable) -> None:
        """One value out of a raw one."""
        self.count(place, self.read(value))

    def read(self, value: Value | Ignored | Unreadable) -> Observation | Ignored | Unreadable:
        """What it is, by all that was fed before."""
        return read(value, latest=self._latest.get) if isinstance(value, Value) else value

    def count(self, place: Place, outcome: Observation | Ignored | Unreadable) -> None:
        """One value that was read."""
        self.tally.read += 1
        if isinstance(outcome, Ignored):
            self.tally.ignores(outcome.type)
        elif isinstance(outcome, Unreadable):
            self.tally.dead_lettered += 1
            bury(self.letters, place, outcome)
        else:
            self._apply(outcome)

    def document(self, now_ms: int | None = None) -> Document:
        """Everything so far, judged at the moment asked for, else at `now_ms`, else at the watermark."""
        shown = self.picture(now_ms)
        return Document(
            summary=self.summary(),
            clusters=shown.clusters,
            instance_groups=shown.instance_groups,
            instances=shown.instances,
            anomalies=shown.anomalies,
            dead_letters=tuple(exhume([self.letters])),
        )

    def picture(self, now_ms: int | None = None) -> Picture:
        """What the worker would show at that moment: the document's lists and those beside it."""
        return join(picture for _, picture in self.pictures(self.clock(now_ms)))

    def pictures(self, clock: int) -> Iterator[tuple[str, Picture]]:
        """The same at exactly that moment, cluster by cluster, by ARN."""
        return self._asked.pictures(clock)

    def clock(self, now_ms: int | None = None) -> int:
        """The moment that everything is judged at."""
        return next((ms for ms in (self._at, now_ms, self.tally.watermark) if ms is not None), 0)

    def clusters(self) -> int:
        """How many there are to judge."""
        return len(self._asked.clusters)

    def feeds(self) -> dict[str, bytes]:
        """What heartbeats tell of feeds, for another process; of those heard since the last call."""
        return {key: row for key, row in self._asked.shared.take().rows.items() if row is not None}

    def load_feeds(self, rows: Mapping[str, bytes]) -> None:
        """Take over what another process heard."""
        for key, row in rows.items():
            self._asked.shared.load(key, row)

    def summary(self) -> Summary:
        """How every value so far was counted."""
        return self.tally.summary()

    def _apply(self, obs: Observation) -> None:
        arn = obs.cluster_arn
        outcome = self._counted.apply(obs)
        if self._asked is not self._counted and self._at is not None and obs.time <= self._at:
            self._asked.apply(obs)
        self.tally.applies(outcome, obs.time)
        self._latest[arn] = max(obs.time, self._latest.get(arn, obs.time))
