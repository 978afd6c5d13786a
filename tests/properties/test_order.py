"""Arrival is nothing: order, copies and cuts leave no trace in what is known.

Knows: workspaces from outside, the oracle.  Must not know: rows' contents.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.fold import Limits
from models.observation import Observation
from models.public import Picture
from models.workspace import Workspace
from tests import oracle
from tests.builders import HOUR, MINUTE, SECOND, Event
from tests.properties.stories import Shape, delivered, events

SEEDS = st.integers(0, 2**32 - 1)
TIGHT = Limits(lateness_ms=MINUTE, keep=4)
# Longer than the tight bound by far: a step is half a minute to a minute, a story hours.
LONG = Shape(mixed=False, span=3 * HOUR)


def clusters(arrived: list[Observation]) -> list[str]:
    return sorted({obs.cluster_arn for obs in arrived})


def now_of(arrived: list[Observation]) -> int:
    return max((obs.time for obs in arrived), default=0) + HOUR


def folded(arn: str, arrived: list[Observation], limits: Limits | None = None) -> Workspace:
    workspace = Workspace(arn, limits)
    for obs in arrived:
        if obs.cluster_arn == arn:
            workspace.apply(obs)
    return workspace


def shown(picture: Picture) -> str:
    return picture.model_dump_json(indent=1)


@given(events(), SEEDS)
def test_any_order_and_any_copies_are_the_sorted_story_and_the_oracles(story: list[Event], seed: int) -> None:
    arrived = delivered(story, seed)
    for arn in clusters(arrived):
        wanted = shown(oracle.picture(arn, arrived, now_of(arrived)))
        assert shown(folded(arn, oracle.once(arrived)).picture(now_of(arrived))) == wanted, "sorted input"
        assert shown(folded(arn, arrived).picture(now_of(arrived))) == wanted, "as it arrived"


@given(events(LONG), SEEDS)
def test_within_a_tight_bound_too(story: list[Event], seed: int) -> None:
    arrived = delivered(story, seed, share=0.2, within=50 * SECOND)
    for arn in clusters(arrived):
        wanted = shown(oracle.picture(arn, arrived, now_of(arrived)))
        assert shown(folded(arn, oracle.once(arrived), TIGHT).picture(now_of(arrived))) == wanted, "sorted input"
        assert shown(folded(arn, arrived, TIGHT).picture(now_of(arrived))) == wanted, "as it arrived"
