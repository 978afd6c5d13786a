"""Where snapshots count other members than there are, or no longer list a group.

Knows: what snapshots counted and listed, when members came and went.  Must not know: how long is too long.

A snapshot's count is right if it lies between the members in service and those that exist: views differ for a while
around every change.  Only a group whose creation was seen is judged, for only there every birth and death is known.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from models.judge.drift_stretch import LAG_MS, Stretch
from models.judge.groups import GroupView
from models.judge.lineage import first_seen
from models.judge.scene import Node, Scene
from models.rows import HISTORY, Absence, Report, State
from models.runs import bounded
from models.states import GroupOperation, Provision

_GONE = (GroupOperation.DELETING, GroupOperation.DELETED)


class _Life(NamedTuple):
    seen: int
    serving: int | None
    bad: int | None
    """When something was first wrong with it: whether snapshots count one that has failed is not known."""
    left: int | None
    gone: int | None


def _life(node: Node, former: int | None) -> _Life:
    """`former`: when its group was deleted, if that was another one of the same name."""
    state = node.state
    gone = state.changed.get("provision") if state.machines["provision"] == Provision.TERMINATED else None
    gone = former if gone is None else gone
    seen = (first_seen(node.row) or 0) if state.origin == "observed" else 0
    serving = state.in_service[0] if state.in_service else None
    return _Life(seen, serving, min(state.bad, default=None), state.left, gone)


class _Tally:
    """How many of some spans of time a moment lies in; a span that ends before it begins has none."""

    def __init__(self, spans: Iterable[tuple[int, int | None]]) -> None:
        real = [(begin, end) for begin, end in spans if end is None or begin < end]
        self._begins = sorted(begin for begin, _ in real)
        self._ends = sorted(end for _, end in real if end is not None)

    def at(self, moment: int) -> int:
        """Begun by then, and not ended."""
        return bisect_right(self._begins, moment) - bisect_right(self._ends, moment)


class _Bounds:
    """How many members were in service, and how many there were; views lag behind births and ends for minutes."""

    def __init__(self, lives: Iterable[_Life]) -> None:
        lives = list(lives)
        self._serving = _Tally((x.serving + LAG_MS, _served_until(x)) for x in lives if x.serving is not None)
        self._there = _Tally((x.seen, None if x.gone is None else x.gone + LAG_MS) for x in lives)

    def at(self, moment: int) -> tuple[int, int]:
        """Fewest and most."""
        return self._serving.at(moment), self._there.at(moment)


def _served_until(life: _Life) -> int | None:
    ends = (life.bad, life.left or life.gone)
    return min((end for end in ends if end is not None), default=None)


def miscounts(scene: Scene, view: GroupView) -> list[Stretch]:
    """Maximal times in which the newest snapshot's count could not be right."""
    reports, members = view.state.reports, scene.members(view.name)
    if view.state.origin != "observed" or not members:  # a cluster that is not Continuous tells nothing of its members
        return []
    lives = [_life(node, scene.ended_with_group(node)) for node in scene.nodes if node.group == view.name]
    changes = sorted({at for life in lives for at in life if at is not None})
    bounds, found = _Bounds(lives), list[Stretch]()
    for place, report in enumerate(reports):
        end = reports[place + 1].time if place + 1 < len(reports) else None
        for at in [report.time, *(c for c in changes if report.time < c and (end is None or c < end))]:
            _compare(found, report, at, bounds.at(at))
    return found


def _compare(found: list[Stretch], report: Report, at: int, bounds: tuple[int, int]) -> None:
    """Begin, go on with or end a stretch; what happens after a snapshot does not begin one."""
    bad = found[-1] if found and found[-1].ended is None else None
    if bounds[0] <= report.count <= bounds[1]:
        if bad:
            bad.ended = at
        return
    text = f"snapshots count {report.count}, the reconstruction has {bounds[1]}"
    if bad is None:
        if at == report.time:
            found.append(Stretch(at, report.event_id, [report.event_id], text, at))
        return
    if at == report.time:
        bad.again = bad.again or at
        bad.evidence = bounded(bad.evidence, [report.event_id])
    if text != bad.text:
        bad.text, bad.changed = text, at


def absences(scene: Scene, view: GroupView) -> Iterator[Stretch]:
    """Times in which snapshots did not list a group that was not being deleted."""
    for absence in scene.absences(view.name):
        since = absence.since.time
        if not _was_leaving(view.state, since):
            yield _absence(absence, max(since, _listed_from(view.state, since)), _next_turn(view.state, since))


def _absence(absence: Absence, begun: int, turn: int | None) -> Stretch:
    """`turn`: when the group began to be deleted, or was made anew, after all."""
    ends = [turn, absence.back.time if absence.back else None]
    keys = [absence.since] + ([absence.again] if absence.again else [])
    return Stretch(
        begun=begun,
        episode=absence.since.event_id,
        evidence=[key.event_id for key in keys],
        text="they no longer list it, and nobody deleted it",
        changed=absence.since.time,
        ended=min((at for at in ends if at is not None), default=None),
        again=absence.again.time if absence.again and absence.again.time >= begun else None,
    )


def _operations(state: State) -> list[tuple[int, str]]:
    return [(c.time, str(c.target)) for c in state.history if c.machine == "operation"]


def _listed_from(state: State, at: int) -> int:
    """Since when every view has a group that was being made, or was there before."""
    before = [(time, word) for time, word in _operations(state) if time <= at]
    return before[-1][0] + LAG_MS if before and before[-1][1] == GroupOperation.CREATING else at


def _was_leaving(state: State, at: int) -> bool:
    """Whether the group was being deleted, or gone, at a time; the benefit of the doubt where history is cut off."""
    before = [word for time, word in _operations(state) if time <= at]
    if before:
        return before[-1] in _GONE
    return len(state.history) >= HISTORY


def _next_turn(state: State, at: int) -> int | None:
    turns = [time for time, word in _operations(state) if time > at and word in (*_GONE, GroupOperation.CREATING)]
    return min(turns, default=None)
