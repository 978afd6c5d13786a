"""One checkpoint of an events partition, as the records of one transaction.

Knows: which topic and which table gets what.
Must not know: when to checkpoint, how a transaction is made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.public import iso
from streams import codecs
from streams.codecs import Progress
from streams.fleet import Changed
from streams.lane import Batch
from streams.ledger import Entry
from streams.settings import Settings
from streams.topics import ROW_TABLES, changelog
from streams.transaction import Record

ANOMALIES = "anomalies"
PROGRESS = "progress"


@dataclass(frozen=True)
class Cut:
    """A place in the stream up to which everything is folded, and all that changed since the one before."""

    settings: Settings
    partition: int
    progress: Progress
    changed: Changed
    entries: Sequence[Entry]
    letters: Sequence[tuple[bytes, bytes]]
    revision: int
    lag: int
    open_counts: Callable[[], dict[str, int]]


def batch_of(cut: Cut, taken: int) -> Batch:
    """Everything that the cut writes; `taken` messages are covered by it."""
    batch = Batch(cut.progress.next, taken)
    _rows(batch, cut)
    _transitions(batch, cut)
    _anomalies(batch, cut)
    for key, value in cut.letters:
        batch.add(Record(cut.settings.deadletter_topic, cut.partition, key, value))
    _status(batch, cut)
    _put(batch, cut, PROGRESS, codecs.PROGRESS_KEY, codecs.encode(cut.progress))
    return batch


def _put(batch: Batch, cut: Cut, table: str, key: bytes, value: bytes | None) -> None:
    batch.add(Record(changelog(cut.settings, table), cut.partition, key, value), table)


def _rows(batch: Batch, cut: Cut) -> None:
    topics = {table: changelog(cut.settings, table) for table in ROW_TABLES}
    for table, key, row in cut.changed.rows:
        batch.add(Record(topics[table], cut.partition, key, row), table)


def _transitions(batch: Batch, cut: Cut) -> None:
    for moved in cut.changed.transitions:
        moved.revision = cut.revision
        key, value = moved.cluster_arn.encode(), codecs.encode(moved)
        batch.add(Record(cut.settings.transitions_topic, cut.partition, key, value))


def _anomalies(batch: Batch, cut: Cut) -> None:
    guard = cut.progress.incarnation, cut.progress.next - 1
    for entry in cut.entries:
        key = entry.anomaly_id.encode()
        row = None if entry.row is None else codecs.wrap(codecs.VERSION, *guard, codecs.encode(entry.row))
        _put(batch, cut, ANOMALIES, key, row)
        if entry.publish:
            value = None if entry.record is None else codecs.encode(entry.record)
            batch.add(Record(cut.settings.anomalies_topic, cut.partition, key, value))


def _status(batch: Batch, cut: Cut) -> None:
    """Once a minute, so that a consumer can tell quiet from dead."""
    now, progress = cut.progress.now, cut.progress
    if now is None or now - progress.status_at < cut.settings.status_seconds * 1000:
        return
    progress.status_at = now
    status = {
        "schema_version": "1",
        "partition": cut.partition,
        "as_of": iso(now),
        "lag": cut.lag,
        "open": cut.open_counts(),
        "offset": progress.next - 1,
        "watermark": None if progress.watermark is None else iso(progress.watermark),
    }
    key = str(cut.partition).encode()
    batch.add(Record(cut.settings.status_topic, cut.partition, key, codecs.encode(status)))
