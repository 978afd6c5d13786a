"""A group as its own events and its members together show it.

Knows: rollbacks that members end, groups that snapshots have dropped, Degraded.  Must not know: anomalies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import NamedTuple

from models.doubts import BEFORE_ALL
from models.judge.lineage import Lineage, heirs_in_service
from models.judge.scene import Node, Scene
from models.judge.standing import is_degraded, turned
from models.machines import instance_group as tables
from models.rollout import Rollout
from models.rows import State
from models.states import (
    ClusterPhase,
    GroupOperation,
    GroupPhase,
    InstancePatch,
    InstancePhase,
    Provision,
    Replace,
    Rollback,
)
from models.steps import instance_group

_BY_MEMBERS = (GroupPhase.IN_SERVICE, GroupPhase.DEGRADED)
_UNDOING = ("RollingBack", "RolledBack", "RollbackFailed")


class Undone(NamedTuple):
    """When all members of a rollout were out of its rollback, if they were before the next rollout began."""

    back: int | None = None
    """Those that failed to go back included."""
    mended: int | None = None
    """Those count once they are replaced or gone."""


@dataclass
class GroupView:
    """One group at the cut."""

    name: str
    state: State
    machines: dict[str, str]
    phase: str
    since: int | None
    members: Counter[str]
    rollback_ended: int | None
    """When the last rollback ended, by whatever ended it."""
    undone: tuple[Undone, ...] = ()
    """Of each rollout."""

    def members_back(self, rollout: Rollout) -> int | None:
        """When all members that a rollout had touched were back, if they were before the next one began."""
        return next(out.back for each, out in zip(self.state.rollouts, self.undone, strict=True) if each is rollout)

    def mended_after(self, at: int) -> int | None:
        """When all was well after the rollback in whose course something happened."""
        rollouts = self.state.rollouts
        found = [
            undone.mended
            for rollout, following, undone in zip_longest(rollouts, rollouts[1:], self.undone)
            if rollout.rollback_begun is not None and rollout.rollback_begun <= at
            if following is None or following.begun is None or at < following.begun
        ]
        return found[-1] if found else None

    def rollback_end(self, rollout: Rollout) -> int | None:
        """When the rollback of a rollout ended, by whatever ended it: the next rollout tells it late."""
        if rollout is self.state.rollouts[-1]:
            return self.rollback_ended
        ends = (rollout.rollback_ended, self.members_back(rollout))
        return min((at for at in ends if at is not None), default=None)

    def enough_without(self, node: Node) -> int | None:
        """When it came to have as many as it wanted without a slot for which no instance could be had.

        Nobody tries again then, and no event says so.  The place of one that was there before stays wanted.
        """
        state = node.state
        waits = node.instance_id is None and state.phase == InstancePhase.FAILED
        if not waits or state.newest is None or state.machines["replace"] != Replace.NONE:
            return None
        return min((begun for begun, _ in self.state.even if begun > state.newest), default=None)


def view_groups(scene: Scene, lineage: Lineage) -> dict[str, GroupView]:
    """Every group by name."""
    return {name: _view(scene, lineage, name) for name in scene.group_names()}


def _view(scene: Scene, lineage: Lineage, name: str) -> GroupView:
    row = scene.groups.get(name)
    state = row.state if row else instance_group.begin()
    members = [node for node in scene.members(name) if scene.ended_with_group(node) is None]
    machines = dict(state.machines)
    changes: list[int] = []
    ended = _end_of_rollback(scene, lineage, state, members)
    if machines["rollback"] == Rollback.ROLLING_BACK and ended is not None:
        machines["rollback"], at = ended
        changes.append(at)
    vanished = _vanished(scene, name, state)
    if vanished is not None and machines["operation"] != GroupOperation.DELETED:
        machines["operation"] = GroupOperation.DELETED
        changes.append(vanished)
    phase = _phase(lineage, state, machines, members)
    phases = (node.state.phase for node in scene.members(name))
    live = Counter(each for each in phases if each != InstancePhase.TERMINATED)
    undone = _undone(scene, lineage, state, members)
    told, over = _told_end(state), _earlier_end(state, undone)
    begun = over if told is not None and state.since == told else state.since
    own = max((time for time in [*changes, begun] if time is not None), default=None)
    since = _since(lineage, state, members, phase, own)
    return GroupView(name, state, machines, phase, since, live, ended[1] if ended else over, undone)


def _since(lineage: Lineage, state: State, members: Sequence[Node], phase: str, own: int | None) -> int | None:
    """When the phase began; `own` is when the group's events last changed it."""
    at = None
    if phase in _BY_MEMBERS and state.reported != "Degraded":
        degraded = phase == GroupPhase.DEGRADED
        at = turned(lineage, state, members, degraded, BEFORE_ALL if own is None else own)
    return next((time for time in (at, own) if time is not None), _first(members))


def _first(members: Sequence[Node]) -> int | None:
    return min((node.state.since for node in members if node.state.since is not None), default=None)


def _told_end(state: State) -> int | None:
    """When the group's own events or snapshots ended the last rollback."""
    return state.rollouts[-1].rollback_ended if state.rollouts else None


def _earlier_end(state: State, undone: tuple[Undone, ...]) -> int | None:
    """The same, unless the members were all back before: a snapshot only shows it later."""
    told = _told_end(state)
    if told is None or state.machines["rollback"] != Rollback.ROLLED_BACK:
        return told
    back = undone[-1].back
    return told if back is None else min(told, back)


