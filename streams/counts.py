"""Counts by names that come from events, which nobody can hold to be few.

Knows: how many names are told apart.
Must not know: what is counted.
"""

from __future__ import annotations

MOST_NAMES = 500
OTHERS = "(other types)"


def count(counts: dict[str, int], name: str) -> None:
    """One more of that name.  Past so many names, all new ones are one: they stay in a row of Kafka, or in memory."""
    if name not in counts and len(counts) >= MOST_NAMES:
        name = OTHERS
    counts[name] = counts.get(name, 0) + 1
