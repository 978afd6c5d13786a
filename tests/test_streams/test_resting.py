"""Clusters that rest: what lets them, that nothing of them is lost by it, and what is shown of them meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from models.fold import Limits
from models.public import Picture
from models.rows import FOLD_VERSION
from streams import codecs
from streams.fleet import REST_SECONDS, Changed, Fleet
from streams.shelf import Shelf, Shelved
from tests.builders import HOUR, MINUTE, START, Node, Site, node_list, patched, provisioned, raw, replaced, state_change
from tests.oracle import observe

LARGE = 1 << 40


class Memory:
    """Tables as a store has them."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[bytes, bytes]] = {}
        self.scanned = 0

    def write(self, changed: Changed) -> None:
        for table, key, row in changed.rows:
            if row is None:
                self.rows.get(table, {}).pop(key, None)
            else:
                self.rows.setdefault(table, {})[key] = row

    def scan(self, table: str, partition: int, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        self.scanned += 1
        return iter([(key, row) for key, row in sorted(self.rows.get(table, {}).items()) if key.startswith(prefix)])


def sealed(row: bytes) -> bytes:
    return codecs.wrap(FOLD_VERSION, "inc", 1, row)


def story(site: Site, size: int = 3) -> list[bytes]:
    nodes = [Node(site, "workers", f"i-{number:017x}", f"slot-{number}") for number in range(size)]
    heir = Node(site, "workers", f"i-{99:017x}", "slot-0")
    events = [event for node in nodes for event in provisioned(node, START)]
    events += patched(nodes, START + HOUR)
    events += replaced(nodes[0], heir, START + 3 * HOUR)
    listed = [(node.group, node.instance, node.slot, "Running") for node in nodes[1:]]
    return raw([*events, state_change(site, START + 4 * HOUR), node_list(site, START + 5 * HOUR, listed)])


@pytest.fixture
def tables() -> Memory:
    return Memory()


def fleet(tables: Memory, cache_bytes: int = LARGE) -> Fleet:
    return Fleet(tables, 0, Limits(), None, cache_bytes)  # type: ignore[arg-type]


def fill(made: Fleet, tables: Memory, *sites: Site) -> None:
    """All of their events, written."""
    for site in sites:
        for seen in observe(story(site)):
            made.apply(seen)
    tables.write(made.take(sealed)[1])
    made.stored()


def test_a_quiet_cluster_rests_after_a_while_and_is_what_it_was(tables: Memory) -> None:
    made, site, now = fleet(tables), Site(), START + 6 * HOUR
    fill(made, tables, site)
    assert made.rest(0.0) == []
    assert made.rest(REST_SECONDS - 1) == []
    before = made.judgement(site.arn, now)
    assert made.rest(REST_SECONDS) == []  # somebody looked
    assert made.rest(2 * REST_SECONDS) == [site.arn]
    assert made.arns() == [site.arn]
    assert made.judgement(site.arn, now) == before


def test_what_is_not_stored_yet_does_not_rest(tables: Memory) -> None:
    made, site = fleet(tables), Site()
    for seen in observe(story(site)):
        made.apply(seen)
    assert made.rest(0.0) == made.rest(100.0) == []
    tables.write(made.take(sealed)[1])
    assert made.rest(200.0) == []
    made.stored()
    made.apply(observe(raw([state_change(site, START + 7 * HOUR)]))[0])
    assert made.rest(300.0) == made.rest(400.0) == []
    tables.write(made.take(sealed)[1])
    made.stored()
    assert made.rest(500.0) == [site.arn]


def test_when_memory_is_short_the_longest_unneeded_go_first_and_the_last_one_stays(tables: Memory) -> None:
    made, sites = fleet(tables, cache_bytes=1), [Site(f"site-{number}") for number in range(3)]
    fill(made, tables, *sites)
    for moment, site in enumerate(sites):
        made.judgement(site.arn, START)
        made.rest(float(moment))
    assert set(made._open) == {sites[-1].arn}
    made.judgement(sites[0].arn, START)
    assert made.rest(4.0) == [sites[-1].arn]


class Counting(set[str]):
    """How often it was asked whether something is in it."""

    asked = 0

    def __contains__(self, item: object) -> bool:
        self.asked += 1
        return super().__contains__(item)


def test_clusters_that_are_not_stored_are_not_looked_at_whenever_another_is_judged(tables: Memory) -> None:
    made, sites = fleet(tables, cache_bytes=1), [Site(f"site-{number}") for number in range(30)]
    unstored = made._unstored = Counting()
    for site in sites:
        made.apply(observe(raw([state_change(site, START)]))[0])
    changed = made.take(sealed)[1]
    for moment, site in enumerate(sites):
        made.judgement(site.arn, START + HOUR)
        assert made.rest(float(moment)) == []
    assert unstored.asked <= 3 * len(sites)
    tables.write(changed)
    made.stored()
    assert made.rest(50.0) == [site.arn for site in sites]


def test_a_cluster_that_is_not_known_to_the_table_yet_is_counted_once_it_is_open(tables: Memory) -> None:
    made = fleet(tables)
    assert made.arns() == []
    fill(made, tables, Site())
    assert made.arns() == [Site().arn]
    made.rest(0.0)
    made.rest(100.0)
    assert made.arns() == [Site().arn]


def test_who_looks_at_all_of_them_keeps_none_open_that_was_not(tables: Memory) -> None:
    made, sites, now = fleet(tables), [Site("one"), Site("two")], START + 6 * HOUR
    fill(made, tables, *sites)
    made.rest(0.0)
    kept = [made.judgement(site.arn, now) for site in sites]
    made.rest(100.0)
    made.rest(200.0)
    made.judgement(sites[1].arn, now)
    assert [made.judgement(site.arn, now, passing=True) for site in sites] == kept
    assert made.rest(201.0) == [sites[0].arn]
    assert set(made._open) == {sites[1].arn}
    assert made.rest(202.0) == []
    assert made.arns() == sorted(site.arn for site in sites)


def test_a_packed_picture_is_the_picture(tables: Memory) -> None:
    made, site = fleet(tables), Site()
    fill(made, tables, site)
    shown = made.judgement(site.arn, START + 6 * HOUR).picture
    assert shown.instances
    assert shown.histories
    assert shown.rollouts
    assert any(item.observed for item in shown.instances)
    opened = Shelved(shown).picture()
    assert opened == shown.model_copy(update={"anomalies": ()})
    assert opened.model_dump_json() == shown.model_copy(update={"anomalies": ()}).model_dump_json()


def test_a_picture_from_its_json_is_the_picture(tables: Memory) -> None:
    made, site = fleet(tables), Site()
    fill(made, tables, site)
    shown = made.judgement(site.arn, START + 6 * HOUR).picture
    text = shown.model_dump_json()
    assert Picture.model_validate_json(text) == shown
    assert Picture.model_validate(json.loads(text)).model_dump_json() == text


def test_a_shelf_opens_each_once_for_as_long_as_it_is_asked_for(tables: Memory) -> None:
    made, sites = fleet(tables), [Site("one"), Site("two")]
    fill(made, tables, *sites)
    shown = [Shelved(made.judgement(site.arn, START + MINUTE).picture) for site in sites]
    shelf = Shelf()
    first = shelf.opened(shown)
    assert all(again is before for again, before in zip(shelf.opened(shown), first, strict=True))
    shelf.opened(shown[:1])
    assert shelf.opened(shown)[1] is not first[1]


def test_who_waits_for_the_table_is_not_looked_at_again_and_again(
    tables: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, sites, weighed = fleet(tables, cache_bytes=1), [Site(name=f"c{n}") for n in range(8)], list[object]()

    def weigh(workspace: object) -> int:
        weighed.append(workspace)
        return 1

    monkeypatch.setattr("streams.fleet._weight", weigh)
    for site in sites:
        for seen in observe(story(site)):
            made.apply(seen)
        assert made.rest(0.0) == []
    assert len(weighed) == len(sites)
    tables.write(made.take(sealed)[1])
    assert made.rest(1.0) == []
    made.stored()
    assert len(made.rest(2.0)) == len(sites) - 1, "the one that was needed last stays"
