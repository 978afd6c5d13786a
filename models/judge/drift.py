"""Where snapshots contradict the reconstruction: counts, and groups that vanished.

Knows: what snapshots counted and when, when members came and went.  Must not know: other anomalies.

A snapshot's count is right if it lies between the members in service and those that exist: views differ for a while
around every change.  Only a group whose creation was seen is judged, for only there every birth and death is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from models import fold
from models.deadlines import Thresholds
from models.judge.findings import Finding
from models.judge.groups import GroupView
from models.judge.scene import Node, Scene
from models.public import AnomalyKind
from models.states import GroupOperation, Provision

MINUTE_MS = 60_000


class _Life(NamedTuple):
    seen: int
    serving: int | None
    left: int | None
    gone: int | None


class _Stretch(NamedTuple):
    begun: int
    ended: int | None
    snapshots: list[int]
    counted: int
    known: int


def find_drift(scene: Scene, views: dict[str, GroupView], thresholds: Thresholds) -> Iterator[Finding]:
    """Every contradiction that lasted, over or not."""
    patience = round(thresholds.drift_minutes * MINUTE_MS)
    for name, view in views.items():
        for stretch in _stretches(scene, view):
            text = f"snapshots count {stretch.counted}, the reconstruction has {stretch.known}"
            yield from _finding(scene, name, stretch, patience, text)
        for stretch in _vanished(scene, view):
            yield from _finding(scene, name, stretch, patience, "no snapshot lists it any more, and nobody deleted it")


def _finding(scene: Scene, group: str, stretch: _Stretch, patience: int, detail: str) -> Iterator[Finding]:
    due = min([stretch.begun + patience, *stretch.snapshots[1:2]])
    if due > (scene.now if stretch.ended is None else stretch.ended):
        return
    yield Finding(
        kind=AnomalyKind.DRIFT,
        episode=f"{group} {stretch.begun}",
        opened=due,
        updated=due if stretch.ended is None else stretch.ended,
        resolved=stretch.ended,
        group=group,
        detail=detail,
    )


def _lives(scene: Scene, group: str) -> list[_Life]:
    return [_life(node) for node in scene.members(group)]


def _life(node: Node) -> _Life:
    state, first = node.state, fold.own_first(node.row)
    gone = state.changed.get("provision") if state.machines["provision"] == Provision.TERMINATED else None
    return _Life(first[0][0] if first else 0, state.in_service[0] if state.in_service else None, state.left, gone)


def _bounds(lives: list[_Life], at: int) -> tuple[int, int]:
    """How many members were in service, and how many there were."""
    serving = sum(
        life.serving is not None and life.serving <= at and not _past(life.left or life.gone, at) for life in lives
    )
    return serving, sum(life.seen <= at and not _past(life.gone, at) for life in lives)


def _past(time: int | None, at: int) -> bool:
    return time is not None and time <= at


def _stretches(scene: Scene, view: GroupView) -> list[_Stretch]:
    """Maximal times in which the newest snapshot's count could not be right."""
    reports = view.state.reports
    if view.state.origin != "observed" or not reports:
        return []
    lives = _lives(scene, view.name)
    if not lives:  # a cluster that is not Continuous sends no events of its instances
        return []
    changes = sorted({at for life in lives for at in life if at is not None})
    found: list[_Stretch] = []
    bad: _Stretch | None = None
    for place, (begun, counted) in enumerate(reports):
        end = reports[place + 1][0] if place + 1 < len(reports) else None
        for at in [begun, *(c for c in changes if begun < c and (end is None or c < end))]:
            low, high = _bounds(lives, at)
            if low <= counted <= high:
                if bad is not None:
                    found.append(bad._replace(ended=at))
                bad = None
            elif bad is None and at == begun:  # what happens after a snapshot does not contradict it
                bad = _Stretch(at, None, [begun], counted, high)
            elif bad is not None and begun not in bad.snapshots:
                bad = bad._replace(snapshots=[*bad.snapshots, begun], counted=counted, known=high)
    return [*found, bad] if bad is not None else found


def _vanished(scene: Scene, view: GroupView) -> list[_Stretch]:
    """Times in which snapshots did not list a group that was not being deleted."""
    cluster = scene.cluster.state if scene.cluster else None
    if cluster is None:
        return []
    found = [_Stretch(since, back, [since, back], 0, 1) for name, since, back in cluster.returns if name == view.name]
    since = cluster.absent.get(view.name)
    gone = view.machines["operation"] in (GroupOperation.DELETING, GroupOperation.DELETED)
    heard = view.state.newest is not None and since is not None and view.state.newest > since
    if since is not None and not gone and not heard:
        later = [cluster.listed_at] if cluster.listed_at is not None and cluster.listed_at > since else []
        found.append(_Stretch(since, None, [since, *later], 0, 1))
    return found
