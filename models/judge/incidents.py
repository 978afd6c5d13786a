"""Instances that share something and fail together: `correlated_failure`.

Knows: faults of instances with their times, what instances share, who stands in the same place.
Must not know: how faults are found, titles.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import networkx as nx

from models.deadlines import Thresholds
from models.judge.findings import Finding
from models.judge.lineage import Lineage
from models.judge.scene import Scene
from models.public import AnomalyKind
from models.runs import bounded

MINUTE_MS = 60_000
_FAILS = frozenset(
    {
        AnomalyKind.OPERATION_FAILED,
        AnomalyKind.LIFECYCLE_SCRIPT_FAILED,
        AnomalyKind.REPLACEMENT_FAILED,
        AnomalyKind.PATCH_FAILED,
        AnomalyKind.ROLLBACK_FAILED,
        AnomalyKind.UNHEALTHY_NODE,
    }
)
DIMENSIONS = ("capacity reservation", "AMI", "subnet", "availability zone", "group")
"""What instances may share; the first that fits names the incident."""


class _Failure(NamedTuple):
    """One time that a fault struck; a fault that goes on strikes again."""

    time: int
    fault: Finding
    place: str
    """Retries of one slot come on new instances, and are still one place that fails."""


class _Crowd(NamedTuple):
    opened: int
    members: list[Finding]
    places: int


def correlate(scene: Scene, lineage: Lineage, thresholds: Thresholds, faults: Sequence[Finding]) -> list[Finding]:
    """Incidents over faults of instances that share something and failed together; the faults get it as parent."""
    left = [fault for fault in faults if fault.kind in _FAILS and fault.node is not None]
    incidents: list[Finding] = []
    for dimension in DIMENSIONS:
        for value, sharing in _sharing(scene, dimension, left):
            for crowd in _crowds(_failures(lineage, sharing), thresholds):
                incidents.append(_incident(dimension, value, crowd))
        left = [fault for fault in left if fault.parent is None]
    return incidents


def _sharing(scene: Scene, dimension: str, faults: Iterable[Finding]) -> list[tuple[str, list[Finding]]]:
    """Faults by what their instances share."""
    shared: dict[str, list[Finding]] = {}
    for fault in faults:
        value = _value(scene, dimension, fault)
        if value is not None:
            shared.setdefault(value, []).append(fault)
    return sorted(shared.items())


def _value(scene: Scene, dimension: str, fault: Finding) -> str | None:
    node = fault.node
    if node is None or dimension == "group":
        return fault.group_name
    group = scene.groups.get(node.group or "")
    return node.state.shared.get(dimension) or (group.state.shared.get(dimension) if group else None)


def _failures(lineage: Lineage, faults: Iterable[Finding]) -> list[_Failure]:
    found = [
        _Failure(at, fault, lineage.place(fault.node))
        for fault in faults
        if fault.node
        for at in {fault.opened, *fault.struck}
    ]
    return sorted(found, key=lambda failure: (failure.time, failure.fault.episode, failure.fault.kind))


def _crowds(failures: list[_Failure], thresholds: Thresholds) -> Iterator[_Crowd]:
    """Faults that are linked by times at which enough places failed within the window."""
    window = round(thresholds.correlation_minutes * MINUTE_MS)
    times = [failure.time for failure in failures]
    graph: nx.Graph[int] = nx.Graph()
    opened: dict[int, int] = {}
    linked = 0  # those before it are a chain already, of which the next window needs no second one
    for start, first in enumerate(failures):
        end = bisect_right(times, first.time + window)
        at = _enough(islice(failures, start, end), thresholds.correlation_instances)
        if at is not None:
            nx.add_path(graph, [id(failure.fault) for failure in failures[max(start, linked - 1) : end]])
            linked = end
            opened.setdefault(id(first.fault), at)
    for component in nx.connected_components(graph):
        inside = [failure for failure in failures if id(failure.fault) in component]
        members = list({id(failure.fault): failure.fault for failure in inside}.values())
        at = min(opened[name] for name in component if name in opened)
        yield _Crowd(at, members, len({failure.place for failure in inside}))


def _enough(near: Iterable[_Failure], enough: int) -> int | None:
    """When the crowd was large enough: the first failure of the place that made it so."""
    seen: set[str] = set()
    for failure in near:
        seen.add(failure.place)
        if len(seen) >= enough:
            return failure.time
    return None


def _incident(dimension: str, value: str, crowd: _Crowd) -> Finding:
    members = crowd.members
    ends = [member.resolved for member in members]
    resolved = None if None in ends else max(end for end in ends if end is not None)
    incident = Finding(
        kind=AnomalyKind.CORRELATED_FAILURE,
        episode=members[0].episode,
        opened=crowd.opened,
        updated=max(member.updated for member in members),
        resolved=None if resolved is None else max(resolved, crowd.opened),
        group=members[0].group_name if len({member.group_name for member in members}) == 1 else None,
        of_cluster=True,
        detail=f"{crowd.places} instances with {dimension} {value}",
        count=len(members),
        evidence=bounded([], [event_id for member in members for event_id in member.evidence]),
        cause=_common([member.cause for member in members]),
    )
    for member in members:
        member.parent = incident
    return incident


def _common(causes: Sequence[str | None]) -> str | None:
    """The cause of all that have one."""
    known = sorted({cause for cause in causes if cause is not None and cause != "unknown"})
    return known[0] if len(known) == 1 else "unknown"
