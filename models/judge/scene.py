"""The rows of one cluster by what they are: the ground that every judgement stands on.

Knows: keys and rows.  Must not know: what follows from them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from operator import attrgetter

from models.bursts import MOST_MS, SPREAD_MS, Span, end_of, join
from models.judge.clock import Clock
from models.placement import RowKey, level_of
from models.rows import Absence, Former, Read, Row, State


@dataclass
class Node:
    """An instance, or a slot whose instance has no id yet."""

    row: Row
    instance_id: str | None
    slot: str | None
    group: str | None

    @property
    def state(self) -> State:
        """The instance's state after all of its events."""
        return self.row.state


@dataclass
class Scene:
    """One cluster's rows, settled."""

    cluster_arn: str
    clock: Clock
    cluster: Row | None = None
    groups: dict[str, Row] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    front: Read | None = None
    """The last of the events that were read late, long enough ago for all partitions: so far history is."""
    bursts: Sequence[Span] = ()
    """From when to when events were read late."""
    patience: int | None = None
    """For so many ms after a burst more of it may follow; None: it is not waited for."""

    def clock_of(self, row: Row, since: int) -> Clock:
        """By which an entity's silence since a moment is measured: now.

        While history comes in, that of what was read late is not silence but what has not come yet: its time is the
        history's.  Until the burst that it came with has ended, as a later one is no reason to wait again, and for a
        while only, as what never comes must not hide a deadline for ever.
        """
        read = row.newest_read
        if read is not None and not read.is_late:
            read = _before_the_gap(row, since)
        if self.patience is None or read is None:
            return self.clock
        told = read.event.time if self.front is None else max(self.front.event.time, read.event.time)
        until = min(end_of(self.bursts, read.read_at) + self.patience, read.read_at + MOST_MS)
        return self.clock if self.clock.has_come(until) or told >= self.clock.now else Clock(told)

    @property
    def is_empty(self) -> bool:
        """Nothing is known of the cluster."""
        return self.cluster is None and not self.groups and not self.nodes

    @cached_property  # every record has it
    def cluster_name(self) -> str | None:
        """The name that the newest event with a name gives."""
        rows = [self.cluster, *self.groups.values(), *(node.row for node in self.nodes)]
        named = [(row.state.newest or 0, row.state.cluster_name) for row in rows if row and row.state.cluster_name]
        return max(named)[1] if named else None

    @property
    def oldest(self) -> int | None:
        """Time of the first event of any of them."""
        rows = [self.cluster, *self.groups.values(), *(node.row for node in self.nodes)]
        return min((row.state.oldest for row in rows if row and row.state.oldest is not None), default=None)

    def group_names(self) -> list[str]:
        """Every group that a row or a member names."""
        return sorted({*self.groups, *(node.group for node in self.nodes if node.group)})

    def members(self, group: str) -> Sequence[Node]:
        """The instances of a group that have an EC2 id, terminated ones too."""
        return self._members.get(group, ())

    @cached_property
    def instances(self) -> dict[str, Node]:
        """Those that have an EC2 id, by it."""
        return {node.instance_id: node for node in self.nodes if node.instance_id}

    def absences(self, group: str) -> Sequence[Absence]:
        """When snapshots did not list a group."""
        state = self.cluster.state if self.cluster else None
        every = (*state.returns, *state.absent.values()) if state else ()
        return [absence for absence in every if absence.group == group]

    def ended_with_group(self, node: Node) -> int | None:
        """When the group that an instance was in was deleted, where there has been another one of that name since."""
        row, heard = self.groups.get(node.group or ""), node.state.newest
        if row is None or heard is None:
            return None
        formers = (former for former in row.state.former if heard < former.created)
        return next((max(heard, self.deleted(str(node.group), former)) for former in formers), None)

    def deleted(self, group: str, former: Former) -> int:
        """When a group that was there before another one of its name was deleted, as far as it was told."""
        missed = [absence.since.time for absence in self.absences(group)]
        within = [at for at in missed if former.deleted <= at <= former.created]
        return former.deleted if former.told else min(within, default=former.created)

    @cached_property
    def _members(self) -> dict[str, list[Node]]:
        found: dict[str, list[Node]] = {}
        for node in self.nodes:
            if node.group is not None and node.instance_id:
                found.setdefault(node.group, []).append(node)
        return found

    @cached_property
    def slots(self) -> dict[str, list[Node]]:
        """The instances of every slot, and the slot itself while it waits for one."""
        found: dict[str, list[Node]] = {}
        for node in self.nodes:
            if node.slot:
                found.setdefault(node.slot, []).append(node)
        return found


def gather(cluster_arn: str, rows: Mapping[RowKey, Row], clock: Clock, patience: int | None = None) -> Scene:
    """Sort a cluster's rows out, in the order of their keys."""
    scene = Scene(cluster_arn, clock, patience=patience)
    if patience is not None:
        scene.bursts = join(chain.from_iterable(row.late_spans for row in rows.values()), patience)
        late = [row.late_read for row in rows.values() if row.late_read is not None]
        late += [row.late_before for row in rows.values() if row.late_before is not None]
        everywhere = [read for read in late if clock.has_come(read.read_at + SPREAD_MS)]
        scene.front = max(everywhere, key=attrgetter("last"), default=None)
    for key in sorted(rows):
        row, level = rows[key], level_of(key)
        if level == "cluster":
            scene.cluster = row
        elif level == "group":
            scene.groups[key.key.split("|", 1)[1]] = row
        elif row.state.origin is not None or row.observed is not None or row.late:
            scene.nodes.append(_node(key, row))
    return scene


def _before_the_gap(row: Row, since: int) -> Read | None:
    """Of an entity that speaks in time, the event up to which its history has come, where the moment is part of that.

    Between the two something is on its way.  What came late by minutes leaves no such gap.
    """
    read = row.late_read
    is_gap = read is not None and since <= read.event.time < read.read_at - MOST_MS
    return read if is_gap else None


def _node(key: RowKey, row: Row) -> Node:
    name, seen = key.key.rsplit("|", 1)[1], row.observed
    is_slot = level_of(key) == "slot"
    return Node(
        row,
        instance_id=None if is_slot else name,
        slot=name.removeprefix("slot:")
        if is_slot
        else row.state.node_logical_id or (seen.node_logical_id if seen else None),
        group=row.state.instance_group or (seen.instance_group if seen else None),
    )
