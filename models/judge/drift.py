"""Where snapshots contradict the reconstruction: `drift`.

Knows: contradictions of every level, thresholds, what is gone.  Must not know: how a contradiction is found, other
anomalies.

A contradiction is drift once it has lasted, or once the next snapshot repeats it.  Nobody counts what is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from models.deadlines import Thresholds
from models.judge.clock import Clock
from models.judge.drift_counts import absences, miscounts
from models.judge.drift_instances import misjudged
from models.judge.drift_stretch import MINUTE_MS, Stretch
from models.judge.ends import Ends
from models.judge.findings import Finding
from models.judge.groups import GroupView
from models.judge.scene import Node, Scene
from models.public import AnomalyKind
from models.rows import State
from models.runs import bounded
from models.sayings import Contradiction
from models.states import ClusterPhase, GroupOperation, GroupPatch, GroupPhase, InstancePatch, Rollback

_GONE = (GroupOperation.DELETING, GroupOperation.DELETED)


def find_drift(scene: Scene, views: dict[str, GroupView], ends: Ends, thresholds: Thresholds) -> Iterator[Finding]:
    """Every contradiction that lasted, over or not."""
    patience = round(thresholds.drift_minutes * MINUTE_MS)
    for node, group, stretch in _all(scene, views, ends):
        due = stretch.begun + patience if stretch.again is None else min(stretch.begun + patience, stretch.again)
        if stretch.sure is not None and stretch.sure < due:
            continue  # what was said next was lost: perhaps it was the end
        clock = scene.clock if stretch.ended is not None else _clock(scene, node, group, stretch.begun)
        if (stretch.ended is None or due < stretch.ended) and clock.has_come(due):
            yield _finding(node, group, stretch, due)


def _clock(scene: Scene, node: Node | None, group: str | None, since: int) -> Clock:
    """By which the silence is measured of whoever is contradicted."""
    row = node.row if node else scene.cluster if group is None else scene.groups.get(group)
    return scene.clock if row is None else scene.clock_of(row, since)


def _finding(node: Node | None, group: str | None, stretch: Stretch, due: int) -> Finding:
    return Finding(
        kind=AnomalyKind.DRIFT,
        episode=stretch.episode,
        opened=due,
        updated=max(due, stretch.changed) if stretch.ended is None else stretch.ended,
        resolved=stretch.ended,
        node=node,
        group=group,
        machine=stretch.machine,
        state=stretch.state,
        detail=stretch.text,
        evidence=bounded([], stretch.evidence),
    )


def _all(scene: Scene, views: dict[str, GroupView], ends: Ends) -> Iterator[tuple[Node | None, str | None, Stretch]]:
    cluster = scene.cluster.state if scene.cluster else None
    cluster_gone = cluster.since if cluster and cluster.phase == ClusterPhase.DELETED else None
    for stretch in _claims(cluster) if cluster else ():
        yield None, None, stretch
    for name, view in views.items():
        gone = view.since if view.phase == GroupPhase.DELETED else None
        for stretch in _of_group(scene, view):
            # That a group is still listed which events have deleted is a contradiction of its own.
            stretch.end_at(None if stretch.state in _GONE else gone)
            stretch.end_at(cluster_gone)
            yield None, name, stretch
    for node in scene.nodes:
        for stretch in misjudged(scene, views.get(node.group or ""), ends, node):
            yield node, None, stretch


def _of_group(scene: Scene, view: GroupView) -> Iterator[Stretch]:
    yield from miscounts(scene, view)
    yield from absences(scene, view)
    skipped = any(node.state.machines["patch"] == InstancePatch.SKIPPED for node in scene.members(view.name))
    for stretch in _claims(view.state):
        # Members that a PodDisruptionBudget kept from the update keep the old image.
        if skipped and stretch.machine == "patch" and stretch.state == GroupPatch.COMPLETED:
            continue
        if stretch.machine == "rollback" and stretch.state == Rollback.ROLLING_BACK:
            stretch.end_at(_end_of_rollback(view, stretch.begun))
        if stretch.ended is None or stretch.ended > stretch.begun:
            yield stretch


def _end_of_rollback(view: GroupView, at: int) -> int | None:
    """When the rollback was over that had begun by then: members tell it, and the fold of the group has none."""
    begun = [each for each in view.state.rollouts if each.rollback_begun is not None and each.rollback_begun <= at]
    return view.rollback_end(begun[-1]) if begun else None


def _claims(state: State) -> Iterable[Stretch]:
    """What the fold has found contradicted, by what snapshots said of a group or cluster."""
    return map(_stretch, [*state.contradictions, *state.contradicted.values()])


def _stretch(found: Contradiction) -> Stretch:
    told = [found.first] + ([found.again] if found.again else [])
    return Stretch(
        begun=found.first.time,
        episode=found.first.event_id,
        evidence=[each.event_id for each in told],
        text=f"they say {found.said}, the reconstruction has {found.machine} {found.ours}",
        changed=found.changed,
        ended=found.ended,
        again=found.again.time if found.again else None,
        machine=found.machine,
        state=found.ours,
    )
