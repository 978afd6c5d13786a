"""Tables read back: whole fetches into the local store, which is never ahead of what it says it has."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from aiokafka import TopicPartition
from faust.types import TP

from streams.app import _faust_app
from streams.provider import WorkerProvider
from streams.restore import Restorer
from streams.settings import Settings
from streams.tables import RestoreError, Tables
from streams.topics import changelog
from streams.wakefulness import Wakefulness

PARTITION = 1


def settings(folder: Path) -> Settings:
    return Settings(data_dir=folder, partitions=2)


def tables(folder: Path) -> Tables:
    return Tables(_faust_app(settings(folder), "http://127.0.0.1:1"), settings(folder))


def instances(folder: Path) -> TP:
    return TP(changelog(settings(folder), "instances"), PARTITION)


class Kept(NamedTuple):
    """A record of a changelog."""

    offset: int
    key: bytes
    value: bytes | None


class Feeding:
    """Stands for a consumer that gets these records, so many at a time; a commit marker follows them."""

    def __init__(self, part: TopicPartition, records: list[Kept], at_a_time: int) -> None:
        self._part, self._records, self._step = part, records, at_a_time
        self._at = 0
        self.newer: int | None = 0
        """Where what is younger than most of a day begins."""
        self.shares: list[float | None] = []
        self.restorer: Restorer | None = None

    async def start(self) -> None:
        """At once."""

    async def stop(self) -> None:
        """At once."""

    def assign(self, parts: list[TopicPartition]) -> None:
        """The one."""

    def seek(self, part: TopicPartition, offset: int) -> None:
        self._at = offset

    async def end_offsets(self, parts: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {self._part: len(self._records) + 1}

    async def beginning_offsets(self, parts: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {self._part: 0}

    async def offsets_for_times(self, times: dict[TopicPartition, int]) -> dict[TopicPartition, Any]:
        assert [round((time.time() * 1000 - at) / 3_600_000) for at in times.values()] == [20]
        return {self._part: None if self.newer is None else SimpleNamespace(offset=self.newer)}

    async def getmany(self, *parts: TopicPartition, timeout_ms: int) -> dict[TopicPartition, list[Kept]]:
        assert self.restorer is not None
        self.shares.append(self.restorer.share)
        found = self._records[self._at : self._at + self._step]
        self._at += len(found)
        return {self._part: found} if found else {}

    async def position(self, part: TopicPartition) -> int:
        return self._at + (self._at == len(self._records))


def feeding(restorer: Restorer, tp: TP, records: list[Kept], monkeypatch: pytest.MonkeyPatch) -> Feeding:
    consumer = Feeding(TopicPartition(*tp), records, 3)
    consumer.restorer = restorer
    monkeypatch.setattr(restorer, "_consumer", lambda: consumer)
    return consumer


@pytest.fixture
def kept() -> list[Kept]:
    return [Kept(number, b"k%d" % (number % 4), b"v%d" % number) for number in range(9)] + [Kept(9, b"k0", None)]


def test_the_last_record_of_a_key_is_its_row_and_the_offset_goes_with_it(
    tmp_path: Path, kept: list[Kept], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, tp = tables(tmp_path), instances(tmp_path)
    restorer = Restorer(settings(tmp_path), store, lambda *_: None)
    consumer = feeding(restorer, tp, kept, monkeypatch)
    assert asyncio.run(restorer.restore([tp])) == {tp: 11}
    assert dict(store.scan("instances", PARTITION)) == {b"k1": b"v5", b"k2": b"v6", b"k3": b"v7"}
    assert store["instances"].persisted_offset(tp) == 10
    assert [round(share or 0, 2) for share in consumer.shares] == [0, 0.27, 0.55, 0.82]
    assert restorer.share is None


def test_a_second_restore_reads_what_came_since(
    tmp_path: Path, kept: list[Kept], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, tp = tables(tmp_path), instances(tmp_path)
    seen: list[bytes | None] = []
    restorer = Restorer(settings(tmp_path), store, lambda table, key, value: seen.append(key))
    feeding(restorer, tp, kept[:4], monkeypatch)
    asyncio.run(restorer.restore([tp]))
    feeding(restorer, tp, [*kept[:5], Kept(5, b"new", b"v")], monkeypatch)
    asyncio.run(restorer.restore([tp]))
    assert (seen, store.get("instances", PARTITION, b"new")) == ([b"k0", b"k1", b"k2", b"k3", b"new"], b"v")


class Compacted(Feeding):
    """A changelog whose oldest records are gone: offsets are no longer places."""

    async def getmany(self, *parts: TopicPartition, timeout_ms: int) -> dict[TopicPartition, list[Kept]]:
        found = [record for record in self._records if record.offset >= self._at]
        self._at = self._records[-1].offset + 1
        return {self._part: found} if found else {}

    async def position(self, part: TopicPartition) -> int:
        return self._at + 1

    async def end_offsets(self, parts: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {self._part: self._records[-1].offset + 2}


@pytest.mark.parametrize(
    ("newer", "rows"),
    [
        (9, {b"k2": b"v8"}),
        (None, {b"k2": b"v8"}),
        (3, {b"lifted": b"v", b"k2": b"v8"}),
        (5, {b"lifted": b"v", b"k2": b"v8"}),
    ],
    ids=["another worker's too", "all is old", "ours", "the marker of ours"],
)
def test_a_row_that_was_deleted_when_another_worker_had_the_partition_for_days_is_not_there_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, newer: int | None, rows: dict[bytes, bytes]
) -> None:
    """The deletion of `lifted` was compacted away before this worker, which has the row on its disk, came back."""
    store, tp = tables(tmp_path), instances(tmp_path)
    store.load(tp, {b"lifted": b"v"}, 3)
    restorer = Restorer(settings(tmp_path), store, lambda *_: None)
    consumer = Compacted(TopicPartition(*tp), [Kept(8, b"k2", b"v8")], 3)
    consumer.newer = newer
    monkeypatch.setattr(restorer, "_consumer", lambda: consumer)
    assert asyncio.run(restorer.restore([tp])) == {tp: 10}
    assert dict(store.scan("instances", PARTITION)) == rows
    assert store["instances"].persisted_offset(tp) == 9


def test_the_marker_behind_the_last_row_is_no_reason_to_read_all_again(
    tmp_path: Path, kept: list[Kept], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A quiet table's last row is days old."""
    store, tp = tables(tmp_path), instances(tmp_path)
    store.load(tp, {b"k0": b"v"}, 9)
    restorer = Restorer(settings(tmp_path), store, lambda *_: None)
    feeding(restorer, tp, kept, monkeypatch).newer = None
    asyncio.run(restorer.restore([tp]))
    assert dict(store.scan("instances", PARTITION)) == {b"k0": b"v"}


