"""The tables of the worker: Faust's, each with its changelog topic, in the local database of each partition.

Knows: table names, how rows get into the local store and out of it by prefix.
Must not know: what a row means, transactions, how a database lies on the disk (`streams.databases`).

Rows reach the local store only after the transaction that wrote them to the changelog is committed, with the offset
they have there: so the store is always a prefix of the changelog, and what is missing is read back from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import faust
from faust.types import TP

from streams import databases, topics
from streams.databases import Databases
from streams.settings import PlainError, Settings

NAMES = (*topics.TABLES, topics.RAW_TABLE, topics.SILENCES_TABLE)


class RestoreError(PlainError):
    """A table cannot be read, or read back; the message names it and what to do.  The worker must not go on."""


class Tables:
    """All tables of one app."""

    def __init__(self, app: faust.App, settings: Settings) -> None:
        self._databases = Databases(app.conf.tabledir, (topics.faust_name(settings, name) for name in NAMES))
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

    def apply(self, table: str, partition: int, rows: Mapping[bytes, bytes | None], offset: int) -> None:
        """Put what was written to the changelog, up to `offset`, into the local store; a null value deletes."""
        self._databases.write(self._tables[table].name, partition, rows, offset)

    def load(self, tp: TP, rows: Mapping[bytes, bytes | None], offset: int) -> None:
        """The same of what was read back of a changelog, up to `offset`: one write for each fetch."""
        self._unsettled.add(tp)
        self.apply(self.name_of(tp.topic), tp.partition, rows, offset)

    def mark(self, tp: TP, offset: int) -> None:
        """Note that nothing is missing up to `offset`."""
        self.apply(self.name_of(tp.topic), tp.partition, {}, offset)

    def clear(self, tp: TP) -> None:
        """Forget all of a changelog that is here, and how far it was read."""
        self._unsettled.add(tp)
        self._databases.clear(self._tables[self.name_of(tp.topic)].name, tp.partition)

    def settle(self, tps: Iterable[TP]) -> None:
        """Bring to the disk what was loaded of these changelogs; in whichever thread, others go on meanwhile."""
        for tp in self._unsettled.intersection(tps):
            self._unsettled.discard(tp)
            self._db(self.name_of(tp.topic), tp.partition).flush()

    def flush(self, partition: int) -> None:
        """Bring a partition that has become quiet to the disk."""
        self._databases.flush(partition)

    def forget(self) -> None:
        """Let go of what is in memory only to be read again sooner."""
        self._databases.forget()

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
        place = self._databases.path(partition)
        return RestoreError(
            f"The local table {table}, partition {partition}, cannot be read: {error}. Look at the disk, then delete "
            f"{place} while the worker is stopped: it is read back from Kafka."
        )

    def _db(self, table: str, partition: int) -> Any:
        return self._tables[table].data._db_for_partition(partition)

    def _declare(self, app: faust.App, settings: Settings, name: str) -> Any:
        others = {topics.RAW_TABLE: settings.raw_partitions, topics.SILENCES_TABLE: 1}
        partitions = others.get(name, settings.partitions)
        name = topics.faust_name(settings, name)
        table: Any = app.Table(name, key_type=bytes, value_type=bytes, partitions=partitions)
        databases.give(table, self._databases)
        return table
