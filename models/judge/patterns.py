"""What only many entries into a state show: flapping, storms of replacements.

Knows: entries into states, with their times, of all rows.  Must not know: how they came about, faults.

Windows run on event time: a run of events lasts while the next is within the window of the one before, and its episode
is its first event, so that the answer is a function of the event set and `now`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from models.deadlines import Thresholds
from models.judge.findings import Finding
from models.judge.lineage import Lineage
from models.judge.scene import Node, Scene
from models.public import AnomalyKind
from models.rows import Key
from models.runs import bounded

HOUR_MS = 3_600_000
REPLACING = "replace Replacing"

_Entry = tuple[Key, Node]


def find_flapping(scene: Scene, lineage: Lineage, thresholds: Thresholds) -> Iterator[Finding]:
    """Entities that enter the same bad or waiting state again and again; replacements are counted by their place."""
    for node in scene.nodes:
        for name in sorted(node.state.entries):
            if name != REPLACING:
                yield from _flaps(scene, thresholds, name, [(key, node) for key in node.state.entries[name]])
    places: dict[str, list[_Entry]] = {}
    for key, node in _starts(scene):
        places.setdefault(lineage.place(node), []).append((key, node))
    for place in sorted(places):
        yield from _flaps(scene, thresholds, REPLACING, places[place])


def _starts(scene: Scene) -> list[_Entry]:
    """Replacements that started, with the new instance."""
    found = [(key, node) for node in scene.nodes for key in node.state.entries.get(REPLACING, [])]
    return sorted(found, key=lambda entry: entry[0])


def _flaps(scene: Scene, thresholds: Thresholds, name: str, entries: list[_Entry]) -> Iterator[Finding]:
    window = round(thresholds.flapping_hours * HOUR_MS)
    machine, word = name.split(" ", 1)
    for run, opener in _crowds([key for key, _ in entries], thresholds.flapping_entries, window):
        finding = _of_window(scene, AnomalyKind.FLAPPING, run, opener.time, window)
        finding.node = next(node for key, node in entries if key == opener)
        finding.machine, finding.state = machine, word
        finding.detail = f"{word} of {machine}"
        yield finding


def find_storms(scene: Scene, thresholds: Thresholds) -> Iterator[Finding]:
    """Too many replacements started, in the cluster or in a group."""
    starts = _starts(scene)
    window = round(thresholds.storm_cluster_hours * HOUR_MS)
    yield from _storms(scene, thresholds, [key for key, _ in starts], window, None)
    window = round(thresholds.storm_group_hours * HOUR_MS)
    for group in scene.group_names():
        yield from _storms(scene, thresholds, [key for key, node in starts if node.group == group], window, group)


def _storms(
    scene: Scene, thresholds: Thresholds, keys: Sequence[Key], window: int, group: str | None
) -> Iterator[Finding]:
    for run, opener in _crowds(keys, thresholds.storm_starts, window):
        finding = _of_window(scene, AnomalyKind.REPLACEMENT_STORM, run, opener.time, window)
        finding.group, finding.machine = group, "replace"
        finding.detail = f"{len(run)} replacements, {thresholds.storm_starts} or more in {window / HOUR_MS:g} h"
        yield finding


def _of_window(scene: Scene, kind: AnomalyKind, run: Sequence[Key], at: int, window: int) -> Finding:
    """A finding that lasts until nothing has fed its run for a window."""
    end = run[-1].time + window
    over = scene.clock.has_come(end)
    return Finding(
        kind=kind,
        episode=run[0].event_id,
        opened=at,
        updated=end if over else run[-1].time,
        resolved=end if over else None,
        count=len(run),
        evidence=bounded([], [key.event_id for key in run]),
    )


def _crowds(keys: Sequence[Key], enough: int, window: int) -> Iterator[tuple[list[Key], Key]]:
    """Runs in which the window once held enough, and the entry that made it so."""
    for run in _runs(keys, window):
        for first, last in zip(run, run[enough - 1 :], strict=False):
            if last.time - first.time <= window:
                yield run, last
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
