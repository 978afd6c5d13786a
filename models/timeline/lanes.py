"""One lane an instance: its phases over time, the worst of those that share a column.

Knows: public items, their lives, an axis.  Must not know: HTTP, how a lane is drawn.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from threading import Lock
from typing import NamedTuple

from models.explain.times import milliseconds
from models.public import InstanceItem, Picture, iso
from models.report.ground import ends
from models.report.lives import phases
from models.states import InstancePhase as P
from models.timeline.axis import Axis
from models.timeline.records import Lane, Piece, Timeline

WORDS = (
    *(P.FAILED, P.ROLLING_BACK, P.REPLACING, P.REBOOTING, P.TERMINATING, P.PATCHING),
    *(P.LIFECYCLE_SCRIPT, P.PROVISIONING, P.TERMINATED, P.UNKNOWN, P.IN_SERVICE),
)
"""The worst first."""
_CODES = {str(word): code for code, word in enumerate(WORDS)}
_NOTHING = 255
_RUNS = re.compile(rb"(.)\1*", re.DOTALL)
_MOST_PLACES = 4


class Window(NamedTuple):
    """What is asked for: times in epoch ms, columns, which of the lanes."""

    begun: int | None
    """None: the first thing known of any lane."""
    ended: int
    width: int
    first: int
    rows: int
    changed: bool = False
    """Only lanes in which something changed."""


class Steps(NamedTuple):
    """One instance: when each phase began, and when it was over, if it is."""

    item: InstanceItem
    times: tuple[int, ...]
    codes: tuple[int, ...]
    over: int | None


Phases = tuple[tuple[int, ...], tuple[int, ...]]
"""When each began, and its code."""


class Told(NamedTuple):
    """Of one place: of each item its phases, and all the times in order."""

    of: dict[int, tuple[InstanceItem, Phases]]
    times: list[int]


class Known:
    """What was found out of histories that have not changed since: pages of one timeline are asked for one by one."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str | None], Told] = {}
        self._one_at_a_time = Lock()

    def of(self, place: tuple[str, str | None], items: Sequence[InstanceItem]) -> tuple[list[Phases], list[int]]:
        """The phases of each item, and the times; what is known of the place that was asked for longest ago goes."""
        with self._one_at_a_time:
            before = self._found.pop(place, Told({}, []))
            # An item that is known is held, so that nothing else has its id.
            if [id(item) for item in items] != list(before.of):
                before = _told(before, items)
            self._found[place] = before
            if len(self._found) > _MOST_PLACES:
                del self._found[next(iter(self._found))]
            return [phases for _, phases in before.of.values()], before.times


def _told(before: Told, items: Sequence[InstanceItem]) -> Told:
    found = {id(item): before.of.get(id(item)) or (item, _phases(item)) for item in items}
    return Told(found, sorted({time for _, (times, _) in found.values() for time in times}))


def timeline(picture: Picture, cluster: str, group: str | None, window: Window, known: Known | None = None) -> Timeline:
    """The lanes of one cluster, or of one of its groups."""
    items = [each for each in picture.instances if each.cluster_arn == cluster and group in (None, each.instance_group)]
    found, times = (known or Known()).of((cluster, group), items)
    lanes = [Steps(item, *told, over) for item, told, over in zip(items, found, ends(picture, items), strict=True)]
    begun = _begun(lanes, window)
    seen = [each for each in lanes if _inside(each, begun, window)]
    axis = Axis(begun, window.ended, window.width, times)  # who has no lane has no change inside either
    shown = seen[window.first : window.first + window.rows]
    return Timeline(
        from_=iso(begun),
        to=iso(window.ended),
        width=window.width,
        pieces=tuple(_pieces(axis)),
        words=tuple(str(word) for word in WORDS),
        total=len(seen),
        first=window.first,
        lanes=tuple(_lane(each, axis, begun, window) for each in shown),
    )


def _phases(item: InstanceItem) -> Phases:
    found = list(phases(item))
    if not found and item.since is not None:
        found = [(milliseconds(item.since), item.phase)]
    return tuple(time for time, _ in found), tuple(_CODES.get(word, _CODES["Unknown"]) for _, word in found)


def _begun(lanes: Iterable[Steps], window: Window) -> int:
    first = window.begun
    if first is None:
        first = min((each.times[0] for each in lanes if each.times), default=window.ended - 1)
    return min(first, window.ended - 1)


def _end(lane: Steps) -> int | None:
    """When nothing more can be said of it."""
    gone = lane.times[-1] if lane.codes and lane.codes[-1] == _CODES["Terminated"] else None
    return gone if gone is not None else lane.over


def _inside(lane: Steps, begun: int, window: Window) -> bool:
    if not lane.times:
        return not window.changed and lane.over is None
    if window.changed and not any(begun < time <= window.ended for time in lane.times):
        return False
    over = _end(lane)
    return lane.times[0] <= window.ended and (over is None or over > begun or over == begun == lane.times[-1])


def _pieces(axis: Axis) -> Iterable[Piece]:
    for each in axis.stretches:
        width = each.right - each.left
        yield Piece(
            from_=iso(each.begun),
            to=iso(each.ended),
            column=round(each.left, 3),
            width=round(width, 3),
            folded=each.folded,
        )


def _lane(lane: Steps, axis: Axis, begun: int, window: Window) -> Lane:
    return Lane(
        instance_group=lane.item.instance_group,
        instance_id=lane.item.instance_id,
        node_logical_id=lane.item.node_logical_id,
        phase=lane.item.phase,
        spans=_spans(lane, axis, begun, window),
    )


def _spans(lane: Steps, axis: Axis, begun: int, window: Window) -> tuple[tuple[int, int, int], ...]:
    """Painted the best first, the worst last; the shortest takes a column of its own."""
    over = _end(lane)
    last = window.ended if over is None else min(over, window.ended)
    stays = zip(lane.codes, lane.times, [*lane.times[1:], max(last, lane.times[-1])] if lane.times else [], strict=True)
    cells = bytearray([_NOTHING]) * window.width
    for code, since, until in sorted(stays, reverse=True):
        if since > last or (until <= begun and since < begun):  # what had no length was at that moment
            continue
        left = min(math.floor(axis.column(max(since, begun))), window.width - 1)
        right = min(max(left + 1, math.ceil(axis.column(min(until, last)))), window.width)
        cells[left:right] = bytes([code]) * (right - left)
    return _runs(cells)


def _runs(cells: Sequence[int]) -> tuple[tuple[int, int, int], ...]:
    found = _RUNS.finditer(bytes(cells))
    runs = ((run.start(), run.end(), cells[run.start()]) for run in found)
    return tuple((begun, ended - begun, code) for begun, ended, code in runs if code != _NOTHING)
