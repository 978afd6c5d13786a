"""Rows that cannot be read end the worker: they are never taken for rows that are not there, nor blamed on an event."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.fold import Limits
from models.rows import FOLD_VERSION
from streams import codecs
from streams.agents.events import EventsLane
from streams.app import _faust_app
from streams.codecs import Origin
from streams.fleet import Fleet
from streams.lane import Cadence, Lane
from streams.message import Message
from streams.settings import Settings
from streams.tables import NAMES, RestoreError, Tables
from tests.builders import HOUR, START, Node, Site, provisioned, raw, state_change
from tests.oracle import observe
from tests.test_streams.test_resting import Memory, fill

SITE = Site()
BAD = codecs.wrap(FOLD_VERSION, "inc", 1, b'{"v":"x","checkpoint":7}')


class Stored(Memory):
    """As a lane needs them; `broken` is what the store says when rows of a cluster are read."""

    broken: RestoreError | None = None

    def get(self, table: str, partition: int, key: bytes) -> bytes | None:
        return self.rows.get(table, {}).get(key)

    def flush(self, partition: int) -> None:
        """Nothing to do."""

    def scan(self, table: str, partition: int, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        if prefix and self.broken is not None:
            raise self.broken
        return super().scan(table, partition, prefix)


def at_rest() -> tuple[Stored, EventsLane]:
    """A lane that has folded and written a cluster, and let it go."""

    async def recover(_: Lane) -> None:
        raise AssertionError("nothing is lost here")

    tables: Any = Stored()
    lane = EventsLane("events", 0, tables, None, Cadence(1, 1, 1), recover)  # type: ignore[arg-type]
    lane.settings, lane.incarnation, lane.goal = Settings(raw_partitions=1), "inc", 0
    lane.load()
    fill(lane.fleet, tables, SITE)
    lane.fleet.rest(0.0)
    assert lane.fleet.rest(100.0) == [SITE.arn]
    return tables, lane


def instances(tables: Tables, count: int) -> None:
    """So many rows in the local store, on the disk."""
    rows = {b"cluster|%06d" % number: hashlib.sha512(b"%d" % number).digest() for number in range(count)}
    tables.apply("instances", 0, rows, count)
    tables.flush(0)


def damage(folder: Path) -> None:
    """A block in the middle of the largest file of the store goes bad."""
    largest = max(folder.rglob("*.sst"), key=lambda path: path.stat().st_size)
    data = bytearray(largest.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 16] = b"\xff" * 16
    largest.write_bytes(data)


def opened(folder: Path) -> Tables:
    settings = Settings(data_dir=folder, partitions=1)
    return Tables(_faust_app(settings, "http://127.0.0.1:1"), settings)


def closed(tables: Tables) -> None:
    for name in NAMES:
        asyncio.run(tables[name].data.stop())


def test_a_bad_block_of_the_local_store_is_an_error_that_says_what_to_delete(tmp_path: Path) -> None:
    tables = opened(tmp_path)
    instances(tables, 5_000)
    closed(tables)
    damage(tmp_path)
    again = opened(tmp_path)
    place = again["instances"].data.partition_path(0)
    with pytest.raises(RestoreError, match="local table instances, partition 0, cannot be read: Corruption") as refusal:
        list(again.scan("instances", 0, b"cluster"))
    assert f"delete {place} while" in str(refusal.value)
    assert place.is_dir()
    with pytest.raises(RestoreError, match="partition 0, cannot be read"):
        [again.get("instances", 0, b"cluster|%06d" % number) for number in range(5_000)]


def test_a_cluster_of_which_a_row_cannot_be_read_is_never_open_in_part() -> None:
    tables: Any = Memory()
    made = Fleet(tables, 0, Limits())
    fill(made, tables, SITE)
    made.rest(0.0)
    made.rest(100.0)
    key = sorted(tables.rows["instances"])[1]
    tables.rows["instances"][key] = BAD
    (event,) = observe(raw([state_change(SITE, START + 8 * HOUR)]))
    for _ in range(2):
        with pytest.raises(RestoreError, match=r"^Table instances, partition 0: the row .* cannot be read"):
            made.judgement(SITE.arn, START + 6 * HOUR)
        with pytest.raises(RestoreError, match="rebuild --tables NAME"):
            made.apply(event)
    assert made.is_quiet
    assert made.rest(200.0) == []
    assert made.take(lambda row: row)[1].rows == ()


def test_an_event_is_not_buried_for_a_store_that_cannot_be_read() -> None:
    tables, lane = at_rest()
    tables.broken = RestoreError("told to")
    (seen,) = observe(raw([state_change(SITE, START + 8 * HOUR, status="Failed")]))
    assert not lane._fold(Message(0, codecs.forwarded(Origin("inc", 0, 0, 0), START, seen, {}), None))
    assert not lane.open
    with pytest.raises(RestoreError, match="told to"):  # by whoever writes: an agent that raises is begun anew by Faust
        lane._reload()
    assert lane.poison == {}


def test_a_judgement_over_a_store_that_cannot_be_read_ends_the_worker() -> None:
    tables, lane = at_rest()
    lane.fold(Message(0, codecs.tick(0, START + 9 * HOUR), None))
    lane.next = 1
    tables.broken = RestoreError("told to")
    with pytest.raises(RestoreError, match="told to"):
        lane.cut()


def test_an_event_that_cannot_be_folded_is_still_buried(monkeypatch: pytest.MonkeyPatch) -> None:
    _, lane = at_rest()
    (seen, *_) = observe(raw(provisioned(Node(SITE, "workers", "i-1"), START)))

    def fail(*_: Any) -> None:
        raise ValueError("a fault of ours")

    monkeypatch.setattr(lane.fleet, "apply", fail)
    assert not lane._fold(Message(7, codecs.forwarded(Origin("inc", 0, 0, 0), START, seen, {}), None))
    assert list(lane.poison) == [7]
