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
    groups = [view.state for view in views.values() if finding.group_name in (None, view.name)]
    states = [*([scene.cluster.state] if scene.cluster else []), *groups]
    at = finding.opened
    if finding.kind == AnomalyKind.ORCHESTRATION_READY_LOST and finding.resolved is None:
        at = scene.now + 1  # noise for as long as somebody scales: what ends now is over
    uneven = finding.kind == AnomalyKind.ORCHESTRATION_READY_LOST and any(_uneven(state, at) for state in groups)
    return uneven or any(_inside(state, at) for state in states)


def _uneven(state: State, at: int) -> bool:
    """Whether as many as wanted were not there, as far as anybody counted."""
    counted = state.current_count is not None and state.target_count is not None
    return counted and not any(begun <= at and (ended is None or at < ended) for begun, ended in state.even)


def _inside(state: State, at: int) -> bool:
    spans: list[tuple[int, int | None]] = [(begun, end) for _, begun, end in state.spans]
    spans += [(begun, None) for begun in state.operations.values()]
    spans += [(rollout.begun, rollout.ended) for rollout in state.rollouts if rollout.begun is not None]
    return any(begun <= at and (end is None or at <= end) for begun, end in spans)
