"""Runs that cross rows: what other rows clear, and faults that only their group is known of.

Knows: every row's runs and the facts that clear them.  Must not know: records, ids, texts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter

import msgspec

from models.faults import PARTICULAR, SURVIVES_THE_GROUP
from models.judge.groups import GroupView
from models.judge.lineage import Lineage, heirs_in_service
from models.judge.readiness import ready_again
from models.judge.scene import Node, Scene
from models.judge.successes import Successes, successes
from models.rollout import Rollout
from models.rows import Anonymous, Key, Row, Run, State
from models.runs import PAIR_MS, bounded
from models.states import ClusterPhase, GroupOperation, GroupPatch, Rollback

Spans = Sequence[tuple[int, int | None]]


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


def all_runs(scene: Scene, views: dict[str, GroupView], lineage: Lineage) -> list[Owned]:
    """Every run of the cluster, cleared by whatever clears it; the rows stay as they are.

    What was wrong ends with what it was wrong with, but for what is left behind.
    """
    owned: list[Owned] = []
    if scene.cluster:
        own = (part for run in _copies(scene.cluster) for part in _by_quiet(scene, views, run))
        owned += [Owned(run, scene.cluster) for run in own]
        owned += [Owned(run, scene.cluster) for run in _runs_of(scene.cluster.state.anonymous, {}, [], None)]
    completions = _Completions(scene)
    for node in [node for node in scene.nodes if node.state.runs]:
        good = sorted(heirs_in_service(scene, lineage, node))
        for run in _by_rollout(views.get(node.group or ""), node.row):
            owned.append(Owned(_seen_from_outside(completions, node, run, good), node.row, node))
    for name, row in scene.groups.items():
        own = (_with_rollback(views[name], run) for run in _copies(row))
        owned += [Owned(_of_former(scene, name, row, run), row, group=name) for run in own]
        owned += _anonymous(scene, name, row, [o for o in owned if o.node and o.node.group == name])
    for one in owned:
        if one.run.kind not in SURVIVES_THE_GROUP:
            _end_earlier(one.run, scene.ended_with_group(one.node) if one.node else None)
            _end(one.run, _gone(scene, views, one))
    return owned


def _gone(scene: Scene, views: dict[str, GroupView], one: Owned) -> int | None:
    """When the group or the cluster that the run is in was deleted, or the slot was no longer wanted."""
    group = views.get((one.node.group if one.node else one.group) or "")
    if group is not None and group.machines["operation"] == GroupOperation.DELETED:
        return group.since
    cluster = scene.cluster.state if scene.cluster else None
    if cluster is not None and cluster.phase == ClusterPhase.DELETED:
        return cluster.since
    return group.enough_without(one.node) if group is not None and one.node is not None else None


def _of_former(scene: Scene, name: str, row: Row, run: Run) -> Run:
    """What was wrong with a group was over when it was deleted, also where there is another one of its name since."""
    former = next((each for each in row.state.former if run.fault_at[-1] < each.created), None)
    if former is None or run.kind in SURVIVES_THE_GROUP:
        return run
    return _end_earlier(run, max(scene.deleted(name, former), run.fault_at[-1]))


def _copies(row: Row) -> Iterator[Run]:
    return (msgspec.structs.replace(run) for run in row.state.runs)


def _by_rollout(view: GroupView | None, row: Row) -> Iterator[Run]:
    """The runs of an instance; skips of several rollouts are several, for each ends with its own rollout."""
    ends = _ends_of_rollouts(view.state) if view else []
    for run in _copies(row):
        if run.kind != "patch_skipped" or not run.count == len(run.fault_at) == len(run.evidence):
            yield run
            continue
        parts: dict[int | None, list[int]] = {}
        for place, at in enumerate(run.fault_at):
            parts.setdefault(min((end for end in ends if end >= at), default=None), []).append(place)
        for end, places in parts.items():
            yield _part(run, places, end)


def _ends_of_rollouts(state: State) -> list[int]:
    """Of one that was met in its course only the end is known: the group's patch, or its rollback, tells it."""
    told = [rollout.rollback_begun if rollout.ended is None else rollout.ended for rollout in state.rollouts]
    if state.machines["patch"] in (GroupPatch.COMPLETED, GroupPatch.FAILED):
        told.append(state.changed.get("patch"))
    return [at for at in told if at is not None]


