"""Anomaly records out of runs and notes.

Knows: the public record.  Must not know: how runs are opened and cleared.
"""

from __future__ import annotations

from collections.abc import Iterator

from models.canonical import digest
from models.judge.groups import GroupView
from models.judge.items import stamp
from models.judge.runs import Owned, all_runs
from models.judge.scene import Node, Scene
from models.judge.texts import EXPECTED, SEVERITY, title
from models.public import Anomaly, AnomalyKind, AnomalyStatus, Cause, Severity, iso
from models.rows import DayNote, Row, Run, Shape
from models.runs import bounded


def find_anomalies(scene: Scene, views: dict[str, GroupView]) -> list[Anomaly]:
    """Every anomaly of the cluster at the cut, open and resolved."""
    owned = all_runs(scene, views)
    ids = [anomaly_id(scene, one) for one in owned]
    parents = _parents(owned, ids)
    found = [_record(scene, views, one, name, parents.get(name)) for one, name in zip(owned, ids, strict=True)]
    found += _shapes(scene)
    found += _notes(scene)
    return list({anomaly.anomaly_id: anomaly for anomaly in found}.values())


def anomaly_id(scene: Scene, owned: Owned) -> str:
    """A hash of kind, entity, machine and episode (the run's first event)."""
    return _id(scene, owned.run.kind, _entity(owned.node, owned.group), owned.run.machine, owned.run.first.event_id)


def _id(scene: Scene, kind: str, entity: list[str | None], machine: str | None, episode: str) -> str:
    return digest(kind, scene.cluster_arn, entity, machine, episode)


def _entity(node: Node | None, group: str | None) -> list[str | None]:
    if node is None:
        return ["InstanceGroup" if group else "Cluster", group]
    return ["Instance", node.instance_id, None if node.instance_id else node.slot]


def _record(scene: Scene, views: dict[str, GroupView], owned: Owned, name: str, parent: str | None) -> Anomaly:
    run, kind = owned.run, AnomalyKind(owned.run.kind)
    planned = _planned(scene, views, owned)
    severity = SEVERITY[kind]
    if kind == AnomalyKind.ORCHESTRATION_READY_LOST and planned:
        severity = Severity.INFO
    return Anomaly(
        anomaly_id=name,
        revision=1,
        kind=kind,
        severity=severity,
        status=AnomalyStatus.OPEN if run.cleared is None else AnomalyStatus.RESOLVED,
        cluster_arn=scene.cluster_arn,
        cluster_name=scene.cluster_name,
        instance_group=owned.node.group if owned.node else owned.group,
        instance_id=owned.node.instance_id if owned.node else None,
        node_logical_id=owned.node.slot if owned.node else None,
        resource_type=owned.resource_type,
        machine=run.machine,
        state=run.state,
        cause=Cause(run.cause) if run.cause else None,
        title=title(
            kind, code=run.code, machine=run.machine, state=run.state, detail=run.detail or run.message, count=run.count
        ),
        expected=EXPECTED.get(kind),
        evidence=tuple(run.evidence),
        count=run.count,
        opened_at=iso(run.first.time),
        updated_at=iso(run.updated),
        resolved_at=stamp(run.cleared),
        planned=planned,
        parent_id=parent,
    )


def _planned(scene: Scene, views: dict[str, GroupView], owned: Owned) -> bool:
    """Whether it opened inside an operation that someone began, of its group or of the cluster."""
    at, name = owned.run.first.time, owned.node.group if owned.node else owned.group
    states = [scene.cluster.state] if scene.cluster else []
    states += [view.state for view in views.values() if name in (None, view.name)]
    for state in states:
        spans: list[tuple[int, int | None]] = [(begun, end) for _, begun, end in state.spans]
        spans += [(begun, None) for begun in state.operations.values()]
        spans += [(rollout.begun, rollout.ended) for rollout in state.rollouts if rollout.begun is not None]
        if any(begun <= at and (end is None or at <= end) for begun, end in spans):
            return True
    return False


