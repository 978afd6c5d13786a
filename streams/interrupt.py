"""Ended by a signal, in order.

Knows: SIGTERM and Ctrl-C.  Must not know: what is ended.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

NUMBERS = (signal.SIGINT, signal.SIGTERM)


class Ended(KeyboardInterrupt):
    """A signal asked for the end."""


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """The first raises Ended, whatever is waited for; further ones do not disturb the ending.

    Main thread only.
    """

    def end(*_: object) -> None:
        for number in NUMBERS:
            signal.signal(number, signal.SIG_IGN)
        raise Ended

    before = [(number, signal.signal(number, end)) for number in NUMBERS]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
