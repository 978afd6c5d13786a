"""All lanes of one worker: made at an assignment, given up at a revocation.

Knows: which partitions this worker owns, how a claim, a restore and a start follow each other.
Must not know: what lanes do with messages, HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from faust.types import TP

from streams import logs
from streams.agents.events import EventsLane
from streams.agents.forward import ForwardingLane
from streams.agents.raw import RawLane
from streams.agents.silences import SilencesLane
from streams.connection import aio_options
from streams.lane import Cadence, Lane, Stale
from streams.message import Message
from streams.metrics.workings import Checkpoints
from streams.pace import Judging
from streams.restore import Restorer
from streams.settings import Settings
from streams.tables import Tables
from streams.topics import TABLES, changelog
from streams.transaction import Transactions
from streams.wakefulness import Wakefulness

log = logs.get(__name__)
RETRY_MS = 20
"""A topic that a client is first asked of is not known to it: it learns of it, and asks again after so long."""
SEEN_SECONDS = 0.2
"""Between two looks at the group's offset."""
Crash = Callable[[BaseException], Coroutine[Any, Any, None]]
AnyLane = TypeVar("AnyLane", bound=Lane)


class Lanes:
    """`crash` ends the worker: it is called where going on could lose or repeat something."""

    def __init__(self, settings: Settings, tables: Tables, restorer: Restorer, incarnations: Mapping[str, str]) -> None:
        self.settings, self.restorer = settings, restorer
        self._tables, self._incarnations = tables, incarnations
        self.raw: dict[int, RawLane] = {}
        self.events: dict[int, EventsLane] = {}
        self.silences: dict[int, SilencesLane] = {}
        self.crash: Crash = _no_crash
        self.assigned = False
        self.generation = 0
        """Of the group's assignment that the lanes are of."""
        self.assignments = 0
        """How many there were since this process began."""
        self.checkpoints = {topic: Checkpoints() for topic in (settings.raw_topic, settings.events_topic)}
        self.wakefulness = Wakefulness(settings.session_timeout)
        self.given_up: Callable[[EventsLane], None] = _forget
        """Told of every lane of events that goes, while it still has its pictures."""
        self._turn = 0
        self._judging = Judging()
        self._observer: AIOKafkaConsumer | None = None

    def all(self) -> list[Lane]:
        """Every lane, raw ones first."""
        return [*self.raw.values(), *self.silences.values(), *self.events.values()]

    async def take_raw(self, partition: int, messages: Sequence[Message]) -> None:
        """Records of the raw topic."""
        await self._take(self.raw.get(partition), messages)

    async def take_event(self, partition: int, messages: Sequence[Message]) -> None:
        """Records of the events topic."""
        await self._take(self.events.get(partition), messages)

    async def take_silence(self, partition: int, messages: Sequence[Message]) -> None:
        """Records of the silences topic."""
        await self._take(self.silences.get(partition), messages)

    @property
    def fleet(self) -> str:
        """The same for all workers that share these partitions, and for no others."""
        return f"{self.settings.app_id}/{self._incarnations[self.settings.events_topic]}"

    async def assign(self, assignment: Iterable[TP], generation: int) -> dict[TP, int] | None:
        """Take over partitions: claim, read the tables back, begin.  Returns the changelogs' ends.

        None where they were taken away meanwhile.

        The order matters: a claim ends what the last owner left open and keeps it from writing more, so what is read
        back after it is all there will ever be of that owner.
        """
        self.assigned = False
        self._turn += 1
        turn = self._turn
        await self._drop_all()
        for tp in sorted(assignment):
            if tp.topic == self.settings.raw_topic:
                self.raw[tp.partition] = self._raw_lane(tp.partition)
            elif tp.topic == self.settings.events_topic:
                self.events[tp.partition] = self._events_lane(tp.partition)
            elif tp.topic == self.settings.silences_topic:
                self.silences[tp.partition] = self._silences_lane(tp.partition)
        await asyncio.gather(*(lane.claim() for lane in self.all()))
        ends = await self.restorer.restore([tp for lane in self.all() for tp in self._changelogs(lane)])
        await self._check_offsets()
        if turn != self._turn:
            return None
        for lane in self.all():
            lane.begin(self._ended)
        self.wakefulness.begin()
        self.generation, self.assigned = generation, True
        self.assignments += 1
        log.info("partitions taken over", raw=sorted(self.raw), events=sorted(self.events))
        return ends

    async def release(self) -> None:
        """Give everything up, with a last checkpoint where there is time for one."""
        self.assigned = False
        self._turn += 1
        lanes = self.all()
        await asyncio.gather(*(lane.end(self.settings.stop_seconds) for lane in lanes))
        self._clear()

    async def ends(self, parts: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """The committed ends of source partitions, asked of the broker."""
        asked = [TopicPartition(*part) for part in parts]
        found = await (await self._observe()).end_offsets(asked)
        return {(part.topic, part.partition): offset for part, offset in found.items()}

    async def close(self) -> None:
        """Close what is ours to close."""
        observer, self._observer = self._observer, None
        if observer is not None:
            await observer.stop()

    async def _take(self, lane: Lane | None, messages: Sequence[Message]) -> None:
        """All go to the same lane: one that is made at a rebalance meanwhile begins where its tables are."""
        if lane is None:
            return
        try:
            await lane.take(messages)
        except Exception as error:  # noqa: BLE001 - an agent that raises loses the event; the worker must end instead
            await self.crash(error)

    async def _recover(self, lane: Lane) -> None:
        await self.restorer.restore(self._changelogs(lane))

    async def _check_offsets(self) -> None:
        """The group can never be ahead of the tables, as one transaction writes both."""
        positions = await self._positions()
        for lane in self.all():
            lane.load()
            committed, tables = positions.get((lane.source, lane.partition), (-1, ""))
            if committed <= lane.next:
                continue
            if isinstance(lane, EventsLane) and tables != self.settings.tables:
                await self._change_over(lane, committed)
                continue
            raise Stale(
                f"The group {self.settings.app_id} is at offset {committed} of {lane.source}/{lane.partition}, the "
                f"tables at {lane.next}: a changelog lost records. " + _way_out(lane)
            )
        ends = await self.ends((lane.source, lane.partition) for lane in self.events.values())
        for events in self.events.values():
            events.goal = ends[events.source, events.partition]

    async def _positions(self) -> dict[tuple[str, int], tuple[int, str]]:
        """The group's offsets, and the tables that they go with."""
        admin = AIOKafkaAdminClient(**aio_options(self.settings), client_id=f"{self.settings.app_id}-observer")
        await admin.start()
        try:
            found = await admin.list_consumer_group_offsets(self.settings.app_id)
        finally:
            await admin.close()
        return {(part.topic, part.partition): (at.offset, at.metadata or "") for part, at in found.items()}

    async def _change_over(self, lane: EventsLane, committed: int) -> None:
        """Other tables were worked with up to `committed`: these go on from where they are, and repeat nothing."""
        part = TopicPartition(lane.source, lane.partition)
        begin = (await (await self._observe()).beginning_offsets([part]))[part]
        if lane.fresh:
            raise Stale(f"There are no tables {self.settings.tables!r}. " + _way_out(lane))
        if begin > lane.next:
            raise Stale(
                f"The tables {self.settings.tables!r} are at offset {lane.next} of {lane.source}/{lane.partition}, "
                f"whose oldest record is {begin}: too old to go on with. " + _way_out(lane)
            )
        lane.told = committed
        lane.load()
        await lane.rewind()
        await self._seen(lane)
        log.info("tables changed over", partition=lane.partition, at=lane.next, told=committed)

    async def _seen(self, lane: EventsLane) -> None:
        """Wait until the group's offset reads as it was written.

        A transaction's offsets show a moment after its commit is answered, and until then the ones before them: Faust,
        which asks next, would go on from there and pass over what lies between.
        """
        place = lane.source, lane.partition
        try:
            async with asyncio.timeout(self.settings.restore_deadline):
                while (await self._shown()).get(place, (-1, ""))[0] != lane.next:
                    await asyncio.sleep(SEEN_SECONDS)
        except TimeoutError:
            raise Stale(
                f"The offset {lane.next} of {lane.source}/{lane.partition} was written for the group "
                f"{self.settings.app_id} and does not show: look whether Kafka is well, and start again."
            ) from None

    async def _shown(self) -> dict[tuple[str, int], tuple[int, str]]:
        """As `_positions`; nothing while Kafka cannot say, as what is waited for is written already."""
        try:
            return await self._positions()
        except KafkaError as error:
            log.warning("offsets of the group cannot be read now", error=type(error).__name__)
            return {}

    async def _observe(self) -> AIOKafkaConsumer:
        """A consumer that never joins the group: it only asks for offsets."""
        if self._observer is None:
            self._observer = AIOKafkaConsumer(
                **aio_options(self.settings),
                client_id=f"{self.settings.app_id}-observer",
                group_id=self.settings.app_id,
                enable_auto_commit=False,
                isolation_level="read_committed",
                retry_backoff_ms=RETRY_MS,
            )
            await self._observer.start()
        return self._observer

    async def _drop_all(self) -> None:
        lanes = self.all()
        self._clear()
        await asyncio.gather(*(lane.drop() for lane in lanes))

    def _clear(self) -> None:
        for lane in self.events.values():
            self.given_up(lane)
        for lanes in (self.raw, self.silences, self.events):
            lanes.clear()

    def _changelogs(self, lane: Lane) -> list[TP]:
        names = (lane.table,) if isinstance(lane, ForwardingLane) else TABLES
        return [TP(changelog(self.settings, name), lane.partition) for name in names]

    def _raw_lane(self, partition: int) -> RawLane:
        return self._lane(RawLane, self.settings.raw_topic, partition, self.settings.forward_interval)

    def _events_lane(self, partition: int) -> EventsLane:
        lane = self._lane(EventsLane, self.settings.events_topic, partition, self.settings.checkpoint_interval)
        lane.upstream = lambda: any(raw.behind for raw in self.raw.values())
        lane.judging = self._judging
        return lane

    def _silences_lane(self, partition: int) -> SilencesLane:
        return self._lane(SilencesLane, self.settings.silences_topic, partition, self.settings.forward_interval)

    def _lane(self, kind: type[AnyLane], topic: str, partition: int, interval: float) -> AnyLane:
        told = self.settings
        cadence = Cadence(interval, told.checkpoint_events, told.quiet_seconds, told.checkpoint_bytes)
        writer = Transactions(self.settings, f"{self.settings.app_id}-{topic}-{partition}", kind.kind)
        lane = kind(topic, partition, self._tables, writer, cadence, self._recover)
        lane.settings, lane.incarnation = self.settings, self._incarnations[topic]
        lane.checkpoints = self.checkpoints.setdefault(topic, lane.checkpoints)
        return lane

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A lane's task ends by being cancelled; by anything else the worker must not survive."""
        if not task.cancelled() and (error := task.exception()) is not None:
            asyncio.get_running_loop().create_task(self.crash(error))


def _way_out(lane: Lane) -> str:
    if isinstance(lane, EventsLane):
        return "Make tables anew with `hyperpod-state rebuild --tables NAME`, then set HYPERPOD_STATE_TABLES=NAME."
    return "Begin again with another HYPERPOD_STATE_APP_ID."


def _forget(lane: EventsLane) -> None:
    del lane


async def _no_crash(error: BaseException) -> None:
    raise error
