"""Places where a test may let the worker die.

Knows: the names of steps, in the order in which a lane comes to them.
Must not know: anything else.

Does nothing unless HYPERPOD_STATE_CRASH names a step: `sent:3` kills at the third arrival of any lane, `events.sent:3`
at the third of the lanes of that kind.
"""

from __future__ import annotations

import os
import signal
from collections import Counter

STEPS = ("claimed", "restored", "read", "half", "sent", "offsets", "acknowledged", "committed", "stored")
VARIABLE = "HYPERPOD_STATE_CRASH"
_WANTED = os.environ.get(VARIABLE, "")
_arrivals: Counter[str] = Counter()


def reach(step: str, kind: str) -> None:
    """A lane of that kind (`raw`, `events`, `silences`) is at `step`."""
    if not _WANTED:
        return
    for name in (step, f"{kind}.{step}"):
        _arrivals[name] += 1
        if f"{name}:{_arrivals[name]}" == _WANTED:
            os.kill(os.getpid(), signal.SIGKILL)
