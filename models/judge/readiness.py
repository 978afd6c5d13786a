"""When lost readiness that came of scaling is over, though no text says so.

Knows: when counts differed, when readiness was said to be lost.  Must not know: other faults.

HyperPod complains of nodes that are not ready during any scaling, and falls silent when they are: a text that says that
all are ready need not come.  What was said while counts differed is over once they have been equal, and nothing was
said, for half an hour.  What was said while they were equal is nobody's noise: only a text ends it.
"""

from __future__ import annotations

from models.judge.groups import GroupView
from models.judge.planned import uneven
from models.judge.scene import Scene

CLEAN_MS = 30 * 60_000
"""How long nothing may have been said."""


def ready_again(scene: Scene, views: dict[str, GroupView], last: int) -> int | None:
    """When lost readiness that was last said at a time was over."""
    spans = sorted(uneven(scene, views))
    if not any(begun <= last <= end for begun, end in spans):
        return None
    over = last + CLEAN_MS
    for begun, end in spans:
        if begun < over and end >= last:
            over = max(over, end + CLEAN_MS)
    return over if scene.clock.has_come(over) else None
