"""Rows stay bounded, whatever comes."""

from __future__ import annotations

import random

import msgspec
import pytest

from models.fold import Limits
from models.observation import Observation
from models.stored import decode
from models.workspace import Workspace
from tests.builders import HOUR, START, Event, Node, Site, cluster_event, provisioned, raw, rebooted
from tests.oracle import observe
from tests.properties.harness import now_of, shown

SITE = Site("train")
NODE = Node(SITE, "workers", "i-1", "n-1")
LIMITS = Limits()
# Whose events they are: an instance's, a slot's that has an instance, one that has none, a group's, a cluster's.
ENTITIES: dict[str, list[Event]] = {
    "instance": [NODE.script(START, "Started"), NODE.script(START, "Succeeded")],
    "slot": [NODE.says(START, f"Successfully created Customer ENI for instance in {NODE.where}", named=False)],
    "slot with an instance": [
        NODE.says(START, f"Successfully created Customer ENI for instance in {NODE.where}", named=False),
        NODE.says(START, "Something new", named=False),
        NODE.script(START, "Started"),
    ],
    "group": [cluster_event(SITE, "Failed to create FSx for IG workers in Cluster train", START, group="workers")],
    "cluster": [cluster_event(SITE, "Slurm configuration drift detected: partition dev lacks node a", START)],
}


def many(story: list[Event], count: int, span: int) -> list[Observation]:
    """The same few events again and again, each with its own id and time, evenly within `span` ms."""
    kinds = observe(raw(story))
    return [
        msgspec.structs.replace(kinds[place % len(kinds)], event_id=f"e-{place:06}", time=START + place * span // count)
        for place in range(count)
    ]


# In order, nearly in order, and in any order at all.
CASES = [("instance", 0), ("slot", 0), ("slot with an instance", 50), ("group", 50), ("cluster", None)]


@pytest.mark.parametrize(("entity", "disorder"), CASES)
def test_a_hundred_thousand_events_in_an_hour_stay_within_the_ceiling(entity: str, disorder: int | None) -> None:
    arrived, chance = many(ENTITIES[entity], 100_000, HOUR), random.Random(5)
    places = range(len(arrived)) if disorder is None else [n + chance.random() * disorder for n in range(len(arrived))]
    order = sorted(
        zip(places, arrived, strict=True), key=lambda pair: pair[0] if disorder is not None else chance.random()
    )
    workspace = Workspace(SITE.arn, LIMITS)
    late = sum(workspace.apply(obs).late for _, obs in order)
    rows = [decode(data) for data in workspace.take().rows.values() if data is not None]
    for row in rows:
        assert len(row.retained) <= LIMITS.ceiling_events
        assert row.size <= LIMITS.ceiling_bytes
    held = sum(len(row.retained) for row in rows)
    assert sum(row.pushed_out for row in rows) + held + late == len(arrived)
    if disorder is not None:
        assert late == 0


def test_sixty_four_instances_and_twenty_thousand_shuffled_events() -> None:
    nodes = [Node(SITE, "workers", f"i-{n:02}", f"n-{n}" if n % 2 else None) for n in range(64)]
    births = [event for node in nodes for event in provisioned(node, START)]
    lives = [
        event
        for node in nodes
        for place in range(20_000 // 4 // 64)
        for event in rebooted(node, START + HOUR + place * 600_000)
    ]
    seen = observe(raw(births + lives))
    story = list({obs.event_id: obs for obs in seen}.values())
    assert len(story) > 20_000
    wanted = Workspace(SITE.arn)
    for obs in sorted(story, key=lambda obs: obs.key):
        wanted.apply(obs)
    dealt, found = list(story), Workspace(SITE.arn)
    random.Random(9).shuffle(dealt)
    for obs in dealt:
        found.apply(obs)
    assert shown(found.picture(now_of(story))) == shown(wanted.picture(now_of(story)))
