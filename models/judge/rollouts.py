"""The ledger of software updates: what each rollout of a group did, and what it left behind.

Knows: the group's rollouts, its members' steps, lineage.  Must not know: how steps are noted, anomalies, HTTP.

A rollout is judged over its own window: from its beginning to the next one's, or to the cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from models.judge.estimates import Past, estimate
from models.judge.groups import GroupView
from models.judge.items import stamp
from models.judge.lineage import Lineage, first_seen
from models.judge.scene import Node, Scene
from models.public_rollout import BakeItem, Residue, RollbackItem, RolloutItem, RolloutMembers, RolloutOutcome
from models.rollout import Bake, Rollout
from models.states import GroupPatch, Provision, Rollback
from models.steps.rollouts import SUPERSEDED

_LISTS = {
    "": "not_reached",
    "Prepared": "prepared",
    "ReplacingRootVolume": "replacing_root_volume",
    "Updated": "updated",
    "Skipped": "skipped",
    "Failed": "failed",
    "RollingBack": "rolling_back",
    "RolledBack": "rolled_back",
    "RollbackFailed": "rollback_failed",
}
"""The list that an instance is in, by the last step of it."""
_HALF = ("", "Prepared", "ReplacingRootVolume", "RollingBack")
_TOUCHED = frozenset(_LISTS) - {"", "Skipped"}
_ROLLED: dict[str | None, RolloutOutcome] = {
    Rollback.ROLLING_BACK: "RollingBack",
    Rollback.ROLLED_BACK: "RolledBack",
    Rollback.FAILED: "RollbackFailed",
}
_RUNS: dict[str, RolloutOutcome] = {
    GroupPatch.SCHEDULED: "Scheduled",
    GroupPatch.IN_PROGRESS: "InProgress",
    GroupPatch.BAKING: "Baking",
}
_ENDS: dict[str | None, RolloutOutcome] = {
    GroupPatch.COMPLETED: "Completed",
    GroupPatch.FAILED: "Failed",
    SUPERSEDED: "Superseded",
}
_STAYS_OLD = ("not_reached", "prepared", "replacing_root_volume", "skipped", "failed")
_STAYS_NEW = ("replacing_root_volume", "updated", "failed", "rolling_back", "rollback_failed")


@dataclass
class _Window:
    """One rollout, until when it is judged, and what the group's view knows of the last one."""

    rollout: Rollout
    until: int | None
    """The next one's beginning; None for the last one."""
    view: GroupView

    @property
    def since(self) -> int:
        """Its beginning, as far as it is known."""
        return next((at for at in (self.rollout.begun, self.rollout.rollback_begun) if at is not None), 0)

    def holds(self, at: int) -> bool:
        """Whether a time lies in it."""
        return self.since <= at and (self.until is None or at < self.until)


@dataclass
class _Member:
    """One instance in the window."""

    name: str
    steps: list[str]
    gone: bool

    @property
    def last(self) -> str:
        """The last thing that was done to it."""
        return self.steps[-1] if self.steps else ""

    @property
    def touched(self) -> bool:
        """Whether the rollout did anything to it."""
        return any(step in _TOUCHED for step in self.steps)

    @property
    def list_name(self) -> str:
        """Where it stands in the ledger."""
        return "gone" if self.gone and self.last in _HALF else _LISTS[self.last]


def find_rollouts(scene: Scene, views: dict[str, GroupView], lineage: Lineage) -> Iterator[RolloutItem]:
    """Every rollout that the groups' rows keep."""
    for name, view in views.items():
        rollouts = view.state.rollouts
        past: list[Past] = []
        for place, rollout in enumerate(rollouts):
            until = rollouts[place + 1].begun if place + 1 < len(rollouts) else None
            item, took = _item(scene, lineage, name, _Window(rollout, until, view), past)
            past += [took] if took else []
            yield item


def _item(
    scene: Scene, lineage: Lineage, name: str, window: _Window, past: list[Past]
) -> tuple[RolloutItem, Past | None]:
    """The item, and what later rollouts learn from it."""
    rollout = window.rollout
    members = _members(scene, lineage, name, window)
    outcome, ended = _outcome(scene, name, window)
    lists = _lists(members)
    over = outcome not in (*_RUNS.values(), "RollingBack")
    wanted = len(members) - len(lists.skipped) - len(lists.gone)
    begun = _begun(window, outcome)
    item = RolloutItem(
        cluster_arn=scene.cluster_arn,
        cluster_name=scene.cluster_name,
        instance_group=name,
        outcome=outcome,
        scheduled=stamp(rollout.begun if begun != rollout.begun else None),
        begun=stamp(begun),
        ended=stamp(ended),
        batches=rollout.batches,
        last_batch=stamp(rollout.last_batch),
        total=len(members),
        instances=lists,
        bakes=tuple(_bake(bake, over) for bake in rollout.bakes),
        rollback=_rollback(rollout, members, ended),
        from_image=rollout.from_image,
        to_image=rollout.to_image,
        residue=_residue(rollout, outcome, members) if over else None,
        estimate=None if over else estimate(outcome, begun, wanted, past, scene.clock),
    )
    done = len(lists.updated)
    took = None
    if outcome == "Completed" and begun is not None and ended is not None and done:
        took = Past(ended - begun, done)
    return item, took


