"""Rows as the public items that users read.

Knows: the public models.  Must not know: how a phase or an anomaly is found.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache

from models.judge.groups import GroupView
from models.judge.lineage import Lineage
from models.judge.scene import Node, Scene
from models.public import ClusterItem, GroupItem, History, InstanceItem, Observed, by_machine, iso
from models.public_history import Changes, pack
from models.rows import HISTORY, Row
from models.sayings import PAGES_MS
from models.steps import cluster


def stamp(ms: int | None) -> str | None:
    """A public time, null where there is none."""
    return None if ms is None else iso(ms)


def _newest(rows: list[Row]) -> int | None:
    return max((row.state.newest for row in rows if row.state.newest is not None), default=None)


def cluster_item(scene: Scene) -> ClusterItem:
    """The cluster; one that only its members' events name is adopted."""
    state = scene.cluster.state if scene.cluster else cluster.begin()
    everything = [*scene.groups.values(), *(node.row for node in scene.nodes)]
    return ClusterItem(
        cluster_arn=scene.cluster_arn,
        cluster_name=scene.cluster_name,
        phase=state.phase,
        machines=state.machines,
        origin="observed" if state.origin == "observed" else "adopted",
        since=stamp(state.since),
        last_event_time=stamp(state.newest if state.newest is not None else _newest(everything)),
    )


def group_item(scene: Scene, view: GroupView) -> GroupItem:
    """One group."""
    state = view.state
    newest = state.newest if state.newest is not None else _newest([node.row for node in scene.members(view.name)])
    return GroupItem(
        cluster_arn=scene.cluster_arn,
        instance_group=view.name,
        phase=view.phase,
        machines=view.machines,
        origin="observed" if state.origin == "observed" else "adopted",
        current_count=state.current_count,
        target_count=state.target_count,
        min_count=state.min_count,
        members=dict(view.members),
        since=stamp(view.since),
        last_event_time=stamp(newest),
    )


def histories(scene: Scene) -> Iterator[History]:
    """Of the cluster and of every group that has a row of its own."""
    rows = [(None, scene.cluster), *sorted(scene.groups.items())]
    for name, row in rows:
        if row is not None:
            yield History.trusted(cluster_arn=scene.cluster_arn, instance_group=name, items=_history(row))


def instance_items(scene: Scene, lineage: Lineage) -> Iterator[InstanceItem]:
    """Every instance, and every slot that still waits for one."""
    polls = scene.cluster.state.polls if scene.cluster else ()
    for node in scene.nodes:
        yield _instance_item(scene, node, lineage, polls)


def _instance_item(scene: Scene, node: Node, lineage: Lineage, polls: Sequence[int]) -> InstanceItem:
    state, name = node.state, node.instance_id or ""
    return InstanceItem.trusted(
        cluster_arn=scene.cluster_arn,
        instance_group=node.group,
        instance_id=node.instance_id,
        node_logical_id=node.slot,
        phase=state.phase,
        machines=_machines(tuple(state.machines.items())),
        origin="observed" if state.origin == "observed" else "adopted",
        schedulable=state.schedulable,
        replaces=lineage.replaces.get(name),
        replaced_by=lineage.replaced_by.get(name),
        lineage=lineage.how.get(name),
        observed=_observed(node.row, polls),
        since=stamp(state.since),
        last_event_time=stamp(state.newest),
        history=_history(node.row),
    )


def _observed(row: Row, polls: Sequence[int]) -> Observed | None:
    """The newest word, and when the newest list had it: one that named the instance, or was told by what changed.

    `polls` are the times of complete lists.
    """
    seen, words = row.observed, row.words
    if seen is None:
        return None
    at, count = seen.time, len(polls)
    if words and words[-1].status is None:  # no longer listed
        words, count = words[:-1], bisect_left(polls, words[-1].first.time)
    if count and words and words[-1].status == (seen.status or "") and polls[count - 1] - at > PAGES_MS:
        at = polls[count - 1]  # else it is another page of the same list
    return Observed(status=seen.status, message=seen.message, time=iso(at))


def _history(row: Row) -> Changes:
    """The newest changes in judged order, late events at their own time."""
    changes = row.state.history
    if row.late_history:
        changes = sorted([*changes, *row.late_history], key=lambda change: change.time)[-HISTORY:]
    return pack((c.time, c.event_id, c.code, c.machine, c.origin, c.target) for c in changes)


@lru_cache(maxsize=1024)
def _machines(states: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Thousands of instances are in the same few states: they share them."""
    return by_machine(dict(states))
