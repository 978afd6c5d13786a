"""Raw values to observations: the agent of the raw topic, and its lane.

Knows: `unwrap` and `read`, what is forwarded, dead-lettered or only counted, and the ticks that carry time.
Must not know: state, anomalies.
"""

from __future__ import annotations

from models.broadcasts import is_heartbeat, partition_key
from models.observation import Observation
from models.reading import read
from models.unwrap import Ignored, Reason, Unreadable, Value, unwrap
from streams import codecs
from streams.agents.forward import ForwardingLane
from streams.codecs import Origin
from streams.counts import count
from streams.message import Message
from streams.topics import RAW_TABLE
from streams.transaction import Record, partition_of

TICK_KEY = b"tick"


class RawLane(ForwardingLane):
    """One partition of the raw topic."""

    table = RAW_TABLE
    kind = "raw"

    def fold(self, message: Message) -> None:
        """One raw record: any number of values."""
        if message.offset in self.poison:
            self.progress.counts.read += 1
            origin = self._origin(message)
            self._bury(origin, message, self.poison[message.offset], message.value or b"")
            return
        values = unwrap(message.value, observed_ms=message.time_ms) if message.value is not None else iter(())
        for index, value in enumerate(values):
            origin = self._origin(message, index)
            self.progress.counts.read += 1
            outcome = read(value, latest=_nothing) if isinstance(value, Value) else value
            if isinstance(outcome, Ignored):
                count(self.progress.counts.ignored, outcome.type)
            elif isinstance(outcome, Unreadable):
                self._bury(origin, message, str(outcome.reason), outcome.data)
            elif isinstance(value, Value):
                self._forward(origin, message, outcome, value)
        if message.time_ms is not None:
            self.progress.last_ms = max(self.progress.last_ms or 0, message.time_ms)

    def tick(self, clock: int) -> None:
        """Tell every partition of the events topic what time it is here."""
        data = codecs.tick(self.partition, clock)
        for partition in range(self.settings.partitions):
            self._records.append(Record(self.settings.events_topic, partition, TICK_KEY, data))
        self.poke()

    def _forward(self, origin: Origin, message: Message, observation: Observation, value: Value) -> None:
        key = partition_key(observation).encode()
        data = codecs.forwarded(origin, message.time_ms, observation, value.written)
        if not self._fits(key, data):
            self._bury(origin, message, str(Reason.TOO_LARGE), codecs.encode(value.written))
            return
        home = partition_of(key, self.settings.partitions)
        self._records.append(Record(self.settings.events_topic, home, key, data))
        if is_heartbeat(observation):  # clusters of one feed are in any partition
            echo = codecs.echoed(origin, message.time_ms, observation)
            others = (partition for partition in range(self.settings.partitions) if partition != home)
            self._records += [Record(self.settings.events_topic, partition, key, echo) for partition in others]


def _nothing(cluster_arn: str) -> int | None:
    """A record of Kafka has a time of its own, so the newest time of its cluster is never needed."""
    del cluster_arn
    return None
