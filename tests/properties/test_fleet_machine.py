"""A whole fleet at once, with everything that may befall its events and its workers, in any order.

Knows: lives, deliveries, lanes.  Must not know: what the program makes of them.

`make fuzz` looks longer.
"""

from __future__ import annotations

import json
import os
import random
from dataclasses import replace
from functools import cache
from heapq import heappop, heappush
from itertools import count
from operator import itemgetter
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from models.fold import Limits
from models.observation import Observation
from streams.simulate.run import Faults, Settings, Told, simulate
from tests.builders import HOUR, MINUTE, SECOND, START, Event, raw
from tests.oracle import observe
from tests.properties.absurd import spoilt
from tests.properties.harness import BOUNDS, TIGHT
from tests.properties.lanes import Lane
from tests.properties.stories import MASKS, Shape, copies, events, masked

EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "1000"))
SEEDS = st.integers(0, 2**16)
MOMENTS = st.sampled_from((-30 * HOUR, -MINUTE, 0, MINUTE, 40 * MINUTE, 30 * HOUR))
WITHIN = 50 * SECOND
"""How late anything may be under the tight bound of a minute."""


@cache
def simulated_days(mixed: bool) -> list[list[tuple[int, Event]]]:
    """Days of small clusters, each event with its time; some tell slots, others do not.

    `mixed`: those are the same clusters' days, so that one life may be told both ways.
    """
    days = []
    for seed, told in ((7, Told.full), (7 if mixed else 8, Told.null)):
        made = simulate(
            Settings(seed, clusters=2, instances=8, hours=12, faults=Faults.many, metadata=told, start_ms=START)
        )
        by_cluster: dict[str, list[tuple[int, Event]]] = {}
        for _, value in made.delivered.values:
            (seen,) = observe([value])
            by_cluster.setdefault(seen.cluster_arn, []).append((seen.time, json.loads(value)))
        days += [sorted(events, key=itemgetter(0)) for events in by_cluster.values()]
    return days


class Fleet(RuleBasedStateMachine):
    """Events happen, are held back, repeated and told again; workers store, stop and go on; people look."""

    limits: Limits | None = None
    shape: ClassVar[Shape] = Shape(lives=3)
    share = 0.3
    tight = False

    def __init__(self) -> None:
        super().__init__()
        self.lanes: dict[str, Lane] = {}
        self.happened: list[Event] = []
        self.waiting: list[tuple[float, int, Observation]] = []
        self.number = count()
        self.clock = START
        """No event before it is still to happen, or to arrive, under the tight bound."""
        self.days = [0 for _ in simulated_days(self.shape.mixed)]

    @rule(data=st.data(), seed=SEEDS)
    def some_live(self, data: st.DataObject, seed: int) -> None:
        shape = replace(self.shape, start=self.clock) if self.tight else self.shape
        self.send(data.draw(events(shape)), seed)

    @rule(day=SEEDS, some=st.integers(1, 30), seed=SEEDS)
    def a_day_goes_on(self, day: int, some: int, seed: int) -> None:
        day %= len(self.days)
        story = simulated_days(self.shape.mixed)[day]
        begin = self.days[day]
        while self.tight and begin < len(story) and story[begin][0] < self.clock:
            begin += 1
        self.days[day] = begin + some
        self.send([event for _, event in story[begin : begin + some]], seed)

    @rule(place=SEEDS, masks=st.lists(st.sampled_from(MASKS), max_size=3, unique=True), seed=SEEDS)
    def something_is_told_again(self, place: int, masks: list[str], seed: int) -> None:
        if self.happened:
            self.post([masked(self.happened[place % len(self.happened)], tuple(masks))], random.Random(seed))

    @rule(some=st.integers(1, 40))
    def some_arrive(self, some: int) -> None:
        for _ in range(min(some, len(self.waiting))):
            self.arrives()

    @rule(place=SEEDS)
    def a_worker_stores(self, place: int) -> None:
        for lane in self.chosen(place):
            lane.is_stored()

    @rule(place=SEEDS)
    def a_worker_is_cut(self, place: int) -> None:
        for lane in self.chosen(place):
            lane.is_cut()

    @rule(place=SEEDS, moment=MOMENTS)
    def somebody_looks(self, place: int, moment: int) -> None:
        for lane in self.chosen(place):
            lane.is_seen(self.clock + moment)

    def teardown(self) -> None:
        while self.waiting:
            self.arrives()
        for lane in self.lanes.values():
            lane.check(in_time=self.tight)

    def chosen(self, place: int) -> list[Lane]:
        """One lane or all of them."""
        lanes = list(self.lanes.values())
        place %= len(lanes) + 1
        return lanes[place : place + 1] or lanes

    def send(self, events: list[Event], seed: int) -> None:
        """Events happen, and copies of some that say less are made of them."""
        chance = random.Random(seed)
        self.happened += events
        self.post([copy for event in events for copy in copies(event, chance, self.share)], chance)

    def post(self, values: list[Any], chance: random.Random) -> None:
        """They are on their way."""
        for obs in observe(raw(values)):
            due = self.due(obs, chance)
            if due is not None:
                heappush(self.waiting, (due, next(self.number), obs))

    def due(self, obs: Observation, chance: random.Random) -> float | None:
        """When it arrives; None: too late to be told."""
        if not self.tight:
            return chance.random() * chance.choice((1, 1, 5))
        soonest = max(obs.time, self.clock)
        return None if soonest > obs.time + WITHIN else chance.uniform(soonest, obs.time + WITHIN)

    def arrives(self) -> None:
        """The next one arrives."""
        due, _, obs = heappop(self.waiting)
        self.clock = max(self.clock, int(due) + 1) if self.tight else max(self.clock, obs.time)
        self.lane(obs.cluster_arn).hears(obs, self.read_at(obs))

    def lane(self, arn: str) -> Lane:
        """The lane of a cluster."""
        return self.lanes.setdefault(arn, Lane(arn, self.limits))

    def read_at(self, obs: Observation) -> int | None:
        """When the event's record was written."""
        return None


