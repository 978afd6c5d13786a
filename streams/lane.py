"""One partition at work: events in, a checkpoint now and then, both exactly once.

Knows: when to checkpoint, what to do when a transaction is lost.
Must not know: what is folded; that is the subclass's.

A lane keeps every message until the checkpoint that covers it is committed.  When a transaction is lost (the broker
was away for too long, or another worker claimed the partition) the lane claims anew, reads its tables back and folds
the kept messages again, from where the tables now are.  So no seek is needed and nothing is skipped.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

from aiokafka.errors import KafkaError

from streams import codecs, faults, logs
from streams.deadletter.advice import INTERNAL_ERROR, ROW_TOO_LARGE
from streams.kept import Kept
from streams.message import Message
from streams.metrics.workings import Checkpoints
from streams.pace import Pace
from streams.settings import Settings
from streams.tables import RestoreError, Tables
from streams.topics import changelog
from streams.transaction import Record, RecordTooLarge, TransactionLost, Transactions

log = logs.get(__name__)
RETRY_SECONDS = (4.0, 2.0, 2.0, 5.0, 10.0)
"""Waits before claiming anew; the first is longer than a heartbeat, so that a rebalance is heard of before."""
TURN = 100
"""Messages folded in one go: HTTP, heartbeats and other partitions wait meanwhile."""
BEHIND_SECONDS = 0.5


class Stale(RestoreError):
    """The tables are not those of the topic's present offsets."""


@dataclass(frozen=True)
class Cadence:
    """When to checkpoint: as soon as everything there was is read (`streams.pace` says how often that may be).

    Where more is there, or that is not known: after `quiet` seconds of silence, `events`, `bytes` of them, or at the
    latest `interval` seconds after the first of them.
    """

    interval: float
    events: int
    quiet: float
    bytes: int = 16 << 20


@dataclass
class Batch:
    """What one checkpoint writes: `rows` says which records go into which local table afterwards, in their order."""

    next: int
    taken: int
    records: list[Record] = field(default_factory=list)
    rows: dict[str, list[int]] = field(default_factory=dict)
    done: Callable[[], None] = lambda: None

    def add(self, record: Record, table: str | None = None) -> None:
        """One record, which is also a row of `table`."""
        if table is not None:
            self.rows.setdefault(table, []).append(len(self.records))
        self.records.append(record)


