"""Fills the store from Kafka, as a bystander: in a thread of its own, and never at the worker's cost.

Knows: the topics, a reader, when to rest.
Must not know: lanes, HTTP, what records mean.

Whatever fails here is logged and tried again: the worker goes on without its store.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import duckdb

from models.public import iso
from streams import logs
from streams.reader import Reader, Step, reader
from streams.settings import PlainError, Settings
from streams.store.file import NAME, Place, Store, Taken, opened
from streams.store.query import BadQuery, ask
from streams.store.tables import TABLES
from streams.topics import incarnations
from streams.web.sql import NotYet, Refused, SqlAnswer, SqlColumn

log = logs.get(__name__)
LOOK_SECONDS = 1.0
RETRY_SECONDS = 5.0
BATCH = 2000
SHARE = 4.0
"""After each batch, rest so many times as long as it took of the processor: the lanes work meanwhile."""
REST_SECONDS = 2.0
PRUNE_SECONDS = 3600.0


class Filler:
    """Runs in whatever thread calls `run`, until `stop`; questions may come from any other."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tables = {table.name: str(getattr(settings, table.topic)) for table in TABLES}
        self._names = {topic: name for name, topic in self._tables.items()}
        self._incarnations: Mapping[str, str] = {}
        self._stopping = threading.Event()
        self._using = threading.Lock()
        """Held while a question is answered: the file is not closed under it."""
        self._store: Store | None = None
        self._as_of: str | None = None
        self._lag = 0

    def stop(self) -> None:
        """Let `run` end."""
        self._stopping.set()

    def run(self) -> None:
        """Fill until stopped."""
        while not self._stopping.is_set():
            try:
                with opened(self._settings.data_dir / NAME, self._tables) as store:
                    self._work(store)
            except duckdb.Error as error:
                log.warning("store cannot be used now", error=str(error))
            except Exception as error:  # noqa: BLE001 - the worker must go on whatever this is
                log.error("store stopped and is tried again", error=logs.place(error))
            self._stopping.wait(RETRY_SECONDS)

    def _work(self, store: Store) -> None:
        self._store = store
        try:
            while not self._stopping.is_set():
                try:
                    with reader(self._settings) as source:
                        self._follow(store, source)
                except PlainError as error:
                    log.warning("store waits for Kafka", error=str(error))
                    self._stopping.wait(RETRY_SECONDS)
        finally:
            with self._using:
                self._store, self._as_of = None, None

    def _follow(self, store: Store, source: Reader) -> None:
        """Until something is wrong: topics may be made anew while the worker runs, and are looked at again then."""
        self._incarnations = incarnations(self._settings, self._names)
        places = [(topic, part) for topic in self._names for part in source.partitions(topic)]
        following, pruned, looked = store.positions(places, self._incarnations), float("-inf"), False
        while not self._stopping.is_set():
            asked = round(time.time() * 1000)
            for step in self._steps(source, following, looked=looked):
                self._take(store, step)
                following.update(step.following)
            if self._stopping.is_set():
                return
            self._as_of, self._lag, looked = iso(asked), 0, True
            if time.monotonic() - pruned > PRUNE_SECONDS:
                store.prune(datetime.now(UTC).replace(tzinfo=None) - timedelta(days=self._settings.store_days))
                pruned = time.monotonic()
            self._stopping.wait(LOOK_SECONDS)

    def _steps(self, source: Reader, following: Mapping[Place, int], *, looked: bool) -> Iterator[Step]:
        """The thread's own processor time of reading and of writing, both followed by rest.

        What ends before what was read of it is begun again where the topic was `looked` at before, and is the same.
        """
        spent = time.thread_time()
        for step in source.follow(following, BATCH, strict=looked):
            self._lag = step.lag
            yield step
            if self._stopping.wait(min(REST_SECONDS, SHARE * (time.thread_time() - spent))):
                return
            spent = time.thread_time()

    def _take(self, store: Store, step: Step) -> None:
        records: dict[str, list[Taken]] = {name: [] for name in self._tables}
        for record in step.records:
            if record.value is not None:
                records[self._names[record.topic]].append((record.partition, record.offset, record.value))
        if step.records:
            store.put(records, step.following, self._incarnations)

    def sql(self, query: str) -> SqlAnswer:
        """Raises Refused or NotYet.  One question at a time."""
        with self._using:
            store, as_of, lag = self._store, self._as_of, self._lag
            if store is None:
                raise NotYet("the store's file is being opened")
            try:
                found = ask(store, query)
            except BadQuery as error:
                raise Refused(str(error)) from None
        columns = tuple(SqlColumn(name=name, type=kind) for name, kind in found.columns)
        return SqlAnswer(columns=columns, items=found.items, cut=found.cut, oldest=found.oldest, as_of=as_of, lag=lag)
