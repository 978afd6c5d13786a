"""What the lanes have in common that bring records to `hyperpod.events`: counts, dead letters, the checkpoint.

Knows: their progress row, how a record that cannot be read is kept.
Must not know: what the records of their topic are.
"""

from __future__ import annotations

from typing import Any

from models.public import iso
from models.timestamps import MAX_MS, MIN_MS
from streams import codecs
from streams.codecs import Origin, RawProgress
from streams.counts import count
from streams.lane import Batch, Lane, Stale, progress_of
from streams.message import Message
from streams.settings import Settings
from streams.topics import changelog
from streams.transaction import ENVELOPE_BYTES, Record


class ForwardingLane(Lane):
    """One partition of a topic whose records go on to others."""

    table: str
    """Where its progress row is."""

    def load(self) -> None:
        """Counts and position; nothing else is remembered."""
        stored = progress_of(self, self.table, codecs.RAW_PROGRESS)
        self.progress = stored or RawProgress(self.incarnation)
        if self.progress.incarnation != self.incarnation:
            if not self.settings.accept_recreated_topics:
                raise Stale(recreated(self.source))
            self.progress.incarnation, self.progress.next = self.incarnation, 0
        self.next = self.progress.next
        self._records: list[Record] = []

    def cut(self) -> Batch:
        """Forwarded records, dead letters, and the counts that speak of them."""
        records, self._records = self._records, []
        self.progress.next = self.next
        batch = Batch(self.next, self.covered, records)
        row = codecs.encode(self.progress)
        batch.add(Record(changelog(self.settings, self.table), self.partition, codecs.PROGRESS_KEY, row), self.table)
        return batch

    def _origin(self, message: Message, index: int = 0) -> Origin:
        return Origin(self.incarnation, self.partition, message.offset, index)

    def _bury(self, origin: Origin, message: Message, reason: str, found: bytes, stem: str = "") -> None:
        """A dead letter; its key is the origin, after `stem` where origins of several topics meet."""
        count(self.progress.counts.dead_lettered, reason)
        where: dict[str, Any] = {"topic": self.source, **codecs.plain(origin)}
        if message.replay_of is not None:
            where["replay_of"] = message.replay_of
        time_ms = message.time_ms
        time = iso(time_ms) if time_ms is not None and MIN_MS <= time_ms <= MAX_MS else None
        data = codecs.dead_letter(reason, where, found[: letter_room(self.settings)], time)
        key = f"{stem}{origin.partition}-{origin.offset}-{origin.index}".encode()
        partition = origin.partition % self.settings.partitions
        self._records.append(Record(self.settings.deadletter_topic, partition, key, data))

    def _fits(self, key: bytes, data: bytes) -> bool:
        return len(data) + len(key) <= self.settings.max_record_bytes - ENVELOPE_BYTES


def letter_room(settings: Settings) -> int:
    """Bytes of a value that a dead letter has room for, in base64."""
    return (settings.max_record_bytes - 2 * ENVELOPE_BYTES) * 3 // 4


def recreated(topic: str) -> str:
    """What to say of a topic that was deleted and made anew."""
    return (
        f"The topic {topic} was deleted and made anew since the tables were written: its offsets mean other records. "
        "Start with another HYPERPOD_STATE_APP_ID for tables of its own, or set "
        "HYPERPOD_STATE_ACCEPT_RECREATED_TOPICS=true to go on with the state that there is."
    )
