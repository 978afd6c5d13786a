"""What a worker wrote to Kafka since some moment, record by record.

Knows: what Kafka adds to a record, which records come by the clock and not by events.
Must not know: what is measured with it.

Files of the log would be simpler to weigh, and would hold the more ticks the slower the machine is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from streams.agents.raw import TICK_KEY

RECORD, BATCH, MARKER = 10, 61, 78
"""Bytes that Kafka adds to a record, to the batch that it is in, and to a transaction in each partition."""
BY_EVENT = ("-progress-changelog", "-raw_progress-changelog")
"""Rows of one key, written by each checkpoint: one for each single event, and more by the clock."""
BY_CLOCK = (".status", "-silences_progress-changelog")
Ends = dict[TopicPartition, int]


def ends(bootstrap: str, group: str) -> Ends:
    """Of every topic of a worker, its raw one too."""
    with _reader(bootstrap) as reader:
        names = sorted(name for name in reader.topics() if name.startswith(group))
        parts = [TopicPartition(name, each) for name in names for each in reader.partitions_for_topic(name) or ()]
        return dict(reader.end_offsets(parts))


def since(bootstrap: str, before: Ends, singles: int) -> tuple[dict[str, int], list[int]]:
    """Bytes by topic, what Kafka adds included, without what the clock brings; and the sizes of ticks.

    `singles`: so many events came one at a time, each with transactions of its own.  0: in heaps, which share them.
    """
    records, ticks = defaultdict[str, list[int]](list), list[int]()
    for record in _read(bootstrap, before):
        size = len(record.key or b"") + len(record.value or b"") + RECORD
        if record.key == TICK_KEY:
            ticks.append(size + BATCH + MARKER)
        elif not record.topic.endswith(BY_CLOCK):
            records[record.topic].append(size)
    if not singles:
        return {topic: sum(sizes) for topic, sizes in records.items()}, ticks
    return {topic: _of_singles(topic, sizes, singles) for topic, sizes in records.items()}, ticks


def _of_singles(topic: str, sizes: list[int], singles: int) -> int:
    whole = sum(sizes) * singles // len(sizes) if topic.endswith(BY_EVENT) else sum(sizes)
    batches = singles if topic.endswith(BY_EVENT) else min(singles, len(sizes))
    return whole + batches * (BATCH if topic.endswith("-raw") else BATCH + MARKER)


def _read(bootstrap: str, before: Ends) -> Iterator[Any]:
    with _reader(bootstrap) as reader:
        parts = list(before)
        reader.assign(parts)
        for part, offset in before.items():
            reader.seek(part, offset)
        until = reader.end_offsets(parts)
        while any(reader.position(part) < until[part] for part in parts):
            for batch in reader.poll(timeout_ms=200).values():
                yield from batch


def _reader(bootstrap: str) -> Any:
    return KafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed", group_id=None)
