"""Who replaced whom.

Knows: slots, when instances were bad, when replacements started.  Must not know: anomalies, records.

By NodeLogicalId where it is known: the instances of a slot follow each other, failed attempts included.  Else inferred
within the group: a replacement takes the instance that has waited longest for one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

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
    by_slot: dict[str, list[Node]] = {}
    for node in scene.nodes:
        if node.slot:
            by_slot.setdefault(node.slot, []).append(node)
    for slot in sorted(by_slot):
        _follow(found, by_slot[slot])
    _infer(scene, found)
    return found


def heirs_in_service(scene: Scene, lineage: Lineage, node: Node) -> Iterator[int]:
    """When those that took the instance's place, one after the other, were in service or had replaced it."""
    heir = lineage.replaced_by.get(str(node.instance_id))
    nodes = {str(other.instance_id): other for other in scene.nodes if other.instance_id} if heir else {}
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


def _infer(scene: Scene, found: Lineage) -> None:
    starts = [(key, node) for node in scene.nodes if node.instance_id and (key := started(node)) is not None]
    for (at, _, _), new in sorted(starts, key=lambda start: (start[0], str(start[1].instance_id))):
        if str(new.instance_id) in found.replaces:
            continue
        waiting = [
            (since, str(old.instance_id))
            for old in scene.members(new.group or "")
            if (since := _waits(scene, found, old, new, at)) is not None
        ]
        if waiting:
            found.link(min(waiting)[1], str(new.instance_id), "inferred", at)


def _waits(scene: Scene, found: Lineage, old: Node, new: Node, at: int) -> int | None:
    """Since when `old` has waited for a replacement at `at`; None if it does not."""
    taken = str(old.instance_id) in found.replaced_by or old is new
    slots_known = old.slot is not None and new.slot is not None  # then they have told who followed whom
    if taken or slots_known or was_scaled_down(scene, old):
        return None
    state = old.state
    moot = max((time for time in state.good if time <= at), default=-1)
    reasons = [time for time in state.bad if max(moot, at - WAIT_MS) <= time <= at and time > moot]
    if state.left is not None and at - WAIT_MS <= state.left <= at:
        reasons.append(state.left)
    return min(reasons, default=None)


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
