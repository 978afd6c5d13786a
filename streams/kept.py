"""Messages that a lane keeps until the checkpoint that covers them is committed, and when they are too many.

Knows: how many there are, and their bytes.
Must not know: what is folded, Kafka.
"""

from __future__ import annotations

from collections import deque

from streams.message import Message

MOST = 20_000
"""Messages kept before their partition has to wait for a checkpoint."""


class Kept(deque[Message]):
    """In the order of their offsets.  Whoever appends one counts its bytes: it is done for every event."""

    def __init__(self, most_bytes: int) -> None:
        super().__init__()
        self.bytes, self._most_bytes = 0, most_bytes

    @property
    def full(self) -> bool:
        """No more is to be taken."""
        return len(self) >= MOST or self.bytes >= self._most_bytes

    @property
    def half_full(self) -> bool:
        """There is room for more while these are being written."""
        return len(self) >= MOST // 2 or self.bytes >= self._most_bytes // 2

    def below(self, offset: int) -> int:
        """How many stand before an offset."""
        return sum(message.offset < offset for message in self)

    def let_go(self, count: int) -> None:
        """The first so many are in the tables."""
        for _ in range(count):
            self.bytes -= len(self.popleft().value or b"")

    def clear(self) -> None:
        """Nothing is kept any more."""
        super().clear()
        self.bytes = 0
