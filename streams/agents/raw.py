"""Raw values to observations: the agent of the raw topic, and its lane.

Knows: `unwrap` and `read`, what is forwarded, dead-lettered or only counted, and the ticks that carry time.
Must not know: state, anomalies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from models.broadcasts import is_heartbeat, partition_key
from models.observation import Observation
from models.public import iso
from models.reading import read
from models.timestamps import MAX_MS, MIN_MS
from models.unwrap import Ignored, Reason, Unreadable, Value, unwrap
from streams import codecs, logs
from streams.codecs import Origin, RawProgress
from streams.lane import Batch, Lane, Message, Stale, progress_of
from streams.topics import RAW_TABLE, changelog
from streams.transaction import ENVELOPE_BYTES, Record, partition_of

log = logs.get(__name__)
TICK_KEY = b"tick"


class RawLane(Lane):
    """One partition of the raw topic."""

    def load(self) -> None:
        """Counts and position; nothing else is remembered of raw values."""
        stored = progress_of(self, RAW_TABLE, codecs.RAW_PROGRESS)
        self.progress = stored or RawProgress(self.incarnation)
        if self.progress.incarnation != self.incarnation:
            if not self.settings.accept_recreated_topics:
                raise Stale(recreated(self.source))
            self.progress.incarnation, self.progress.next = self.incarnation, 0
        self.next = self.progress.next
        self._records: list[Record] = []

    def fold(self, message: Message) -> None:
        """One raw record: any number of values."""
        if message.offset in self.poison:
            self.progress.counts.read += 1
            origin = Origin(self.incarnation, self.partition, message.offset, 0)
            self._bury(origin, message, "internal_error", message.value or b"")
            return
        values = unwrap(message.value, observed_ms=message.time_ms) if message.value is not None else iter(())
        for index, value in enumerate(values):
            origin = Origin(self.incarnation, self.partition, message.offset, index)
            self.progress.counts.read += 1
            outcome = read(value, latest=_nothing) if isinstance(value, Value) else value
            if isinstance(outcome, Ignored):
                _count(self.progress.counts.ignored, outcome.type)
            elif isinstance(outcome, Unreadable):
                self._bury(origin, message, str(outcome.reason), outcome.data)
            elif isinstance(value, Value):
                self._forward(origin, message, outcome, value.body)
        if message.time_ms is not None:
            self.progress.last_ms = max(self.progress.last_ms or 0, message.time_ms)

    def tick(self, clock: int) -> None:
        """Tell every partition of the events topic what time it is here."""
        data = codecs.tick(self.partition, clock)
        for partition in range(self.settings.partitions):
            self._records.append(Record(self.settings.events_topic, partition, TICK_KEY, data))
        self.poke()

    def cut(self) -> Batch:
        """Forwarded records, dead letters, and the counts that speak of them."""
        records, self._records = self._records, []
        self.progress.next = self.next
        batch = Batch(self.next, len(self._kept), records)
        row = codecs.encode(self.progress)
        batch.add(Record(changelog(self.settings, RAW_TABLE), self.partition, codecs.PROGRESS_KEY, row), RAW_TABLE)
        return batch

    def _forward(self, origin: Origin, message: Message, observation: Observation, event: dict[str, Any]) -> None:
        key = partition_key(observation).encode()
        data = codecs.forwarded(origin, message.time_ms, observation, event)
        if len(data) + len(key) > self.settings.max_record_bytes - ENVELOPE_BYTES:
            self._bury(origin, message, str(Reason.TOO_LARGE), codecs.encode(event))
            return
        home = partition_of(key, self.settings.partitions)
        self._records.append(Record(self.settings.events_topic, home, key, data))
        if is_heartbeat(observation):  # clusters of one feed are in any partition
            echo = codecs.echoed(origin, message.time_ms, observation)
            others = (partition for partition in range(self.settings.partitions) if partition != home)
            self._records += [Record(self.settings.events_topic, partition, key, echo) for partition in others]

    def _bury(self, origin: Origin, message: Message, reason: str, found: bytes) -> None:
        _count(self.progress.counts.dead_lettered, reason)
        where = {"topic": self.source, **codecs.plain(origin)}
        if message.replay_of is not None:
            where["replay_of"] = message.replay_of
        time_ms = message.time_ms
        time = iso(time_ms) if time_ms is not None and MIN_MS <= time_ms <= MAX_MS else None
        room = (self.settings.max_record_bytes - 2 * ENVELOPE_BYTES) * 3 // 4
        data = codecs.dead_letter(reason, where, found[:room], time)
        key = f"{origin.partition}-{origin.offset}-{origin.index}".encode()
        partition = origin.partition % self.settings.partitions
        self._records.append(Record(self.settings.deadletter_topic, partition, key, data))


def recreated(topic: str) -> str:
    """What to say of a topic that was deleted and made anew."""
    return (
        f"The topic {topic} was deleted and made anew since the tables were written: its offsets mean other records. "
        "Start with another HYPERPOD_STATE_APP_ID for tables of its own, or set "
        "HYPERPOD_STATE_ACCEPT_RECREATED_TOPICS=true to go on with the state that there is."
    )


def _count(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1


def _nothing(cluster_arn: str) -> int | None:
    """A record of Kafka has a time of its own, so the newest time of its cluster is never needed."""
    del cluster_arn
    return None


def raw_agent(take: Callable[[int, Message], Any]) -> Callable[[Any], Any]:
    """The agent's function: it only hands over; what it hands to catches everything."""

    async def raw(stream: Any) -> None:
        async for event in stream.events():
            await take(event.message.partition, message_of(event.message))

    return raw


def message_of(message: Any) -> Message:
    """Faust's message as a lane takes it; Faust has times in seconds."""
    time_ms = None if message.timestamp is None or message.timestamp < 0 else round(message.timestamp * 1000)
    return Message(message.offset, message.value, time_ms, _replay_of(message.headers or ()))


def _replay_of(headers: Any) -> str | None:
    """The dead letter that the record is a copy of.  Anybody may write anything into a header."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    for name, value in pairs:
        if name == codecs.REPLAY_HEADER and value:
            return bytes(value[: codecs.REPLAY_BYTES]).decode(errors="replace")
    return None
