"""Whatever comes, in whatever order: times add up, ledgers are sound, and a report is the same bytes."""

from __future__ import annotations

import random

from hypothesis import given

from models.public import Picture, iso
from models.report import report
from streams.replay import Replay
from tests.builders import Event, raw
from tests.fleet import rollouts_are_sound, times_add_up
from tests.properties.stories import events
from tests.properties.test_order import LONG, SEEDS


def seen(values: list[bytes]) -> tuple[Picture, bytes]:
    """The picture of values as they arrived, and its report."""
    job = Replay()
    for value in values:
        job.feed("any", value)
    picture, now = job.picture(), iso(job.clock())
    return picture, report(picture, now).model_dump_json().encode()


@given(events(LONG), SEEDS)
def test_any_story_in_any_order_has_the_same_sound_figures(story: list[Event], seed: int) -> None:
    values = raw(story)
    picture, wanted = seen(values)
    times_add_up(picture)
    rollouts_are_sound(picture)
    chance = random.Random(seed)
    dealt = values + chance.sample(values, len(values) // 3)
    chance.shuffle(dealt)
    assert seen(dealt)[1] == wanted


@given(events(LONG))
def test_what_is_counted_by_group_is_what_is_counted_by_type_and_everywhere(story: list[Event]) -> None:
    picture, _ = seen(raw(story))
    found = report(picture, None)
    sums = {
        by: tuple(
            sum(getattr(each, name) for each in found.figures if each.by == by)
            for name in ("places", "instances", "provisioned", "capacity_failures")
        )
        for by in ("fleet", "cluster", "instance_group", "instance_type")
    }
    if found.figures:
        assert sums["instance_group"][:3] == sums["instance_type"][:3] == sums["cluster"][:3] == sums["fleet"][:3]
        assert sums["cluster"] == sums["fleet"]
        assert sums["instance_group"] == sums["instance_type"]
