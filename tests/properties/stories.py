"""Event sets as fleets produce them: several clusters, lives that overlap, copies that say less than others.

Knows: builders, Hypothesis.  Must not know: what the program makes of them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from models.observation import Observation
from tests.builders import (
    HOUR,
    MINUTE,
    SECOND,
    START,
    Event,
    Node,
    Site,
    capacity_error,
    cluster_event,
    group_entry,
    node_list,
    patched,
    provisioned,
    raw,
    rebooted,
    replaced,
    scaled,
    stamp,
    state_change,
    terminated,
)
from tests.oracle import observe

SITES = (Site("train"), Site("train"), Site("IG", delay=0))
"""One of them busier, so that its lives meet."""
GROUPS = ("workers", "head")
MASKS = ("InstanceId", "NodeLogicalId", "InstanceGroupName", "ClusterName", "Description", "EventTime", "EventLevel")


@dataclass(frozen=True)
class Shape:
    """What stories may contain; `mixed`: whether an instance's slot may be in some of its events and not in others."""

    step: int = MINUTE
    mixed: bool = True
    span: int = 20 * HOUR
    lives: int = 8
    start: int = START


def events(shape: Shape = Shape()) -> st.SearchStrategy[list[Event]]:
    """Events in the order of their making: one cluster's lives after each other, though their times overlap."""
    lives = st.lists(life(shape), min_size=1, max_size=shape.lives)
    return lives.map(lambda told: [event for life in told for event in life])


