"""How much is measured, and how long that may take.

Knows: what a user of `make bench` can choose, a clock.
Must not know: parts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


def _silent(line: str) -> None:
    del line


@dataclass
class Sizes:
    """Of one part, from when it begins.

    `say` is told one line for each run, `notes` collects what was left out and why.
    """

    events: int = 200_000
    rounds: int = 5
    rows: int = 100_000
    fleets: tuple[int, ...] = (1_000, 200_000, 1_000_000)
    file_events: int = 30_000
    """Of the smaller file that is replayed; the larger one has ten times as many."""
    seconds: float = 20.0
    """Of each pace at which latency is measured."""
    rate: float = 0.0
    """Events a second that the worker can take, by the part `real`."""
    minutes: float = 40.0
    """For the part: no round is begun that would not end within them, but for the first."""
    say: Callable[[str], None] = _silent
    notes: list[str] = field(default_factory=list)
    clock: Callable[[], float] = time.monotonic
    began: float = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.clock()

    def in_time(self, seconds: float) -> bool:
        """Whether what takes so long would end within the part's minutes."""
        return self.clock() + seconds <= self.began + 60 * self.minutes

    def turns(self, rounds: int | None = None) -> Iterator[int]:
        """Numbers of rounds, `rounds` or as many as chosen, until all are done or time is up."""
        wanted, first = self.rounds if rounds is None else rounds, self.clock()
        for number in range(wanted):
            if number and not self.in_time((self.clock() - first) / number):
                self.notes.append(
                    f"Rounds {number + 1} to {wanted} were left out: {self.minutes:.0f} minutes were over."
                )
                return
            yield number