def _by_quiet(scene: Scene, views: dict[str, GroupView], run: Run) -> Iterator[Run]:
    """The runs of a cluster; lost readiness that was over before it was said again is a run of its own."""
    if run.kind != "orchestration_ready_lost":
        yield run
        return
    begun, told = 0, run.count == len(run.fault_at) == len(run.evidence)
    for place, (at, following) in enumerate(pairwise(run.fault_at if told else ())):
        over = ready_again(scene, views, at)
        if over is not None and over < following:
            yield _part(run, [*range(begun, place + 1)], over)
            begun = place + 1
    rest = _part(run, [*range(begun, run.count)], None) if begun else run
    yield _end_earlier(rest, ready_again(scene, views, run.fault_at[-1]))


def _part(run: Run, places: list[int], end: int | None) -> Run:
    """Some of a run's faults, over at `end`, or when the whole run was."""
    times = [run.fault_at[place] for place in places]
    cleared = min((at for at in (end, run.cleared) if at is not None), default=None)
    first = run.first if places[0] == 0 else Key(times[0], run.first.rank, run.evidence[places[0]])
    return msgspec.structs.replace(
        run,
        first=first,
        count=len(places),
        fault_at=times,
        evidence=[run.evidence[place] for place in places],
        updated=times[-1] if cleared is None else cleared,
        cleared=cleared,
    )


def _end(run: Run, at: int | None) -> Run:
    if run.cleared is None and at is not None:
        run.cleared = run.updated = max(at, run.updated)
    return run


def _with_rollback(view: GroupView, run: Run) -> Run:
    """A bake alarm ends with the rollback, a rollback when all are back, a failed one when nobody is left behind."""
    rollouts = view.state.rollouts
    if run.kind in ("rollback_started", "rollback_failed"):
        mended = view.mended_after(run.fault_at[-1])
        if mended is not None and mended > run.fault_at[-1]:
            return _end_earlier(run, mended)
    for rollout, following in pairwise(rollouts):
        if run.kind in ("bake_alarm", "rollback_started") and _belongs(run, rollout, following):
            return _end_earlier(run, view.members_back(rollout))
    begun = rollouts[-1].rollback_begun if rollouts else None
    if view.rollback_ended is None or begun is None:
        return run
    back = view.machines["rollback"] == Rollback.ROLLED_BACK
    if run.kind == "bake_alarm" or (back and run.kind in ("rollback_started", "patch_failed")):
        return _end(run, view.rollback_ended)
    return run


def _belongs(run: Run, rollout: Rollout, following: Rollout) -> bool:
    """Whether a run is about the rollback of a rollout that is not the last."""
    begun, at = rollout.rollback_begun, run.first.time
    return begun is not None and begun <= at and (following.begun is None or at < following.begun)


def _end_earlier(run: Run, at: int | None) -> Run:
    """An end that others knew of before the entity itself told one."""
    if at is not None and at >= run.fault_at[-1] and (run.cleared is None or at < run.cleared):
        run.cleared = run.updated = at
    return run


_AT = itemgetter(0)
_MADE_GOOD_BY_HEIRS = frozenset({"lifecycle_script_failed", "unhealthy_node", "rollback_failed"})
_COMING = frozenset({"create", "provision", "network"})


def _seen_from_outside(completions: _Completions, node: Node, run: Run, heirs_good: Sequence[int]) -> Run:
    """`heirs_good`: when those that took the instance's place were in service."""
    last = run.updated if run.cleared is None else run.fault_at[-1]
    later = [at for at in heirs_good if at > last]
    if run.kind == "replacement_failed":
        return _end_earlier(run, min([*later, *completions.after(node, last)], default=None))
    # Of what a run was about nothing is left once it has cleared itself.
    if run.kind in _MADE_GOOD_BY_HEIRS or (run.cleared is None and _COMING.issuperset(run.topics)):
        return _end_earlier(run, min(later, default=None))
    return run


