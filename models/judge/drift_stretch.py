"""A time in which snapshots contradict the reconstruction.

Knows: its beginning, its end, what both sides say.  Must not know: how it was found, how long is too long.
"""

from __future__ import annotations

from dataclasses import dataclass

MINUTE_MS = 60_000
LAG_MS = 5 * MINUTE_MS
"""How long after a change a snapshot may show what was before."""


@dataclass
class Stretch:
    """One contradiction, from the first snapshot that could not be right."""

    begun: int
    episode: str
    evidence: list[str]
    text: str
    changed: int
    """When the text became what it is."""
    ended: int | None = None
    again: int | None = None
    """When the next snapshot said the same."""
    sure: int | None = None
    """Until then it lasted, where what was said next is not known; None: what was said is known."""
    machine: str | None = None
    state: str | None = None

    def end_at(self, at: int | None) -> None:
        """Over at that time, if it was not before."""
        if at is not None and (self.ended is None or self.ended > at):
            self.ended = at