def _parents(owned: list[Owned], ids: list[str]) -> dict[str, str]:
    """A rollback that follows a bake alarm of its group carries it."""
    alarms = [(o.run.first, name, o.group) for o, name in zip(owned, ids, strict=True) if o.run.kind == "bake_alarm"]
    answer: dict[str, str] = {}
    for one, name in zip(owned, ids, strict=True):
        group = one.node.group if one.node else one.group
        if one.run.kind == "rollback_started":
            before = [(first, alarm) for first, alarm, where in alarms if where == group and first <= one.run.first]
            if before and _still_open(owned, ids, max(before)[1], one.run):
                answer[name] = max(before)[1]
    return answer


def _still_open(owned: list[Owned], ids: list[str], alarm: str, run: Run) -> bool:
    cleared = owned[ids.index(alarm)].run.cleared
    return cleared is None or cleared >= run.first.time


def _shapes(scene: Scene) -> Iterator[Anomaly]:
    """Unknown texts: one anomaly a shape and cluster, whoever they were about."""
    merged: dict[str, Shape] = {}
    rows = [*([scene.cluster] if scene.cluster else []), *scene.groups.values(), *(node.row for node in scene.nodes)]
    for row in rows:
        for text, shape in row.state.shapes.items():
            merged[text] = _both(merged[text], shape) if text in merged else shape
    for text in sorted(merged):
        shape = merged[text]
        yield _note(
            scene,
            AnomalyKind.UNRECOGNIZED_EVENT,
            DayNote(shape.first, shape.updated, shape.count, shape.evidence),
            episode=text,
            detail=text,
            open_=True,
        )


def _both(one: Shape, other: Shape) -> Shape:
    early, later = sorted((one, other), key=lambda shape: shape.first)
    return Shape(
        early.first, max(one.updated, other.updated), one.count + other.count, bounded(early.evidence, later.evidence)
    )


def _notes(scene: Scene) -> Iterator[Anomaly]:
    """Flaws of time: one anomaly an entity and UTC day, opened and resolved at once."""
    for row, node, group in _entities(scene):
        for kind, notes in ((AnomalyKind.CLOCK_SUSPECT, row.state.clock), (AnomalyKind.LATE_EVENT, row.late)):
            for day in sorted(notes):
                yield _note(scene, kind, notes[day], episode=day, node=node, group=group)


def _entities(scene: Scene) -> Iterator[tuple[Row, Node | None, str | None]]:
    if scene.cluster:
        yield scene.cluster, None, None
    for name, row in scene.groups.items():
        yield row, None, name
    for node in scene.nodes:
        yield node.row, node, None


def _note(
    scene: Scene,
    kind: AnomalyKind,
    note: DayNote,
    *,
    episode: str,
    detail: str | None = None,
    open_: bool = False,
    node: Node | None = None,
    group: str | None = None,
) -> Anomaly:
    return Anomaly(
        anomaly_id=_id(scene, kind, _entity(node, group), None, episode),
        revision=1,
        kind=kind,
        severity=SEVERITY[kind],
        status=AnomalyStatus.OPEN if open_ else AnomalyStatus.RESOLVED,
        cluster_arn=scene.cluster_arn,
        cluster_name=scene.cluster_name,
        instance_group=node.group if node else group,
        instance_id=node.instance_id if node else None,
        node_logical_id=node.slot if node else None,
        resource_type="Instance" if node else "InstanceGroup" if group else "Cluster",
        title=title(kind, code="", machine=None, state=None, detail=detail, count=note.count),
        expected=EXPECTED.get(kind),
        evidence=tuple(note.evidence),
        count=note.count,
        opened_at=iso(note.first.time),
        updated_at=iso(note.updated),
        resolved_at=None if open_ else iso(note.updated),
    )
