"""How often Python looks for garbage in cycles, and when memory that is free goes back to the system.

Knows: the collector's thresholds, what functions remember, allocators.
Must not know: who makes garbage, who frees much at once, when there is nothing to do.

Rows are many small objects that live long and hold no cycles.  Looking through the young ones after every 700 new
objects, as Python does unless told otherwise, takes a tenth of the time of folding, and more where there are more rows.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

THRESHOLDS = (50_000, 10, 10)
LARGE = 4 << 20
"""Buffers from this size on are given back as soon as they are free.  glibc would learn to keep such, and for ever."""
KEPT = 64 << 20
"""What the heap may have free at its end: the next checkpoint takes it again, and new pages cost more than bytes."""
ARENAS = 2
"""glibc otherwise keeps eight heaps for each core, each with holes of its own."""
BETWEEN_SECONDS = 10.0
OURS = frozenset({"models", "streams"})
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8


@contextmanager
def nobody_looks() -> Iterator[None]:
    """While much is made that stays, such as modules: looking through it was a tenth of the start."""
    looked = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if looked:
            gc.enable()


def look_rarely() -> None:
    """For the rest of the process; what is there by now is never looked through again.

    Not even once: of what a worker has made when it starts, one object in fifty is garbage.
    """
    if gc.get_threshold() != THRESHOLDS:
        gc.freeze()
        gc.set_threshold(*THRESHOLDS)


def keep_little() -> None:
    """Have the allocator keep little of what is free, but for a while.  Nothing where it is not glibc's."""
    if (mallopt := _of_glibc("mallopt")) is not None:
        mallopt(_M_ARENA_MAX, ARENAS)
        mallopt(_M_MMAP_THRESHOLD, LARGE)
        mallopt(_M_TRIM_THRESHOLD, KEPT)


def forget() -> None:
    """What functions of ours remember in order to be quick: who calls them again has it made again.

    Such answers are small, and made all the time while there is much to do: each of them keeps whole pages from going
    back, of which nothing else is left.
    """
    for name, module in [*sys.modules.items()]:
        if name.partition(".")[0] in OURS:
            for each in [*vars(module).values()]:
                if callable(parameters := getattr(each, "cache_parameters", None)) and parameters()["maxsize"]:
                    each.cache_clear()


class Returns:
    """Gives free memory back to the system, not all the time: the allocator has to go through all that it has."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._last, self._owed = clock, float("-inf"), False

    def owe(self) -> None:
        """Much was freed just now."""
        self._owed = True

    def settle(self) -> bool:
        """Give back what is owed, if it is time; whether that was done."""
        if not self._owed or self._clock() - self._last < BETWEEN_SECONDS:
            return False
        return self._trim()

    def calm(self) -> None:
        """Nothing is at work: look for garbage, and give back all that is free.

        Only now, as it goes through all that there is.  Python, too, keeps some of what is free for the next who wants
        it, until its garbage is looked for.
        """
        forget()
        gc.collect()
        self._trim()

    def _trim(self) -> bool:
        trim = _of_glibc("malloc_trim")
        if trim is None:
            return False
        trim(0)
        self._last, self._owed = self._clock(), False
        return True


RETURNS = Returns()
"""There is one heap."""


@cache
def _of_glibc(name: str) -> Callable[..., int] | None:
    """A function of the C library; None where it has none of that name."""
    found: Callable[..., int] | None = getattr(ctypes.CDLL(None), name, None)
    return found
