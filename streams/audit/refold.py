"""One events partition folded again from its records: rows, counts, clocks.

Knows: the records of `hyperpod.events` and what each of them does.
Must not know: lanes, tables, Kafka clients; nothing of how the worker does the same.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from pydantic import ValidationError

from models.broadcasts import Broadcasts, is_heartbeat
from models.deadlines import Thresholds
from models.fold import Limits
from models.public_silence import Silence
from models.workspace import Outcome, Workspace
from streams import codecs
from streams.codecs import Counts, DecodeError, Forwarded, Origin
from streams.topics import BROADCASTS

Rows = dict[tuple[str, bytes], bytes]
"""By table and key: the JSON of a row."""


class Refold:
    """Feed it the records in the order of their offsets."""

    def __init__(self, limits: Limits, thresholds: Thresholds, clocks: int) -> None:
        self._limits, self._wanted_clocks = limits, clocks
        self._spaces: dict[str, Workspace] = {}
        self._shared = Broadcasts(limits, thresholds)
        self.counts = Counts()
        self.origins: dict[int, tuple[str, int, int]] = {}
        self.clocks: dict[int, int] = {}
        self.now: int | None = None
        self.watermark: int | None = None

    def feed(self, offset: int, record: Forwarded | None, poison: Container[int] = ()) -> None:
        """One record; None stands for one that is not ours.  `poison`: offsets that the worker could not fold."""
        if record is None:
            self.counts.foreign += 1
        elif record.tick is not None:
            self._advance(record.tick)
        elif record.silence is not None:
            self._hush(record.silence)
        elif record.origin is not None and self._is_new(record.origin):
            if offset in poison:
                self.counts.failed += 1
            else:
                self._apply(record)

    def rows(self) -> Rows:
        """Every row that the records have made."""
        found: Rows = {}
        for space in self._spaces.values():
            changes = space.take()
            found.update({(table, key.encode()): row for (table, key), row in changes.rows.items() if row is not None})
        self._spaces.clear()
        shared = self._shared.take().rows.items()
        found.update({(BROADCASTS, key.encode()): row for key, row in shared if row is not None})
        return found

    def _advance(self, tick: codecs.Tick) -> None:
        self.clocks[tick.partition] = tick.clock
        if len(self.clocks) >= self._wanted_clocks:
            self.now = max(self.now or 0, min(self.clocks.values()))
            self._shared.forget(self.now)

    def _hush(self, news: codecs.SilenceNews) -> None:
        data = bytes(news.record)
        try:
            silence = None if data == b"null" else Silence.model_validate_json(data)
        except ValidationError:
            self.counts.foreign += 1
            return
        self._shared.silence(news.silence_id, silence)

    def _is_new(self, origin: Origin) -> bool:
        last, place = self.origins.get(origin.partition), (origin.incarnation, origin.offset, origin.index)
        if last is not None and last[0] == place[0] and place <= last:
            return False
        self.origins[origin.partition] = place
        return True

    def _apply(self, record: Forwarded) -> None:
        seen = record.observation
        assert seen is not None
        if is_heartbeat(seen):
            outcome = self._shared.hear(seen)
        else:
            space = self._spaces.setdefault(seen.cluster_arn, Workspace(seen.cluster_arn, self._limits))
            outcome = space.apply(seen, record.observed_ms)
        if not record.echo:
            self._count(outcome)
        self.watermark = seen.time if self.watermark is None else max(self.watermark, seen.time)

    def _count(self, outcome: Outcome) -> None:
        self.counts.duplicate += outcome.duplicate
        self.counts.applied += not outcome.duplicate
        self.counts.late += outcome.late
        self.counts.unrecognized += outcome.unrecognized


def decoded(record: Any) -> Forwarded | None:
    """A Kafka record of the topic; None where it is not ours."""
    try:
        return codecs.read_forwarded(record.value)
    except DecodeError:
        return None
