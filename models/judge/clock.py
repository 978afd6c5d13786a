"""The moment that is judged at, and how long its answers hold.

Knows: which moments were asked for.  Must not know: what for.

Every question whether a moment has come goes through here.  As long as none that had not come does, and the rows stay
what they are, a judgement asks the same questions, hears the same answers, and so comes to the same picture.
"""

from __future__ import annotations


class Clock:
    """Epoch milliseconds."""

    __slots__ = ("now", "until")

    def __init__(self, now: int) -> None:
        self.now = now
        self.until: int | None = None
        """From then on an answer may be another; None: never."""

    def has_come(self, moment: int) -> bool:
        """Whether it is now or was before."""
        if moment <= self.now:
            return True
        if self.until is None or moment < self.until:
            self.until = moment
        return False

    def is_past(self, moment: int) -> bool:
        """Whether it was before now."""
        return self.has_come(moment + 1)
