"""How long a judgement holds: until the moment that it names, the same rows give the same picture.

The worker judges a cluster again when something happened to it, and else not before that moment.
"""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from models.broadcasts import Broadcasts
from models.judge import Judgement
from models.public_silence import Silence
from models.timestamps import iso
from models.workspace import Workspace
from tests.builders import DAY, HOUR, MINUTE, START, Event, Site, heartbeat, raw, state_change
from tests.oracle import observe
from tests.properties.harness import clusters, folded, same, shown
from tests.properties.stories import Shape, delivered, events

SEEDS = st.integers(0, 2**32 - 1)
LONG = Shape(span=3 * HOUR)
STEPS = 40
"""Judgements that one story is followed through at most."""


def some_silence(chance: random.Random, begin: int) -> Silence:
    """One of whatever is open, for a while."""
    starts = begin + chance.randint(0, 6 * HOUR)
    times = {"starts_at": iso(starts), "until": iso(starts + chance.randint(1, DAY))}
    return Silence(silence_id="one", matchers={"kind": "*"}, **times)


def follow(
    whole: Workspace, silences: list[Silence], begin: int, chance: random.Random, patience: int | None = None
) -> list[Judgement]:
    """Judgements one after the other, each where the one before ends; inside of it nothing may differ."""

    def look(at: int) -> Judgement:
        return whole.judgement(at, silences=silences, patience=patience)

    found, now = [look(begin)], begin
    while (until := found[-1].until) is not None and len(found) < STEPS and until < begin + 60 * DAY:
        assert until > now
        for at in {until - 1, chance.randint(now, until - 1)}:
            between = look(at)
            same(shown(between.picture), shown(found[-1].picture), [])
        found.append(look(until))
        now = until
    end = begin + 90 * DAY if until is None else now
    same(shown(look(end).picture), shown(found[-1].picture), [])
    return found


@given(events(LONG), SEEDS, st.booleans())
def test_until_the_moment_that_it_names_a_judgement_is_the_same(story: list[Event], seed: int, silent: bool) -> None:
    arrived, chance = delivered(story, seed), random.Random(seed)
    for arn in clusters(arrived):
        mine = [obs for obs in arrived if obs.cluster_arn == arn]
        begin = chance.choice(mine).time
        follow(folded(arn, mine), [some_silence(chance, begin)] if silent else [], begin, chance)


@given(events(LONG), SEEDS)
def test_history_that_is_waited_for_says_until_when(story: list[Event], seed: int) -> None:
    """And then it is judged as the same events are by whoever waits for nothing."""
    arrived, chance = delivered(story, seed), random.Random(seed)
    for arn in clusters(arrived):
        mine = [obs for obs in arrived if obs.cluster_arn == arn]
        whole, read_at = Workspace(arn), mine[0].time
        for obs in mine:
            read_at = max(read_at, obs.time) + chance.choice((0, 0, MINUTE, 5 * MINUTE, HOUR))
            whole.apply(obs, read_at)
        follow(whole, [], read_at - chance.randint(0, HOUR), chance, patience=MINUTE)
        later = read_at + 15 * MINUTE
        same(shown(whole.judgement(later, patience=MINUTE).picture), shown(whole.picture(later)), mine)


@given(events(LONG), SEEDS)
def test_what_waits_for_nothing_is_not_judged_again(story: list[Event], seed: int) -> None:
    arrived = delivered(story, seed)
    for arn in clusters(arrived):
        whole, chance = folded(arn, arrived), random.Random(seed)
        last = follow(whole, [], max(obs.time for obs in arrived) + 60 * DAY, chance)[-1]
        assert last.until is None or last.until > 2**60


BEATS = st.lists(st.tuples(st.integers(0, 90), st.integers(0, 20)), min_size=1, max_size=25)
"""Heartbeats as they arrive: how many minutes each goes back or on, and how long nothing came before it."""


@given(BEATS)
def test_a_feed_has_turned_whenever_clusters_look_otherwise_for_it(beats: list[tuple[int, int]]) -> None:
    site, shared, now = Site(), Broadcasts(), START
    whole = folded(site.arn, observe(raw([state_change(site, START)])))
    shown_last: Judgement | None = None
    for behind, pause in beats:
        now += pause * MINUTE
        (beat,) = observe(raw([heartbeat(now - (behind - 60) * MINUTE if behind > 60 else now)]))
        shared.hear(beat)
        turned = shared.take(now).feeds
        for at in (now, now + 7 * MINUTE):  # nothing comes, and time goes on
            due = shown_last is None or (shown_last.until is not None and shown_last.until <= at)
            fresh = whole.judgement(at, feed=shared.feed(site.arn))
            if shown_last is None or turned or due:
                shown_last, turned = fresh, frozenset()
            same(shown(shown_last.picture), shown(fresh.picture), [])
        now += 7 * MINUTE
