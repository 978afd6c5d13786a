"""Findings that rows only note: unknown texts, events out of time.

Knows: shapes and day notes.  Must not know: runs, deadlines.
"""

from __future__ import annotations

from collections.abc import Iterator

from models.judge.findings import Finding
from models.judge.scene import Node, Scene
from models.public import AnomalyKind
from models.rows import Read, Row, Shape
from models.runs import bounded


def find_shapes(scene: Scene) -> Iterator[Finding]:
    """Unknown texts: one finding a shape and cluster, whoever they were about."""
    merged: dict[str, Shape] = {}
    for row, _, _ in _entities(scene):
        for text, shape in row.state.shapes.items():
            merged[text] = _both(merged[text], shape) if text in merged else shape
    for text in sorted(merged):
        shape = merged[text]
        yield Finding(
            kind=AnomalyKind.UNRECOGNIZED_EVENT,
            episode=text,
            opened=shape.first.time,
            updated=shape.updated,
            resolved=None,
            detail=text,
            count=shape.count,
            evidence=shape.evidence,
        )


def find_notes(scene: Scene) -> Iterator[Finding]:
    """Flaws of time: one finding an entity and UTC day, opened and resolved at once."""
    for row, node, group in _entities(scene):
        for kind, notes in ((AnomalyKind.CLOCK_SUSPECT, row.state.clock), (AnomalyKind.LATE_EVENT, row.late)):
            for day in sorted(notes):
                note = notes[day]
                yield Finding(
                    kind=kind,
                    episode=day,
                    opened=note.first.time,
                    updated=note.updated,
                    resolved=note.updated,
                    node=node,
                    group=group,
                    count=note.count,
                    evidence=note.evidence,
                )


def find_outdated(scene: Scene) -> Iterator[Finding]:
    """Entities whose newest event was history when it was read, until the next one that was not."""
    for row, node, group in _entities(scene):
        spans: list[tuple[Read, int | None]] = [*row.outdated]
        if row.newest_read is not None and row.is_outdated:
            spans.append((row.newest_read, None))
        for read, ended in spans:
            yield Finding(
                kind=AnomalyKind.STALE,
                episode=read.event.event_id,
                opened=read.event.time,
                updated=read.event.time if ended is None else ended,
                resolved=ended,
                node=node,
                group=group,
                evidence=[read.event.event_id],
            )


def _both(one: Shape, other: Shape) -> Shape:
    early, later = sorted((one, other), key=lambda shape: shape.first)
    updated = max(one.updated, other.updated)
    return Shape(early.first, updated, one.count + other.count, bounded(early.evidence, later.evidence))


def _entities(scene: Scene) -> Iterator[tuple[Row, Node | None, str | None]]:
    if scene.cluster:
        yield scene.cluster, None, None
    for name, row in scene.groups.items():
        yield row, None, name
    for node in scene.nodes:
        yield node.row, node, None
