"""The report: what lies in each scope and window, as records.

Knows: lives, places, failures, scopes.  Must not know: how any of them is found, who knows which clusters.

Clusters have nothing to do with each other, so a report may be counted in parts, each of other clusters, and summed.  A
part has no means or percentiles but what they are made of: the sum is exact.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from models.explain.times import DAY_MS
from models.public import Picture, Time, iso
from models.report.failures import Failure
from models.report.ground import Ground, stand
from models.report.lives import PHASE, Life
from models.report.offenders import find_offenders, worst_first
from models.report.places import PLANNED, Place
from models.report.records import Figures, Offender, Report, StateFigures
from models.report.scopes import Scope, Scopes, around
from models.report.tally import Dwell, Tally
from models.states import Provision

KEEP_MS = 30 * DAY_MS
"""How long a worker keeps anomalies that are resolved."""
_OF_A_WHOLE = (
    *("places", "instances", "instance_hours", "lost_hours_planned", "availability", "provisioned"),
    *("capacity_failures", "capacity_shortage", "capacity_longest_wait_seconds"),
)
"""What a cause alone does not have."""


@dataclass
class Counted:
    """What some clusters add to a report; times in epoch ms."""

    begun: int | None
    """The first thing known of them."""
    until: int | None
    cut: int | None
    """The newest beginning of a history whose older part was dropped."""
    going: int
    adopted: int
    tallies: list[tuple[Scope, Tally]]
    dwells: list[tuple[Scope, str, str, Dwell]]
    offenders: list[Offender]


def report(
    picture: Picture,
    now: Time | None,
    *,
    since_ms: int | None = None,
    clusters: Collection[str] | None = None,
    groups: Collection[str] = (),
    keep_ms: int | None = KEEP_MS,
) -> Report:
    """The figures at `now` (null: at the newest event) over `[since_ms, now]`.

    `clusters` (ARNs) and `groups` narrow it, None and empty mean all.  `keep_ms` is how long resolved anomalies are
    kept where the picture comes from; None: for ever.
    """
    part = counted(picture, now, since_ms=since_ms, clusters=clusters, groups=groups)
    return summed([part], since_ms=since_ms, keep_ms=keep_ms)


def counted(
    picture: Picture,
    now: Time | None,
    *,
    since_ms: int | None = None,
    clusters: Collection[str] | None = None,
    groups: Collection[str] = (),
) -> Counted:
    """One part; the others must be counted with the same `now`, `since_ms` and `groups`."""
    ground = stand(picture, now, clusters, groups)
    if ground.begun is None:
        return Counted(None, None if now is None else ground.now, None, 0, 0, [], [], [])
    since = ground.begun if since_ms is None else since_ms
    window = _Window(Scopes(picture), since, ground.now)
    window.take(ground)
    return Counted(
        begun=ground.begun,
        until=ground.now,
        cut=max((life.begun for life in ground.lives if life.cut), default=None),
        going=sum(life.goes_on for life in ground.lives),
        adopted=sum(life.item.origin == "adopted" for life in ground.lives),
        tallies=list(window.tallies.items()),
        dwells=[(*key, dwell) for key, dwell in window.dwells.items()],
        offenders=find_offenders(ground.places, window.scopes.names, since, ground.now),
    )


def summed(parts: Sequence[Counted], *, since_ms: int | None = None, keep_ms: int | None = KEEP_MS) -> Report:
    """The report of all parts."""
    until = max((part.until for part in parts if part.until is not None), default=None)
    first = min((part.begun for part in parts if part.begun is not None), default=None)
    if first is None or until is None:
        now = None if until is None else iso(until)
        return Report(since=None, until=now, complete_since=None, notes=(), figures=(), states=(), offenders=())
    since = first if since_ms is None else since_ms
    sums = _Sums(parts)
    complete = _complete(parts, since, None if keep_ms is None else until - keep_ms)
    return Report(
        since=iso(since),
        until=iso(until),
        complete_since=iso(complete),
        notes=tuple(_notes(parts, since, complete, until)),
        figures=tuple(sums.figures(until)),
        states=tuple(sums.states()),
        offenders=tuple(worst_first(one for part in parts for one in part.offenders)),
    )


class _Sums:
    """Everything of all parts, by scope."""

    def __init__(self, parts: Sequence[Counted]) -> None:
        self._tallies: dict[Scope, Tally] = {}
        self._dwells: dict[tuple[Scope, str, str], Dwell] = {}
        for part in parts:
            for scope, tally in part.tallies:
                self._tallies.setdefault(scope, Tally()).add(tally)
            for own, machine, state, dwell in part.dwells:
                for scope in around(own):  # what was gathered by group is the cluster's, the type's and everybody's too
                    self._dwells.setdefault((scope, machine, state), Dwell()).add(dwell)

    def figures(self, until: int) -> Iterator[Figures]:
        """One record for each scope."""
        for scope in sorted(self._tallies, key=lambda scope: scope.place):
            tally = self._tallies[scope]
            if scope.cause is None:
                yield Figures(**scope._asdict(), **tally.whole(until))
            else:
                tally.up = self._tallies.get(scope.without_cause, Tally()).up
                none = dict.fromkeys(_OF_A_WHOLE)
                yield Figures(**scope._asdict(), **tally.reliability(until), **none)

    def states(self) -> Iterator[StateFigures]:
        """One record for each state of each scope, phases first."""
        for scope, machine, state in sorted(self._dwells, key=lambda key: (*key[0].place, key[1] != PHASE, *key[1:])):
            found = self._dwells[scope, machine, state]
            yield StateFigures(**scope._asdict(), machine=machine, state=state, **found.figures())


class _Window:
    """Everything inside `[since, until]`, by scope."""

    def __init__(self, scopes: Scopes, since: int, until: int) -> None:
        self.scopes, self._since, self._until = scopes, since, until
        self.tallies: dict[Scope, Tally] = {}
        self.dwells: dict[tuple[Scope, str, str], Dwell] = {}
        """By group."""

    def take(self, ground: Ground) -> None:
        """Gather what lies in the window."""
        for life in ground.lives:
            if self._touches(life.begun, life.ended):
                self._take_life(life)
        for place in ground.places:
            if self._touches(place.begun, place.ended):
                self._take_place(place)
        for failure in ground.failures:
            if not self._has(failure.opened):
                continue
            for scope in self._scopes_of(failure):
                self._tally(scope).failures.append(failure)

    def _take_life(self, life: Life) -> None:
        item = life.item
        scopes = self.scopes.of_group(item.cluster_arn, item.instance_group)
        for scope in scopes:
            tally = self._tally(scope)
            tally.instances += item.instance_id is not None
            tally.lived += self._inside(life.begun, life.ended)
            tally.provisioned += life.provisioned is not None and self._has(life.provisioned)
        for stay in life.stays:
            if stay.state == Provision.TERMINATED or not self._touches(stay.begun, stay.ended):
                continue
            dwell = self.dwells.setdefault((scopes[2], stay.machine, stay.state), Dwell())
            dwell.total += self._inside(stay.begun, stay.ended)
            if stay.seen:
                dwell.lengths.append(stay.ended - stay.begun)
                dwell.open += stay.open

    def _scopes_of(self, failure: Failure) -> Iterator[Scope]:
        arn, group = failure.cluster_arn, failure.group
        yield from self.scopes.of_cluster(arn) if failure.of_cluster else self.scopes.of_group(arn, group)
        everywhere, in_group = self.scopes.of_cause(arn, group, failure.cause)
        yield from (everywhere,) if failure.of_cluster else (everywhere, in_group)

    def _take_place(self, place: Place) -> None:
        arn, group = place.newest.cluster_arn, place.newest.instance_group
        up, lost = place.hours(self._since, self._until)
        planned = lost.pop(PLANNED, 0)
        for scope in self.scopes.of_group(arn, group):
            tally = self._tally(scope)
            tally.places += 1
            tally.up += up
            tally.lost_planned += planned
            tally.lost_unplanned += sum(lost.values())
        for cause, ms in lost.items():
            for scope in self.scopes.of_cause(arn, group, cause) if ms else ():
                self._tally(scope).lost_unplanned += ms

    def _tally(self, scope: Scope) -> Tally:
        return self.tallies.setdefault(scope, Tally())

    def _has(self, at: int) -> bool:
        return self._since <= at <= self._until

    def _touches(self, begun: int, ended: int) -> bool:
        return begun <= self._until and ended >= self._since

    def _inside(self, begun: int, ended: int) -> int:
        return max(0, min(ended, self._until) - max(begun, self._since))


def _complete(parts: Sequence[Counted], since: int, kept: int | None) -> int:
    """From when on nothing is missing."""
    times = [kept, *(part.cut for part in parts)]
    return max([since, *(time for time in times if time is not None)])


def _notes(parts: Sequence[Counted], since: int, complete: int, until: int) -> Iterator[str]:
    if complete > since:
        yield f"before {iso(complete)} figures are too low: older histories or resolved anomalies are no longer kept"
    going = sum(part.going for part in parts)
    if going:
        yield f"{going} instances or slots go on: their last stays are counted up to {iso(until)}"
    adopted = sum(part.adopted for part in parts)
    if adopted:
        yield f"{adopted} were there before their first event: nothing is counted of the time before it"