def _end_of_rollback(scene: Scene, lineage: Lineage, state: State, members: Sequence[Node]) -> tuple[str, int] | None:
    """How and when the rollback under way ended, by its members; HyperPod has no event for it."""
    if state.machines["rollback"] != Rollback.ROLLING_BACK or not state.rollouts:
        return None
    rollout = state.rollouts[-1]
    begun = rollout.rollback_begun or 0
    first = _from(state.rollouts, -1)
    touched = [node for node in members if _touches(node.state, first)]
    heirs = [
        min((at for at in heirs_in_service(scene, lineage, node) if at >= begun), default=None) for node in touched
    ]
    outcomes = [_outcome(n.state, first, begun, heir) for n, heir in zip(touched, heirs, strict=True)]
    failed = [at for word, at in filter(None, outcomes) if word == Rollback.FAILED]
    if failed:
        return Rollback.FAILED, min(failed)
    if not touched or None in outcomes:
        return None
    return Rollback.ROLLED_BACK, max(at for _, at in filter(None, outcomes))


def _from(rollouts: Sequence[Rollout], place: int) -> int:
    """Since when what is done to members is of a rollout: of one met in its course, from the end of the one before."""
    rollout, before = rollouts[place], rollouts[:place]
    if not rollout.unseen:
        return rollout.begun or 0
    ends = (before[-1].ended, before[-1].rollback_ended) if before else ()
    return max((at for at in ends if at is not None), default=0)


def _touches(state: State, since: int, until: int | None = None) -> list[int]:
    """When a rollout did something to a member; that it is rolled back says so where the update was not seen."""
    undone = (at for at, word in state.updates if word in _UNDOING)

    def within(times: Iterable[int]) -> list[int]:
        return [at for at in times if since <= at and (until is None or at < until)]

    return within(state.touched) or within(undone)[:1]


def _outcome(state: State, rollout: int, begun: int, replaced: int | None) -> tuple[str, int] | None:
    """How a touched member came out of a rollback; one that is gone, or was let go before the update, counts as done.

    A member may have been rolled back before its group was: what counts is that nothing was done to it since.
    """
    touched = _touches(state, rollout)[-1]
    done = [(word, max(at, begun)) for at, word in state.rolled_back if at >= touched]
    done += [(Rollback.ROLLED_BACK, max(at, begun)) for at in _let_go(state, touched)]
    if done:
        return done[-1]
    if state.machines["provision"] == Provision.TERMINATED:
        return Rollback.ROLLED_BACK, max(begun, state.changed.get("provision", begun))
    return None if replaced is None else (Rollback.ROLLED_BACK, replaced)


def _let_go(state: State, touched: int) -> Iterator[int]:
    """When a member that was cordoned for the update could serve again without it: there is nothing to roll back."""
    return (
        change.time
        for change in state.history
        if change.machine == "patch" and change.target == InstancePatch.NONE and change.time >= touched
    )


def _undone(scene: Scene, lineage: Lineage, state: State, members: Sequence[Node]) -> tuple[Undone, ...]:
    untils = [rollout.begun for rollout in state.rollouts[1:]] + [None]
    return tuple(
        Undone()
        if rollout.rollback_begun is None
        else _out_of(scene, lineage, members, rollout.rollback_begun, (_from(state.rollouts, place), until))
        for place, (rollout, until) in enumerate(zip(state.rollouts, untils, strict=False))
    )


def _out_of(
    scene: Scene, lineage: Lineage, members: Sequence[Node], begun: int, window: tuple[int, int | None]
) -> Undone:
    """When the last member that a rollout had touched was out of its rollback, which had begun then."""
    since, until = window
    backs: list[int | None] = []
    mends: list[int | None] = []
    for node in members:
        state = node.state
        touched = _touches(state, since, until)
        if not touched:
            continue
        ended = [(at, word) for at, word in state.rolled_back if at >= touched[-1]]
        well = [at for at, word in ended if word == Rollback.ROLLED_BACK]
        well += _let_go(state, touched[-1])
        well += [at for at in heirs_in_service(scene, lineage, node) if at >= begun]
        if state.machines["provision"] == Provision.TERMINATED:
            well.append(state.changed["provision"])
        backs.append(min([*well, *(at for at, _ in ended)], default=None))
        mends.append(min(well, default=None))
    return Undone(_last(backs, begun, until), _last(mends, begun, until))


def _last(ends: Sequence[int | None], begun: int, until: int | None) -> int | None:
    """The end of the last one, if all have ended, and before `until`."""
    known = [max(at, begun) for at in ends if at is not None]
    if not known or len(known) < len(ends):
        return None
    return max(known) if until is None or max(known) < until else None


def _vanished(scene: Scene, name: str, state: State) -> int | None:
    """Since when the group's cluster is gone, or snapshots no longer list a group that was being deleted.

    Of what snapshots do not list nothing may have been heard since.
    """
    cluster = scene.cluster.state if scene.cluster else None
    if cluster is None:
        return None
    if cluster.phase == ClusterPhase.DELETED:
        return cluster.since
    leaving = state.machines["operation"] == GroupOperation.DELETING
    if not leaving or cluster.listed_at is None or name in (cluster.listed or []):
        return None
    since = cluster.absent[name].since.time if name in cluster.absent else cluster.listed_at
    return since if state.newest is None or state.newest < since else None


def _phase(lineage: Lineage, state: State, machines: dict[str, str], members: Sequence[Node]) -> GroupPhase:
    # A failed attempt vanishes without a word once the next one has its slot.
    live = [node for node in members if node.instance_id not in lineage.replaced_by]
    failed = sum(node.state.phase == InstancePhase.FAILED for node in live)
    serving = sum(node.state.phase == InstancePhase.IN_SERVICE for node in members)
    degraded = is_degraded(state, state.target_count, serving, failed, known=bool(members))
    alive = state.served or state.reported in ("InService", "Degraded") or serving > 0
    return tables.phase(machines, reported=state.reported, degraded=degraded, alive=alive)