def _begun(window: _Window, outcome: RolloutOutcome) -> int | None:
    """When it was first in progress; one that has ended without ever being so began with its first event."""
    rollout = window.rollout
    if rollout.started is not None or outcome == "Scheduled":
        return rollout.started
    return rollout.begun


def _members(scene: Scene, lineage: Lineage, name: str, window: _Window) -> list[_Member]:
    """The instances that were there when it began; those that came later have the new image from birth."""
    found = []
    for node in scene.members(name):
        former = scene.ended_with_group(node)
        if former is not None and former < window.since:
            continue
        steps = [word for at, word in node.state.updates if window.holds(at)]
        if steps or _was_there(node, window.since):
            found.append(_Member(str(node.instance_id), steps, _is_gone(lineage, node, window)))
    return found


def _was_there(node: Node, at: int) -> bool:
    state = node.state
    born = first_seen(node.row) if state.origin == "observed" else None
    ended = state.changed.get("provision") if state.machines["provision"] == Provision.TERMINATED else None
    left = state.left if state.left is not None and state.machines["provision"] == Provision.TERMINATING else None
    known = state.newest is not None
    return known and (born is None or born < at) and all(gone is None or gone >= at for gone in (ended, left))


def _is_gone(lineage: Lineage, node: Node, window: _Window) -> bool:
    """Whether it had ended, or somebody had its place, within the window."""
    state, name = node.state, str(node.instance_id)
    ends = [lineage.succeeded.get(name)]
    if state.machines["provision"] in (Provision.TERMINATED, Provision.TERMINATING):
        ends.append(state.left if state.left is not None else state.changed.get("provision"))
    return any(end is not None and window.holds(end) for end in ends)


def _lists(members: list[_Member]) -> RolloutMembers:
    found: dict[str, list[str]] = {}
    for member in members:
        found.setdefault(member.list_name, []).append(member.name)
    return RolloutMembers(**{name: tuple(sorted(ids)) for name, ids in found.items()})


def _outcome(scene: Scene, name: str, window: _Window) -> tuple[RolloutOutcome, int | None]:
    """What came of it, and when."""
    rollout, view, is_last = window.rollout, window.view, window.until is None
    if rollout.rollback_begun is not None:
        if is_last:
            word = view.machines["rollback"]
            ended = None if word == Rollback.ROLLING_BACK else view.rollback_ended or rollout.rollback_ended
            return _ROLLED.get(word, "Unknown"), ended
        return _rolled_earlier(scene, name, window)
    if rollout.ended is None:
        return _RUNS.get(view.machines["patch"], "Unknown") if is_last else "Unknown", None
    present = view.machines["patch"] if is_last else None  # rows of before have no result
    return _ENDS.get(rollout.result or present, "Unknown"), rollout.concluded or rollout.ended


def _rolled_earlier(scene: Scene, name: str, window: _Window) -> tuple[RolloutOutcome, int | None]:
    """Of a rollback that the next rollout has followed: its members know better than the group when it was over."""
    rollout = window.rollout
    failed = [at for node in scene.members(name) for at, word in node.state.updates if word == "RollbackFailed"]
    failed = [at for at in failed if window.holds(at)]
    if failed:
        return "RollbackFailed", min(failed)
    ended = window.view.rollback_end(rollout)
    return _ROLLED.get(rollout.rollback_result, "RolledBack" if ended is not None else "Unknown"), ended


def _bake(bake: Bake, over: bool) -> BakeItem:
    going = bake.ended is None and not over
    return BakeItem.model_validate(
        {
            "begun": stamp(bake.begun),
            "seconds": bake.seconds or None,
            "due": stamp(bake.begun + bake.seconds * 1000) if bake.begun is not None and bake.seconds else None,
            "ended": stamp(bake.ended),
            "result": "Running" if going else bake.result or "Unknown",
            "watched": tuple(bake.watched),
            "alarms": tuple(bake.alarms),
        }
    )


def _rollback(rollout: Rollout, members: list[_Member], ended: int | None) -> RollbackItem | None:
    if rollout.rollback_begun is None:
        return None
    touched = [member for member in members if member.touched]
    return RollbackItem(
        begun=str(stamp(rollout.rollback_begun)),
        ended=stamp(ended),
        touched=len(touched),
        rolled_back=sum(member.last == "RolledBack" for member in touched),
        failed=sum(member.last == "RollbackFailed" for member in touched),
        gone=sum(member.gone and member.last not in ("RolledBack", "RollbackFailed") for member in touched),
    )


def _residue(rollout: Rollout, outcome: RolloutOutcome, members: list[_Member]) -> Residue:
    """After a rollback: whom it did not bring back to the old image; else: who did not get the new one."""
    back = outcome in ("RolledBack", "RollbackFailed")
    lists = _STAYS_NEW if back else _STAYS_OLD
    left = tuple(sorted(member.name for member in members if not member.gone and member.list_name in lists))
    return Residue(instances=left, image=(rollout.to_image if back else rollout.from_image) if left else None)
