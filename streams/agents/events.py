"""Events to state: the agent of `hyperpod.events`, and its lane.

Knows: guards, the partition's clock, what is counted, when clusters are judged.
Must not know: how a row moves, how an anomaly is found, how a record is written.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Collection
from typing import Any

from pydantic import ValidationError

from models.public import Picture, iso
from models.rows import FOLD_VERSION
from streams import codecs, logs
from streams.agents.forward import letter_room, recreated
from streams.checkpoint import Cut, batch_of
from streams.codecs import Origin, Progress
from streams.fleet import Changed, Fleet
from streams.garbage import RETURNS
from streams.lane import Batch, Lane, Stale, progress_of
from streams.ledger import Entry, Ledger
from streams.message import Message
from streams.pace import Judging
from streams.shelf import Shelved
from streams.tables import RestoreError

log = logs.get(__name__)
_VERSIONS = itertools.count()
Shelving = dict[str, Picture | Shelved]
BEHIND_MS = 10_000
"""And two ticks: so old is the time of a worker that waits for events."""
JUDGE_SHARE = 2.0
"""Between two judgements of what changed, of all partitions here, so many times as long as the first took."""
BEHIND_SHARE = 9.0
"""As `JUDGE_SHARE`, while a backlog is worked off."""
BEHIND_INTERVALS, BEHIND_MOST = 4, 4.0
"""So many times as far apart, but no longer than so many seconds, are checkpoints of a backlog."""
TIMELY_SHARE = 5
"""Judging clusters because time moves on may take one part in so many of the time."""


class EventsLane(Lane):
    """One partition of `hyperpod.events`.  `streams.lanes` sets `goal`."""

    kind = "events"
    judged_at: int | None = None
    _unjudged: frozenset[str] = frozenset()
    _judged_next = 0
    shown = -1
    told = 0
    """Up to where the group was with other tables."""
    goal: int = 1 << 62
    """The end offset seen at the assignment: nothing is judged before it is reached."""

    def __init__(self, *place: Any) -> None:
        super().__init__(*place)
        self.judging = Judging()
        self._turn: asyncio.TimerHandle | None = None
        """When it may be this lane's turn to judge, and that it is."""
        self._has_turn = False
        self._waits_since: int | None = None
        """Turns that there had been when it began to wait for one."""

    def load(self) -> None:
        """Everything from the tables."""
        self._leave_line()
        stored = progress_of(self, "progress", codecs.PROGRESS)
        self.fresh = stored is None
        self.progress: Progress = stored or Progress(self.incarnation)
        self.progress.told = max(self.progress.told, self.told)
        self._accept_incarnation()
        self.next = self.progress.next
        limits, thresholds, cache = self.settings.limits, self.settings.thresholds, self.settings.cache_mb << 20
        settle = round(self.settings.settle_seconds * 1000)
        self.fleet = Fleet(self.tables, self.partition, limits, thresholds, cache, settle)
        rows = (
            (key.decode(), codecs.ANOMALY.decode(codecs.unwrap_row(value, codecs.VERSION)))
            for key, value in self.tables.scan("anomalies", self.partition)
        )
        self.ledger = Ledger(rows, settle)
        self.pictures: Shelving = {}
        """Of every cluster, without its anomalies."""
        self.shown = next(_VERSIONS)
        self.judged_at = None
        self._judging: int | None = None
        self._until: dict[str, int | None] = {}
        """From when on time alone may change what is told of a cluster."""
        self._next_timely = 0.0
        self._unjudged = frozenset()
        self._judged_next = self.next
        self._letters: list[tuple[bytes, bytes]] = []
        self._repeating = self.next < self.progress.told
        self._untold: tuple[frozenset[str], Changed] = frozenset(), Changed((), ())
        self._unflushed = False
        """Some of the partition rests that may not be on the disk yet."""

    async def drop(self) -> None:
        """Without taking a turn any more."""
        self._leave_line()
        await super().drop()

    def fold(self, message: Message) -> None:
        """One record of the topic."""
        if self._repeating and message.offset >= self.progress.told:
            self._catch_up()
        try:
            record = codecs.read_forwarded(message.value)
        except codecs.DecodeError as error:
            self._foreign(message, str(error))
            return
        if record.tick is not None:
            self._advance(record.tick)
        elif record.silence is not None:
            self._hush(message, record.silence)
        elif record.origin is not None and self._is_new(record.origin):
            if message.offset in self.poison:
                self.progress.counts.failed += 1
                self._letter(message, self.poison[message.offset])
            else:
                self._apply(record)

    def cut(self) -> Batch:
        """Rows, transitions, changed anomalies and the progress that speaks of them."""
        self.progress.next = self.next
        touched, changed = self._changes()
        pictures, entries = self._judge(touched)
        self.progress.judged = self._judging if self._may_judge and not self._unjudged else None
        cut = Cut(
            settings=self.settings,
            partition=self.partition,
            progress=self.progress,
            changed=changed,
            entries=entries,
            letters=self._letters,
            revision=self.revision,
            lag=self.lag or 0,
            open_counts=self.ledger.open_counts,
        )
        self._letters = []
        batch = batch_of(cut, self.covered)
        judged_at = self._judging
        batch.done = lambda: self._done(pictures, judged_at)
        return batch

    def _changes(self) -> tuple[frozenset[str], Changed]:
        """What folding changed since the last cut, but for transitions that were told already."""
        if self._repeating:
            self._catch_up()
            self._repeating = self.next < self.progress.told
        before, self._untold = self._untold, (frozenset(), Changed((), ()))
        touched, changed = self.fleet.take(self._sealed, self.progress.now)
        rows = {(table, key): row for table, key, row in (*before[1].rows, *changed.rows)}
        merged = tuple((table, key, row) for (table, key), row in rows.items())
        return before[0] | touched, Changed(merged, changed.transitions)

    def _catch_up(self) -> None:
        """Lay aside what was folded of events that were told already; their rows are still to be written."""
        touched, changed = self.fleet.take(self._sealed, self.progress.now)
        self._untold = touched, Changed(changed.rows, ())
        self._repeating = False

    def _sealed(self, row: bytes) -> bytes:
        """A table's value: with the last record that may have changed it."""
        return codecs.wrap(FOLD_VERSION, self.progress.incarnation, self.next - 1, row)

    @property
    def revision(self) -> int:
        """Of everything that this cut publishes: one growing number out of the topic's generation and the offset."""
        return (self.progress.generation << 44) + self.next

    @property
    def unshown(self) -> int:
        """Records that are folded and not judged yet."""
        return self.next - self._judged_next if self._unjudged else 0

    @property
    def judged(self) -> bool:
        """The pictures are whole."""
        return self.judged_at is not None

    @property
    def _may_judge(self) -> bool:
        """Not before what was there at the assignment is folded: what is half read back would judge falsely."""
        return self.next >= self.goal

    @property
    def interval(self) -> float:
        """Longer while a backlog is worked off: rows are written whole, so the more of their events at once the better,
        and what is told of a backlog is old anyhow.
        """
        chosen = super().interval
        if self.behind or self.upstream():
            return max(chosen, min(BEHIND_INTERVALS * chosen, BEHIND_MOST))
        return chosen

    def _accept_incarnation(self) -> None:
        if self.progress.incarnation == self.incarnation:
            return
        if not self.settings.accept_recreated_topics:
            raise Stale(recreated(self.source))
        self.progress.incarnation = self.incarnation
        self.progress.generation, self.progress.next = self.progress.generation + 1, 0

    def _advance(self, tick: codecs.Tick) -> None:
        """The partition's time is that of the raw partition that is furthest behind, and never falls."""
        clocks = self.progress.clocks
        clocks[tick.partition] = tick.clock
        if len(clocks) >= self.settings.raw_partitions:
            self.progress.now = max(self.progress.now or 0, min(clocks.values()))
            self.fleet.forget(self.progress.now)

    def _is_new(self, origin: Origin) -> bool:
        """Whether this value was not applied yet: a crash may have made the raw agent forward it twice."""
        place = (origin.incarnation, origin.offset, origin.index)
        last = self.progress.origins.get(origin.partition)
        if last is not None and last[0] == place[0] and place <= last:
            return False
        self.progress.origins[origin.partition] = place
        return True

    def _apply(self, record: codecs.Forwarded) -> None:
        observation, counts = record.observation, self.progress.counts
        assert observation is not None
        outcome = self.fleet.apply(observation, record.observed_ms)
        if not record.echo:
            counts.duplicate += outcome.duplicate
            counts.applied += not outcome.duplicate
            counts.late += outcome.late
            counts.unrecognized += outcome.unrecognized
        self.progress.watermark = max(self.progress.watermark or observation.time, observation.time)

    def _hush(self, message: Message, news: codecs.SilenceNews) -> None:
        try:
            self.fleet.silence(news.silence_id, bytes(news.record))
        except ValidationError:
            self._foreign(message, "not a silence")

    def _foreign(self, message: Message, why: str) -> None:
        where = {"topic": self.source, "partition": self.partition, "offset": message.offset}
        log.warning("foreign record", **where, why=why)
        self.progress.counts.foreign += 1
        self._letter(message, "foreign")

    def _letter(self, message: Message, reason: str) -> None:
        if message.offset < self.progress.told:
            return
        where = codecs.plain(Origin(self.incarnation, self.partition, message.offset, 0))
        time_text = iso(message.time_ms) if message.time_ms is not None else None
        value = (message.value or b"")[: letter_room(self.settings)]
        data = codecs.dead_letter(reason, {"topic": self.source, **where}, value, time_text)
        self._letters.append((f"events-{self.partition}-{message.offset}".encode(), data))

    def _judge(self, touched: frozenset[str]) -> tuple[Shelving, list[Entry]]:
        """Pictures of the clusters that changed; when time has moved on, of those too that it may have changed.

        And what the anomalies topic is to be told.

        While events keep coming that is not done at every cut: a large cluster takes longer to judge than its events
        to fold.  What waits for it is judged as soon as it is due, whether anything comes or not.
        """
        now, began = self.progress.now, time.monotonic()
        if now is None or not self._may_judge:
            return {}, []
        self._unjudged |= touched
        # A revision is published once: what time alone brings waits for the next tick, which is a record.
        if self._judging is not None and self.next == self._judged_next and not self._unjudged:
            return {}, []
        at, first = self._judging, self._judging is None
        timely = at is None or (now > at and began >= self._next_timely)
        arns = {*self.fleet.arns(), *self.ledger.clusters()} if first else self._unjudged
        if timely:
            arns |= {arn for arn, until in self._until.items() if until is not None and until <= now}
        share = self._share(now)
        if arns and not self._may_take_turn(share, began):
            return {}, []
        if timely or at is None:
            at = self._judging = now
        found = self._pictures(arns, at, passing=first)
        self._unjudged, self._judged_next = frozenset(), self.next
        ended = time.monotonic()
        if timely:
            self._next_timely = ended + TIMELY_SHARE * (ended - began)
        if arns and not first:  # what all of a partition took together says nothing of what comes now
            self.judging.end(began, ended, share)
        return found

    def _may_take_turn(self, share: float, at: float) -> bool:
        """Whether what is there may be judged; where it has to wait, it is as soon as that is over."""
        if self._judging is None or self._has_turn or (wait := self._due(share) - at) <= 0:
            self._leave_line()
            return True
        if self._waits_since is None:
            self._waits_since = self.judging.turns
        self._wait_for_turn(wait)
        return False

    def _wait_for_turn(self, seconds: float) -> None:
        """Or for less, where that is known already."""
        loop = asyncio.get_running_loop()
        if self._turn is not None:
            if self._turn.when() <= loop.time() + seconds:
                return
            self._turn.cancel()
        self._turn = loop.call_later(seconds, self._try_turn)

    def _try_turn(self) -> None:
        """Judge, unless another partition was quicker: then wait for its turn to be over."""
        self._turn, at, share = None, time.monotonic(), self._share(self.progress.now or 0)
        if (wait := self._due(share) - at) > 0:
            self._wait_for_turn(wait)
            return
        self._has_turn = True
        self.judging.begin(at, share)
        self.poke()

    def _leave_line(self) -> None:
        """Wait for no turn."""
        if self._turn is not None:
            self._turn.cancel()
        self._turn, self._has_turn, self._waits_since = None, False, None

    def _due(self, share: float) -> float:
        """When there may be a judgement again."""
        return self.judging.due(share, self._waits_since)

    def _share(self, now: int) -> float:
        """Of the time, see `JUDGE_SHARE`; what is told of a backlog is old anyhow."""
        old = now < time.time() * 1000 - BEHIND_MS - 2000 * self.settings.tick_seconds
        return BEHIND_SHARE if old or self.behind or self.upstream() else JUDGE_SHARE

    def _pictures(self, arns: Collection[str], now: int, *, passing: bool) -> tuple[Shelving, list[Entry]]:
        """A cluster that cannot be judged keeps its last picture: a fault of ours must not stop the others."""
        found, entries = Shelving(), list[Entry]()
        for arn in sorted(arns):
            try:
                picture, until = self.fleet.judgement(arn, now, passing=passing)
            except RestoreError:
                raise  # part of its rows would be judged as if it were all
            except Exception as error:  # noqa: BLE001 - any fault of the judge's
                log.error("cluster cannot be judged", cluster=arn, error=logs.place(error))
                self._until[arn] = now
            else:
                entries += self.ledger.revise(arn, picture.anomalies, now, self.revision)
                moments = (until, self.ledger.until(arn))
                self._until[arn] = min((at for at in moments if at is not None), default=None)
                found[arn] = picture.model_copy(update={"anomalies": ()})
                self._rest(found)
        return found, entries

    def _rest(self, *shelves: Shelving) -> None:
        """Pack what is kept of clusters that rest from now on."""
        resting = self.fleet.rest(time.monotonic())
        for arn in resting:
            self.ledger.rest(arn)
            for pictures in (*shelves, self.pictures):
                if isinstance(shown := pictures.get(arn), Picture):
                    pictures[arn] = Shelved(shown)
        if resting:
            self._unflushed = True
            RETURNS.owe()
        RETURNS.settle()

    def _done(self, pictures: Shelving, judged_at: int | None) -> None:
        """The cut is written: its pictures are shown."""
        if pictures:
            self.pictures.update(pictures)
            self.shown = next(_VERSIONS)
        self.judged_at = judged_at
        if not self._untold[0]:
            self.fleet.stored()
        self._rest()
        if self._unflushed and self.quiet:
            self._unflushed = False
            self.tables.flush(self.partition)

    @property
    def quiet(self) -> bool:
        """No cluster is open."""
        return self.fleet.is_quiet
