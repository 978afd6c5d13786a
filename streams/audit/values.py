"""Check `values`: every raw value is an event, a dead letter or an ignored one, exactly once.

Knows: origins, which way a value has to go.
Must not know: state, anomalies.

Of what was forwarded only the origins are kept, eight bytes each; the raw topic is then read once beside them.
"""

from __future__ import annotations

import heapq
import operator
from array import array
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from models.broadcasts import is_heartbeat, partition_key
from models.reading import read
from models.unwrap import Ignored, Unreadable, Value, unwrap
from streams.audit.findings import Report
from streams.codecs import Origin, RawProgress
from streams.deadletter.advice import POISON
from streams.transaction import partition_of

LETTERS = -1
"""Stands for the dead letters where else an events partition stands."""
INDEX_BITS = 20
OUTSIDE = "outside of what is read of the raw topic"
RETIRED = "its copy is older than what is read of the events"
Place = tuple[int, int]
"""A value's packed offset and index, and where its copy is."""


@dataclass
class Copies:
    """Where the values of one raw partition went."""

    incarnation: str
    progress: RawProgress
    places: dict[int, array[int]] = field(default_factory=dict)
    """By events partition, or LETTERS: offsets and indices, packed."""
    poison: set[int] = field(default_factory=set)
    """Offsets of records that were buried whole."""
    others: bool = False
    """There are values of an earlier topic of that name; they are in the counts too."""

    def add(self, where: int, origin: Origin) -> None:
        """A copy was found; of other incarnations and of what was forwarded after the cut nothing can be said."""
        if origin.incarnation != self.incarnation:
            self.others = True
        elif origin.offset < self.progress.next:
            self.places.setdefault(where, array("Q")).append(pack(origin.offset, origin.index))

    def add_letter(self, letter: dict[str, Any]) -> None:
        """A dead letter of this partition."""
        found = letter["origin"]
        origin = Origin(found["incarnation"], found["partition"], found["offset"], found["index"])
        self.add(LETTERS, origin)
        if letter["reason"] in POISON and origin.incarnation == self.incarnation:
            self.poison.add(origin.offset)

    def oldest(self, where: int) -> int | None:
        """The first copy there."""
        return min(self.places[where], default=None) if where in self.places else None

    def in_order(self) -> Iterator[Place]:
        """All copies, by origin.  Each place has them in order already, unless something is wrong with it."""
        return heapq.merge(*(_placed(found, where) for where, found in self.places.items()))


def pack(offset: int, index: int) -> int:
    """Offset and index in one number, in their order."""
    return (offset << INDEX_BITS) | index


def _placed(found: array[int], where: int) -> Iterator[Place]:
    in_order = all(map(operator.le, found, islice(found, 1, None)))
    for packed in found if in_order else sorted(found):
        yield packed, where


@dataclass
class Values:
    """One raw partition, compared value by value."""

    topic: str
    partition: int
    copies: Copies
    shortened: frozenset[int]
    """Events partitions, or LETTERS, whose oldest records are gone."""
    partitions: int
    report: Report

    def check(self, records: Iterable[Any], begin: int, end: int, whole: bool) -> None:
        """Compare the partition's records from `begin` to `end`; `whole`: they are all there ever were."""
        copies = _Copies(self.copies.in_order())
        self._floors = {where: self.copies.oldest(where) for where in self.shortened}
        self._seen: Counter[str] = Counter()
        self.report.skip("values", OUTSIDE, sum(1 for _ in copies.below(pack(begin, 0))))
        for record in records:
            for index, wanted in enumerate(self._wanted(record)):
                key = pack(record.offset, index)
                for stray in copies.below(key):
                    self._stray(stray)
                self._compare(key, wanted, copies.at(key))
        for stray in copies.below(pack(end, 0)):
            self._stray(stray)
        self.report.skip("values", OUTSIDE, sum(1 for _ in copies.below(1 << 63)))
        if whole and not self.copies.others and not self.shortened:
            self._compare_counts()

    def _wanted(self, record: Any) -> Iterator[frozenset[int]]:
        """Where the values of a record have to go; nowhere: they are only counted."""
        if record.offset in self.copies.poison:
            yield frozenset({LETTERS})
            return
        for value in unwrap(record.value, observed_ms=record.timestamp) if record.value is not None else ():
            outcome = read(value, latest=lambda arn: None) if isinstance(value, Value) else value
            if isinstance(outcome, Ignored):
                yield frozenset()
            elif isinstance(outcome, Unreadable):
                yield frozenset({LETTERS})
            elif is_heartbeat(outcome):
                yield frozenset(range(self.partitions))
            else:
                yield frozenset({partition_of(partition_key(outcome).encode(), self.partitions)})

    def _compare(self, key: int, wanted: frozenset[int], found: list[int]) -> None:
        self._seen["read"] += 1
        self._seen["dead_lettered"] += LETTERS in found
        self._seen["ignored"] += not found and not wanted
        missing = wanted - {*found}
        if missing and any(self._may_be_deleted(key, where) for where in missing):
            self.report.skip("values", RETIRED)
            return
        self.report.checked("values")
        if len({*found}) < len(found) or (len(found) > 1 and not {*found} <= wanted):
            self._differ(key, f"is there {len(found)} times", self._names(found))
        elif missing and not found:
            self._differ(key, "is missing", f"it belongs into {self._names(missing)}")
        elif missing and LETTERS not in {*found, *wanted}:  # what can be read now may have been a dead letter then
            self._differ(key, "is in the wrong place", f"{self._names(found)}, not {self._names(wanted)}")

    def _may_be_deleted(self, key: int, where: int) -> bool:
        if where not in self._floors:
            return False
        floor = self._floors[where]
        return floor is None or key < floor

    def _stray(self, place: Place) -> None:
        self._differ(place[0], "has a copy, but the raw topic has no such value", self._names([place[1]]))

    def _compare_counts(self) -> None:
        for name, count in counted(self.copies.progress).items():
            if count != self._seen[name]:
                self.report.differ(
                    "values",
                    f"{self.topic}/{self.partition}",
                    f"the count of values {name} is wrong",
                    f"{self._seen[name]} expected, {count} found",
                )

    def _differ(self, key: int, problem: str, detail: str) -> None:
        thing = f"{self.topic}/{self.partition} offset {key >> INDEX_BITS} value {key & ((1 << INDEX_BITS) - 1)}"
        self.report.differ("values", thing, problem, detail)

    def _names(self, places: Collection[int]) -> str:
        words = ("the dead letters" if where == LETTERS else f"events partition {where}" for where in sorted(places))
        return " and ".join(words)


class _Copies:
    """The copies in order, taken from the front."""

    def __init__(self, places: Iterator[Place]) -> None:
        self._places = places
        self._next = next(places, None)

    def below(self, key: int) -> Iterator[Place]:
        """Those before a value."""
        while self._next is not None and self._next[0] < key:
            yield self._next
            self._next = next(self._places, None)

    def at(self, key: int) -> list[int]:
        """Where the copies of a value are."""
        found = []
        while self._next is not None and self._next[0] == key:
            found.append(self._next[1])
            self._next = next(self._places, None)
        return found


def counted(progress: RawProgress) -> dict[str, int]:
    """What the worker counted in a raw partition."""
    ignored, letters = progress.counts.ignored.values(), progress.counts.dead_lettered.values()
    return {"read": progress.counts.read, "ignored": sum(ignored), "dead_lettered": sum(letters)}
