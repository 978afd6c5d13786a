"""What has taken too long: `stuck`.

Knows: waits of every row, thresholds, now.  Must not know: how a wait is kept or ended, faults, texts.

A deadline is measured from the last sign of progress.  One that was outlived between two known events counts as well:
opened at the deadline, resolved at the event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from itertools import pairwise, zip_longest
from typing import NamedTuple

from models.catalogue import rank_of
from models.deadlines import (
    CLUSTER_ROLLING_BACK,
    DEEP_HEALTH_CHECK,
    DEEP_HEALTH_CHECK_WORD,
    FAILED,
    WAITING,
    Thresholds,
)
from models.judge import progress
from models.judge.clock import Clock
from models.judge.ends import Ends
from models.judge.findings import Finding
from models.judge.progress import Heard
from models.judge.scene import Node, Scene
from models.listing import NODE_LIST
from models.public import AnomalyKind
from models.rows import Key, State, Wait

MINUTE_MS = 60_000
BATCH_MINUTES = 25
"""What one batch of a rollout takes: an instance's update."""


class _Silence(NamedTuple):
    begun: int
    ended: int
    lasts: bool
    """It ends only because nothing is known beyond now."""

    def is_over(self, limit: int, clock: Clock) -> bool:
        """Whether it was or is longer."""
        return clock.is_past(self.begun + limit) if self.lasts else self.ended - self.begun > limit

    def goes_beyond(self, at: int, clock: Clock) -> bool:
        """Whether it ended after a time."""
        return clock.is_past(at) if self.lasts else at < self.ended


class _Limit(NamedTuple):
    """How long which silence may be, in ms."""

    name: str
    first: int | None
    """From then on there is something to tell."""
    stuck: int | None


Limits = Callable[[str, str | None, str, str, int, int], _Limit]
"""By level, group, machine, state, seconds of a bake and batches of a rollout."""


class _Waiter(NamedTuple):
    """Whose wait it is, and where else its progress shows."""

    level: str
    group: str | None
    node: Node | None
    clock: Callable[[int], Clock]
    """By which its silence since a moment is measured."""
    heard: Callable[[Wait], Heard]


def find_overdue(scene: Scene, ends: Ends, thresholds: Thresholds) -> Iterator[Finding]:
    """Every wait of the cluster that was or is too long."""
    limit = lru_cache(maxsize=None)(partial(_limit, scene, thresholds))  # many waits are alike
    if scene.cluster and not scene.cluster.is_outdated:
        clock = partial(scene.clock_of, scene.cluster)
        who = _Waiter("cluster", None, None, clock, partial(progress.of_cluster, scene))
        for wait in _waits(scene.cluster.state):
            yield from _judge(limit, who, wait, ends.of_cluster)
    for name, row in scene.groups.items():
        who = _Waiter("group", name, None, partial(scene.clock_of, row), partial(progress.of_group, scene, name))
        for wait in _waits(row.state) if not row.is_outdated else ():
            yield from _judge(limit, who, wait, partial(ends.of_group, name))
    for node in scene.nodes:
        who = _Waiter("instance", node.group, node, partial(scene.clock_of, node.row), lambda wait: progress.NOTHING)
        for wait in (*_waits(node.state), *_checks(node)) if not node.row.is_outdated else ():
            yield from _judge(limit, who, wait, partial(ends.of_instance, node))


def _checks(node: Node) -> Iterator[Wait]:
    """Deep health checks, of which only node lists tell; they are over once the instance leaves."""
    words = node.row.words
    for word, following in zip_longest(words, words[1:]):
        if word.status != DEEP_HEALTH_CHECK_WORD:
            continue
        begun, left = word.first.time, node.state.left
        ends = [following.first.time if following else None, left if left is not None and left >= begun else None]
        ended = min((at for at in ends if at is not None), default=None)
        entered = Key(begun, rank_of(NODE_LIST), word.first.event_id)
        silences = () if ended is None else ((begun, ended),)
        yield Wait(DEEP_HEALTH_CHECK, word.status, entered, begun, silences, ended)