class _Completions:
    """When replacements were completed, by whom: of a slot and of a group."""

    def __init__(self, scene: Scene) -> None:
        self._slots: dict[str | None, list[tuple[int, Node]]] = {}
        self._groups: dict[str | None, list[tuple[int, Node]]] = {}
        """Of those whose slot is not known."""
        self._all: dict[str | None, list[tuple[int, Node]]] = {}
        """Of the whole group."""
        for node in scene.nodes:
            for at in node.state.replaced:
                self._all.setdefault(node.group, []).append((at, node))
                places, name = (self._slots, node.slot) if node.slot else (self._groups, node.group)
                places.setdefault(name, []).append((at, node))
        for places in (self._slots, self._groups, self._all):
            for found in places.values():
                found.sort(key=_AT)

    def after(self, node: Node, moment: int) -> Iterator[int]:
        """The first by another instance of the slot, or of the group where either slot is unknown."""
        places = [self._all.get(node.group, [])]
        if node.slot:
            places = [self._slots.get(node.slot, []), self._groups.get(node.group, [])]
        for place in places:
            begin = bisect_right(place, moment, key=_AT)
            first = next((place[index] for index in range(begin, len(place)) if place[index][1] is not node), None)
            if first is not None:
                yield first[0]


def _anonymous(scene: Scene, name: str, row: Row, members: list[Owned]) -> list[Owned]:
    """Faults of instances that nobody can name: part of a member's fault within five seconds, else the group's own."""
    left: list[Anonymous] = []
    for fault in row.state.anonymous:
        partner = _partner(fault, members) if fault.kind in PARTICULAR else None
        if partner is None:
            left.append(fault)
        else:
            _join(partner.run, fault)
    topics = {topic for note in left if note.kind is not None for topic in note.topics}
    good = successes([node.state for node in scene.members(name)], topics) if topics else {}
    even = row.state.even if row.state.current_count is not None else None
    runs: list[Run] = []
    for former in row.state.former:
        gone = [note for note in left if note.key.time < former.created]
        left = left[len(gone) :]
        runs += _runs_of(gone, good, row.state.completed, even)
    runs += _runs_of(left, good, row.state.completed, even)
    return [Owned(_of_former(scene, name, row, run), row, group=name) for run in runs]


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


def _runs_of(notes: Iterable[Anonymous], good: Successes, ends: Sequence[int], even: Spans | None) -> list[Run]:
    """Runs of faults by kind and family; cleared when successes reach their count, or the operation ends."""
    notes = sorted(notes, key=lambda note: note.key)
    faults = [note for note in notes if note.kind is not None]
    runs: list[Run] = []

    def cleared(run: Run) -> int | None:
        return _cleared_at(run, notes, good, ends, even)

    for note in faults:
        pair = next((r for r in runs if note.key.time - r.fault_at[-1] <= PAIR_MS and r.kind == note.kind), None)
        if pair is not None:
            _join(pair, note)
            continue
        run = next((r for r in runs if (r.kind, r.family) == (note.kind, note.family) and r.cleared is None), None)
        over = cleared(run) if run is not None else None
        if run is None or (over is not None and over <= note.key.time):
            if run is not None:
                _end(run, over)
            runs.append(_new_run(note))
            continue
        run.count += 1
        run.fault_at.append(note.key.time)
        _join(run, note)
    for run in runs:
        if run.cleared is None:
            _end(run, cleared(run))
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


def _cleared_at(
    run: Run, notes: list[Anonymous], members: Successes, ends: Sequence[int], even: Spans | None
) -> int | None:
    since = run.first.time
    good = [note.key.time for note in notes if note.kind is None and set(note.topics) & set(run.topics)]
    good += [at for topic in run.topics for at in members.get(topic, ())]
    good = sorted(at for at in good if at > since)
    enough = [_when_even(at, even) for at in good[run.count - 1 : run.count]]
    times = [at for at in enough if at is not None] + [at for at in ends if at >= since]
    return min(times, default=None)


def _when_even(at: int, even: Spans | None) -> int | None:
    """When, from `at` on, as many were there as wanted; at once where nobody told."""
    if even is None:
        return at
    return min((max(at, begun) for begun, ended in even if ended is None or ended > at), default=None)
