"""When something changed: a worker's stream of events, taken up again as often as it breaks off.

Knows: which event means what, how long to wait before asking again.
Must not know: what changed, what is done about it, terminals.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from enum import StrEnum

from streams.client import Client, Refused, Unavailable

FIRST_WAIT, LONGEST_WAIT = 0.5, 5.0
"""Seconds between two tries; each wait is twice the one before."""


class Signal(StrEnum):
    """What is known of the fleet since the last one."""

    CHANGED = "changed"
    SAME = "same"
    BLIND = "blind"
    """Nothing: the stream cannot be had, or cannot tell.  Who wants to know has to look."""


def signals(client: Client, sleep: Callable[[float], None] = time.sleep) -> Iterator[Signal]:
    """One at least every few seconds, without end; the first is no later than the worker's first answer."""
    seen: str | None = None
    wait = FIRST_WAIT
    while True:
        try:
            for event in client.stream(seen):
                seen, wait = event.id or seen, FIRST_WAIT
                yield {"changed": Signal.CHANGED, "trouble": Signal.BLIND}.get(event.name, Signal.SAME)
        except (Unavailable, Refused):  # whoever looks then hears why
            yield Signal.BLIND
            wait = min(LONGEST_WAIT, wait * 2)
        sleep(wait)  # also after an end that was meant: the worker ends every stream after a while
