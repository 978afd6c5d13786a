"""Topics as an outsider reads them: committed records, from one offset to another.

Knows: kafka-python, offsets, markers of transactions, when nothing is being written.
Must not know: what a record means.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Self

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError, OffsetOutOfRangeError

from streams.connection import options
from streams.reader import offsets
from streams.settings import PlainError, Settings

POLL_MS = 50
"""Short, as a poll that meets nothing but markers returns only when its time is over."""
POLL_RECORDS = 5000
PARTITION_BYTES = 8 << 20
PATIENCE_SECONDS = 60.0
QUIET_SECONDS = 0.02
TAIL = 64
Part = tuple[str, int]
logging.getLogger("kafka").addHandler(logging.NullHandler())  # what it has to say comes as exceptions


class AuditError(PlainError):
    """The topics cannot be read as they have to be; the message says why and what to do."""


class Log:
    """Two consumers without a group: one sees what is committed, the other only asks how much is written."""

    def __init__(self, settings: Settings, progress: Callable[[int], None] = lambda count: None) -> None:
        self._settings, self._progress = settings, progress
        self._committed = self._consumer("read_committed")
        self._written = self._consumer("read_uncommitted")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for consumer in (self._committed, self._written):
            with suppress(KafkaError):
                consumer.assign([])
                consumer.poll(timeout_ms=POLL_MS)  # what it was asking for meanwhile would leave its socket open
            consumer.close()

    def _consumer(self, isolation: str) -> Any:
        return KafkaConsumer(
            **options(self._settings),
            isolation_level=isolation,
            auto_offset_reset="none",
            enable_auto_commit=False,
            allow_auto_create_topics=False,
            max_poll_records=POLL_RECORDS,
            max_partition_fetch_bytes=PARTITION_BYTES,
        )

    def begins(self, parts: Sequence[Part]) -> dict[Part, int]:
        """The oldest offsets that are still there."""
        return _plain(offsets(self._committed.beginning_offsets, _topics(parts)))

    def written(self, parts: Sequence[Part]) -> dict[Part, int]:
        """Where the next record goes, whatever is committed."""
        return _plain(offsets(self._written.end_offsets, _topics(parts)))

    def ends(self, parts: Sequence[Part]) -> dict[Part, int]:
        """Up to where everything is committed or taken back."""
        return _plain(offsets(self._committed.end_offsets, _topics(parts)))

    def at_time(self, part: Part, ms: int) -> int | None:
        """The first offset of that time or later; None where there is none."""
        found = self._committed.offsets_for_times({TopicPartition(*part): ms})[TopicPartition(*part)]
        return None if found is None else int(found.offset)

    def quiet(self, parts: Sequence[Part]) -> dict[Part, int] | None:
        """The ends of all parts, of one moment at which no transaction was under way in any; None if there was none."""
        before = self.written(parts)
        return before if self.ends(parts) == before == self.written(parts) else None

    def settled(self, parts: Sequence[Part]) -> dict[Part, int]:
        """The present ends, once all that is written up to there is committed or taken back."""
        ends = self.written(parts)
        until = time.monotonic() + PATIENCE_SECONDS
        while any(end < ends[part] for part, end in self.ends(parts).items()):
            if time.monotonic() > until:
                raise unsettled(parts)
            time.sleep(QUIET_SECONDS)
        return ends

    def records(self, part: Part, begin: int, end: int) -> Iterator[Any]:
        """The committed records of a stretch.  AuditError where retention takes them away meanwhile."""
        where = TopicPartition(*part)
        self._committed.assign([where])
        self._committed.seek(where, begin)
        position = begin
        try:
            while position < end:
                for record in self._committed.poll(timeout_ms=POLL_MS).get(where, ()):
                    if record.offset >= end:
                        break
                    yield record
                reached = self._committed.position(where)
                self._progress(min(reached, end) - position)
                position = min(reached, end)
        except OffsetOutOfRangeError:
            raise AuditError(f"{part[0]}/{part[1]}: its oldest records were deleted meanwhile; run it again.") from None

    def last(self, part: Part, end: int) -> Any:
        """The last record below `end`, or None; the last offsets may be markers, or compacted away."""
        begin, reach = self.begins([part])[part], TAIL
        while end > begin:
            found = list(self.records(part, max(begin, end - reach), end))
            if found or end - reach <= begin:
                return found[-1] if found else None
            reach *= 8
        return None


def unsettled(parts: Sequence[Part]) -> AuditError:
    """What is said where a transaction never ends."""
    names = ", ".join(sorted({topic for topic, _ in parts}))
    return AuditError(
        f"No moment was found at which no checkpoint was half written, within {PATIENCE_SECONDS:.0f} s ({names}). "
        "A worker that died may have left a transaction open: start it again, or wait five minutes."
    )


def _topics(parts: Sequence[Part]) -> list[TopicPartition]:
    return [TopicPartition(*part) for part in parts]


def _plain(found: Mapping[TopicPartition, int]) -> dict[Part, int]:
    return {(part.topic, part.partition): offset for part, offset in found.items()}
