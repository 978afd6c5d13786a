"""What an audit found: counts of all of it, names of some.

Knows: how much was looked at, left out and found to differ.
Must not know: Kafka, how anything is compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

CHECKS = ("values", "rows", "anomalies")
SHOWN_FIELDS = 6
SHOWN_CHARACTERS = 120


@dataclass(frozen=True)
class Difference:
    """One thing that is not as the events say: what is wrong with which thing, and the words of both sides."""

    check: str
    thing: str
    problem: str
    detail: str = ""


@dataclass
class Tally:
    """One check: things compared, things left out by reason, differences."""

    checked: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    differences: int = 0


@dataclass
class Report:
    """The answer of an audit; `differences` holds the first `keep` of them, the tallies count all."""

    keep: int
    tallies: dict[str, Tally] = field(default_factory=lambda: {name: Tally() for name in CHECKS})
    differences: list[Difference] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    """As the worker counts: read, ignored, dead_lettered, applied, duplicate, late, unrecognized, failed, foreign."""
    as_of: int | None = None
    """The partitions' least time, in epoch ms."""

    @property
    def exact(self) -> bool:
        """Nothing differs; what was left out says so itself."""
        return not self.found

    @property
    def found(self) -> int:
        """How many differences there are."""
        return sum(tally.differences for tally in self.tallies.values())

    def differ(self, check: str, thing: str, problem: str, detail: str = "") -> None:
        """One difference more."""
        self.tallies[check].differences += 1
        if len(self.differences) < self.keep:
            self.differences.append(Difference(check, thing, problem, detail))

    def checked(self, check: str, count: int = 1) -> None:
        """So many things more were compared."""
        self.tallies[check].checked += count

    def skip(self, check: str, reason: str, count: int = 1) -> None:
        """So many things could not be compared, and why."""
        if count:
            self.tallies[check].skipped[reason] += count


def changed_fields(expected: Any, found: Any) -> str:
    """The fields in which two JSON values differ, with both sides, a few of them."""
    every = list(_changed("", expected, found))
    shown = [f"{path or 'value'}: {_short(was)} expected, {_short(now)} found" for path, was, now in every]
    more = [f"and {len(every) - SHOWN_FIELDS} fields more"] if len(every) > SHOWN_FIELDS else []
    return "; ".join([*shown[:SHOWN_FIELDS], *more])


def _changed(path: str, expected: Any, found: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in [*expected, *(name for name in found if name not in expected)]:
            yield from _changed(f"{path}.{name}" if path else name, expected.get(name), found.get(name))
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, (was, now) in enumerate(zip(expected, found, strict=True)):
            yield from _changed(f"{path}[{index}]", was, now)
    elif expected != found:
        yield path, expected, found


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"
