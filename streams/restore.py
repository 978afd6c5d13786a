"""Tables read back from their changelogs, as far as they are committed.

Knows: Faust's recovery and where to step into it; how to read a changelog to its end in whole polls.
Must not know: what a row means.

Faust's own recovery waits for the offset before the end of a changelog.  With transactions that offset holds a commit
marker, which no consumer ever sees, so it would wait for ever.  Here the claim comes first (it ends what a dead worker
left open), then the changelogs are read to their ends, then Faust finds nothing left to do.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from faust.tables.manager import TableManager
from faust.tables.recovery import RebalanceAgain, Recovery
from faust.types import TP

from streams import logs
from streams.connection import aio_options
from streams.settings import Settings
from streams.tables import RestoreError, Tables

SHOWN = 3
POLL_MS = 20
"""Short, as a poll that meets nothing but markers returns only when its time is over."""
FETCH_BYTES = 4 << 20
"""Of one changelog at a time: each fetch becomes one write."""
TURNS = 5
"""Of the event loop, in which aiokafka asks for more: Kafka gets it ready while what came is stored."""
TELL_SECONDS = 5.0
KEPT_SECONDS = 20 * 3600
"""Kafka keeps a deletion for a day: what is missing here since longer may have had one, and may not any more."""
log = logs.get(__name__)
Check = Callable[[str, bytes, bytes | None], None]
"""Raises RestoreError where a changelog record (table, key, value) cannot be a row of ours."""


class Restorer:
    """Reads changelogs into the local store; `share` says how far it is, 0 to 1."""

    def __init__(self, settings: Settings, tables: Tables, check: Check) -> None:
        self._settings, self._tables, self._check = settings, tables, check
        self.share: float | None = None
        self._left: dict[TopicPartition, str] = {}
        self._settling: set[asyncio.Task[None]] = set()

    async def restore(self, wanted: Iterable[TP]) -> dict[TP, int]:
        """Bring these changelog partitions up to their committed ends, which are returned.

        Raises RestoreError, also where it takes longer than `restore_deadline`.
        """
        parts = [TopicPartition(tp.topic, tp.partition) for tp in wanted]
        if not parts:
            return {}
        consumer = self._consumer()
        await consumer.start()
        try:
            async with asyncio.timeout(self._settings.restore_deadline):
                return await self._read(consumer, parts)
        except TimeoutError as error:
            raise RestoreError(self._too_long()) from error
        finally:
            self.share = None
            await consumer.stop()

    def _too_long(self) -> str:
        """What to say when the deadline passes: where it stood."""
        stood = [f"{part.topic}/{part.partition} {where}" for part, where in self._left.items()]
        more = f" and {len(stood) - SHOWN} more" if len(stood) > SHOWN else ""
        return (
            f"Tables were not restored within {self._settings.restore_deadline:g} s. Not read to its end: "
            f"{', '.join(stood[:SHOWN]) or 'no changelog'}{more}. If Kafka was slow, raise "
            "HYPERPOD_STATE_RESTORE_DEADLINE; if it stands at the same offset again, look at that record."
        )

    def _consumer(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            **aio_options(self._settings),
            client_id=f"{self._settings.app_id}-restore",
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_wait_ms=100,
            max_partition_fetch_bytes=FETCH_BYTES,
        )

    async def _read(self, consumer: AIOKafkaConsumer, parts: list[TopicPartition]) -> dict[TP, int]:
        self._left = dict.fromkeys(parts, "whose end is not known yet")
        consumer.assign(parts)
        ends, starts = await consumer.end_offsets(parts), await consumer.beginning_offsets(parts)
        begins = {part: max(self._stored(part, ends[part]), starts[part]) for part in parts}
        for part in await self._outdated(consumer, begins, ends):
            log.info("local table is too old to go on with", changelog=part.topic, partition=part.partition)
            self._tables.clear(TP(part.topic, part.partition))
            begins[part] = starts[part]
        left = {part for part in parts if begins[part] < ends[part]}
        for part in parts:
            consumer.seek(part, begins[part])
        total = sum(ends[part] - begins[part] for part in left) or 1
        positions, due = dict(begins), time.monotonic() + TELL_SECONDS
        while left:
            self._left = {part: f"at offset {positions[part]} of {ends[part]}" for part in parts if part in left}
            self.share = 1 - sum(max(0, ends[part] - positions[part]) for part in left) / total
            if time.monotonic() >= due:
                due += TELL_SECONDS
                log.info("tables being restored", share=f"{self.share:.0%}", records=total)
            batches = await consumer.getmany(*left, timeout_ms=POLL_MS)
            for _ in range(TURNS):
                await asyncio.sleep(0)
            for part, records in batches.items():
                self._store(part, records)
                await asyncio.sleep(0)  # whoever asks how far it is gets an answer meanwhile
            for part in list(left):
                positions[part] = await consumer.position(part)
                if positions[part] >= ends[part]:
                    left.discard(part)
        self._mark(ends)
        self._settle([TP(part.topic, part.partition) for part in parts])
        log.info("tables restored", partitions=len(parts), records=total if total > 1 else 0)
        return {TP(part.topic, part.partition): end for part, end in ends.items()}

    def _stored(self, part: TopicPartition, end: int) -> int:
        """The offset after the last one in the local store."""
        table = self._tables.by_changelog()[part.topic]
        offset = table.persisted_offset(TP(part.topic, part.partition))
        if offset is not None and offset >= end:
            raise RestoreError(
                f"The local tables in {self._settings.data_dir} are ahead of {part.topic}/{part.partition} "
                f"({offset} of {end}): that topic was made anew, or the folder belongs to another Kafka. "
                "Give the worker another data directory, or remove this one: all it holds is read back from Kafka."
            )
        return 0 if offset is None else int(offset) + 1

    async def _outdated(
        self, consumer: AIOKafkaConsumer, begins: dict[TopicPartition, int], ends: dict[TopicPartition, int]
    ) -> list[TopicPartition]:
        """Those in the local store that miss something which is older than Kafka keeps deletions for.

        A row that was deleted while another worker had the partition would be there again.  The one offset behind the
        last row is no such thing: the marker of the transaction that wrote it.
        """
        since = round((time.time() - KEPT_SECONDS) * 1000)
        missing = [part for part, begin in begins.items() if 0 < begin < ends[part] - 1]
        found = await consumer.offsets_for_times(dict.fromkeys(missing, since)) if missing else {}
        newer = {part: ends[part] if found[part] is None else found[part].offset for part in missing}
        return [part for part in missing if newer[part] > begins[part] + 1]

    def _store(self, part: TopicPartition, records: list[Any]) -> None:
        name = self._tables.name_of(part.topic)
        for record in records:
            try:
                self._check(name, record.key, record.value)
            except RestoreError as error:
                raise RestoreError(f"{part.topic}/{part.partition} at offset {record.offset}: {error}") from error
        newest = {record.key: record.value for record in records}
        self._tables.load(TP(part.topic, part.partition), newest, records[-1].offset)

    def _mark(self, ends: dict[TopicPartition, int]) -> None:
        """Note the ends, so that the markers behind the last row are not waited for."""
        for part, end in ends.items():
            if end > 0:
                self._tables.mark(TP(part.topic, part.partition), end - 1)

    def _settle(self, tps: list[TP]) -> None:
        """Bring them to the disk while the worker goes on."""
        task = asyncio.create_task(asyncio.to_thread(self._tables.settle, tps))
        self._settling.add(task)
        task.add_done_callback(self._settled)

    async def settled(self) -> None:
        """Until what was read back is on the disk."""
        while self._settling:
            await asyncio.wait(self._settling)

    def _settled(self, task: asyncio.Task[None]) -> None:
        self._settling.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("tables read back are not on the disk yet", error=str(error))


class CommittedRecovery(Recovery):
    """Faust's recovery, with claim and restore before it looks at the changelogs."""

    mundane_level = "debug"
    before: Callable[[], Awaitable[dict[TP, int] | None]]

    async def _wait(self, coro: Any, timeout: Any = None) -> None:
        """Faust gives each step the time of one request; ours have a deadline of their own."""
        del timeout
        await super()._wait(coro)

    async def _build_highwaters(self, consumer: Any, tps: Any, destination: Any, title: str) -> None:
        try:
            ends = await self.before()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            await self.app.crash(error)
            raise
        if ends is None:
            raise RebalanceAgain  # what was to be read back was taken away meanwhile: the next assignment begins anew
        for tp in tps:
            # In a group of which some have other tables, as while a fleet changes over, Faust shares out changelogs of
            # partitions that another worker has.  Nothing of those was read back, and nothing is to be.
            destination[tp] = ends[tp] - 1 if tp in ends else self._persisted(tp)

    async def _build_offsets(self, consumer: Any, tps: Any, destination: Any, title: str) -> None:
        for tp in tps:  # one by one: it is a Counter, whose update adds
            destination[tp] = self._persisted(tp)

    def _persisted(self, tp: TP) -> int:
        offset = self.tables._changelogs[tp.topic].persisted_offset(tp)
        return -1 if offset is None else int(offset)

    async def _seek_offsets(self, consumer: Any, tps: Any, offsets: Any, title: str) -> None:
        await consumer.seek_wait({tp: max(offsets[tp] + 1, 0) for tp in tps})


class CommittedTables(TableManager):
    """Faust's table manager with that recovery; `before` is set by `streams.app`."""

    mundane_level = "debug"
    before: Callable[[], Awaitable[dict[TP, int] | None]]

    async def on_start(self) -> None:
        """As in Faust, which sleeps a second first; here every table is declared before the app starts."""
        await self._update_channels()
        await self.recovery.start()

    @property
    def recovery(self) -> Recovery:
        """Made when first asked for, as in Faust."""
        if self._recovery is None:
            self._recovery = CommittedRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
            self._recovery.before = self.before
        return self._recovery
