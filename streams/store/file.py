"""The store's file: opened, or made anew where it cannot be read; rows and positions written together.

Knows: DuckDB, what may be wrong with a file.
Must not know: Kafka's client, HTTP.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import orjson

from streams import logs
from streams.store.tables import TABLES, VERSION, creation, forgetting, insertion, pruning

log = logs.get(__name__)
NAME = "store.duckdb"
CONFIG: Mapping[str, Any] = {
    "enable_external_access": False,
    "python_enable_replacements": False,
    "autoload_known_extensions": False,
    "autoinstall_known_extensions": False,
    "threads": 1,
    "memory_limit": "512MB",
    "max_temp_directory_size": "2GB",
}
SOUND = ("could not set lock", "permission denied", "no space left", "too many open files")
"""Words of failures for which the file itself is not to blame."""

Place = tuple[str, int]
Taken = tuple[int, int, bytes]
"""Partition, offset and value of a record."""


class Store:
    """One open file.  Written by one thread; others ask by cursors of their own."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, topics: Mapping[str, str]) -> None:
        self._connection, self._topics = connection, topics

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection for one question."""
        return self._connection.cursor()

    def positions(self, places: Collection[Place], incarnations: Mapping[str, str]) -> dict[Place, int]:
        """Where to read on.  What a topic that was made anew had told before is forgotten."""
        rows = self._connection.execute("SELECT topic, part, incarnation, next FROM internal.positions").fetchall()
        known = {(topic, part): (incarnation, following) for topic, part, incarnation, following in rows}
        for topic, part in places:
            incarnation, _ = known.get((topic, part), (None, 0))
            if incarnation not in (None, incarnations[topic]):
                self._forget(topic, part)
                del known[topic, part]
        return {place: known[place][1] if place in known else 0 for place in places}

    def _forget(self, topic: str, part: int) -> None:
        log.warning("store starts a partition anew: its topic was made anew", topic=topic, partition=part)
        with self._transaction():
            self._connection.execute("DELETE FROM internal.positions WHERE topic = ? AND part = ?", [topic, part])
            for table in (table for table in TABLES if self._topics[table.name] == topic):
                self._connection.execute(forgetting(table), [part])

    def put(
        self,
        records: Mapping[str, Sequence[Taken]],
        following: Mapping[Place, int],
        incarnations: Mapping[str, str],
    ) -> None:
        """Records by the name of their table, and where to read on, or nothing of it."""
        with self._transaction():
            for table in TABLES:
                if taken := records.get(table.name):
                    self._connection.execute(insertion(table), [_document(taken)])
            rows = [[topic, part, incarnations[topic], offset] for (topic, part), offset in following.items()]
            if rows:
                self._connection.executemany("INSERT OR REPLACE INTO internal.positions VALUES (?, ?, ?, ?)", rows)

    def prune(self, before: datetime) -> None:
        """Forget what is older."""
        with self._transaction():
            for table in TABLES:
                self._connection.execute(pruning(table), [before])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            with suppress(duckdb.Error):  # the first failure is the one to tell
                self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def _document(taken: Sequence[Taken]) -> str:
    rows = [{"p": part, "o": offset, "v": value.decode(errors="replace")} for part, offset, value in taken]
    return orjson.dumps(rows).decode()


@contextmanager
def opened(path: Path, topics: Mapping[str, str]) -> Iterator[Store]:
    """The store in that file; `topics` names each table's topic.  A file that cannot be read is laid aside."""
    try:
        connection = _connected(path)
    except duckdb.Error as error:
        if any(word in str(error).lower() for word in SOUND):
            raise
        aside = _aside(path)
        log.warning("store cannot be read and is filled again", laid_aside=str(aside), error=type(error).__name__)
        connection = _connected(path)
    try:
        yield Store(connection, topics)
    finally:
        connection.close()


def _connected(path: Path) -> duckdb.DuckDBPyConnection:
    """Raises duckdb.Error where it is none of ours, or of another version."""
    connection = duckdb.connect(str(path), config=dict(CONFIG))
    try:
        connection.execute("SET GLOBAL TimeZone = 'UTC'")
        connection.execute("SET GLOBAL lock_configuration = true")
        counted = connection.execute("SELECT count(*) FROM duckdb_tables()").fetchone()
        if counted == (0,):
            connection.execute("BEGIN")
            for statement in creation():
                connection.execute(statement)
            connection.execute("COMMIT")
        if connection.execute("SELECT version FROM internal.about").fetchall() != [(VERSION,)]:
            raise duckdb.InvalidInputException("a store of another version")
    except BaseException:
        connection.close()
        raise
    return connection


def _aside(path: Path) -> Path:
    """The file under another name, with what belongs to it; one such file is kept."""
    aside = path.with_name(f"{path.name}.unreadable")
    for suffix in ("", ".wal"):
        own, other = path.with_name(path.name + suffix), aside.with_name(aside.name + suffix)
        other.unlink(missing_ok=True)
        if own.exists():
            own.rename(other)
    return aside
