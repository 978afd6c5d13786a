"""Runs that cross rows: what other rows clear, and faults that only their group is known of.

Knows: every row's runs and the facts that clear them.  Must not know: records, ids, texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from models.faults import PARTICULAR
from models.judge.groups import GroupView
from models.judge.scene import Node, Scene
from models.rows import Anonymous, Key, Row, Run
from models.runs import PAIR_MS, bounded
from models.states import GroupOperation, Rollback


@dataclass
class Owned:
    """A run and whose it is."""

    run: Run
    row: Row | None
    node: Node | None = None
    group: str | None = None

    @property
    def resource_type(self) -> str:
        """The contract's word for the level."""
        return "Instance" if self.node else "InstanceGroup" if self.group else "Cluster"


def all_runs(scene: Scene, views: dict[str, GroupView]) -> list[Owned]:
    """Every run of the cluster, cleared by whatever clears it; the rows stay as they are."""
    owned: list[Owned] = []
    if scene.cluster:
        owned += [Owned(run, scene.cluster) for run in _copies(scene.cluster)]
        owned += [Owned(run, scene.cluster) for run in _runs_of(scene.cluster.state.anonymous, [], [])]
    for node in scene.nodes:
        owned += [Owned(_seen_from_outside(scene, views, node, run), node.row, node) for run in _copies(node.row)]
    for name, row in scene.groups.items():
        owned += [Owned(_with_rollback(views[name], run), row, group=name) for run in _copies(row)]
        owned += _anonymous(scene, name, row, [o for o in owned if o.node and o.node.group == name])
    return owned


def _copies(row: Row) -> Iterator[Run]:
    return (msgspec.structs.replace(run) for run in row.state.runs)


def _end(run: Run, at: int | None) -> Run:
    if run.cleared is None and at is not None:
        run.cleared = run.updated = max(at, run.updated)
    return run


def _with_rollback(view: GroupView, run: Run) -> Run:
    """A bake alarm ends with the rollback, a rollback when everybody is back."""
    begun = view.state.rollouts[-1].rollback_begun if view.state.rollouts else None
    if view.rollback_ended is None or begun is None:
        return run
    if run.kind == "bake_alarm" or (
        run.kind == "rollback_started" and view.machines["rollback"] == Rollback.ROLLED_BACK
    ):
        return _end(run, view.rollback_ended)
    return run


def _seen_from_outside(scene: Scene, views: dict[str, GroupView], node: Node, run: Run) -> Run:
    if run.cleared is not None:
        return run
    if run.kind == "patch_skipped" and node.group in views:
        ends = [r.ended for r in views[node.group].state.rollouts if r.ended is not None and r.ended >= run.first.time]
        return _end(run, min(ends, default=None))
    if run.kind == "replacement_failed":
        return _end(run, min(_replacements(scene, node, run.updated), default=None))
    if run.kind in ("lifecycle_script_failed", "unhealthy_node", "rollback_failed") and node.slot:
        return _end(run, min(_replacements(scene, node, run.updated), default=None))
    if node.group in views and views[node.group].machines["operation"] == GroupOperation.DELETED:
        return _end(run, views[node.group].since)
    return run


def _replacements(scene: Scene, node: Node, after: int) -> Iterator[int]:
    """When other instances of the slot, or of the group where the slot is unknown, completed a replacement."""
    for other in scene.nodes:
        same = other.slot == node.slot if node.slot else other.group == node.group
        if same and other is not node:
            yield from (at for at in other.state.replaced if at > after)


def _anonymous(scene: Scene, name: str, row: Row, members: list[Owned]) -> list[Owned]:
    """Faults of instances that nobody can name: part of a member's fault within five seconds, else the group's own."""
    left: list[Anonymous] = []
    for fault in row.state.anonymous:
        partner = _partner(fault, members)
        if partner is None or fault.kind is None:
            left.append(fault)
        else:
            _join(partner.run, fault)
    births = [at for node in scene.members(name) for at in node.state.in_service]
    ends = [end for word, _, end in row.state.spans if word != GroupOperation.DELETING]
    even = row.state.current_count is None or row.state.current_count == row.state.target_count
    runs = _runs_of(left, births if even else [], ends)
    return [Owned(run, row, group=name) for run in runs]


def _partner(fault: Anonymous, members: Iterable[Owned]) -> Owned | None:
    """The member's fault that this one is part of: the nearest in time, of equals the first by id."""
    members = list(members)
    near = [
        (min(abs(at - fault.key.time) for at in owned.run.fault_at), owned.run.first, place)
        for place, owned in enumerate(members)
        if owned.run.kind in PARTICULAR and owned.run.fault_at
    ]
    best = min(near, default=None)
    return members[best[2]] if best is not None and best[0] <= PAIR_MS else None


def _join(run: Run, fault: Anonymous) -> None:
    if fault.key < run.first:
        run.first = fault.key
        run.evidence = bounded([fault.key.event_id], run.evidence)
    else:
        run.evidence = bounded(run.evidence, [fault.key.event_id])
    if run.cleared is None:
        run.updated = max(run.updated, fault.key.time)
    if run.cause == "unknown" and fault.cause not in (None, "unknown"):
        run.cause, run.message = fault.cause, fault.message


def _runs_of(notes: Iterable[Anonymous], births: list[int], ends: list[int]) -> list[Run]:
    """Runs of faults by kind and family; cleared when successes reach their count, or the operation ends."""
    notes = sorted(notes, key=lambda note: note.key)
    runs: list[Run] = []
    for note in notes:
        if note.kind is None:
            continue
        run = next((r for r in runs if (r.kind, r.family) == (note.kind, note.family) and r.cleared is None), None)
        pair = next((r for r in runs if r.fault_at and note.key.time - r.fault_at[-1] <= PAIR_MS), None)
        if pair is not None and pair.kind == note.kind:
            _join(pair, note)
            continue
        if run is None or _cleared_at(run, notes, births, ends, before=note.key) is not None:
            if run is not None:
                run.cleared = run.updated = _cleared_at(run, notes, births, ends, before=note.key)  # type: ignore[assignment]
            runs.append(_new_run(note))
            continue
        run.count += 1
        run.fault_at.append(note.key.time)
        _join(run, note)
    for run in runs:
        if run.cleared is None:
            _end(run, _cleared_at(run, notes, births, ends, before=None))
    return runs


def _new_run(note: Anonymous) -> Run:
    return Run(
        kind=str(note.kind),
        family=str(note.family),
        first=note.key,
        updated=note.key.time,
        topics=list(note.topics),
        machine=None,
        code=note.code,
        evidence=[note.key.event_id],
        cause=note.cause,
        message=note.message,
        fault_at=[note.key.time],
    )


def _cleared_at(run: Run, notes: list[Anonymous], births: list[int], ends: list[int], before: Key | None) -> int | None:
    since = run.first.time
    good = [note.key.time for note in notes if note.kind is None and set(note.topics) & set(run.topics)]
    if {"provision", "create", "script"} & set(run.topics):
        good += births
    good = sorted(at for at in good if at > since)
    times = good[run.count - 1 : run.count] + [at for at in ends if at >= since]
    cleared = min(times, default=None)
    return cleared if cleared is not None and (before is None or cleared <= before.time) else None
