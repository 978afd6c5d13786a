"""One long story, the same every time: three clusters for a day.

Knows: builders.  Must not know: what the program makes of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.builders import (
    HOUR,
    MINUTE,
    START,
    Event,
    Node,
    Site,
    capacity_error,
    group_entry,
    node_list,
    patched,
    provisioned,
    rebooted,
    replaced,
    scaled,
    state_change,
    terminated,
)


def three_clusters() -> list[Event]:
    """All with the same lives, each with other metadata, and shifted against each other."""
    sites = [Site("train"), Site("infer"), Site("in", delay=0)]
    return [event for place, site in enumerate(sites) for event in _day(site, START + place * 7 * MINUTE, place)]


def _day(site: Site, at: int, kind: int) -> Iterator[Event]:
    """`kind` 0: every event has metadata; 1: none; 2: only some instances' events do."""
    nodes = [
        Node(site, "workers", f"i-{n:03}", f"n-{n}" if kind == 0 or (kind, n % 2) == (2, 0) else None) for n in range(6)
    ]
    yield state_change(
        site, at, status="Creating", groups=[group_entry("workers", status="Creating", current=0, target=6)]
    )
    yield from scaled(site, "workers", at + MINUTE, current=0, target=6, step=HOUR)
    for place, node in enumerate(nodes):
        yield from provisioned(node, at + (2 + place) * MINUTE, script_failures=place % 3)
    yield from capacity_error(nodes[5], at + 2 * HOUR)
    yield state_change(site, at + 3 * HOUR, groups=[group_entry("workers", current=6, target=6), group_entry("head")])
    yield node_list(site, at + 3 * HOUR, [("workers", node.instance, node.slot, "Running") for node in nodes])
    yield from rebooted(nodes[0], at + 4 * HOUR)
    heir = Node(site, "workers", "i-100", nodes[1].slot)
    yield from replaced(nodes[1], heir, at + 5 * HOUR)
    members = [nodes[0], heir, *nodes[2:]]
    yield from patched(members, at + 6 * HOUR)
    yield from patched(members[:4], at + 9 * HOUR, alarm=True)
    yield state_change(site, at + 12 * HOUR, status="Updating", groups=[group_entry("workers", current=6, target=4)])
    yield from scaled(site, "workers", at + 13 * HOUR, current=6, target=4)
    for node in members[4:]:
        yield from terminated(node, at + 13 * HOUR, zombie=node is members[5])
    yield node_list(site, at + 14 * HOUR, [("workers", node.instance, node.slot, "Running") for node in members[:4]])
