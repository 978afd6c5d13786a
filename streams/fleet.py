"""The clusters of one partition: workspaces over table rows, and what concerns many of them.

Knows: how rows of a cluster are found, which clusters changed, or may look otherwise for what changed around them.
Must not know: Kafka, transactions, what is published.

Most clusters of a large fleet are quiet most of the time.  A workspace is made from the table's rows when it is needed
and let go when nothing has needed it for a while, or when together they take too much memory; never while it has
changes that are not in the table yet.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pydantic import TypeAdapter

from models import feeds
from models.broadcasts import Broadcasts, is_heartbeat
from models.deadlines import Thresholds
from models.feeds import Feed, FeedName, feed_of_cluster
from models.fold import Limits
from models.judge import Judgement
from models.observation import Observation
from models.past import Past, as_of, look_back, told_from
from models.public import Picture
from models.public_silence import Silence
from models.rows import FOLD_VERSION
from models.transitions import Moved
from models.workspace import Outcome, Workspace
from streams import codecs, logs
from streams.tables import RestoreError, Tables
from streams.topics import BROADCASTS, CLUSTER_TABLES, ROW_TABLES


@dataclass(frozen=True)
class Changed:
    """What folding changed since the last look: rows as table, key and value (None deletes), and transitions."""

    rows: tuple[tuple[str, bytes, bytes | None], ...]
    transitions: tuple[Moved, ...]


_SILENCE: TypeAdapter[Silence | None] = TypeAdapter(Silence | None)
_CHANGES = itertools.count()


@dataclass(frozen=True)
class Moment:
    """A cluster at an earlier moment, apart from everything that goes on changing; folded and judged when asked."""

    key: tuple[str, int, int]
    """Cluster, moment, and what grows with every event that may say otherwise of it."""
    past: Past
    feed: Feed | None
    limits: Limits
    thresholds: Thresholds | None
    silences: Sequence[Silence]

    def picture(self) -> Picture:
        """What was to be seen then."""
        return as_of(self.past, self.limits).picture(self.past.at, self.thresholds, self.feed, self.silences)


REST_SECONDS = 10.0
"""After so long a quiet cluster is let go: opening it again takes as long as judging it, which it will be then."""
AT_ONCE = 16 << 20
"""So many bytes of idle clusters go at once: their pictures are packed then, while everything else waits."""
ROW_BYTES = 6_000
EVENT_SHARE = 2
"""What a decoded row takes, and its events as a multiple of their JSON, as measured."""


class Fleet:
    """`cache_bytes` is what workspaces may take, roughly; the one that was needed last stays however large it is."""

    def __init__(
        self,
        tables: Tables,
        partition: int,
        limits: Limits,
        thresholds: Thresholds | None = None,
        cache_bytes: int = 1 << 62,
        patience: int | None = None,
    ) -> None:
        self._thresholds, self._cache_bytes, self._patience = thresholds, cache_bytes, patience
        self._tables, self._partition, self._limits = tables, partition, limits
        self._open: dict[str, Workspace] = {}
        self._needed: set[str] = set()
        """Clusters that were asked for since the last look at who rests."""
        self._used: OrderedDict[str, tuple[float, int]] = OrderedDict()
        """When those that may rest were needed, the last one last, and their bytes."""
        self._unready: dict[str, tuple[float, int]] = {}
        """The same of those with changes that are not in the table: looked at again only when they are."""
        self._total, self._last = 0, ""
        self._passed: list[str] = []
        """Clusters that were opened for one look and are closed again."""
        self._touched: set[str] = set()
        self._unstored: set[str] = set()
        """Clusters with changes that were taken and may not be in the table yet."""
        self._known: set[str] | None = None
        self._changed_at: dict[str, int] = {}
        self._heard_at = self._loaded_at = next(_CHANGES)
        self._shared = Broadcasts(limits, thresholds)
        for key, value in tables.scan(BROADCASTS, partition):
            with self._readable(BROADCASTS, key):
                self._shared.load(key.decode(), codecs.unwrap_row(value, FOLD_VERSION))

    def apply(self, observation: Observation, read_at: int | None = None) -> Outcome:
        """One event into the rows of its cluster or feed; `read_at` is the raw record's time in epoch ms."""
        if is_heartbeat(observation):
            self._heard_at = next(_CHANGES)
            return self._shared.hear(observation)
        arn = observation.cluster_arn
        workspace = self._workspace(arn)
        self._changed_at[arn] = next(_CHANGES)
        self._touched.add(arn)
        return workspace.apply(observation, read_at)

    def silence(self, silence_id: str, record: bytes) -> None:
        """What holds for a silence's id from now on: its JSON, `null` where it was taken away."""
        self._heard_at = next(_CHANGES)
        self._shared.silence(silence_id, _SILENCE.validate_json(record))

    def forget(self, now: int) -> None:
        """Let go of what expired long before `now`."""
        self._shared.forget(now)

    def take(self, sealed: Callable[[bytes], bytes], now: int | None = None) -> tuple[frozenset[str], Changed]:
        """The clusters that may look otherwise since the last call, and what changed in them and around them.

        `now` (epoch ms) is no earlier than that of any judgement.  `sealed` makes a table's value of a row's JSON: at
        once, so that not all of a checkpoint's rows are there twice.
        """
        touched, self._touched = self._touched, set()
        self._unstored |= touched
        rows: list[tuple[str, bytes, bytes | None]] = []
        transitions: list[Moved] = []
        for arn in sorted(touched):
            changes = self._open[arn].take()
            rows.extend(
                (table, key.encode(), None if row is None else sealed(row))
                for (table, key), row in changes.rows.items()
            )
            transitions.extend(changes.transitions)
        news = self._shared.take(now)
        rows.extend((BROADCASTS, key.encode(), None if row is None else sealed(row)) for key, row in news.rows.items())
        if news.feeds or news.silences:
            touched |= {arn for arn in self.arns() if news.silences or feed_of_cluster(arn) in news.feeds}
        return frozenset(touched), Changed(tuple(rows), tuple(transitions))

    def stored(self) -> None:
        """Everything that was taken so far is in the table now."""
        self._unstored.clear()
        ready = {arn: used for arn, used in self._unready.items() if arn not in self._touched}
        if ready:
            self._unready = {arn: used for arn, used in self._unready.items() if arn in self._touched}
            self._used = OrderedDict(sorted([*self._used.items(), *ready.items()], key=lambda item: item[1][0]))

    def rest(self, moment: float) -> list[str]:
        """Let go of clusters that nothing needs now, where `moment` (seconds) goes on; returns those."""
        for arn in self._needed:
            self._weigh(arn, moment)
        self._needed.clear()
        gone, self._passed, before = self._passed, [], self._total
        while self._used:
            arn, (seen, weight) = next(iter(self._used.items()))
            idle, short = moment - seen >= REST_SECONDS, self._total > self._cache_bytes and arn != self._last
            if not short and (not idle or before - self._total > AT_ONCE):
                break
            self._total -= weight
            gone.append(arn)
            del self._open[arn], self._used[arn]
        return gone

    @property
    def is_quiet(self) -> bool:
        """Every cluster rests."""
        return not self._open

    def _weigh(self, arn: str, moment: float) -> None:
        """Note what it takes now, and that it was needed."""
        self._total -= (self._used.pop(arn, None) or self._unready.pop(arn, (0.0, 0)))[1]
        kept = self._unready if arn in self._touched or arn in self._unstored else self._used
        kept[arn] = moment, _weight(self._open[arn])
        self._total += kept[arn][1]
        self._last = arn

    def judgement(self, arn: str, now: int, *, passing: bool = False) -> Judgement:
        """One cluster as it stands.  `passing`: whoever looks at all of them keeps none open that was not."""
        feed, silences = self._shared.feed(arn), self._shared.silences()
        if passing and arn not in self._open:
            self._passed.append(arn)
            workspace = self._opened(arn)
        else:
            workspace = self._workspace(arn)
        return workspace.judgement(now, self._thresholds, feed, silences, self._patience)

    def silences(self) -> list[Silence]:
        """Those that are known by now."""
        return self._shared.silences()

    def heartbeats(self) -> dict[FeedName, int]:
        """The newest heartbeat of every feed that has sent any, epoch ms."""
        return self._shared.heartbeats()

    def state_of(self, arn: str) -> int:
        """A number that grows with everything that may say otherwise of the cluster's past."""
        return max(self._changed_at.get(arn, self._loaded_at), self._heard_at)

    def look_back(self, arn: str, at: int) -> Moment | None:
        """One cluster as the events up to `at` (epoch ms) had made it; None where the rows do not keep enough."""
        feed = self._shared.feed(arn)
        past, before = look_back(self._workspace(arn), at), None if feed is None else feeds.look_back(feed, at)
        if past is None or (feed is not None and before is None):
            return None
        key = arn, at, self.state_of(arn)
        return Moment(key, past, before, self._limits, self._thresholds, self.silences())

    def told_from(self, arn: str) -> int | None:
        """The time from which on `look_back` always has an answer; None where it has from the beginning."""
        feed = self._shared.feed(arn)
        edges = [told_from(self._workspace(arn)), None if feed is None else feeds.told_from(feed)]
        return max((edge for edge in edges if edge is not None), default=None)

    def arns(self) -> list[str]:
        """Every cluster that has a row or a workspace, sorted."""
        if self._known is None:
            keys = (key for table in CLUSTER_TABLES for key, _ in self._tables.scan(table, self._partition))
            self._known = {key.split(b"|", 1)[0].decode() for key in keys} | self._open.keys()
        return sorted(self._known)

    def _workspace(self, arn: str) -> Workspace:
        found = self._open.get(arn)
        if found is None:
            found = self._open[arn] = self._opened(arn)
            if self._known is not None:
                self._known.add(arn)
        self._needed.add(arn)
        return found

    def _opened(self, arn: str) -> Workspace:
        """Whole, or RestoreError: half of a cluster would be judged as if it were all, and written over the rest."""
        made = Workspace(arn, self._limits)
        for table, key, value in self._rows(arn):
            with self._readable(table, key):
                made.load(table, key.decode(), codecs.unwrap_row(value, FOLD_VERSION))
        return made

    @contextmanager
    def _readable(self, table: str, key: bytes) -> Iterator[None]:
        """RestoreError for whatever goes wrong with a row."""
        try:
            yield
        except Exception as error:
            why = error if isinstance(error, codecs.DecodeError) else logs.place(error)
            raise RestoreError(
                f"Table {table}, partition {self._partition}: the row {_shown(key)} cannot be read: {why}. Something "
                "else writes to its changelog, or a newer version did. Make tables anew with "
                "`hyperpod-state rebuild --tables NAME`, then set HYPERPOD_STATE_TABLES=NAME."
            ) from error

    def _rows(self, arn: str) -> Iterator[tuple[str, bytes, bytes]]:
        own = arn.encode()
        for table in CLUSTER_TABLES:
            for key, value in self._tables.scan(table, self._partition, own):
                if key == own or key.startswith(own + b"|"):
                    yield table, key, value


def _weight(workspace: Workspace) -> int:
    """Bytes that it takes, roughly."""
    rows = workspace.rows.values()
    return ROW_BYTES * len(rows) + EVENT_SHARE * sum(row.size for row in rows)


def _shown(key: bytes) -> str:
    return repr(key.decode(errors="backslashreplace"))


def check_row(table: str, key: bytes | None, value: bytes | None) -> None:
    """RestoreError where a changelog record cannot be a row of ours.

    By its envelope: to decode what is in it takes seven times as long, and is done when its cluster is opened.
    """
    if key is None:
        raise RestoreError("a record without a key: something else writes to this topic")
    if value is None or table not in ROW_TABLES:
        return
    try:
        codecs.unwrap_row(value, FOLD_VERSION)
    except codecs.DecodeError as error:
        raise RestoreError(f"the row {_shown(key)} cannot be read: {error}") from error
