"""What was true: written down while it happens, never read off the events.

Knows: faults with their beginnings and ends, replacements begun, states entered.
Must not know: events, or what anybody reconstructs from them.

Kinds and windows are those of the public contract; patterns are found here by plain counting.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from streams.simulate.world import Cluster, Group, Node

MINUTE, HOUR, DAY = 60, 3600, 86_400
STORM, STORM_CLUSTER, STORM_GROUP = 5, DAY, 7 * DAY
FLAPPING, FLAPPING_WINDOW = 3, DAY
CROWD, CROWD_WINDOW = 3, 30 * MINUTE
_CORRELATE = frozenset(
    {"operation_failed", "lifecycle_script_failed", "replacement_failed", "patch_failed", "unhealthy_node"}
)


@dataclass(eq=False)
class Fault:
    """An anomaly that must be reported.  Times in seconds of the simulation."""

    kind: str
    cluster: Cluster
    group: Group | None
    node: Node | None
    opened: int
    resolved: int | None = None
    operation: str = ""
    """What failed: faults of several operations of one entity are several."""
    times: list[int] = field(default_factory=list)
    """When it happened, each time that it did."""

    def as_json(self, start_ms: int) -> dict[str, Any]:
        """As TRUTH.json shows it."""
        return {
            "kind": self.kind,
            "cluster_arn": self.cluster.arn,
            "instance_group": self.group.name if self.group else None,
            "instance_id": self.node.id if self.node else None,
            "node_logical_id": self.node.slot if self.node and self.cluster.slots_known else None,
            "opened_ms": start_ms + self.opened * 1000,
            "resolved_ms": None if self.resolved is None else start_ms + self.resolved * 1000,
            "status": "open" if self.resolved is None else "resolved",
        }


@dataclass(eq=False)
class Update:
    """A software update of a group.  Times in seconds of the simulation."""

    group: Group
    begun: int
    skipped: list[Node]
    batches: int = 0
    updated: list[Node] = field(default_factory=list)
    outcome: str = "InProgress"
    ended: int | None = None

    def as_json(self, start_ms: int) -> dict[str, Any]:
        """As TRUTH.json shows it."""
        return {
            "cluster_arn": self.group.cluster.arn,
            "instance_group": self.group.name,
            "outcome": self.outcome,
            "begun_ms": start_ms + self.begun * 1000,
            "ended_ms": None if self.ended is None else start_ms + self.ended * 1000,
            "batches": self.batches,
            "updated": sorted(node.id or "" for node in self.updated),
            "skipped": sorted(node.id or "" for node in self.skipped),
        }


@dataclass
class Truth:
    """The notebook of one simulation."""

    faults: list[Fault] = field(default_factory=list)
    starts: list[tuple[int, Node]] = field(default_factory=list)
    """Replacements begun: when, and the new instance."""
    ends: list[tuple[int, Node]] = field(default_factory=list)
    """Replacements that ended, well or not: when, and the new instance."""
    updates: list[Update] = field(default_factory=list)
    entries: list[tuple[int, Node, str]] = field(default_factory=list)
    """States entered that may flap: when, who, which."""

    def open(self, at: int, fault: Fault) -> None:
        """A fault begins; the same fault of the same entity that is still there is counted instead."""
        for known in self._same(fault):
            known.times.append(at)
            return
        fault.times.append(at)
        self.faults.append(fault)

    def close(self, at: int, fault: Fault) -> None:
        """Such a fault has ended, if there was one."""
        for known in self._same(fault):
            known.resolved = at

    def _same(self, fault: Fault) -> list[Fault]:
        """The open fault of that kind, entity and operation, if any."""
        return [known for known in self.faults if known.resolved is None and _key(known) == _key(fault)]

    def patterns(self, now: int) -> list[Fault]:
        """What the faults, entries and replacements together must have raised by `now`."""
        return [*self._storms(now), *self._flapping(now), *self._crowds()]

    def _storms(self, now: int) -> Iterator[Fault]:
        for cluster in _unique(node.group.cluster for _, node in self.starts):
            times = [at for at, node in self.starts if node.group.cluster is cluster]
            yield from _windows("replacement_storm", times, STORM, STORM_CLUSTER, now, cluster, None, None)
            for group in cluster.groups:
                times = [at for at, node in self.starts if node.group is group]
                yield from _windows("replacement_storm", times, STORM, STORM_GROUP, now, cluster, group, None)

    def _flapping(self, now: int) -> Iterator[Fault]:
        found: dict[tuple[str, str], list[tuple[int, Node]]] = {}
        for at, node, word in self.entries:
            by_slot = word == "Replacing" and node.group.cluster.slots_known
            found.setdefault((node.slot if by_slot else f"{node.slot} {node.id}", word), []).append((at, node))
        for told in found.values():
            node = told[-1][1]
            times = [at for at, _ in told]
            yield from _windows("flapping", times, FLAPPING, FLAPPING_WINDOW, now, node.group.cluster, node.group, node)

    def _crowds(self) -> Iterator[Fault]:
        """Groups have subnets of their own, so instances that share anything share their group."""
        mine = [fault for fault in self.faults if fault.kind in _CORRELATE and fault.node and fault.group]
        for group in _unique(fault.group for fault in mine):
            told = [(at, fault) for fault in mine if fault.group is group for at in fault.times]
            yield from _together(sorted(told, key=lambda pair: pair[0]))


def _key(fault: Fault) -> tuple[Any, ...]:
    return fault.kind, fault.cluster, fault.group, fault.node, fault.operation


def _unique(items: Iterator[Any]) -> list[Any]:
    return list(dict.fromkeys(items))


def _windows(
    kind: str,
    times: list[int],
    enough: int,
    window: int,
    now: int,
    cluster: Cluster,
    group: Group | None,
    node: Node | None,
) -> Iterator[Fault]:
    """One fault per run (the next within the window of the one before) that once had enough within one window."""
    run: list[int] = []
    for at in [*sorted(times), None]:
        if run and (at is None or at - run[-1] > window):
            full = [last for first, last in zip(run, run[enough - 1 :], strict=False) if last - first <= window]
            if full:
                end = run[-1] + window
                yield Fault(kind, cluster, group, node, full[0], end if end <= now else None)
            run = []
        if at is not None:
            run.append(at)


_Told = tuple[int, Fault]


def _together(told: list[_Told]) -> Iterator[Fault]:
    """Crowds of one group; those that share a fault are one."""
    crowds: list[list[_Told]] = []
    for place, (begun, _) in enumerate(told):
        near = [(at, fault) for at, fault in told[place:] if at - begun <= CROWD_WINDOW]
        if len(_slots(near)) < CROWD:
            continue
        if crowds and any(fault is known for _, fault in near for _, known in crowds[-1]):
            crowds[-1] += [one for one in near if one not in crowds[-1]]
        else:
            crowds.append(near)
    for crowd in crowds:
        ends = [fault.resolved for _, fault in crowd]
        over = max((end for end in ends if end is not None), default=None) if None not in ends else None
        first = crowd[0][1]
        yield Fault("correlated_failure", first.cluster, first.group, None, _enough(crowd), over)


def _slots(told: list[_Told]) -> set[str]:
    """Failed attempts at one place are no crowd."""
    return {fault.node.slot for _, fault in told if fault.node}


def _enough(crowd: list[_Told]) -> int:
    """When the first of so many places had failed."""
    return next(at for place, (at, _) in enumerate(crowd) if len(_slots(crowd[: place + 1])) == CROWD)


def described(clusters: list[Cluster], truth: Truth, now: int, start_ms: int) -> dict[str, Any]:
    """Everything that TRUTH.json says of the fleet."""
    faults = sorted([*truth.faults, *truth.patterns(now)], key=lambda f: (f.opened, f.kind, f.cluster.arn, _who(f)))
    told = [fault.as_json(start_ms) for fault in faults]
    return {
        "clusters": [_cluster(cluster) for cluster in clusters],
        "instance_groups": [_group(group) for cluster in clusters for group in cluster.groups],
        "instances": [_node(n) for c in clusters for g in c.groups for n in g.nodes if n.id or c.slots_known],
        "replacements": [_replacement(at, node, truth, start_ms) for at, node in truth.starts],
        "rollouts": [update.as_json(start_ms) for update in truth.updates],
        "faults": told,
        "open_anomalies": [fault for fault in told if fault["status"] == "open"],
    }


def _who(fault: Fault) -> tuple[str, str]:
    return (fault.group.name if fault.group else "", fault.node.slot if fault.node else "")


def _cluster(cluster: Cluster) -> dict[str, Any]:
    return {
        "cluster_arn": cluster.arn,
        "cluster_name": cluster.name,
        "orchestrator": "eks" if cluster.eks else "slurm",
        "metadata": cluster.metadata.value,
        "phase": cluster.phase,
    }


def _group(group: Group) -> dict[str, Any]:
    phases = sorted(node.phase for node in group.nodes if node.id and node.phase != "Terminated")
    return {
        "cluster_arn": group.cluster.arn,
        "instance_group": group.name,
        "phase": "Degraded" if group.phase == "InService" and group.current < group.target else group.phase,
        "current_count": group.current,
        "target_count": group.target,
        "members": {phase: len(list(found)) for phase, found in groupby(phases)},
    }


def _replacement(at: int, node: Node, truth: Truth, start_ms: int) -> dict[str, Any]:
    """One attempt, from its beginning to its end."""
    end = min((ended for ended, who in truth.ends if who is node and ended >= at), default=None)
    return {
        "cluster_arn": node.group.cluster.arn,
        "instance_group": node.group.name,
        "instance_id": node.id,
        "begun_ms": start_ms + at * 1000,
        "ended_ms": None if end is None else start_ms + end * 1000,
    }


def _node(node: Node) -> dict[str, Any]:
    return {
        "cluster_arn": node.group.cluster.arn,
        "instance_group": node.group.name,
        "instance_id": node.id,
        "node_logical_id": node.slot if node.group.cluster.slots_known else None,
        "phase": node.phase,
        "lifecycle_script": node.script,
        "health": node.health,
        "schedulable": node.schedulable,
        "replaces": node.replaces.id if node.replaces else None,
        "replaced_by": node.replaced_by.id if node.replaced_by else None,
    }
