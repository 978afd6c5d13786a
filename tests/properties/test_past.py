"""The past out of the rows is the past of the events: what a run fed with the events up to then alone would show.

Where rows do not keep enough, they say so; and they must not say so where nothing was forgotten.
"""

from __future__ import annotations

import random

from hypothesis import assume, given
from hypothesis import strategies as st

from models.fold import Limits
from models.observation import Observation
from models.past import as_of, look_back, told_from
from models.workspace import Workspace
from tests.builders import HOUR, MINUTE, START, Event, Node, Site, raw, rebooted
from tests.oracle import observe
from tests.properties.harness import BOUNDS, Table, clusters, folded, same, shown
from tests.properties.stories import Shape, delivered, events

SEEDS = st.integers(0, 2**32 - 1)
LATE = st.sampled_from((None, MINUTE, 10 * MINUTE))
LONG = Shape(span=3 * HOUR)
Read = list[tuple[Observation, int | None]]


def fed(arn: str, read: Read, limits: Limits | None) -> Workspace:
    workspace = Workspace(arn, limits)
    for obs, read_at in read:
        workspace.apply(obs, read_at)
    return workspace


def moments(arrived: list[Observation], chance: random.Random) -> list[int]:
    """Times of events, a little before them and between."""
    times = sorted({obs.time for obs in arrived})
    some = chance.sample(times, min(6, len(times)))
    return sorted({*some, *(time - 1 for time in some), chance.randint(times[0], times[-1]), times[-1] + HOUR})


@given(events(LONG), SEEDS, st.sampled_from(BOUNDS), LATE, st.booleans())
def test_the_rows_tell_the_past_exactly_or_not_at_all(
    story: list[Event], seed: int, limits: Limits | None, late: int | None, history: bool
) -> None:
    arrived, chance = delivered(story, seed, within=late), random.Random(seed)
    for arn in clusters(arrived):
        mine = [obs for obs in arrived if obs.cluster_arn == arn]
        read: Read = [(obs, obs.time + chance.choice((0, 48 * HOUR)) if history else None) for obs in mine]
        whole = fed(arn, read, limits)
        for at in moments(mine, chance):
            past = look_back(whole, at)
            if past is not None:
                wanted = fed(arn, [(obs, when) for obs, when in read if obs.time <= at], limits).picture(at)
                same(shown(as_of(past, limits).picture(at)), shown(wanted), mine)


def test_what_is_wrong_with_an_event_that_came_too_late_is_not_told_of_the_time_before_it() -> None:
    """The checkpoint counts it, and is older than the event."""
    node = Node(Site(delay=0), "workers", "i-00000000000000001")
    odd = [node.script(START + minutes * MINUTE, "wonders about") for minutes in (9, 8)]
    arrived = observe(raw([*rebooted(node, START), *odd]))
    whole = folded(arrived[0].cluster_arn, arrived, Limits(lateness_ms=0, keep=1))
    (row,) = [row for row in whole.rows.values() if row.late]
    assert row.horizon is not None
    assert row.horizon.time < arrived[-1].time
    assert look_back(whole, arrived[-1].time - 1) is None


@given(events(), SEEDS)
def test_what_nothing_was_forgotten_of_is_told(story: list[Event], seed: int) -> None:
    arrived, chance = delivered(story, seed, share=0), random.Random(seed)
    for arn in clusters(arrived):
        mine = [obs for obs in arrived if obs.cluster_arn == arn]
        whole = folded(arn, mine)
        assert told_from(whole) is None
        assert None not in [look_back(whole, at) for at in moments(mine, chance)]


@given(events(LONG), SEEDS, st.sampled_from(BOUNDS), LATE)
def test_from_the_time_they_name_on_the_rows_always_tell(
    story: list[Event], seed: int, limits: Limits | None, late: int | None
) -> None:
    arrived, chance = delivered(story, seed, within=late), random.Random(seed)
    for arn in clusters(arrived):
        mine = [obs for obs in arrived if obs.cluster_arn == arn]
        whole = folded(arn, mine, limits)
        since = told_from(whole)
        assume(since is not None)
        assert since is not None
        assert None not in [look_back(whole, at) for at in (since, *moments(mine, chance)) if at >= since]


@given(events(LONG), SEEDS, st.sampled_from(BOUNDS), LATE)
def test_looking_back_changes_nothing_and_a_restart_neither(
    story: list[Event], seed: int, limits: Limits | None, late: int | None
) -> None:
    arrived, chance = delivered(story, seed, within=late), random.Random(seed)
    for arn in clusters(arrived):
        mine = [obs for obs in arrived if obs.cluster_arn == arn]
        looked, untouched, table = folded(arn, mine, limits), folded(arn, mine, limits), Table()
        for at in moments(mine, chance):
            if (past := look_back(looked, at)) is not None:
                as_of(past, limits).picture(at)
        rows = looked.take().rows
        assert rows == untouched.take().rows
        table.write(rows)
        again = table.reopened(arn, limits)
        for at in moments(mine, chance):
            before, after = look_back(looked, at), look_back(again, at)
            assert (before is None) == (after is None)
            if before is not None and after is not None:
                pictures = [shown(as_of(each, limits).picture(at)) for each in (before, after)]
                same(pictures[1], pictures[0], mine)
