"""Places where a test may let the worker die.

Knows: the names of steps.  Does nothing unless HYPERPOD_STATE_CRASH names one: `step:n` kills at the n-th arrival.
Must not know: anything else.
"""

from __future__ import annotations

import os
import signal
from collections import Counter

STEPS = ("read", "sent", "offsets", "committed", "stored")
VARIABLE = "HYPERPOD_STATE_CRASH"
_WANTED = os.environ.get(VARIABLE, "")
_arrivals: Counter[str] = Counter()


def reach(step: str) -> None:
    """The worker is at `step`."""
    if not _WANTED:
        return
    _arrivals[step] += 1
    if f"{step}:{_arrivals[step]}" == _WANTED:
        os.kill(os.getpid(), signal.SIGKILL)
