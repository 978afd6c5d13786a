"""How often Python looks for garbage in cycles.

Knows: the collector's thresholds.  Must not know: who makes garbage.

Rows are many small objects that live long and hold no cycles.  Looking through the young ones after every 700 new
objects, as Python does unless told otherwise, takes a tenth of the time of folding, and more where there are more rows.
"""

from __future__ import annotations

import gc

THRESHOLDS = (50_000, 10, 10)


def look_rarely() -> None:
    """For the rest of the process; what is there by now is never looked through again."""
    if gc.get_threshold() != THRESHOLDS:
        gc.collect()
        gc.freeze()
        gc.set_threshold(*THRESHOLDS)
