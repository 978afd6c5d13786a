"""Whether an anomaly belongs to an operation that someone began.

Knows: operations and rollouts of the group and the cluster, lineage.  Must not know: how the anomaly was found.

It is planned if it opened inside the operation, and while that lasts: what outlives the operation is nobody's plan.
"""

from __future__ import annotations

from collections.abc import Iterator

from models.judge.findings import Finding
from models.judge.groups import GroupView
from models.judge.lineage import WAIT_MS, Lineage, started
from models.judge.scene import Node, Scene
from models.public import AnomalyKind
from models.rows import State

DAY_MS = 86_400_000
"""An operation whose end was lost excuses nothing for ever."""

_STILL = 2**62
"""The end of what goes on."""

_Span = tuple[int, int]


def plan(scene: Scene, views: dict[str, GroupView], lineage: Lineage, finding: Finding) -> None:
    """Say of a finding whether it is planned at `now`, or was when it ended."""
    if finding.kind == AnomalyKind.ORCHESTRATION_READY_LOST:
        spans = [*uneven(scene, views), *_anybodys(scene, views)]
    else:
        spans = [span for span in _spans(scene, views, lineage, finding) if span[0] <= finding.opened <= span[1]]
    if finding.resolved is not None:  # what was resolved by the operation's end belonged to it
        finding.planned = any(begun <= finding.resolved <= end for begun, end in spans)
        return
    turns = {time for span in spans for time in span if finding.opened <= time}
    come = [time for time in turns if scene.clock.has_come(time)]
    clock = scene.clock
    finding.planned = any(clock.has_come(begun - 1) and not clock.has_come(end) for begun, end in spans)
    finding.updated = max(finding.updated, *come) if come else finding.updated


def uneven(scene: Scene, views: dict[str, GroupView]) -> Iterator[_Span]:
    """Times in which a group had not as many instances as it was to have: readiness is told of the whole cluster."""
    for view in views.values():
        state = view.state
        if state.current_count is None or not state.targets:
            continue
        begun: int | None = state.targets[0][0]
        for start, end in state.even:
            if begun is not None and begun < start:
                yield begun, start
            begun = end
        if begun is not None:
            yield begun, _STILL


def _anybodys(scene: Scene, views: dict[str, GroupView]) -> Iterator[_Span]:
    """Every operation of the cluster and its groups: where nobody counts, they alone say that somebody scales."""
    for state in [*([scene.cluster.state] if scene.cluster else []), *(view.state for view in views.values())]:
        yield from _operations(state)


def _spans(scene: Scene, views: dict[str, GroupView], lineage: Lineage, finding: Finding) -> Iterator[_Span]:
    """Operations of the cluster and of the entity's group, and the replacement that the instance is part of."""
    if scene.cluster:
        yield from _operations(scene.cluster.state)
    view = views.get(finding.group_name or "")
    if view is not None:
        yield from _operations(view.state)
    if finding.node is not None:
        yield from _replacements(scene, lineage, finding.node)


def _operations(state: State) -> Iterator[_Span]:
    yield from ((begun, end) for _, begun, end in state.spans)
    yield from ((begun, begun + DAY_MS) for begun in state.operations.values())
    for rollout in state.rollouts:
        if rollout.begun is not None:
            yield rollout.begun, rollout.begun + DAY_MS if rollout.ended is None else rollout.ended


def _replacements(scene: Scene, lineage: Lineage, node: Node) -> Iterator[_Span]:
    """The replacement that the instance comes or goes with, if nothing was wrong with the one that goes."""
    name = node.instance_id or ""
    for pair in ((lineage.replaces.get(name), name), (name, lineage.replaced_by.get(name))):
        old, new = (scene.instances.get(each or "") for each in pair)
        if old is not None and new is not None and (begun := started(new)) is not None:
            since = begun[0]
            if not any(since - WAIT_MS <= at <= since for at in old.state.bad):
                done = [at for at in new.state.replaced if at >= since]
                yield since, min(done, default=_STILL)