def test_a_record_that_is_none_of_ours_is_named_by_its_place(
    tmp_path: Path, kept: list[Kept], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(table: str, key: bytes | None, value: bytes | None) -> None:
        if value == b"v5":
            raise RestoreError(f"not a row of {table}")

    store, tp = tables(tmp_path), instances(tmp_path)
    restorer = Restorer(settings(tmp_path), store, refuse)
    feeding(restorer, tp, kept, monkeypatch)
    with pytest.raises(RestoreError, match=rf"^{tp.topic}/1 at offset 5: not a row of instances$"):
        asyncio.run(restorer.restore([tp]))
    assert store["instances"].persisted_offset(tp) == 2


KILLED = """
import os, signal, sys
from pathlib import Path
from types import SimpleNamespace
from tests.test_streams.test_restore import instances, tables
folder = Path(sys.argv[1])
store, tp = tables(folder), instances(folder)
store.load(tp, {b"settled": b"1"}, 5)
store.settle([tp])
store.load(tp, {b"k%d" % number: b"x" * 1000 for number in range(int(sys.argv[2]))}, 9)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("rows", [1, 30_000])
def test_killed_while_tables_are_read_back_the_store_has_what_its_offset_says(tmp_path: Path, rows: int) -> None:
    """Few rows are lost with the process, and so is their offset; many are on the disk already, or lost alike."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), str(rows)], check=False, env=env)
    assert done.returncode == -signal.SIGKILL
    store, tp = tables(tmp_path), instances(tmp_path)
    found = {key for key, _ in store.scan("instances", PARTITION)}
    assert b"settled" in found
    assert (store["instances"].persisted_offset(tp), len(found)) in {(5, 1), (9, rows + 1)}


WORKED = """
import os, signal, sys
from pathlib import Path
from tests.test_streams.test_restore import PARTITION, instances, tables
folder = Path(sys.argv[1])
store, tp = tables(folder), instances(folder)
store.load(tp, {b"restored": b"1"}, 5)
store.settle([tp])
store.apply("instances", PARTITION, {b"worked": b"1", b"restored": None}, 7)
store.mark(tp, 8)
if sys.argv[2] == "flushed":
    store.flush(PARTITION)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("ended", "offset", "keys"), [("", 5, {b"restored"}), ("flushed", 8, {b"worked"})])
def test_killed_at_work_the_store_has_what_its_offset_says(
    tmp_path: Path, ended: str, offset: int, keys: set[bytes]
) -> None:
    """What had not come to the disk is read back from the changelog, from the offset that is there."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", WORKED, str(tmp_path), ended], check=False, env=env)
    assert done.returncode == -signal.SIGKILL
    store, tp = tables(tmp_path), instances(tmp_path)
    assert {key for key, _ in store.scan("instances", PARTITION)} == keys
    assert store["instances"].persisted_offset(tp) == offset


def test_what_was_loaded_before_a_restore_was_given_up_is_settled_by_the_next_one(tmp_path: Path) -> None:
    store, tp = tables(tmp_path), instances(tmp_path)
    store.load(tp, {b"a": b"1"}, 0)
    assert _unflushed(store) > 0
    store.settle([TP(tp.topic, 0)])
    assert _unflushed(store) > 0
    store.settle([tp])
    assert _unflushed(store) == 0


def _unflushed(store: Tables) -> int:
    return int(store._db("instances", PARTITION).property_int_value("rocksdb.num-entries-active-mem-table"))


@pytest.mark.parametrize(
    ("share", "said"), [(0.431, "reading tables back from Kafka: 43% so far"), (None, "waiting for partitions")]
)
def test_who_asks_meanwhile_is_told_how_far_it_is(share: float | None, said: str) -> None:
    lanes: Any = SimpleNamespace(raw={}, events={}, all=list, assigned=False, restorer=SimpleNamespace(share=share))
    lanes.wakefulness = Wakefulness(30)
    assert WorkerProvider(lanes).ready().message == said