def _waits(state: State) -> list[Wait]:
    return [*state.past_waits, *state.waits.values()]


def _judge(limit: Limits, who: _Waiter, wait: Wait, ended: Callable[[Wait], Wait]) -> Iterator[Finding]:
    """`ended`: the wait as it ends from outside, which can only shorten it."""
    name, first, stuck = limit(who.level, who.group, wait.machine, wait.state, wait.seconds, wait.batches)
    if first is None or (wait.ended is not None and all(end - begin <= first for begin, end in wait.silences)):
        return
    wait, clock = ended(wait), who.clock(wait.restarted)
    late = [silence for silence in _silences(wait, clock) if silence.is_over(first, clock)]
    if late:  # only then is it worth looking at everybody's history
        parts = _broken(late, who.heard(wait), clock)
        late = [silence for silence in parts if silence.is_over(first, clock)]
    if late:
        critical = stuck is not None and late[-1].is_over(stuck, clock)
        yield _finding(who, wait, name, late[-1], first, stuck if critical else None)


def _finding(who: _Waiter, wait: Wait, name: str, last: _Silence, first: int, stuck: int | None) -> Finding:
    """`first`: the deadline that opens it; `stuck` where the silence is as long as that."""
    deadline = last.begun + (first if stuck is None else stuck)
    return Finding(
        kind=AnomalyKind.STUCK,
        episode=wait.entered.event_id,
        opened=last.begun + first,
        updated=deadline if last.lasts else last.ended,
        resolved=None if last.lasts else last.ended,
        node=who.node,
        group=None if who.node else who.group,
        machine=wait.failed if wait.machine == FAILED else wait.machine if wait.machine in WAITING[who.level] else None,
        state=wait.state,
        detail=name,
        evidence=[wait.entered.event_id],
        critical=stuck is not None,
        began=wait.entered.time,
    )


def _limit(
    scene: Scene,
    thresholds: Thresholds,
    level: str,
    group: str | None,
    machine: str,
    state: str,
    extra: int,
    batches: int,
) -> _Limit:
    """`extra`: seconds that a bake was to take; `batches`: those of a rollout."""
    name = machine
    if machine not in (FAILED, CLUSTER_ROLLING_BACK, DEEP_HEALTH_CHECK):
        name = WAITING[level][machine][state]
    row = scene.groups.get(group or "")
    deadline = thresholds.deadline(
        name,
        cluster=scene.cluster_name or "",
        arn=scene.cluster_arn,
        group=group or "",
        instance_type=(row.state.instance_type if row else None) or "",
    )
    slow, stuck = _ms(deadline.slow), _ms(deadline.stuck)
    if name == "baking":
        slow, stuck = (None if each is None else each + extra * 1000 for each in (slow, stuck))
    if name == "rollout" and stuck is not None:
        stuck = max(stuck, round(1.5 * batches * BATCH_MINUTES * MINUTE_MS))
    return _Limit(name, min((each for each in (slow, stuck) if each is not None), default=None), stuck)


def _ms(minutes: float | None) -> int | None:
    return None if minutes is None else round(minutes * MINUTE_MS)


def _silences(wait: Wait, clock: Clock) -> Iterator[_Silence]:
    """The stretches in which nothing was heard of the entity itself, the present one last."""
    for begun, ended in wait.silences:
        yield _Silence(begun, ended, lasts=False)
    if wait.ended is None:
        yield _Silence(wait.restarted, clock.now, lasts=True)


def _broken(silences: list[_Silence], heard: Heard, clock: Clock) -> Iterator[_Silence]:
    """The stretches between what was heard elsewhere."""
    for silence in silences:
        inside = (at for at in heard.times if silence.begun < at and silence.goes_beyond(at, clock))
        marks = [silence.begun, *inside, silence.ended]
        for begun, ended in pairwise(marks):
            if heard.since is None or begun >= heard.since:
                yield _Silence(begun, ended, silence.lasts and ended == silence.ended)