@st.composite
def life(draw: st.DrawFn, shape: Shape) -> list[Event]:
    """A few events of one instance or group that belong together."""
    site = draw(st.sampled_from(SITES))
    group = draw(st.sampled_from(GROUPS))
    # Whole seconds, and few of them: equal times are where order is easily lost.
    at = shape.start + draw(st.integers(0, shape.span // (10 * SECOND))) * 10 * SECOND
    step = draw(st.sampled_from((shape.step, shape.step // 2, 0)))
    made = draw(st.sampled_from(_LIVES))(draw, shape, site, group, at, step)
    return [_without_metadata(event) if shape.mixed and draw(_RARELY) else event for event in made]


_RARELY = st.integers(0, 9).map(lambda n: n == 0)
_Life = Callable[[st.DrawFn, Shape, Site, str, int, int], list[Event]]


def _node(draw: st.DrawFn, shape: Shape, site: Site, group: str, *, index: int | None = None) -> Node:
    index = draw(st.integers(0, 2)) if index is None else index
    slot = f"n-{index % 2}" if shape.mixed or group == GROUPS[0] else None
    if shape.mixed and draw(st.integers(0, 2)) == 0:
        slot = None
    return Node(site, group, f"i-{site.name[0]}{group[0]}{index}", slot)


def _born(draw: st.DrawFn, shape: Shape, site: Site, group: str, at: int, step: int) -> list[Event]:
    node = _node(draw, shape, site, group)
    return provisioned(node, at, step=step, script_failures=draw(st.integers(0, 2)), begin=draw(st.booleans()))


def _replaced(draw: st.DrawFn, shape: Shape, site: Site, group: str, at: int, step: int) -> list[Event]:
    old = _node(draw, shape, site, group)
    new = Node(site, group, f"{old.instance}n", old.slot)
    return replaced(old, new, at, step=step, fails=draw(st.booleans()))


def _ended(draw: st.DrawFn, shape: Shape, site: Site, group: str, at: int, step: int) -> list[Event]:
    return terminated(_node(draw, shape, site, group), at, step=step, zombie=draw(st.booleans()))


def _rebooted(draw: st.DrawFn, shape: Shape, site: Site, group: str, at: int, step: int) -> list[Event]:
    return rebooted(_node(draw, shape, site, group), at, step=step)


def _patched(draw: st.DrawFn, shape: Shape, site: Site, group: str, at: int, step: int) -> list[Event]:
    nodes = [_node(draw, shape, site, group, index=index) for index in range(draw(st.integers(1, 2)))]
    return patched(nodes, at, step=step, alarm=draw(st.booleans()))


def _scaled(draw: st.DrawFn, shape: Shape, site: Site, group: str, at: int, step: int) -> list[Event]:
    return scaled(site, group, at, current=draw(st.integers(0, 2)), target=draw(st.integers(0, 2)), step=step)


def _shown(draw: st.DrawFn, shape: Shape, site: Site, group: str, at: int, step: int) -> list[Event]:
    """Snapshots that groups come into and vanish from."""
    statuses = st.sampled_from(("InService", "Updating", "Deleting", "SystemUpdating", "Strange"))
    shown = []
    for place in range(draw(st.integers(1, 3))):
        names = draw(st.lists(st.sampled_from(GROUPS), unique=True))
        entries = [group_entry(name, status=draw(statuses), target=draw(st.integers(0, 2))) for name in names]
        shown.append(state_change(site, at + place * step, status=draw(statuses), groups=entries))
    return shown


def _listed(draw: st.DrawFn, shape: Shape, site: Site, group: str, at: int, step: int) -> list[Event]:
    """Node lists in which instances come, change and go, some of them in pages, some by changes."""
    words = st.sampled_from(("Running", "Failure", "Pending", "NotFound"))
    slots, names = st.sampled_from(("n-0", None)), [f"i-{site.name[0]}{group[0]}{index}" for index in range(3)]
    told: list[Event] = []
    for place in range(draw(st.integers(1, 4))):
        here = draw(st.lists(st.sampled_from(names), unique=True))
        nodes = [(group, name, draw(slots), draw(words)) for name in here]
        when = at + place * draw(st.sampled_from((step // 8, step, 7 * step)))
        since = draw(st.sampled_from([None, *(each["ObservedAt"] for each in told), stamp(when + MINUTE)]))
        if since is None:
            told.append(node_list(site, when, nodes, more=draw(st.booleans())))
        else:  # by what changed; of a list that was told, or of one that never was
            gone, others = draw(st.lists(st.sampled_from(names))), [each["ObservedAt"] for each in told[-2:]]
            more = {"UnchangedSince": since, "Gone": gone} | ({"OrSince": others} if draw(st.booleans()) else {})
            told.append(node_list(site, when, nodes, more=True) | more)
    return told


def _failed(draw: st.DrawFn, shape: Shape, site: Site, group: str, at: int, step: int) -> list[Event]:
    return capacity_error(_node(draw, shape, site, group), at, named=draw(st.booleans()))


def _odd(draw: st.DrawFn, shape: Shape, site: Site, group: str, at: int, step: int) -> list[Event]:
    """Texts that nobody knows, and no text at all."""
    texts = st.sampled_from(("The i-0abc moon is full", "Something new about i-0abc", None, ""))
    node = _node(draw, shape, site, group)
    where = {"group": group, "instance": draw(st.sampled_from((node.instance, None))), "slot": node.slot}
    return [cluster_event(site, draw(texts), at + n, **where, event_id=f"odd-{at}-{n}") for n in range(2)]


_LIVES: tuple[_Life, ...] = (
    _born, _born, _replaced, _replaced, _ended, _rebooted, _patched, _scaled, _shown, _listed, _failed, _odd,
)  # fmt: skip


def _without_metadata(event: Event) -> Event:
    return masked(event, ("NodeLogicalId",))


def masked(event: Event, names: tuple[str, ...]) -> Event:
    """A copy of a cluster event that says less."""
    record: Any = event.get("detail", {}).get("EventDetails")
    if record is None:
        return event
    event = deepcopy(event)
    record = event["detail"]["EventDetails"]
    for name in names:
        if name == "NodeLogicalId":
            record["EventDetails"] = {"EventMetadata": None}
        else:
            record[name] = None
    return event


def copies(event: Event, chance: random.Random, share: float) -> list[Event]:
    """The event and perhaps copies of it that say less; or only such copies."""
    if chance.random() >= share:
        return [event]
    poorer = [masked(event, tuple(chance.sample(MASKS, chance.randint(0, 3)))) for _ in range(chance.randint(1, 3))]
    return poorer + ([event] if chance.random() < 0.7 else [])


def delivered(story: list[Event], seed: int, *, share: float = 0.3, within: int | None = None) -> list[Observation]:
    """The story as it arrives: copied and shuffled; at most `within` ms late, or in any order at all."""
    chance = random.Random(seed)
    arrivals = []
    for event in story:
        for copy in copies(event, chance, share):
            seen = observe(raw([copy]))
            late = chance.random() * (within if within is not None else 0)
            arrivals += [(obs.time + late if within is not None else chance.random(), obs) for obs in seen]
    return [obs for _, obs in sorted(arrivals, key=lambda pair: pair[0])]
