"""Arrival is nothing: any order and any copies give what the sorted story gives, and what the oracle says."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.observation import Observation
from models.public import Picture
from models.workspace import Outcome, Workspace
from streams.replay import Replay
from tests.builders import HOUR, SECOND, Event, raw
from tests.oracle import observe
from tests.properties.fixed import three_clusters
from tests.properties.harness import TIGHT, agree, clusters, folded, now_of, same, shown
from tests.properties.stories import Shape, delivered, events

pytestmark = pytest.mark.reliability(10, "duplicates and permutations of made-up stories, without Kafka")
SEEDS = st.integers(0, 2**32 - 1)
# Far longer than the tight bound; one life's metadata are all there or all missing, since a slot that is first named
# after the bound has passed the instance's birth cannot be known in time.
LONG = Shape(mixed=False, span=3 * HOUR)


@given(events(), SEEDS)
def test_any_order_and_any_copies_are_the_sorted_story_and_the_oracles(story: list[Event], seed: int) -> None:
    arrived = delivered(story, seed)
    for arn in clusters(arrived):
        agree(arn, arrived)


@given(events(Shape(mixed=False)), SEEDS)
def test_an_event_was_read_when_the_first_of_its_copies_was(story: list[Event], seed: int) -> None:
    """Live and by a backfill, in any order: what is history by then, and so has no deadlines, is the same.

    Of what names a slot alone that is forgotten where it turns out to be another's (see docs/limits.md).
    """
    chance = random.Random(seed)
    arrived = [obs for obs in observe(raw(story)) if obs.instance_id or not obs.node_logical_id]
    for arn in clusters(arrived):
        mine = [obs for obs in arrived if obs.cluster_arn == arn for _ in range(2)]
        copies = [(obs, obs.time + chance.choice((SECOND, 30 * HOUR))) for obs in mine]
        now = now_of(arrived)
        wanted = shown(_open_only(_read(arn, copies).picture(now)))
        same(shown(_open_only(_read(arn, chance.sample(copies, len(copies))).picture(now))), wanted, mine)


def _read(arn: str, copies: list[tuple[Observation, int]]) -> Workspace:
    workspace = Workspace(arn)
    for obs, read_at in copies:
        workspace.apply(obs, read_at)
    return workspace


def _open_only(picture: Picture) -> Picture:
    """Without what is over of `stale`: which event of a history that was goes by the order of reading."""
    kept = [each for each in picture.anomalies if (each.kind, each.status) != ("stale", "resolved")]
    return picture.model_copy(update={"anomalies": tuple(kept)})


@given(events(LONG), SEEDS)
def test_within_a_tight_bound_too(story: list[Event], seed: int) -> None:
    arrived = delivered(story, seed, share=0.2, within=50 * SECOND)
    for arn in clusters(arrived):
        agree(arn, arrived, TIGHT)


@given(events(), SEEDS)
def test_other_clusters_between_change_nothing(story: list[Event], seed: int) -> None:
    arrived = delivered(story, seed)
    job = Replay()
    for event in story:
        job.feed("all", *raw([event]))
    for arn in clusters(arrived):
        alone = Replay()
        for event in story:
            if arn in str(event):
                alone.feed("one", *raw([event]))
        shared, own = job.picture(now_of(arrived)), alone.picture(now_of(arrived))
        mine = [[item for item in items if item.cluster_arn == arn] for items in _lists(shared)]
        assert mine == [list(items) for items in _lists(own)]


def _lists(picture: Picture) -> list[tuple[object, ...]]:
    return [getattr(picture, name) for name in Picture.model_fields]


@given(events(), SEEDS)
def test_duplicates_change_counts_and_nothing_else(story: list[Event], seed: int) -> None:
    arrived, chance = delivered(story, seed, share=0), random.Random(seed)
    for arn in clusters(arrived):
        mine = [obs for obs in arrived if obs.cluster_arn == arn]
        twice = sorted(mine * 2, key=lambda _: chance.random())
        outcomes = _outcomes(arn, twice)
        assert sum(not outcome.duplicate for outcome in outcomes) == len({obs.event_id for obs in mine})
        same(shown(folded(arn, twice).picture(now_of(mine))), shown(folded(arn, mine).picture(now_of(mine))), twice)


def _outcomes(arn: str, arrived: list[Observation]) -> list[Outcome]:
    workspace = folded(arn, [])
    return [workspace.apply(obs) for obs in arrived]


def test_a_hundred_shuffles_of_three_clusters_give_the_same_bytes() -> None:
    story = raw(three_clusters())
    assert len(story) > 300
    wanted, chance = _replayed(story), random.Random(3)
    for _ in range(100):
        dealt = story + chance.sample(story, len(story) * 3 // 10)
        chance.shuffle(dealt)
        assert _replayed(dealt) == wanted


def _replayed(values: list[bytes]) -> bytes:
    job = Replay()
    for value in values:
        job.feed("story", value)
    document = job.document()
    summary = document.summary
    assert summary.read == len(values) == summary.applied + summary.duplicate
    assert (summary.late, summary.dead_lettered, summary.ignored) == (0, 0, {})
    return document.model_dump_json(exclude={"summary": {"read", "duplicate"}}).encode()
