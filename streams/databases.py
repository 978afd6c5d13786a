"""The local databases of a worker: one RocksDB for each partition, whose column families are its tables.

Knows: RocksDB's options, where Faust's store opens a database and lets go of it.
Must not know: which tables there are, what a row means, changelogs.

Faust has a database for each partition of each table.  To open one takes five writes that wait for the disk, and the
whole process waits with them: with a handful of tables that was most of a restart.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from faust.stores import rocksdb
from faust.types import TP
from rocksdict import BlockBasedOptions, Cache, DBCompressionType, Options, Rdict, WriteBatch, WriteOptions

MIB = 1 << 20
BUFFERS: dict[str, Any] = {"write_buffer_size": 8 * MIB, "max_write_buffer_number": 2}
"""Of each table.  RocksDB as Faust configures it takes three of 64 MB, and gigabytes of cache."""
CACHE = 64 * MIB
"""For blocks of all tables together."""
FLUSH_SECONDS = 3600.0
"""After so long all of a partition is on the disk, however little it is.  Kafka keeps a deletion for a day: one that a
kill took from here after that would not be read back, and its row be there again."""
BLOCK = 16 << 10
"""A row with a dozen events is larger than RocksDB's own blocks, and says much the same as the one beside it."""
_END = b"\xff" * 64
"""Behind every key: they are text."""
_UNLOGGED: Any = WriteOptions()
_UNLOGGED.disable_wal = True


class Packed(rocksdb.RocksDBOptions):
    """Faust's options, and what it has none for: rows are JSON, of which a tenth is left when it is packed."""

    cache: Cache | None = None

    def as_options(self) -> Options:
        """For a table; files that were written otherwise are read all the same."""
        options: Options = super().as_options()
        blocks = BlockBasedOptions()
        blocks.set_block_size(BLOCK)
        blocks.set_bloom_filter(self.bloom_filter_size, block_based=False)
        blocks.set_block_cache(self.cache or Cache(CACHE))
        options.set_block_based_table_factory(blocks)
        options.set_compression_type(DBCompressionType.zstd())
        return options


class Databases:
    """Those of one worker, in `folder`.  What was opened stays open: the folder is nobody else's."""

    def __init__(self, folder: Path, tables: Iterable[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._tables, self._clock = folder, tuple(tables), clock
        self._used = set(self._tables)
        self._open: dict[int, Rdict] = {}
        self._due: dict[int, float] = {}
        self._options, self._cache = Packed(**BUFFERS), Cache(CACHE)
        self._options.cache = self._cache

    def path(self, partition: int) -> Path:
        """The folder of a partition."""
        return self._folder / f"partition-{partition}.db"

    def table(self, name: str, partition: int) -> Rdict:
        """One table of a partition, opened where it is not."""
        return self._opened(partition).get_column_family(name)

    def write(self, name: str, partition: int, rows: Mapping[bytes, bytes | None], offset: int) -> None:
        """Rows and the changelog's offset that goes with them, all or nothing; a null value deletes.

        Past the store's own log, so that it is written once.  Should the process end before it is on the disk, the
        table has what is there by then, and the offset that goes with it.  Nothing may ever be written with that log:
        after a kill it would be found without what was written before it.
        """
        database = self._opened(partition)
        batch, family = WriteBatch(raw_mode=True), database.get_column_family_handle(name)
        for key, value in rows.items():
            if value is None:
                batch.delete(key, family)
            else:
                batch.put(key, value, family)
        batch.put(rocksdb.Store.offset_key, b"%d" % offset, family)
        database.write(batch, _UNLOGGED)
        if self._clock() >= self._due[partition]:
            self.flush(partition, wait=False)

    def clear(self, name: str, partition: int) -> None:
        """Delete all rows of a table and its offset, all or nothing."""
        database = self._opened(partition)
        batch = WriteBatch(raw_mode=True)
        batch.delete_range(b"", _END, database.get_column_family_handle(name))
        database.write(batch, _UNLOGGED)

    def forget(self) -> None:
        """Let go of blocks that were read."""
        self._cache.set_capacity(0)
        self._cache.set_capacity(CACHE)

    def flush(self, partition: int, *, wait: bool = True) -> None:
        """Bring all of a partition to the disk."""
        database = self._opened(partition)
        self._due[partition] = self._clock() + FLUSH_SECONDS
        for name in self._tables:
            database.get_column_family(name).flush(wait)

    def leave(self, name: str) -> None:
        """A table is used no more.  Nothing is closed before the last one: who opens it meanwhile finds it open."""
        self._used.discard(name)
        if not self._used:
            self.let_go()

    def let_go(self) -> None:
        """Close what nobody uses any more."""
        self._open.clear()

    def _opened(self, partition: int) -> Rdict:
        if partition not in self._open:
            self._open[partition] = self._made(partition)
            self._due[partition] = self._clock() + FLUSH_SECONDS
            self._clear_away(partition)
        return self._open[partition]

    def _made(self, partition: int) -> Rdict:
        """RocksDB wants to be told of all tables that are there, those of other generations too."""
        path = str(self.path(partition))
        there = Rdict.list_cf(path) if (self.path(partition) / "CURRENT").exists() else []
        options = self._options.as_options()
        options.create_missing_column_families(True)
        return Rdict(path, options, {name: self._options.as_options() for name in {*there, *self._tables}})

    def _clear_away(self, partition: int) -> None:
        """What versions up to 0.1 kept of this partition, a folder for each table: it was read back from Kafka."""
        for name in self._tables:
            shutil.rmtree(self._folder / f"{name}-{partition}.db", ignore_errors=True)


class Store(rocksdb.Store):
    """Faust's store of one table, on those databases."""

    databases: Databases

    def partition_path(self, partition: int) -> Path:
        """The folder that it shares with the other tables."""
        return self.databases.path(partition)

    def apply_changelog_batch(self, batch: Iterable[Any], to_key: Any, to_value: Any) -> None:
        """As Faust would write what it reads back itself, which it never has to here."""
        del to_key, to_value
        for event in batch:
            self.databases.write(
                self.table_name, event.message.partition, {event.message.key: event.message.value}, event.message.offset
            )

    def set_persisted_offset(self, tp: TP, offset: int) -> None:
        """The offset alone."""
        self.databases.write(self.table_name, tp.partition, {}, offset)

    def revoke_partitions(self, table: Any, tps: set[TP]) -> None:
        """Without Faust's collection of garbage: it goes through all rows in memory, once for each table."""
        for tp in tps:
            if tp.topic in table.changelog_topic.topics:
                self._dbs.pop(tp.partition, None)

    async def stop(self) -> None:
        """As above."""
        self._dbs.clear()
        self.databases.leave(self.table_name)

    def _open_for_partition(self, partition: int) -> Any:
        return self.databases.table(self.table_name, partition)


def give(table: Any, databases: Databases) -> None:
    """Have a table of Faust's kept in these; before it asks for a store of its own."""
    named = {name: getattr(table, name) for name in ("key_type", "value_type", "key_serializer", "value_serializer")}
    store = Store("rocksdb://", table.app, table, table_name=table.name, loop=table.loop, **named)
    store.databases = databases
    table._data = store
