"""Places: instances that followed each other count as one, so that no hour is lost twice.

Knows: lives, links, failures.  Must not know: windows' origin, scopes, figures.

A place is up while any of its instances is.  It is lost while none is, from its first instance's beginning on; not
while its state is unknown, and not when its last instance leaves with no fault and no successor: nobody misses it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from models.public import InstanceItem
from models.report.failures import Failure
from models.report.lives import LEAVING, LOST, UNKNOWN, UP, Life

PLANNED = ""
"""The cause of hours that no failure explains."""
_EMPTY = "empty"


@dataclass
class Place:
    """One place and who was in it, oldest first."""

    lives: list[Life]
    failures: list[Failure] = field(default_factory=list)

    @property
    def newest(self) -> InstanceItem:
        """Who is in it, or was last."""
        return self.lives[-1].item

    @property
    def begun(self) -> int:
        """When it was first heard of."""
        return self.lives[0].begun

    @property
    def ended(self) -> int:
        """When the last of them was over, or the moment of the answer."""
        return max(life.ended for life in self.lives)

    def hours(self, since: int, until: int) -> tuple[int, dict[str, int]]:
        """Milliseconds up, and lost by cause, inside a window."""
        up, lost = 0, dict[str, int]()
        for begun, ended, is_up in self.stretches:
            if is_up:
                up += _inside(begun, ended, since, until)
                continue
            failed_from, cause = self._failed(begun, ended)
            lost[PLANNED] = lost.get(PLANNED, 0) + _inside(begun, failed_from, since, until)
            lost[cause] = lost.get(cause, 0) + _inside(failed_from, ended, since, until)
        return up, lost

    def _failed(self, begun: int, ended: int) -> tuple[int, str]:
        """From when on, and by what, an outage is nobody's plan."""
        unplanned = sorted((each for each in self.failures if not each.planned), key=lambda each: each.opened)
        before = [each for each in unplanned if each.open_at(begun)]
        if before:
            return begun, before[0].cause
        inside = [each for each in unplanned if begun < each.opened < ended]
        return (inside[0].opened, inside[0].cause) if inside else (ended, PLANNED)

    def repaired(self, failure: Failure) -> int | None:
        """When the failure was resolved and the place was up; at once where nobody misses the place any more."""
        if failure.resolved is None:
            return None
        for begun, ended, is_up in self.stretches:
            if is_up and ended > failure.resolved:
                return max(begun, failure.resolved)
        going = [life for life in self.lives if life.goes_on]
        if not going:
            return failure.resolved
        return self.ended if any(life.segments[-1].condition == UP for life in going) else None

    @cached_property
    def stretches(self) -> list[tuple[int, int, bool]]:
        """When the place is up, or lost without a break: begin, end, whether it is up."""
        return list(self._stretches())

    def _stretches(self) -> Iterator[tuple[int, int, bool]]:
        """Those that count as neither are left out."""
        run: tuple[int, int, bool] | None = None
        for begun, ended, condition in self._conditions():
            if condition == UP or self._misses(begun, ended, condition):
                is_up = condition == UP
                if run is not None and run[1] == begun and run[2] == is_up:
                    run = (run[0], ended, is_up)
                    continue
                if run is not None:
                    yield run
                run = (begun, ended, is_up)
        if run is not None:
            yield run

    def _misses(self, begun: int, ended: int, condition: str) -> bool:
        if condition == LOST:
            return True
        if condition == UNKNOWN:
            return False
        heir = self.lives[-1].begun >= ended
        faulty = condition == LEAVING and any(each.open_at(begun) and not each.planned for each in self.failures)
        return heir or faulty

    def _conditions(self) -> Iterator[tuple[int, int, str]]:
        """The place's condition between any two moments at which something changed."""
        turns: dict[int, list[tuple[str, int]]] = {}
        for segment in (segment for life in self.lives for segment in life.segments if segment.begun < segment.ended):
            turns.setdefault(segment.begun, []).append((segment.condition, 1))
            turns.setdefault(segment.ended, []).append((segment.condition, -1))
        here: Counter[str] = Counter()
        since: int | None = None
        for at in sorted(turns):
            if since is not None:
                yield since, at, next((word for word in (UP, LOST, UNKNOWN, LEAVING) if here[word]), _EMPTY)
            for condition, count in turns[at]:
                here[condition] += count
            since = at


def places_of(lives: Iterable[Life], failures: Iterable[Failure]) -> tuple[list[Place], list[Failure]]:
    """Every place, oldest first, with the failures of its instances; and the failures of no place."""
    known = sorted(lives, key=lambda life: (life.item.cluster_arn, life.begun, life.item.instance_id or "~"))
    roots = _Roots()
    for life in known:
        item, names = life.item, _names(life.item)
        roots.join(names)
        if item.instance_id and item.replaces:
            roots.join([names[0], (item.cluster_arn, "instance", item.replaces)])
    places: dict[tuple[str, str, str], Place] = {}
    for life in known:
        root = roots.of(_names(life.item)[0])
        places.setdefault(root, Place([])).lives.append(life)
    others = []
    for failure in failures:
        root = roots.of((failure.cluster_arn, *failure.entity)) if failure.entity else ("", "", "")
        if root in places:
            places[root].failures.append(failure)
        else:
            others.append(failure)
    for place in places.values():  # only now: which hours are lost depends on all of them
        place.failures = [failure._replace(repaired=place.repaired(failure)) for failure in place.failures]
    return list(places.values()), others


_Name = tuple[str, str, str]


def _names(item: InstanceItem) -> list[_Name]:
    """The names that a place is known by."""
    found = [(item.cluster_arn, "instance", item.instance_id)] if item.instance_id else []
    return found + ([(item.cluster_arn, "slot", item.node_logical_id)] if item.node_logical_id else [])


class _Roots:
    """Names that mean the same place."""

    def __init__(self) -> None:
        self._up: dict[_Name, _Name] = {}

    def of(self, name: _Name) -> _Name:
        while (above := self._up.get(name, name)) != name:
            self._up[name] = self._up.get(above, above)
            name = above
        return name

    def join(self, names: list[_Name]) -> None:
        for one, other in pairwise(names):
            first, second = sorted((self.of(one), self.of(other)))
            if first != second:
                self._up[second] = first


def _inside(begun: int, ended: int, since: int, until: int) -> int:
    return max(0, min(ended, until) - max(begun, since))
