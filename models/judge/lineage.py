"""Who replaced whom.

Knows: slots, when instances were bad, when replacements started.  Must not know: anomalies, records.

By NodeLogicalId where it is known: the instances of a slot follow each other, failed attempts included.  Else inferred
within the group: a replacement takes the instance that has waited longest for one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from models import fold
from models.judge.scene import Node, Scene
from models.placement import begins_attempt
from models.rows import Row, State
from models.states import GroupOperation

HOUR_MS = 3_600_000
WAIT_MS = 2 * HOUR_MS
"""How long before a replacement's start its reason may lie."""
SCALE_DOWN_MS = HOUR_MS // 2
"""How far from the fall of the target an instance may begin to leave for it."""
LAG_MS = HOUR_MS // 12
"""How long after a change snapshots and events may disagree."""

_START = "replace Replacing"
_FAILED_START = "replace Failed"


@dataclass
class Lineage:
    """Links by instance id."""

    replaces: dict[str, str] = field(default_factory=dict)
    replaced_by: dict[str, str] = field(default_factory=dict)
    how: dict[str, str] = field(default_factory=dict)
    """Of the newer one: `node_logical_id` or `inferred`."""
    succeeded: dict[str, int] = field(default_factory=dict)
    """Of the older one: when the next one, known by its id or by its slot only, was first heard of."""

    def link(self, old: str, new: str, how: str, at: int | None) -> None:
        """`new` took the place of `old`."""
        self.replaces[new], self.replaced_by[old], self.how[new] = old, new, how
        if at is not None:
            self.succeeded[old] = at

    def place(self, node: Node) -> str:
        """A name for the place that an instance is in: its slot, else the first instance of its chain."""
        if node.slot:
            return f"slot {node.slot}"
        name, seen = node.instance_id or "", {""}
        while name in self.replaces and name not in seen:  # an inferred chain may bite its tail
            seen.add(name)
            name = self.replaces[name]
        return name


def find_lineage(scene: Scene) -> Lineage:
    """Every link of the cluster that its rows know."""
    found = Lineage()
    for _, nodes in sorted(scene.slots.items()):
        if len(nodes) > 1:
            _follow(found, nodes)
    _infer(scene, found)
    return found


def heirs_in_service(scene: Scene, lineage: Lineage, node: Node) -> Iterator[int]:
    """When those that took the instance's place, one after the other, were in service or had replaced it."""
    heir, nodes = lineage.replaced_by.get(str(node.instance_id)), scene.instances
    passed: set[str] = set()
    while heir in nodes and heir not in passed:
        passed.add(heir)
        yield from nodes[heir].state.in_service
        yield from nodes[heir].state.replaced
        heir = lineage.replaced_by.get(heir)


def _follow(found: Lineage, nodes: list[Node]) -> None:
    """Link the instances of one slot; who comes next may have no id yet."""
    chain = sorted((node for node in nodes if node.instance_id), key=_place_in_slot)
    for old, new in pairwise(chain):
        found.link(str(old.instance_id), str(new.instance_id), "node_logical_id", first_seen(new.row))
    for coming in nodes:
        at = first_seen(coming.row)
        if coming.instance_id is None and chain and at is not None:
            found.succeeded[str(chain[-1].instance_id)] = at


def first_seen(row: Row) -> int | None:
    """When an instance, or the attempt at one, was first heard of."""
    absorbed = [key.time for key in (row.attempt, row.own_first) if key]
    if absorbed:
        return min(absorbed)
    return next((obs.time for obs in row.retained if obs.instance_id or begins_attempt(obs)), None)


def started(node: Node) -> tuple[int, int, str] | None:
    """When the instance was first named as a replacement."""
    keys = [*node.state.entries.get(_START, [])[:1], *node.state.entries.get(_FAILED_START, [])[:1]]
    return min(((key.time, key.rank, key.event_id) for key in keys), default=None)


def _place_in_slot(node: Node) -> tuple[bool, tuple[int, int, str], str]:
    """What was there before the stream began comes first, then by first sight."""
    first = fold.own_first(node.row)
    born_here = node.state.origin == "observed" or started(node) is not None
    return born_here, first[0] if first else (0, 0, ""), str(node.instance_id)


class _Reason(NamedTuple):
    """Why an instance waits for one that takes its place, and since when."""

    since: int
    name: str
    node: Node
    left: bool
    """It began to leave; else something was wrong with it."""

    def is_over(self, found: Lineage, at: int) -> bool:
        """Whether it is none any more, for ever."""
        if self.since < at - WAIT_MS or self.name in found.replaced_by:
            return True
        return not self.left and any(self.since <= good <= at for good in self.node.state.good)


def _infer(scene: Scene, found: Lineage) -> None:
    starts = [(key, node) for node in scene.nodes if node.instance_id and (key := started(node)) is not None]
    reasons = _reasons(scene) if starts else {}
    for (at, _, _), new in sorted(starts, key=lambda start: (start[0], str(start[1].instance_id))):
        if str(new.instance_id) not in found.replaces:
            old = _longest_waiting(found, reasons.get(new.group or "", []), new, at)
            if old is not None:
                found.link(str(old.instance_id), str(new.instance_id), "inferred", at)


def _reasons(scene: Scene) -> dict[str, list[_Reason]]:
    """Of every group, the oldest first."""
    reasons: dict[str, list[_Reason]] = {}
    for node in scene.nodes:
        state, name = node.state, node.instance_id
        told = [(at, False) for at in state.bad] + ([] if state.left is None else [(state.left, True)])
        if node.group and name and told and not was_scaled_down(scene, node):
            reasons.setdefault(node.group, []).extend(_Reason(at, name, node, left) for at, left in told)
    for each in reasons.values():
        each.sort(key=lambda reason: reason[:2])
    return reasons


def _longest_waiting(found: Lineage, reasons: list[_Reason], new: Node, at: int) -> Node | None:
    """Who has waited longest at `at`, which never falls from one call to the next: what is over is thrown away."""
    place = 0
    while place < len(reasons) and (reason := reasons[place]).since <= at:
        if reason.is_over(found, at):
            del reasons[place]
        elif reason.node is new or (reason.node.slot is not None and new.slot is not None):
            place += 1  # where both slots are known, they have told who followed whom
        else:
            return reason.node
    return None


def was_scaled_down(scene: Scene, node: Node) -> bool:
    """Whether it began to leave while its group's target fell."""
    group = scene.groups.get(node.group or "")
    left = node.state.left
    if group is None or left is None:
        return False
    falls = [at for (_, before), (at, after) in pairwise(group.state.targets) if after < before]
    return any(_while_falling(group.state, fall, left) for fall in falls)


def _while_falling(state: State, fall: int, left: int) -> bool:
    """Whether an instance left within the scaling in which the target fell, or near a fall without a known scaling."""
    spans = [(begun, end) for word, begun, end in state.spans if word == GroupOperation.SCALING]
    begun = state.operations.get(GroupOperation.SCALING)
    if begun is not None:
        spans.append((begun, max(begun, left)))
    inside = [(begun, end) for begun, end in spans if begun <= fall <= end]
    if inside:
        return any(begun <= left <= end for begun, end in inside)
    return fall - SCALE_DOWN_MS <= left <= min(fall + SCALE_DOWN_MS, _evened(state, fall) + LAG_MS)


def _evened(state: State, fall: int) -> int:
    """When as many were there as wanted after the target had fallen: who leaves later does not leave for it."""
    ends = [max(begun, fall) for begun, end in state.even if end is None or end > fall]
    return min(ends, default=fall + SCALE_DOWN_MS)
