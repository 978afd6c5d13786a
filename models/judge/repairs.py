"""Repairs that were asked for and did not begin: `repair_not_started`.

Knows: what the health agent asked for, who succeeded whom.  Must not know: faults, other deadlines.
"""

from __future__ import annotations

from collections.abc import Iterator

from models.deadlines import Thresholds
from models.judge.ends import Ends
from models.judge.findings import Finding
from models.judge.scene import Node, Scene
from models.public import AnomalyKind
from models.rows import Repair

MINUTE_MS = 60_000


def find_unrepaired(scene: Scene, ends: Ends, thresholds: Thresholds) -> Iterator[Finding]:
    """Every repair that was asked for and did not begin in time."""
    limit = round(thresholds.repair_minutes * MINUTE_MS)
    for node in scene.nodes:
        for repair in node.state.repairs if not node.row.is_outdated else ():
            due, begun = repair.asked.time + limit, _begun(ends, node, repair)
            clock = scene.clock_of(node.row, repair.asked.time)
            if clock.is_past(due) if begun is None else due < begun:
                yield _finding(node, repair, due, begun)


def _begun(ends: Ends, node: Node, repair: Repair) -> int | None:
    """When it began: by an event of the instance, or because another one takes its place or it is gone with its group.

    What had begun before the agent asked again needs no second start.
    """
    outside = ends.of_node(node)
    known = [repair.begun, None if outside is None else max(outside, repair.asked.time)]
    return min((at for at in known if at is not None), default=None)


def _finding(node: Node, repair: Repair, due: int, begun: int | None) -> Finding:
    return Finding(
        kind=AnomalyKind.REPAIR_NOT_STARTED,
        episode=repair.asked.event_id,
        opened=due,
        updated=due if begun is None else begun,
        resolved=begun,
        node=node,
        machine="health",
        state=repair.health,
        detail=repair.action,
        evidence=repair.evidence,
    )
