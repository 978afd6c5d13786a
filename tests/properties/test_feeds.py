"""A feed is a function of the set of its heartbeats, and stays small."""

from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from models.feeds import GAPS, KEEP_MS, SPARE_MS, Beat, Feed, Gap, decode, encode, gaps, hear, look_back, told_from
from models.fold import Limits
from tests.builders import DAY, HOUR, MINUTE

WIDE, TIGHT = Limits(), Limits(lateness_ms=HOUR, keep=4)
LEAST = 15 * MINUTE
BEATS = st.lists(
    st.builds(Beat, st.integers(0, 6 * 60).map(lambda minutes: minutes * MINUTE), st.sampled_from("abc")), max_size=40
)
SEEDS = st.integers(0, 2**32 - 1)


def heard(beats: list[Beat], limits: Limits) -> Feed:
    feed = Feed()
    for beat in beats:
        hear(feed, beat, limits, LEAST)
    return feed


def dealt(beats: list[Beat], seed: int, within: int) -> list[Beat]:
    """Some of them twice, each at most so long after a newer one."""
    chance = random.Random(seed)
    copies = beats + [beat for beat in beats if chance.random() < 0.3]
    return sorted(copies, key=lambda beat: beat.time + chance.uniform(0, within))


def too_long(feed: Feed) -> list[Gap]:
    return [gap for gap in gaps(feed) if gap.until is None or gap.until - gap.last.time > LEAST]


def naive(beats: list[Beat]) -> list[Gap]:
    known = sorted(set(beats))
    found = [Gap(a, b.time) for a, b in pairwise(known) if b.time - a.time > LEAST]
    return [*found, Gap(known[-1], None)] if known else []


@given(BEATS, SEEDS)
def test_any_order_and_any_copies_are_the_sorted_heartbeats(beats: list[Beat], seed: int) -> None:
    assert encode(heard(dealt(beats, seed, 24 * HOUR), WIDE)) == encode(heard(sorted(set(beats)), WIDE))
    assert too_long(heard(dealt(beats, seed, 24 * HOUR), WIDE)) == naive(beats)


@given(BEATS, SEEDS)
def test_within_a_tight_bound_too(beats: list[Beat], seed: int) -> None:
    feed = heard(dealt(beats, seed, HOUR), TIGHT)
    assert not feed.late
    assert encode(feed) == encode(heard(sorted(set(beats)), TIGHT))
    assert too_long(feed) == naive(beats)


@given(BEATS, SEEDS, st.integers(0, 40))
def test_stored_and_read_back_anywhere_it_goes_on_as_if_it_had_not_been(beats: list[Beat], seed: int, at: int) -> None:
    arrived = dealt(beats, seed, 3 * HOUR)
    feed = decode(encode(heard(arrived[:at], TIGHT)))
    for beat in arrived[at:]:
        hear(feed, beat, TIGHT, LEAST)
    assert encode(feed) == encode(heard(arrived, TIGHT))


@given(BEATS, SEEDS)
def test_every_heartbeat_is_new_once(beats: list[Beat], seed: int) -> None:
    feed = Feed()
    outcomes = [hear(feed, beat, WIDE, LEAST) for beat in dealt(beats, seed, 24 * HOUR)]
    assert sum(not duplicate for duplicate, _ in outcomes) == len(set(beats))
    assert not any(late for _, late in outcomes)


def test_a_year_of_them_takes_no_more_room_than_a_month() -> None:
    feed, sizes = Feed(), []
    for place in range(365 * 24 * 2):
        hear(feed, Beat(place * 30 * MINUTE, f"{place:032}"), WIDE, LEAST)
        if place % (24 * 2 * 30) == 0:
            sizes.append(len(encode(feed)))
    assert len(feed.gaps) == GAPS
    assert feed.retained[-1].time - feed.retained[0].time <= 32 * HOUR
    assert sizes[-1] < 200_000
    for place in range(60):
        hear(feed, Beat((365 + 60) * DAY + place * HOUR, "later"), WIDE, LEAST)
    assert [
        gap for gap in feed.gaps if gap.until is not None and gap.until < (365 + 60) * DAY - KEEP_MS - SPARE_MS
    ] == []


@given(BEATS, SEEDS, st.sampled_from((WIDE, TIGHT)), st.sampled_from((0, HOUR, 24 * HOUR)), st.integers(0, 6 * 60))
def test_the_past_of_a_feed_is_told_exactly_or_not_at_all(
    beats: list[Beat], seed: int, limits: Limits, within: int, minute: int
) -> None:
    arrived, at = dealt(beats, seed, within), minute * MINUTE
    whole = heard(arrived, limits)
    past, since = look_back(whole, at), told_from(whole)
    if past is not None:
        assert too_long(past) == too_long(heard([beat for beat in arrived if beat.time <= at], limits))
    else:
        assert since is not None
        assert at < since
