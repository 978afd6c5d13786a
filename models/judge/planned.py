"""Whether an anomaly opened inside an operation that someone began.

Knows: operations and rollouts of the group and the cluster.  Must not know: how the anomaly was found.
"""

from __future__ import annotations

from models.judge.findings import Finding
from models.judge.groups import GroupView
from models.judge.scene import Scene
from models.public import AnomalyKind
from models.rows import State


def is_planned(scene: Scene, views: dict[str, GroupView], finding: Finding) -> bool:
    """True while the entity is inside a group's or the cluster's operation, or inside a rollout."""
    if finding.kind == AnomalyKind.ORCHESTRATION_READY_LOST and _counts_differ(views):
        return True
    groups = [view.state for view in views.values() if finding.group_name in (None, view.name)]
    states = [*([scene.cluster.state] if scene.cluster else []), *groups]
    return any(_inside(state, finding.opened) for state in states)


def _counts_differ(views: dict[str, GroupView]) -> bool:
    counts = [(view.state.current_count, view.state.target_count) for view in views.values()]
    return any(current is not None and target is not None and current != target for current, target in counts)


def _inside(state: State, at: int) -> bool:
    spans: list[tuple[int, int | None]] = [(begun, end) for _, begun, end in state.spans]
    spans += [(begun, None) for begun in state.operations.values()]
    spans += [(rollout.begun, rollout.ended) for rollout in state.rollouts if rollout.begun is not None]
    return any(begun <= at and (end is None or at <= end) for begun, end in spans)
