"""Which column a time is in, where long stretches without any change are folded.

Knows: times of changes, columns.  Must not know: what changed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from heapq import nlargest
from itertools import pairwise
from typing import NamedTuple

FOLD = 36
"""Columns of a stretch that is folded."""
WORTH = 2 * FOLD
"""It folds where it would take more."""


class Stretch(NamedTuple):
    """Times from `begun` to `ended` (epoch ms) in the columns from `left` to `right`."""

    begun: int
    ended: int
    left: float
    right: float
    folded: bool


class Axis:
    """Columns of a window."""

    def __init__(self, begun: int, ended: int, width: int, changes: Sequence[int]) -> None:
        """`changes` are in order."""
        inside = changes[bisect_right(changes, begun) : bisect_left(changes, ended)]
        self.stretches = _laid_out(_parts(begun, ended, _folded([begun, *inside, ended], width)), width)
        self._begins = [each.begun for each in self.stretches]

    def column(self, time: int) -> float:
        """Where a time of the window is."""
        found = self.stretches[max(0, bisect_right(self._begins, time) - 1)]
        share = (time - found.begun) / max(1, found.ended - found.begun)
        return found.left + share * (found.right - found.left)


def _parts(begun: int, ended: int, folded: list[tuple[int, int]]) -> list[tuple[int, int, bool]]:
    """Begin, end and whether it is folded: the folds, and what is between them."""
    found: list[tuple[int, int, bool]] = []
    for since, until in [*folded, (ended, ended)]:
        if begun < since:
            found.append((begun, since, False))
        if since < until:
            found.append((since, until, True))
        begun = until
    return found


def _folded(marks: Sequence[int], width: int) -> list[tuple[int, int]]:
    """The longest gaps, as long as each would take too much of what the others leave; half the columns stay even.

    Where nothing changed at all there is nothing that folding would make room for.
    """
    most = width // 2 // FOLD if len(marks) > 2 else 0
    lengths = nlargest(most, (until - since for since, until in pairwise(marks)))
    rest, count = marks[-1] - marks[0], 0
    least = rest + 1
    for length in lengths:
        if length * (width - FOLD * count) <= WORTH * rest:
            break
        rest, least, count = rest - length, length, count + 1
    gaps = [gap for gap in pairwise(marks) if gap[1] - gap[0] >= least]
    return sorted(sorted(gaps, key=lambda gap: (gap[0] - gap[1], gap[0]))[:count])


def _laid_out(parts: Sequence[tuple[int, int, bool]], width: int) -> list[Stretch]:
    folds = sum(folded for _, _, folded in parts)
    even = sum(ended - begun for begun, ended, folded in parts if not folded)
    # All of it folded: the columns are shared out among the folds.
    fold = FOLD if even else width / max(1, folds)
    scale = (width - fold * folds) / max(1, even)
    left, found = 0.0, list[Stretch]()
    for begun, ended, folded in parts:
        right = left + (fold if folded else (ended - begun) * scale)
        found.append(Stretch(begun, ended, left, right, folded))
        left = right
    return found
