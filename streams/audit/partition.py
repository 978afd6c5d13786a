"""One events partition: its records folded again, its tables compared with that.

Knows: which records are read for it, and from where on they tell everything.
Must not know: anomalies, what is done with the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from streams.audit import rows
from streams.audit.cuts import Cut
from streams.audit.findings import Report
from streams.audit.log import Log, Part
from streams.audit.refold import Refold, Rows, decoded
from streams.audit.rows import Stretch
from streams.audit.values import LETTERS, Copies
from streams.deadletter.advice import POISON
from streams.settings import Settings
from streams.topics import ROW_TABLES, changelog


@dataclass(frozen=True)
class Standing:
    """A topic as it stands."""

    partitions: int
    incarnation: str


@dataclass(frozen=True)
class Window:
    """Only what happened from `since` to `until` (epoch ms)."""

    since: int | None = None
    until: int | None = None


@dataclass(frozen=True)
class Compared:
    """The rows as they are stored and as the events make them; `left_out`: what the events cannot tell whole."""

    found: Rows
    expected: Rows
    left_out: dict[rows.Key, str]
    refold: Refold
    whole: bool
    """The events are all there ever were."""


class Events:
    """Reads for one partition; `copies` take note of where raw values went, `shortened` of what is gone."""

    def __init__(
        self,
        settings: Settings,
        topics: Mapping[str, Standing],
        log: Log,
        report: Report,
        copies: Mapping[int, Copies] | None = None,
    ) -> None:
        self._settings, self._topics, self._log, self._report = settings, topics, log, report
        self._copies = copies or {}
        self.shortened: set[int] = set()

    def compare(self, cut: Cut, window: Window) -> Compared:
        """Fold the partition again and compare its tables."""
        refold, stretch = self._fold(cut, self._letters(cut.partition), window)
        tables = {name: cut.table(self._log, self._settings, name) for name in ROW_TABLES}
        found, guards = rows.stored(tables, self._report)
        rows.check_guards(guards, cut, self._report)
        if stretch.since is None:
            rows.check_progress(cut, refold, self._report)
        expected = refold.rows()
        left_out = rows.compare(found, expected, stretch, self._report, lambda key: self._stands(cut, key))
        return Compared(found, expected, left_out, refold, stretch.since is None)

    def _letters(self, number: int) -> set[int]:
        """Take note of the raw values among the dead letters; returns the offsets of events that were not folded."""
        settings, poison = self._settings, set()
        part = (settings.deadletter_topic, number)
        end, begin = self._log.settled([part])[part], self._log.begins([part])[part]
        if begin > 0:
            self.shortened.add(LETTERS)
        for record in self._log.records(part, begin, end):
            letter = _json(record.value)
            origin = letter.get("origin", {})
            if origin.get("topic") == settings.raw_topic and origin["partition"] in self._copies:
                self._copies[origin["partition"]].add_letter(letter)
            elif origin.get("topic") == settings.events_topic and letter["reason"] in POISON:
                poison.add(origin["offset"])
        return poison

    def _fold(self, cut: Cut, poison: set[int], window: Window) -> tuple[Refold, Stretch]:
        """The partition's events folded up to the cut, and noted up to the end."""
        part = (self._settings.events_topic, cut.partition)
        end, begin = self._log.settled([part])[part], self._log.begins([part])[part]
        since = window.since
        if since is not None:
            begin = max(begin, end if (at := self._log.at_time(part, since)) is None else at)
        settings = self._settings
        refold = Refold(settings.limits, settings.thresholds, self._topics[settings.raw_topic].partitions)
        oldest: int | None = None
        for record in self._log.records(part, begin, end):
            oldest = record.timestamp if oldest is None else oldest
            event = decoded(record)
            if record.offset < cut.progress.next:
                refold.feed(record.offset, event, poison)
            if event is not None and event.origin is not None and event.origin.partition in self._copies:
                self._copies[event.origin.partition].add(cut.partition, event.origin)
        if begin == 0 and cut.progress.generation == 1:
            return refold, Stretch(None, window.until)
        self.shortened.add(cut.partition)
        return refold, Stretch(1 << 62 if oldest is None else oldest, window.until)

    def _stands(self, cut: Cut, key: tuple[str, bytes]) -> bool:
        """Whether nothing was written under a key since the cut: what was there before may be compacted away."""
        part: Part = (changelog(self._settings, key[0]), cut.partition)
        end = self._log.settled([part])[part]
        return all(record.key != key[1] for record in self._log.records(part, cut.ends[part], end))


def _json(value: bytes | None) -> dict[str, Any]:
    """A dead letter; nothing where it is none of ours."""
    try:
        letter = msgspec.json.decode(value or b"")
    except msgspec.DecodeError:
        return {}
    return letter if isinstance(letter, dict) and isinstance(letter.get("origin"), dict) else {}
