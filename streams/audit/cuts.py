"""One moment of one events partition: what its worker had written, all of it and nothing half.

Knows: which topics a checkpoint writes to, how progress rows are read.
Must not know: what rows or events mean.

A checkpoint is one transaction over several topics, but its end is marked in one topic after the other.  So a cut is
taken when for a moment nothing is under way: what is written is committed, and nothing was added while looking.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from streams import codecs
from streams.audit.log import PATIENCE_SECONDS, QUIET_SECONDS, Log, Part, unsettled
from streams.codecs import Progress, RawProgress
from streams.settings import Settings
from streams.topics import RAW_TABLE, TABLES, changelog

JUDGED_SECONDS = 15.0
"""A worker that has just started judges once it has caught up: so long its first judgement is waited for."""


@dataclass(frozen=True)
class Cut:
    """Of one events partition: its progress row, and where its tables and anomalies end."""

    partition: int
    progress: Progress
    ends: dict[Part, int]

    def table(self, log: Log, settings: Settings, name: str) -> dict[bytes, bytes]:
        """A table as its changelog has it, by key."""
        rows: dict[bytes, bytes] = {}
        for record in self.records(log, changelog(settings, name)):
            if record.value is None:
                rows.pop(record.key, None)
            else:
                rows[record.key] = record.value
        return rows

    def records(self, log: Log, topic: str) -> Iterator[Any]:
        """What a topic of the checkpoint holds up to the cut."""
        part = (topic, self.partition)
        return log.records(part, log.begins([part])[part], self.ends[part])


def take(log: Log, settings: Settings, partition: int) -> Cut:
    """A cut, a judged one where it is to be had.  AuditError where the writing never pauses."""
    tables = [changelog(settings, name) for name in TABLES]
    parts = [(topic, partition) for topic in (*tables, settings.anomalies_topic)]
    place = (changelog(settings, "progress"), partition)
    began = time.monotonic()
    while True:
        ends = log.quiet(parts)
        if ends is not None:
            cut = Cut(partition, _progress(log, place, ends[place]), ends)
            if cut.progress.judged is not None or not cut.progress.next or waited(began) > JUDGED_SECONDS:
                return cut
        elif waited(began) > PATIENCE_SECONDS:
            raise unsettled(parts)
        time.sleep(QUIET_SECONDS)


def raw_progress(log: Log, settings: Settings, partition: int) -> RawProgress:
    """How far a partition of the raw topic is."""
    place = (changelog(settings, RAW_TABLE), partition)
    last = log.last(place, log.settled([place])[place])
    return RawProgress("") if last is None else codecs.RAW_PROGRESS.decode(last.value)


def waited(began: float) -> float:
    """Seconds since then."""
    return time.monotonic() - began


def _progress(log: Log, place: Part, end: int) -> Progress:
    last = log.last(place, end)
    return Progress("") if last is None else codecs.PROGRESS.decode(last.value)
