"""How far a long reading is, on standard error.

Knows: terminals, elapsed time.
Must not know: what is read.  `done` and `total` are of any one unit.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

QUIET_SECONDS = 0.5
REDRAW_SECONDS = 0.1
LINE_SECONDS = 5.0
BAR = 24


class Progress:
    """A bar on a terminal, else a line every few seconds; nothing at all for what is over at once."""

    def __init__(
        self, what: str, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic, unit: str = ""
    ) -> None:
        """`unit` is what is counted, `bytes` or a plural, where a rate says anything."""
        self._what, self._clock, self._unit = what, clock, unit
        self._stream = stream or sys.stderr
        self._terminal = self._stream is not None and self._stream.isatty()
        self._begun: float | None = None
        self._next = 0.0
        self._drawn = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Takes the bar away, so that only the answer stays."""
        if self._drawn and self._terminal:
            self._print("\r\x1b[K")

    def __call__(self, done: int, total: int | None) -> None:
        """Called as often as the reader likes; draws when it is time, counted from the first call."""
        now = self._clock()
        if self._begun is None:
            self._begun = now
            self._next = now + (QUIET_SECONDS if self._terminal else LINE_SECONDS)
        if now < self._next:
            return
        self._next = now + (REDRAW_SECONDS if self._terminal else LINE_SECONDS)
        self._drawn = True
        words = self._words(done, total, now - self._begun)
        self._print(f"\r\x1b[K{words}" if self._terminal else f"{words}\n")

    def _words(self, done: int, total: int | None, elapsed: float) -> str:
        rate = f", {self._rate(done / elapsed)}" if self._unit and elapsed else ""
        if not total:
            return f"{self._what} … {_length(elapsed)}{rate}"
        share = min(1.0, done / total)
        left = f", about {_length(elapsed / share - elapsed)} left" if share > 0.01 else ""
        bar = "█" * round(BAR * share) + "░" * (BAR - round(BAR * share)) + " " if self._terminal else ""
        return f"{self._what} {bar}{share:4.0%}{rate}{left}"

    def _rate(self, each_second: float) -> str:
        if self._unit == "bytes":
            return f"{each_second / 1e6:.1f} MB/s"
        return f"{each_second:,.0f} {self._unit}/s"

    def _print(self, text: str) -> None:
        if self._stream is None:
            return
        encoding = self._stream.encoding or "ascii"
        self._stream.write(text.encode(encoding, "replace").decode(encoding))
        self._stream.flush()


def _length(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