class Lane(ABC):
    """See the module.  `recover` reads back this partition's tables after a new claim."""

    settings: Settings
    incarnation: str
    kind = "lane"
    """What lanes of this class are called where a test lets them die."""
    upstream: Callable[[], bool] = staticmethod(lambda: False)
    """Whether a backlog is on its way to here: what is read to the end is then no reason for a checkpoint."""

    def __init__(
        self,
        source: str,
        partition: int,
        tables: Tables,
        writer: Transactions,
        cadence: Cadence,
        recover: Callable[[Lane], Awaitable[None]],
    ) -> None:
        self.source, self.partition = source, partition
        self.tables, self._writer, self._cadence, self._recover = tables, writer, cadence, recover
        self.next = self.committed = 0
        self.lag: int | None = None
        self.checkpoints = Checkpoints()
        self.written = 0
        """Transactions that were committed."""
        self.still = 0.0
        self.stalled: str | None = None
        """Since how many seconds nothing moves that should, and that it is too long: said by `streams.watchdog`."""
        self.open = False
        self.touched_at = 0.0
        self.poison: dict[int, str] = {}
        """Offsets that cannot be folded, or written once they are, and the reason: `fold` buries them."""
        self._broken = self._ending = self._writing = False
        self._lost: RestoreError | None = None
        """What of the tables could not be read."""
        self._kept = Kept(2 * cadence.bytes)
        self._pending = 0
        self._work, self._room, self._caught_up = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._caught_up.set()
        self._more = False
        """It is known that more stood behind what was read last."""
        self._behind_at = 0.0
        self._pace = Pace()
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    def load(self) -> None:
        """Take state and `next` from the local tables, forgetting what is in memory."""

    @abstractmethod
    def fold(self, message: Message) -> None:
        """One message into memory.  What it raises on is given again, after a reload, with its offset in `poison`."""

    @abstractmethod
    def cut(self) -> Batch:
        """Everything since the last cut, ready to write; memory moves on."""

    @property
    def covered(self) -> int:
        """Kept messages that are folded: a cut covers them."""
        return self._kept.below(self.next)

    @property
    def unshown(self) -> int:
        """Records that are folded, and not part of any answer yet."""
        return 0

    @property
    def idle(self) -> bool:
        """Nothing waits for a checkpoint."""
        return not self._kept and not self._work.is_set()

    quiet = idle  # nothing is at work here, nor was a moment ago

    @property
    def behind(self) -> bool:
        """A backlog is worked off: for a while now there was always more to read than was read.

        With Faust's own transport, which does not say so, never.
        """
        return self.busy and self._more and time.monotonic() - self._behind_at >= BEHIND_SECONDS

    @property
    def interval(self) -> float:
        """Seconds from one checkpoint to the next, at most."""
        return self._cadence.interval

    @property
    def busy(self) -> bool:
        """Something is to be written, or is being written."""
        return self._writing or not self.idle

    async def rewind(self) -> None:
        """Let the group go on from where the tables are."""
        await self._writer.write([], {(self.source, self.partition): self.next})

    async def claim(self) -> None:
        """Fence out everybody else."""
        await self._writer.claim()
        faults.reach("claimed", self.kind)

    def begin(self, ended: Callable[[asyncio.Task[None]], None]) -> None:
        """Start work; the tables are restored and `load` was called.  `ended` is told when the work ends."""
        faults.reach("restored", self.kind)
        self.open, self.committed = True, self.next
        self._task = asyncio.create_task(self._run(), name=f"lane {self.source}/{self.partition}")
        self._task.add_done_callback(ended)

    async def take(self, messages: Sequence[Message]) -> None:
        """Messages of the partition, in order; waits where too many are kept already, and lets others go on."""
        for begin in range(0, len(messages), TURN):
            self._take(messages[begin : begin + TURN])
            await asyncio.sleep(0)
            while self._task is not None and self._kept.full:
                self._room.clear()
                await self._room.wait()

    def _take(self, messages: Sequence[Message]) -> None:
        if self._task is None or self._ending:
            return
        kept, kind = self._kept, self.kind
        self.touched_at = time.monotonic()
        if not self._more:
            self._behind_at = self.touched_at
        for message in messages:
            if message.offset < self.next or (kept and message.offset <= kept[-1].offset):
                continue  # delivered again; also while nothing is folded
            faults.reach("read", kind)
            kept.append(message)
            kept.bytes += len(message.value or b"")
            self._caught_up.clear()
            if self.open:
                self._fold(message)
            self._more = message.last is False
            if message.last:
                self._caught_up.set()

    def poke(self) -> None:
        """There is something to write that no message brought."""
        self._work.set()

    async def end(self, seconds: float) -> None:
        """Checkpoint what is there if that takes no longer than `seconds`, then give the partition up."""
        self._ending = True
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.open and (self._kept or self._writing):  # a transaction left open would hold readers back
                    await asyncio.sleep(0.01)
        await self.drop()

    async def drop(self) -> None:
        """Give the partition up as it is."""
        self.open = False
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        self._kept.clear()
        self._room.set()
        await self._writer.close()

    def _fold(self, message: Message) -> bool:
        """False where it cannot be folded; the lane is then closed until `_reload`."""
        try:
            self.fold(message)
        except RestoreError as error:  # the fault of the table, not of the event: whoever writes ends the worker
            self._lost, self.open, self._broken = error, False, True
            self._work.set()
            return False
        except Exception as error:
            if message.offset in self.poison:
                raise
            where = {"lane": f"{self.source}/{self.partition}", "offset": message.offset}
            log.error("event cannot be folded", **where, error=logs.place(error))
            self.poison[message.offset] = INTERNAL_ERROR
            self.open, self._broken = False, True
            self._work.set()
            return False
        self.next = message.offset + 1
        self._pending += 1
        self._work.set()
        return True

    def _reload(self) -> None:
        """Memory anew: the tables, and what was kept since.  Only while nothing is being written."""
        while True:
            if self._lost is not None:
                raise self._lost
            self._load()
            if all(self._fold(message) for message in list(self._kept)):
                break
        self.open, self._broken = True, False

    def _load(self) -> None:
        """The tables, and nothing kept that is in them already."""
        self.load()
        self._pending = 0
        self._kept.let_go(self._kept.below(self.next))
        self._room.set()

    async def _run(self) -> None:
        while True:
            self._writing = False
            await self._work.wait()
            self._writing = True
            await self._gather()
            self._work.clear()
            if self._broken:
                self._reload()
            self._pending = 0
            await self._checkpoint()

    async def _checkpoint(self) -> None:
        """By itself, so that nothing of what was written is kept until the next one."""
        batch = self.cut()
        # Those of a backlog are kept apart by the interval, and the one that ends it need not wait for them.
        with nullcontext() if self._more or self.upstream() else self._pace.spending():
            try:
                await self._write(batch)
            except TransactionLost as error:
                await self._again(error)
                self._reload()
            except RecordTooLarge as error:
                await self._part(batch.taken, error)
                self._reload()

    async def _gather(self) -> None:
        """Wait for what is there to be read, but not for long; for nothing where all of it is read."""
        began, seen, quiet = time.monotonic(), -1, self._cadence.quiet
        while self._pending < self._cadence.events and time.monotonic() < began + self.interval:
            if self._ending or self._broken or self._kept.half_full:
                return
            if rest := self._pace.rest():
                await asyncio.sleep(min(rest, quiet))
            elif self._caught_up.is_set():
                if not self.upstream():
                    return
                await asyncio.sleep(quiet)
            elif seen == self._pending and not self._more:
                return
            else:
                seen = self._pending
                with suppress(TimeoutError):
                    async with asyncio.timeout(quiet):
                        await self._caught_up.wait()

    async def _write(self, batch: Batch) -> None:
        began = time.monotonic()
        offsets = await self._writer.write(batch.records, {(self.source, self.partition): batch.next})
        for table, indexes in batch.rows.items():
            rows = {batch.records[index].key: batch.records[index].value for index in indexes}
            self.tables.apply(table, self.partition, rows, offsets[indexes[-1]])
        self.committed = batch.next
        self.written += 1
        self.checkpoints.took(time.monotonic() - began)
        self.checkpoints.wrote.update(record.topic for record in batch.records)
        faults.reach("stored", self.kind)
        self._kept.let_go(batch.taken)
        self._room.set()
        batch.done()

    async def _again(self, error: Exception) -> None:
        """Claim, restore and fold again what was kept, until it works or the partition is taken away."""
        self.open = False
        self.checkpoints.lost += 1
        for attempt in itertools.count():
            wait = RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)]
            log.warning("transaction lost", lane=f"{self.source}/{self.partition}", error=str(error), retry_in=wait)
            await asyncio.sleep(wait)
            try:
                await self.claim()
                await self._recover(self)
                break
            except (KafkaError, OSError, TimeoutError) as failure:
                error = failure

    async def _part(self, count: int, error: RecordTooLarge) -> None:
        """Write the first `count` messages in ever smaller parts, until those are alone that make a record too large.

        They are buried: reading them again would end at the same place for ever.
        """
        if not count:
            raise error
        self.open = False
        log.info("writing in parts", lane=f"{self.source}/{self.partition}", why=str(error))
        size, end = count // 2, self._kept[count - 1].offset
        while True:
            self._load()
            if not self._kept or self._kept[0].offset > end:
                return
            part = list(itertools.islice(self._kept, max(size, 1)))
            if not all(self._fold(message) for message in part):
                continue
            try:
                await self._write(self.cut())
            except TransactionLost as lost:
                await self._again(lost)
            except RecordTooLarge as again:
                if len(part) == 1:
                    self._give_up(part[0], again)
                size = len(part) // 2

    def _give_up(self, message: Message, error: RecordTooLarge) -> None:
        """What is too large even when this message is buried is not for its sake; then the worker ends."""
        if message.offset in self.poison:
            raise error
        where = {"lane": f"{self.source}/{self.partition}", "offset": message.offset}
        log.error("event makes a record too large, and is buried", **where, error=str(error))
        self.poison[message.offset] = ROW_TOO_LARGE


def progress_of(lane: Lane, table: str, decoder: Any) -> Any:
    """The progress row of a lane, or None where it has none yet.  Raises RestoreError where it is none of ours."""
    data = lane.tables.get(table, lane.partition, codecs.PROGRESS_KEY)
    try:
        return None if data is None else codecs.decode(decoder, data)
    except codecs.DecodeError as error:
        where = f"{changelog(lane.settings, table)}/{lane.partition}"
        raise RestoreError(
            f"{where}: the row {codecs.PROGRESS_KEY.decode()!r} is {error}: something else writes to this topic, or a "
            "newer version did"
        ) from error
