"""How much is measured.

Knows: what a user of `make bench` can choose.
Must not know: parts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


def _silent(line: str) -> None:
    del line


@dataclass
class Sizes:
    """`say` is told one line for each run, `notes` collects what was left out and why."""

    events: int = 200_000
    rounds: int = 5
    rows: int = 100_000
    fleets: tuple[int, ...] = (1_000, 200_000, 1_000_000)
    seconds: float = 20.0
    """Of each pace at which latency is measured."""
    rate: float = 0.0
    """Events a second that the worker can take, by the part `real`."""
    say: Callable[[str], None] = _silent
    notes: list[str] = field(default_factory=list)
