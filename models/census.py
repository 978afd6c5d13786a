"""Who is in which state of which machine, and which steps were taken.

Knows: public items with their histories, the transition tables.  Must not know: rows, folding, HTTP, the clock.

Who is gone counts only where its end is a state: what its other machines said last is true of nobody any more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from typing import Literal, NamedTuple

from pydantic import Field

from models.machines.graph import LEVELS, MACHINES, graph
from models.public import ClusterItem, GroupItem, HistoryItem, InstanceItem, Picture, PublicModel, Time
from models.states import ClusterPhase, GroupPhase, InstancePhase

Level = Literal["cluster", "group", "instance"]
Item = ClusterItem | GroupItem | InstanceItem
Step = tuple[str, str, str]
"""A machine (`level/name`), and the states before and after."""
_GONE = {InstancePhase.TERMINATED, GroupPhase.DELETED, ClusterPhase.DELETED}


class StateCount(PublicModel):
    """One state, and how many are in it."""

    state: str
    count: int


class StepCount(PublicModel):
    """One step that was taken, in the histories that are kept."""

    from_: str = Field(validation_alias="from", serialization_alias="from")
    to: str
    count: int
    legal: bool = Field(description="Whether the table has it.")
    last: Time = Field(description="When it was taken last.")
    by: str = Field(description="Who took it then: an instance, its slot, a group or a cluster.")


class Census(PublicModel):
    """One machine; a state that nobody is in has 0."""

    machine: str
    states: tuple[StateCount, ...]
    steps: tuple[StepCount, ...]


class Member(PublicModel):
    """One who is in a state."""

    cluster_arn: str
    cluster_name: str | None
    instance_group: str | None
    instance_id: str | None
    node_logical_id: str | None
    phase: str
    since: Time | None = Field(description="When it came into the state, where the history that is kept tells it.")


class Entity(NamedTuple):
    """A cluster, a group or an instance, with what happened to it."""

    level: Level
    item: Item
    history: Sequence[HistoryItem]


def census(picture: Picture, clusters: Collection[str] | None) -> tuple[Census, ...]:
    """Every machine, in the order of `MACHINES`; of these clusters (ARNs), None for all."""
    counts: Counter[tuple[str, str]] = Counter()
    taken: Counter[Step] = Counter()
    newest: dict[Step, tuple[Time, str]] = {}
    for entity in _entities(picture, clusters):
        counts.update((f"{entity.level}/{name}", state) for name, state in _states(entity.item))
        by = _named(entity.item)
        for step, time in _steps(entity):
            taken[step] += 1
            newest[step] = max(newest.get(step, ("", "")), (time, by))
    return _told(counts, {step: _step_count(step, count, *newest[step]) for step, count in taken.items()})


def added(parts: Iterable[tuple[Census, ...]]) -> tuple[Census, ...]:
    """The same of all clusters, out of parts that are each of other clusters."""
    counts: Counter[tuple[str, str]] = Counter()
    steps: dict[tuple[str, str, str], StepCount] = {}
    for each in (machine for part in parts for machine in part):
        counts.update({(each.machine, told.state): told.count for told in each.states})
        for step in each.steps:
            key = each.machine, step.from_, step.to
            steps[key] = _both(steps[key], step) if key in steps else step
    return _told(counts, steps)


def members(picture: Picture, machine: str, state: str) -> list[Member]:
    """Who is in this state of this `level/machine`, in the contract's order."""
    level, name = machine.split("/")
    found = (each for each in _entities(picture, None) if each.level == level)
    names = {each.cluster_arn: each.cluster_name for each in picture.clusters}
    return [_member(each, name, state, names) for each in found if (name, state) in _states(each.item)]


def _told(counts: Counter[tuple[str, str]], steps: dict[tuple[str, str, str], StepCount]) -> tuple[Census, ...]:
    return tuple(
        Census(
            machine=machine,
            states=_counted(machine, counts),
            steps=tuple(steps[key] for key in sorted(steps) if key[0] == machine),
        )
        for machine in MACHINES
    )


def _entities(picture: Picture, clusters: Collection[str] | None) -> Iterator[Entity]:
    told = {(each.cluster_arn, each.instance_group): each.items for each in picture.histories}
    for cluster in picture.clusters:
        if clusters is None or cluster.cluster_arn in clusters:
            yield Entity("cluster", cluster, told.get((cluster.cluster_arn, None), ()))
    for group in picture.instance_groups:
        if clusters is None or group.cluster_arn in clusters:
            yield Entity("group", group, told.get((group.cluster_arn, group.instance_group), ()))
    for instance in picture.instances:
        if clusters is None or instance.cluster_arn in clusters:
            yield Entity("instance", instance, instance.history)


def _states(item: Item) -> Collection[tuple[str, str]]:
    if item.phase not in _GONE:
        return item.machines.items()
    return [(name, state) for name, state in item.machines.items() if state == item.phase]


def _steps(entity: Entity) -> Iterator[tuple[Step, Time]]:
    for change in entity.history:
        if change.machine in LEVELS[entity.level] and change.from_ and change.to and change.from_ != change.to:
            yield (f"{entity.level}/{change.machine}", change.from_, change.to), change.time


@cache
def _table(machine: str) -> frozenset[tuple[str, str, str]]:
    return frozenset((machine, str(origin), str(target)) for origin, target in graph(machine).edges())


def _counted(machine: str, counts: Counter[tuple[str, str]]) -> tuple[StateCount, ...]:
    """In the table's order; a state of another version comes last."""
    known = [str(state) for state in graph(machine)]
    others = sorted(state for name, state in counts if name == machine and state not in known)
    return tuple(StateCount(state=state, count=counts[machine, state]) for state in [*known, *others])


def _step_count(step: Step, count: int, last: Time, by: str) -> StepCount:
    machine, origin, target = step
    return StepCount(from_=origin, to=target, count=count, legal=step in _table(machine), last=last, by=by)


def _both(one: StepCount, other: StepCount) -> StepCount:
    newer = max(one, other, key=lambda each: (each.last, each.by))
    return newer.model_copy(update={"count": one.count + other.count})


def _named(item: Item) -> str:
    if isinstance(item, InstanceItem):
        return item.instance_id or item.node_logical_id or "?"
    return item.instance_group if isinstance(item, GroupItem) else item.cluster_name or item.cluster_arn


def _member(entity: Entity, machine: str, state: str, names: dict[str, str | None]) -> Member:
    item = entity.item
    last = next((each for each in reversed(entity.history) if each.machine == machine and each.to is not None), None)
    return Member(
        cluster_arn=item.cluster_arn,
        cluster_name=names.get(item.cluster_arn),
        instance_group=None if isinstance(item, ClusterItem) else item.instance_group,
        instance_id=item.instance_id if isinstance(item, InstanceItem) else None,
        node_logical_id=item.node_logical_id if isinstance(item, InstanceItem) else None,
        phase=item.phase,
        since=last.time if last is not None and last.to == state else None,
    )
