"""The tables of the worker: Faust's, each with its changelog topic and one RocksDB per partition.

Knows: table names, how rows get into the local store and out of it by prefix.
Must not know: what a row means, transactions.

Rows reach the local store only after the transaction that wrote them to the changelog is committed, with the offset
they have there: so the store is always a prefix of the changelog, and what is missing is read back from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import faust
from faust.stores.rocksdb import RocksDBOptions
from faust.types import TP
from rocksdict import BlockBasedOptions, Cache, DBCompressionType, Options, WriteBatch, WriteOptions

from streams import topics
from streams.settings import PlainError, Settings

NAMES = (*topics.TABLES, topics.RAW_TABLE, topics.SILENCES_TABLE)
MIB = 1 << 20
STORE: dict[str, Any] = {"write_buffer_size": 8 * MIB, "max_write_buffer_number": 2, "block_cache_size": 16 * MIB}
"""RocksDB as Faust configures it takes gigabytes: two of cache and three buffers of 64 MB for each partition."""
BLOCK = 16 << 10
"""A row with a dozen events is larger than RocksDB's own blocks, and says much the same as the one beside it."""


_UNLOGGED: Any = WriteOptions()
_UNLOGGED.disable_wal = True


class RestoreError(PlainError):
    """A table cannot be read, or read back; the message names it and what to do.  The worker must not go on."""


@dataclass(frozen=True, slots=True)
class Change:
    """A record of a changelog, in the shape that Faust's stores take."""

    tp: TP
    offset: int
    key: bytes
    value: bytes | None

    @property
    def message(self) -> Change:
        """Faust asks for event.message."""
        return self

    @property
    def partition(self) -> int:
        """Faust asks for message.partition."""
        return self.tp.partition


class Packed(RocksDBOptions):
    """Faust's options, and what it has none for: rows are JSON, of which a tenth is left when it is packed."""

    def as_options(self) -> Options:
        """For the database; files that were written otherwise are read all the same."""
        options: Options = super().as_options()
        blocks = BlockBasedOptions()
        blocks.set_block_size(BLOCK)
        blocks.set_bloom_filter(self.bloom_filter_size, block_based=False)
        blocks.set_block_cache(Cache(self.block_cache_size))
        options.set_block_based_table_factory(blocks)
        options.set_compression_type(DBCompressionType.zstd())
        return options


class Tables:
    """All tables of one app."""

    def __init__(self, app: faust.App, settings: Settings) -> None:
        self._tables = {name: self._declare(app, settings, name) for name in NAMES}
        self._unsettled: set[TP] = set()

    def __getitem__(self, name: str) -> Any:
        return self._tables[name]

    def by_changelog(self) -> dict[str, Any]:
        """Changelog topic to table."""
        return {table.changelog_topic_name: table for table in self._tables.values()}

    def name_of(self, changelog: str) -> str:
        """The table of a changelog, by our name for it."""
        return next(name for name, table in self._tables.items() if table.changelog_topic_name == changelog)

    def apply(self, table: str, partition: int, rows: Iterable[tuple[bytes, bytes | None, int]]) -> None:
        """Put (key, value, changelog offset) into the local store; a null value deletes."""
        found = self._tables[table]
        tp = TP(found.changelog_topic_name, partition)
        found.apply_changelog_batch([Change(tp, offset, key, value) for key, value, offset in rows])

    def load(self, tp: TP, rows: Mapping[bytes, bytes | None], offset: int) -> None:
        """Put what was read back of a changelog, up to `offset`, into the local store; a null value deletes.

        All of it is one write, past the store's own log, so that it is written once; `settle` must follow before
        anything else is written there.  Should the process end before, the store has what is on the disk by then, and
        the offset that goes with it.
        """
        name, batch = self.name_of(tp.topic), WriteBatch(raw_mode=True)
        for key, value in rows.items():
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        batch.put(self._tables[name].data.offset_key, str(offset).encode())
        self._unsettled.add(tp)
        self._db(name, tp.partition).write(batch, _UNLOGGED)

    def settle(self, tps: Iterable[TP]) -> None:
        """Bring to the disk what was loaded of these changelogs."""
        for tp in self._unsettled.intersection(tps):
            self._db(self.name_of(tp.topic), tp.partition).flush()
            self._unsettled.discard(tp)

    def flush(self, partition: int) -> None:
        """Bring a partition that has become quiet to the disk: packed, and without a log, which takes far more."""
        for name in topics.TABLES:
            self._db(name, partition).flush()

    def get(self, table: str, partition: int, key: bytes) -> bytes | None:
        """One value as it is stored.  Raises RestoreError where the store is damaged."""
        try:
            return cast("bytes | None", self._db(table, partition).get(key))
        except Exception as error:
            raise self._damaged(table, partition, error) from error

    def scan(self, table: str, partition: int, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """All (key, value) whose key begins so, in key order.  Raises RestoreError where the store is damaged."""
        store, rows = self._tables[table].data, self._db(table, partition).iter()
        rows.seek(prefix)
        while rows.valid():
            key = cast("bytes", rows.key())
            if not key.startswith(prefix):
                return
            if key != store.offset_key:
                yield key, cast("bytes", rows.value())
            rows.next()
        try:
            rows.status()  # an iterator that meets an error ends as if there were no more rows
        except Exception as error:
            raise self._damaged(table, partition, error) from error

    def _damaged(self, table: str, partition: int, error: Exception) -> RestoreError:
        place = self._tables[table].data.partition_path(partition)
        return RestoreError(
            f"The local table {table}, partition {partition}, cannot be read: {error}. Look at the disk, then delete "
            f"{place} while the worker is stopped: it is read back from its changelog."
        )

    def _db(self, table: str, partition: int) -> Any:
        return self._tables[table].data._db_for_partition(partition)

    @staticmethod
    def _declare(app: faust.App, settings: Settings, name: str) -> Any:
        others = {topics.RAW_TABLE: settings.raw_partitions, topics.SILENCES_TABLE: 1}
        partitions = others.get(name, settings.partitions)
        name = topics.faust_name(settings, name)
        table: Any = app.Table(name, key_type=bytes, value_type=bytes, partitions=partitions, options=dict(STORE))
        table.data.rocksdb_options = Packed(**STORE)
        return table
