"""What only several faults together show: flapping, storms of replacements, instances that fail together.

Knows: entries into states and faults, with their times, of all rows.  Must not know: how they came about.

Windows run on event time: a run of events lasts while the next is within the window of the one before, and its episode
is its first event, so that the answer is a function of the event set and `now`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import networkx as nx

from models.deadlines import Thresholds
from models.judge.findings import Finding
from models.judge.scene import Node, Scene
from models.public import AnomalyKind
from models.rows import Key
from models.runs import bounded

HOUR_MS = 3_600_000
MINUTE_MS = 60_000


def find_flapping(scene: Scene, thresholds: Thresholds) -> Iterator[Finding]:
    """Entities that enter the same bad or waiting state again and again; replacements are counted by slot."""
    window = round(thresholds.flapping_hours * HOUR_MS)
    for node in scene.nodes:
        for name in sorted(node.state.entries):
            machine, word = name.split(" ", 1)
            if (machine, word) == ("replace", "Replacing") and node.slot:
                continue
            yield from _flaps(scene, thresholds, node, machine, word, node.state.entries[name], window)
    for nodes in _by_slot(scene):
        entries = sorted(key for node in nodes for key in node.state.entries.get("replace Replacing", []))
        newest = max(nodes, key=lambda node: (node.state.newest or 0, str(node.instance_id)))
        yield from _flaps(scene, thresholds, newest, "replace", "Replacing", entries, window)


def _by_slot(scene: Scene) -> list[list[Node]]:
    slots: dict[str, list[Node]] = {}
    for node in scene.nodes:
        if node.slot:
            slots.setdefault(node.slot, []).append(node)
    return [slots[slot] for slot in sorted(slots)]


def _flaps(
    scene: Scene, thresholds: Thresholds, node: Node, machine: str, word: str, keys: Sequence[Key], window: int
) -> Iterator[Finding]:
    for run, at in _crowds(keys, thresholds.flapping_entries, window):
        finding = _of_window(scene, AnomalyKind.FLAPPING, run, at, window)
        finding.node, finding.machine, finding.state = node, machine, word
        finding.detail = f"{word} of {machine}"
        yield finding


def find_storms(scene: Scene, thresholds: Thresholds) -> Iterator[Finding]:
    """Too many replacements started, in the cluster or in a group."""
    starts = [(key, node) for node in scene.nodes for key in node.state.entries.get("replace Replacing", [])]
    window = round(thresholds.storm_cluster_hours * HOUR_MS)
    yield from _storms(scene, thresholds, [key for key, _ in starts], window, None)
    window = round(thresholds.storm_group_hours * HOUR_MS)
    for group in scene.group_names():
        yield from _storms(scene, thresholds, [key for key, node in starts if node.group == group], window, group)


def _storms(
    scene: Scene, thresholds: Thresholds, keys: Iterable[Key], window: int, group: str | None
) -> Iterator[Finding]:
    for run, at in _crowds(sorted(keys), thresholds.storm_starts, window):
        hours = window // HOUR_MS
        finding = _of_window(scene, AnomalyKind.REPLACEMENT_STORM, run, at, window)
        finding.group, finding.machine = group, "replace"
        finding.detail = f"{len(run)} replacements, {thresholds.storm_starts} or more in {hours} h"
        yield finding


def _of_window(scene: Scene, kind: AnomalyKind, run: Sequence[Key], at: int, window: int) -> Finding:
    """A finding that lasts until nothing has fed its run for a window."""
    end = run[-1].time + window
    over = scene.now >= end
    return Finding(
        kind=kind,
        episode=run[0].event_id,
        opened=at,
        updated=end if over else run[-1].time,
        resolved=end if over else None,
        count=len(run),
        evidence=bounded([], [key.event_id for key in run]),
    )


def _crowds(keys: Sequence[Key], enough: int, window: int) -> Iterator[tuple[list[Key], int]]:
    """Runs in which the window once held enough, and when it first did."""
    for run in _runs(keys, window):
        for first, last in zip(run, run[enough - 1 :], strict=False):
            if last.time - first.time <= window:
                yield run, last.time
                break


def _runs(keys: Sequence[Key], window: int) -> Iterator[list[Key]]:
    run: list[Key] = []
    for key in keys:
        if run and key.time - run[-1].time > window:
            yield run
            run = []
        run.append(key)
    if run:
        yield run


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


def correlate(scene: Scene, thresholds: Thresholds, findings: Sequence[Finding]) -> list[Finding]:
    """Incidents over faults of instances that share something and failed together; the faults get it as parent."""
    left = sorted(
        (f for f in findings if f.kind in _FAILS and f.node is not None), key=lambda f: (f.opened, f.kind, f.episode)
    )
    incidents: list[Finding] = []
    for dimension in DIMENSIONS:
        for value, members in _sharing(scene, dimension, left):
            for crowd in _together(members, thresholds):
                incidents.append(_incident(dimension, value, crowd, thresholds))
        left = [finding for finding in left if finding.parent is None]
    return incidents


def _sharing(scene: Scene, dimension: str, findings: Iterable[Finding]) -> list[tuple[str, list[Finding]]]:
    """Findings by what their instances share."""
    shared: dict[str, list[Finding]] = {}
    for finding in findings:
        value = _value(scene, dimension, finding)
        if value is not None:
            shared.setdefault(value, []).append(finding)
    return sorted(shared.items())


def _value(scene: Scene, dimension: str, finding: Finding) -> str | None:
    node = finding.node
    if node is None or dimension == "group":
        return finding.group_name
    group = scene.groups.get(node.group or "")
    return node.state.shared.get(dimension) or (group.state.shared.get(dimension) if group else None)


def _together(findings: list[Finding], thresholds: Thresholds) -> Iterator[list[Finding]]:
    """Components of faults in which enough instances failed within the window."""
    window = round(thresholds.correlation_minutes * MINUTE_MS)
    graph: nx.Graph[int] = nx.Graph()
    for start, first in enumerate(findings):
        crowd = [place for place in range(start, len(findings)) if findings[place].opened - first.opened <= window]
        if len({id(findings[place].node) for place in crowd}) >= thresholds.correlation_instances:
            nx.add_path(graph, crowd)
    for component in sorted(sorted(part) for part in nx.connected_components(graph)):
        yield [findings[place] for place in component]


def _incident(dimension: str, value: str, members: list[Finding], thresholds: Thresholds) -> Finding:
    ends = [member.resolved for member in members]
    resolved = None if None in ends else max(end for end in ends if end is not None)
    nodes = {id(member.node) for member in members}
    incident = Finding(
        kind=AnomalyKind.CORRELATED_FAILURE,
        episode=members[0].episode,
        opened=_enough(members, thresholds.correlation_instances),
        updated=max([member.updated for member in members] + ([resolved] if resolved is not None else [])),
        resolved=resolved,
        group=members[0].group_name if len({member.group_name for member in members}) == 1 else None,
        machine=None,
        detail=f"{len(nodes)} instances with {dimension} {value}",
        count=len(members),
        evidence=bounded([], [event_id for member in members for event_id in member.evidence]),
        cause=_common([member.cause for member in members]),
    )
    for member in members:
        member.parent = incident
    return incident


def _enough(members: list[Finding], enough: int) -> int:
    """When the crowd was large enough: the first fault of the instance that made it so."""
    seen: list[int] = []
    for member in members:
        if id(member.node) not in seen:
            seen.append(id(member.node))
        if len(seen) == enough:
            return member.opened
    return members[-1].opened


def _common(causes: Sequence[str | None]) -> str | None:
    known = sorted({cause for cause in causes if cause not in (None, "unknown")} - {None}, key=str)
    return known[0] if len(known) == 1 else "unknown"
