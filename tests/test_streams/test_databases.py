"""One database for all tables of a partition: each table keeps its own rows, and its own offset."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest

from streams.databases import FLUSH_SECONDS, Databases

TABLES = ("instances", "progress")


def opened(folder: Path, *tables: str) -> Databases:
    return Databases(folder, tables or TABLES)


def rows(databases: Databases, table: str, partition: int = 0) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = dict(databases.table(table, partition).items())
    return found


def test_tables_of_a_partition_share_a_folder_and_no_rows(tmp_path: Path) -> None:
    databases = opened(tmp_path)
    databases.write("instances", 0, {b"a": b"1", b"b": b"2"}, 7)
    databases.write("progress", 0, {b"a": b"other"}, 3)
    databases.write("instances", 1, {b"a": b"elsewhere"}, 0)
    assert rows(databases, "instances") == {b"a": b"1", b"b": b"2", b"__faust\0offset__": b"7"}
    assert rows(databases, "progress") == {b"a": b"other", b"__faust\0offset__": b"3"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["partition-0.db", "partition-1.db"]


def test_a_null_deletes_and_the_offset_goes_on(tmp_path: Path) -> None:
    databases = opened(tmp_path)
    databases.write("instances", 0, {b"a": b"1"}, 1)
    databases.write("instances", 0, {b"a": None}, 2)
    assert rows(databases, "instances") == {b"__faust\0offset__": b"2"}


def test_a_table_that_is_cleared_leaves_the_others_as_they_are(tmp_path: Path) -> None:
    databases = opened(tmp_path)
    for table in TABLES:
        databases.write(table, 0, {b"a": b"1", b"\xff\xff": b"foreign"}, 7)
    databases.clear("instances", 0)
    assert (rows(databases, "instances"), len(rows(databases, "progress"))) == ({}, 3)
    databases.write("instances", 0, {b"a": b"2"}, 8)
    databases.flush(0)
    databases.let_go()
    assert rows(opened(tmp_path), "instances") == {b"a": b"2", b"__faust\0offset__": b"8"}


def test_what_is_on_the_disk_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    first = opened(tmp_path)
    first.write("instances", 0, {b"a": b"1"}, 7)
    first.flush(0)
    first.let_go()
    assert rows(opened(tmp_path), "instances") == {b"a": b"1", b"__faust\0offset__": b"7"}


def test_closed_in_order_it_has_everything_on_the_disk(tmp_path: Path) -> None:
    first = opened(tmp_path)
    first.write("instances", 0, {b"a": b"1"}, 7)
    first.let_go()
    assert rows(opened(tmp_path), "instances")[b"a"] == b"1"


def test_a_table_that_ends_leaves_the_database_open_for_those_that_do_not_yet(tmp_path: Path) -> None:
    """Told to end while tables are being read back, others are asked for once more; RocksDB opens nothing twice."""
    databases = opened(tmp_path)
    progress = databases.table("progress", 0)
    databases.leave("instances")
    databases.write("instances", 0, {b"a": b"1"}, 7)
    databases.leave("progress")
    del progress
    assert rows(opened(tmp_path), "instances")[b"a"] == b"1"


def test_a_little_that_is_written_now_and_then_is_on_the_disk_within_hours(tmp_path: Path) -> None:
    """A deletion stays in Kafka for a day, and nobody is to need it there any longer."""
    now = [0.0]
    databases = Databases(tmp_path, TABLES, clock=lambda: now[0])
    databases.write("progress", 0, {b"a": b"1"}, 1)
    for hour in range(3):
        now[0] = hour * FLUSH_SECONDS
        databases.write("instances", 0, {b"row": b"%d" % hour, b"gone": None}, hour)
    left = [waiting(databases, name) for name in TABLES]
    assert left == [0, 0]


def waiting(databases: Databases, name: str) -> int:
    table: Any = databases.table(name, 0)
    return int(table.property_int_value("rocksdb.num-entries-active-mem-table"))


def test_blocks_that_were_read_are_let_go_of_and_read_again(tmp_path: Path) -> None:
    databases = opened(tmp_path)
    databases.write("instances", 0, {b"%03d" % number: bytes(500) for number in range(200)}, 7)
    databases.flush(0)
    before = rows(databases, "instances")
    assert databases._cache.get_usage() > 50_000
    databases.forget()
    assert databases._cache.get_usage() < 5_000
    assert rows(databases, "instances") == before
    assert databases._cache.get_usage() > 50_000


def test_tables_of_another_generation_stay_where_they_are(tmp_path: Path) -> None:
    first = opened(tmp_path)
    first.write("instances", 0, {b"a": b"1"}, 7)
    first.let_go()
    second = opened(tmp_path, "new-instances", "progress")
    second.write("new-instances", 0, {b"a": b"2"}, 1)
    second.let_go()
    assert rows(opened(tmp_path), "instances") == {b"a": b"1", b"__faust\0offset__": b"7"}


def test_what_an_earlier_version_kept_of_a_partition_goes_and_nothing_else(tmp_path: Path) -> None:
    for name in ("instances-0.db", "instances-1.db", "others-0.db"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "CURRENT").touch()
    opened(tmp_path).table("instances", 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["instances-1.db", "others-0.db", "partition-0.db"]


def test_a_database_whose_making_was_cut_short_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "partition-0.db").mkdir()
    (tmp_path / "partition-0.db" / "LOCK").touch()
    databases = opened(tmp_path)
    databases.write("instances", 0, {b"a": b"1"}, 7)
    assert rows(databases, "instances")[b"a"] == b"1"


def test_it_stays_open_as_long_as_somebody_uses_it(tmp_path: Path) -> None:
    databases = opened(tmp_path)
    table = databases.table("instances", 0)
    databases.let_go()
    gc.collect()
    assert table.get(b"a") is None
    with pytest.raises(Exception, match="lock"):
        opened(tmp_path).table("instances", 0)
    del table
    gc.collect()
    assert opened(tmp_path).table("instances", 0).get(b"a") is None
