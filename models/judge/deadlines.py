"""What has taken too long: `stuck` and `repair_not_started`.

Knows: waits and repairs of every row, thresholds, now.  Must not know: how a wait is kept, records' texts.

A deadline is measured from the last sign of progress.  One that was outlived between two known events counts as well:
opened at the deadline, resolved at the event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

from models.deadlines import CLUSTER_ROLLING_BACK, FAILED, WAITING, Thresholds
from models.judge.groups import GroupView
from models.judge.scene import Node, Scene
from models.rows import Key, State, Wait
from models.states import GroupOperation, Rollback

MINUTE_MS = 60_000


class Overdue(NamedTuple):
    """A wait that outlived its deadline."""

    node: Node | None
    group: str | None
    machine: str | None
    state: str
    episode: Key
    opened: int
    resolved: int | None
    critical: bool
    silences: int
    deadline: str


class Unrepaired(NamedTuple):
    """A repair that was asked for and did not begin in time."""

    node: Node
    action: str
    episode: Key
    evidence: list[str]
    opened: int
    resolved: int | None


def find_overdue(scene: Scene, views: dict[str, GroupView], thresholds: Thresholds) -> Iterator[Overdue]:
    """Every wait of the cluster that was or is too long."""
    if scene.cluster:
        for wait in _waits(scene.cluster.state):
            yield from _judge(scene, thresholds, wait, "cluster", None, None, [])
    for name, view in views.items():
        heard = _heard(scene, name)
        for wait in _waits(view.state):
            yield from _judge(scene, thresholds, _ended_by_members(view, wait), "group", None, name, heard)
    for node in scene.nodes:
        for wait in _waits(node.state):
            yield from _judge(scene, thresholds, wait, "instance", node, None, [])


def find_unrepaired(scene: Scene, thresholds: Thresholds) -> Iterator[Unrepaired]:
    """Every repair that was asked for and did not begin in time."""
    limit = round(thresholds.repair_minutes * MINUTE_MS)
    for node in scene.nodes:
        for repair in node.state.repairs:
            due = repair.asked.time + limit
            begun = min(
                (at for at in (repair.begun, _successor(scene, node, repair.asked)) if at is not None), default=None
            )
            if due < (scene.now if begun is None else begun):
                yield Unrepaired(node, repair.action, repair.asked, repair.evidence, due, begun)


def _successor(scene: Scene, node: Node, asked: Key) -> int | None:
    """When another instance of the slot was named as its replacement."""
    starts = (
        key.time
        for other in scene.nodes
        if node.slot and other.slot == node.slot and other is not node
        for key in other.state.entries.get("replace Replacing", [])
        if key > asked
    )
    return min(starts, default=None)


def _waits(state: State) -> list[Wait]:
    return [*state.past_waits, *state.waits.values()]


def _heard(scene: Scene, group: str) -> list[int]:
    """When members were heard of: their steps are the progress of what the group is doing."""
    return sorted({change.time for node in scene.nodes if node.group == group for change in node.state.history})


def _ended_by_members(view: GroupView, wait: Wait) -> Wait:
    """A wait that the members or a snapshot ended, not an event of the group's own."""
    if wait.ended is not None:
        return wait
    rolled = wait.machine == "rollback" and view.machines["rollback"] != Rollback.ROLLING_BACK
    deleted = wait.machine == "operation" and view.machines["operation"] == GroupOperation.DELETED != wait.state
    if not (rolled or deleted):
        return wait
    end = (view.rollback_ended if rolled else view.since) or wait.restarted
    silences = [*wait.silences, (wait.restarted, end)] if end > wait.restarted else wait.silences
    return Wait(wait.machine, wait.state, wait.entered, end, silences, end, wait.seconds, wait.batches)


def _name(level: str, wait: Wait) -> str:
    if wait.machine == FAILED:
        return "failed"
    if wait.machine == CLUSTER_ROLLING_BACK:
        return "cluster_rolling_back"
    return WAITING[level][wait.machine][wait.state]


def _judge(
    scene: Scene, thresholds: Thresholds, wait: Wait, level: str, node: Node | None, group: str | None, heard: list[int]
) -> Iterator[Overdue]:
    name = _name(level, wait)
    slow, stuck = _limits(scene, thresholds, wait, name, node.group if node else group)
    late = [
        silence for silence in _silences(wait, heard, scene.now) if slow is not None and silence[1] - silence[0] > slow
    ]
    if not late or slow is None:
        return
    begun, ended = late[-1]
    still = wait.ended is None and ended == scene.now and wait.restarted <= begun
    machine = wait.machine if wait.machine in WAITING[level] else _failed_machine(node)
    yield Overdue(
        node=node,
        group=group,
        machine=machine,
        state=wait.state,
        episode=wait.entered,
        opened=begun + slow,
        resolved=None if still else ended,
        critical=stuck is not None and ended - begun > stuck,
        silences=len(late),
        deadline=name,
    )


def _failed_machine(node: Node | None) -> str | None:
    if node is None:
        return None
    return next(
        (m for m in ("provision", "lifecycle_script", "replace", "rollback") if node.state.machines[m] == "Failed"),
        None,
    )


def _limits(
    scene: Scene, thresholds: Thresholds, wait: Wait, name: str, group: str | None
) -> tuple[int | None, int | None]:
    """Slow and stuck in ms of silence."""
    row = scene.groups.get(group or "")
    deadline = thresholds.deadline(
        name,
        cluster=scene.cluster_name or scene.cluster_arn,
        group=group or "",
        instance_type=(row.state.instance_type if row else None) or "",
    )
    slow, stuck = (
        None if minutes is None else round(minutes * MINUTE_MS) for minutes in (deadline.slow, deadline.stuck)
    )
    if name == "baking":
        extra = wait.seconds * 1000
        return (None if slow is None else slow + extra), (None if stuck is None else stuck + extra)
    if name == "rollout" and stuck is not None:
        # A large rollout selects many batches; each takes about as long as an instance's update.
        return slow, max(stuck, round(1.5 * wait.batches * 25 * MINUTE_MS))
    return slow, stuck


def _ms(minutes: float | None) -> int | None:
    return None if minutes is None else round(minutes * MINUTE_MS)


def _silences(wait: Wait, heard: Iterable[int], now: int) -> list[tuple[int, int]]:
    """The stretches in which nothing was heard, the present one last."""
    stretches = list(wait.silences)
    if wait.ended is None:
        stretches.append((wait.restarted, now))
    answer: list[tuple[int, int]] = []
    for begun, ended in stretches:
        marks = [begun, *(at for at in heard if begun < at < ended), ended]
        answer += list(pairwise(marks))
    return answer
