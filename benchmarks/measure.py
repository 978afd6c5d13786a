"""What figures are, and the little arithmetic that is done with them.

Knows: runs, medians, ratios of medians and how far they spread.
Must not know: who is measured, how, what is aimed at.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Any

import msgspec


class Run(msgspec.Struct, frozen=True):
    """One contender, once.  `value` is compared: the larger the better, but for sizes and times."""

    contender: str
    round: int
    value: float
    unit: str
    figures: dict[str, Any] = {}
    """As it was measured."""


class Ratio(msgspec.Struct, frozen=True):
    """A quotient of two medians, and the lowest and highest quotient that rounds of the run gave."""

    ratio: float
    spread: tuple[float, float]


def values_of(runs: Sequence[Run], contender: str) -> list[float]:
    """By round."""
    mine = sorted((run.round, run.value) for run in runs if run.contender == contender)
    return [value for _, value in mine]


def middle(runs: Sequence[Run], contender: str) -> float | None:
    """The median, None without a run."""
    found = values_of(runs, contender)
    return median(found) if found else None


def best_of(runs: Sequence[Run], contenders: Sequence[str]) -> str | None:
    """Who has the highest median."""
    there = [(value, name) for name in contenders if (value := middle(runs, name)) is not None]
    return max(there)[1] if there else None


def ratio_of(runs: Sequence[Run], one: str, other: str) -> Ratio | None:
    """How many times the other's median is the one's; None where either has none, or the other's is nothing."""
    above, below = middle(runs, one), middle(runs, other)
    if above is None or not below:
        return None
    pairs = zip(values_of(runs, one), values_of(runs, other), strict=False)
    quotients = [mine / theirs for mine, theirs in pairs if theirs]
    return Ratio(above / below, (min(quotients), max(quotients)))


def limit_of(runs: Sequence[Run], contender: str, most: float) -> Ratio | None:
    """How many times what is allowed is what was measured."""
    found = middle(runs, contender)
    if not found:
        return None
    quotients = [most / value for value in values_of(runs, contender) if value]
    return Ratio(most / found, (min(quotients), max(quotients)))


def percentile(ordered: Sequence[float], share: float) -> float:
    """Of sorted figures: the least that so large a share of them does not exceed."""
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]
