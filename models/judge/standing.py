"""Since when its members make a group Degraded, or no longer do.

Knows: what members were, walked back through their histories.  Must not know: phases that a group's own events give.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from models.doubts import BEFORE_ALL
from models.judge.lineage import Lineage
from models.judge.scene import Node
from models.machines.instance import phase
from models.rows import Change, State
from models.states import InstancePhase


def is_degraded(state: State, target: int | None, serving: int, failed: int, known: bool) -> bool:
    """Whether members make a group so: one that failed and has no heir, or fewer in service than wanted."""
    short = state.origin == "observed" and target is not None and serving < target
    return failed > 0 or (short and known)


def turned(lineage: Lineage, state: State, members: Sequence[Node], degraded: bool, since: int) -> int | None:
    """When members last made the group Degraded, or no longer so, after a moment; None where they have not since."""
    serving = failed = 0
    turns = {at: [0, 0] for at, _ in state.targets if at > since}
    for node in members:
        name = str(node.instance_id)
        heir = lineage.succeeded.get(name, 0) if name in lineage.replaced_by else None
        stays = _stays(node.state, heir, since)
        serving, failed = serving + stays[0][1], failed + stays[0][2]
        for (at, *after), (_, *before) in pairwise(stays):
            turn = turns.setdefault(at, [0, 0])
            turn[0] += after[0] - before[0]
            turn[1] += after[1] - before[1]
    first = min((node.state.oldest or 0 for node in members), default=0)
    for at in sorted(turns, reverse=True):
        serving, failed = serving - turns[at][0], failed - turns[at][1]
        place = bisect_left(state.targets, (at,))
        target = state.targets[place - 1][1] if place else None
        if is_degraded(state, target, serving, failed, known=first < at) != degraded:
            return at
    return None


def _stays(state: State, heir: int | None, since: int) -> list[tuple[int, bool, bool]]:
    """From when on an instance was in service, and from when on missing as it had failed, the newest first.

    It is not missing any more once it has an heir; `heir` is when that was first heard of.
    """
    phases = list(_phases(state, since))
    if heir is not None and heir > since and any(word == InstancePhase.FAILED for _, word in phases):
        phases.append((heir, next(word for at, word in phases if at <= heir)))
        phases.sort(key=lambda each: -each[0])
    return [
        (at, word == InstancePhase.IN_SERVICE, word == InstancePhase.FAILED and (heir is None or at < heir))
        for at, word in phases
    ]


def _phases(state: State, since: int) -> Iterator[tuple[int, str]]:
    """When each phase began, the newest first; the last one is what there was at `since`."""
    word = str(state.phase)
    if state.since is not None and state.since > since:
        for at, steps in groupby(steps_back(state, since), key=lambda step: step[0].time):
            *_, (_, _, before) = steps
            yield at, word
            word = str(phase(before))
    yield since, word


def steps_back(state: State, since: int = BEFORE_ALL) -> Iterator[tuple[Change, dict[str, str], dict[str, str]]]:
    """What moved the machines after a moment, the newest first, with their states after it and before it."""
    after = dict(state.machines)
    for change in reversed(state.history):
        if change.machine is not None and change.time > since:
            before = {**after, change.machine: str(change.origin)}
            yield change, after, before
            after = before
