"""Simulated time: stories are generators that yield how many seconds they wait.

Knows: a clock and who is due next.
Must not know: what the stories tell.
"""

from __future__ import annotations

from collections.abc import Generator
from heapq import heappop, heappush

Story = Generator[int, None, None]


class Kernel:
    """Runs stories side by side; `now` is in seconds since the beginning."""

    def __init__(self) -> None:
        self.now = 0
        self._due: list[tuple[int, int, Story]] = []
        self._count = 0

    def spawn(self, story: Story, *, after: int = 0) -> None:
        """Lets a story begin `after` seconds from now."""
        self._count += 1
        heappush(self._due, (self.now + after, self._count, story))

    def run(self, until: int | None = None) -> None:
        """Until every story has ended, or all that happens up to and in that second has."""
        while self._due and (until is None or self._due[0][0] <= until):
            self.now, _, story = heappop(self._due)
            wait = next(story, None)
            if wait is not None:
                self.spawn(story, after=wait)


def together(*stories: Story) -> Story:
    """Stories side by side as one: it ends when the last of them has ended."""
    due: list[tuple[int, int, Story]] = [(0, place, story) for place, story in enumerate(stories)]
    elapsed, count = 0, len(due)
    while due:
        at, _, story = heappop(due)
        if at > elapsed:
            yield at - elapsed
            elapsed = at
        wait = next(story, None)
        if wait is not None:
            count += 1
            heappush(due, (at + wait, count, story))


def after(seconds: int, story: Story) -> Story:
    """The story, begun later."""
    yield seconds
    yield from story
