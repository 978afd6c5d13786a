"""How values were counted, and those that could not be read.

Knows: the counts of the contract, dead letters on their way to the document.
Must not know: clusters, processes.
"""

from __future__ import annotations

import base64
import heapq
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from models.public import DeadLetterItem, Summary, iso
from models.unwrap import Unreadable
from models.workspace import Outcome
from streams.counts import count
from streams.replay.spool import Spool


class Place(NamedTuple):
    """Where a value was read: the number of the raw value, the place within it, the file and line."""

    number: int
    within: int
    origin: str


class Tally(msgspec.Struct):
    """The summary while it grows; `watermark` is the greatest event time, epoch ms."""

    read: int = 0
    applied: int = 0
    duplicate: int = 0
    dead_lettered: int = 0
    late: int = 0
    unrecognized: int = 0
    ignored: dict[str, int] = {}
    watermark: int | None = None

    def applies(self, outcome: Outcome, time: int) -> None:
        """An event went into a row."""
        if outcome.duplicate:
            self.duplicate += 1
        else:
            self.applied += 1
        self.late += outcome.late
        self.unrecognized += outcome.unrecognized
        self.watermark = time if self.watermark is None else max(self.watermark, time)

    def ignores(self, kind: str) -> None:
        """A value is of no concern; past so many kinds all new ones are one, as in the worker."""
        count(self.ignored, kind)

    def add(self, other: Tally) -> None:
        """What another process counted.  Types that are ignored are counted in one alone."""
        for name in ("read", "applied", "duplicate", "dead_lettered", "late", "unrecognized"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        told = [each.watermark for each in (self, other) if each.watermark is not None]
        self.watermark = max(told, default=None)

    def summary(self) -> Summary:
        """As the document has it."""
        counts = msgspec.structs.asdict(self)
        return Summary(**{**counts, "watermark": None if self.watermark is None else iso(self.watermark)})


class _Letter(msgspec.Struct, array_like=True):
    """A value that could not be read, whole."""

    number: int
    within: int
    origin: str
    reason: str
    data: bytes


_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(_Letter).decode


def bury(letters: Spool, place: Place, found: Unreadable) -> None:
    """Keep a dead letter."""
    letters.append(_ENCODE(_Letter(*place, str(found.reason), found.data)))


def exhume(spools: Iterable[Spool]) -> Iterator[DeadLetterItem]:
    """The dead letters of several processes in the order in which they were read."""
    letters = (map(_DECODE, spool.read()) for spool in spools)
    for each in heapq.merge(*letters, key=lambda letter: (letter.number, letter.within)):
        data = base64.b64encode(each.data).decode("ascii")
        yield DeadLetterItem(reason=each.reason, origin=each.origin, data=data)