class AnyOrder(Fleet):
    """Nothing is older than a day: the bound of every run."""


class TightBound(Fleet):
    """Days are long and the bound is a minute, which nothing misses.

    One life's metadata are all there or all missing: a slot that is first named after the bound has passed the birth
    cannot be known in time, and the oracle, which has no bound, would know it.
    """

    limits = TIGHT
    shape = Shape(mixed=False, span=HOUR, lives=3)
    share = 0.2
    tight = True


class Wild(Fleet):
    """Events of any kind, as late as can be, by any bound: then order matters, but nothing else does."""

    @initialize(limits=st.sampled_from((*BOUNDS, Limits(lateness_ms=MINUTE))), reads=st.booleans())
    def begins(self, limits: Limits | None, reads: bool) -> None:
        self.limits, self.reads = limits, reads

    @rule(data=st.data(), seed=SEEDS)
    def something_absurd_happens(self, data: st.DataObject, seed: int) -> None:
        self.post(data.draw(spoilt(data.draw(events(self.shape)))), random.Random(seed))

    @rule(data=st.data(), days=st.integers(1, 3), seed=SEEDS)
    def something_is_heard_of_late(self, data: st.DataObject, days: int, seed: int) -> None:
        self.send(data.draw(events(replace(self.shape, start=START - days * 24 * HOUR))), seed)

    def read_at(self, obs: Observation) -> int | None:
        """Some at once, some a day later, some nobody knows when."""
        return (None, obs.time, obs.time + 25 * HOUR)[obs.time // SECOND % 3] if self.reads else None


def _test(fleet: type[Fleet], share: float) -> type:
    fleet.TestCase.settings = settings(
        max_examples=round(EXAMPLES * share), stateful_step_count=14, suppress_health_check=list(HealthCheck)
    )
    return fleet.TestCase


TestAnyOrder = _test(AnyOrder, 0.4)
TestTightBound = _test(TightBound, 0.3)
TestWild = _test(Wild, 0.3)
