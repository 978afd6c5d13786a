"""A bad day of a large cluster: judging it takes twice as long for twice as many instances, not four times."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from models.workspace import Workspace
from tests.builders import (
    HOUR,
    MINUTE,
    SECOND,
    START,
    Event,
    Node,
    Site,
    node_health,
    patched,
    provisioned,
    raw,
    replaced,
    scaled,
)
from tests.oracle import observe

SITE = Site(delay=0)
LATER = START + 2 * HOUR
FEW, FACTOR = 40, 2.4
"""Instances, and how much more work twice as many of them may be: what is sorted grows a little faster."""


def node(number: int, slotted: bool) -> Node:
    return Node(SITE, "workers", f"i-{number:017x}", f"slot-{number:05d}" if slotted else None)


def all_fail(nodes: list[Node]) -> list[Event]:
    return [node_health(SITE, LATER + place * SECOND, each.instance) for place, each in enumerate(nodes)]


def all_are_replaced(nodes: list[Node], fails: bool = False) -> list[Event]:
    events: list[Event] = []
    for place, old in enumerate(nodes):
        new = Node(SITE, old.group, f"i-{place + 10_000:017x}", old.slot)
        events += replaced(old, new, LATER + place * SECOND, fails=fails)
    return events


def no_replacement_works(nodes: list[Node]) -> list[Event]:
    return all_are_replaced(nodes, fails=True)


def all_hang_while_the_group_scales(nodes: list[Node]) -> list[Event]:
    start = scaled(SITE, "workers", LATER, current=len(nodes), target=2 * len(nodes))[:1]
    begun = [node(place + 10_000, True) for place in range(len(nodes))]
    born = [event for place, each in enumerate(begun) for event in provisioned(each, LATER + place * SECOND)[:4]]
    # An event of another group shows how late it is.
    return [*start, *born, *scaled(SITE, "other", LATER + 3 * HOUR, current=0, target=2)[:1]]


def a_rollout_goes_back(nodes: list[Node]) -> list[Event]:
    return patched(nodes, LATER, alarm=True)


def work(events: list[Event]) -> int:
    """Of one judgement: what Python does, step by step."""
    known = Workspace(SITE.arn)
    events.sort(key=lambda event: str(event["time"]))
    observations = [obs for event in events for obs in observe(raw([event]))]
    for obs in observations:
        known.apply(obs)
    now = max(obs.time for obs in observations) + MINUTE
    known.judgement(now)  # what is made once is not counted
    return counted(lambda: known.judgement(now))


def counted(does: Callable[[], Any]) -> int:
    steps = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal steps
        frame.f_trace_opcodes = True
        steps += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        does()
    finally:
        sys.settrace(before)
    return steps


@pytest.mark.parametrize("slotted", [True, False], ids=["slots known", "no slots"])
@pytest.mark.parametrize(
    "happens",
    [all_fail, all_are_replaced, no_replacement_works, all_hang_while_the_group_scales, a_rollout_goes_back],
)
def test_work_grows_with_the_instances_not_with_their_square(
    happens: Callable[[list[Node]], list[Event]], slotted: bool
) -> None:
    taken = []
    for many in (FEW, 2 * FEW):
        nodes = [node(place, slotted) for place in range(many)]
        births = [event for place, each in enumerate(nodes) for event in provisioned(each, START + place * SECOND)]
        taken.append(work([*births, *happens(nodes)]))
    assert taken[0] > 0
    assert taken[1] < FACTOR * taken[0], f"{taken[0]:,} steps for {FEW} instances, {taken[1]:,} for {2 * FEW}"
