"""What each sink was told, kept in a compacted topic: one record for every page that is open, or may be.

Knows: the topic's records, in which order pages are written down and sent, who may write.
Must not know: services, what is to be said.

A page is written down before it is sent and struck out once its end was sent, so that whatever ends the process, no
page is forgotten.  Whoever opens the book fences out everybody before (`streams.transaction`): an older process finds
that it was taken over before it sends anything.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import orjson
from aiokafka.errors import KafkaError
from pydantic import ValidationError

from models.public_anomaly import Anomaly
from streams import logs
from streams.alerts.due import Action, Page
from streams.connection import NoKafka
from streams.reader import reader
from streams.settings import PlainError, Settings
from streams.transaction import Record, TransactionLost, Transactions

OWNER = b"/owner"
"""The key of the record that says whose book it is; sinks' names have no slash."""
Pages = dict[str, dict[str, Page]]
log = logs.get(__name__)


class TakenOver(PlainError):
    """Another process speaks now."""


class NotNow(Exception):
    """Kafka cannot be written to now; nothing was."""


class Book(Protocol):
    """What couriers need of it."""

    def pages(self, sink: str) -> Mapping[str, Page]:
        """The pages of a sink, by key."""
        ...

    async def write(self, sink: str, key: str, page: Page | None) -> None:
        """Writes a page down, or strikes it out.  Raises NotNow and TakenOver."""
        ...

    async def hold(self) -> None:
        """Finds out whether the book is still ours.  Raises NotNow and TakenOver."""
        ...


class Notes:
    """A book in memory: of a dry run, and of tests."""

    def __init__(self, known: Pages | None = None) -> None:
        self._pages: Pages = {} if known is None else known

    def pages(self, sink: str) -> Mapping[str, Page]:
        """The pages of a sink, by key."""
        return self._pages.setdefault(sink, {})

    async def write(self, sink: str, key: str, page: Page | None) -> None:
        """Writes a page down, or strikes it out."""
        self.put(sink, key, page)

    async def hold(self) -> None:
        """It always is."""

    def counts(self) -> dict[str, int]:
        """How many pages each sink has."""
        return {sink: len(pages) for sink, pages in self._pages.items()}

    def put(self, sink: str, key: str, page: Page | None) -> None:
        """The same, at once."""
        pages = self._pages.setdefault(sink, {})
        if page is None:
            pages.pop(key, None)
        else:
            pages[key] = page


class TopicBook:
    """The book on its topic; made by `open_book`."""

    def __init__(self, settings: Settings, pages: Pages, owner: str, writer: Transactions) -> None:
        self._settings, self._notes, self._owner, self._writer = settings, Notes(pages), owner, writer
        self._turn = asyncio.Lock()

    def pages(self, sink: str) -> Mapping[str, Page]:
        """The pages of a sink, by key."""
        return self._notes.pages(sink)

    def counts(self) -> dict[str, int]:
        """How many pages each sink has, those that are in no settings any more too."""
        return self._notes.counts()

    async def write(self, sink: str, key: str, page: Page | None) -> None:
        """One transaction.  Raises NotNow and TakenOver."""
        await self._commit(Record(self._settings.alerts_topic, 0, name_of(sink, key), dump(sink, page)))
        self._notes.put(sink, key, page)

    async def hold(self) -> None:
        """Finds out whether the book is still ours.  Raises NotNow and TakenOver."""
        await self._commit(_owned(self._settings, self._owner))

    async def close(self) -> None:
        """Give it up."""
        await self._writer.close()

    async def _commit(self, record: Record) -> None:
        async with self._turn:
            try:
                await self._writer.write([record], {})
            except TransactionLost:
                await self._again(record)

    async def _again(self, record: Record) -> None:
        """Kafka was away, or another process took over; the owner's record tells which."""
        try:
            await self._writer.claim()  # first: whoever takes over after that, voids it again
            _, owner = await asyncio.to_thread(read, self._settings)
            if owner != self._owner:
                raise TakenOver("Another `hyperpod-state alerts run` has taken over; only one may speak.")
            await self._writer.write([record], {})
        except (NoKafka, TransactionLost, KafkaError) as error:
            raise NotNow(f"the topic {self._settings.alerts_topic} cannot be written to: {error}") from error


async def open_book(settings: Settings) -> TopicBook:
    """Takes the book over from whoever has it, and reads it.  NoKafka where that is not possible."""
    writer, owner = Transactions(settings, f"{settings.app_id}-alerts"), uuid.uuid4().hex
    try:
        await writer.claim()
        await writer.write([_owned(settings, owner)], {})
        pages, _ = await asyncio.to_thread(read, settings)
    except (KafkaError, TransactionLost) as error:
        await writer.close()
        raise NoKafka(f"The topic {settings.alerts_topic} at {settings.brokers} cannot be used: {error}") from error
    except BaseException:
        await writer.close()
        raise
    return TopicBook(settings, pages, owner, writer)


def read(settings: Settings) -> tuple[Pages, str | None]:
    """All pages by sink, and whose the book is.  NoKafka where that is not possible."""
    with reader(settings) as asked:
        return parse((record.key, record.value) for record in asked.records(settings.alerts_topic))


def parse(records: Iterable[tuple[bytes | None, bytes | None]]) -> tuple[Pages, str | None]:
    """The same, of records in their order.  What is none of ours is named in the log and left alone."""
    pages: Pages = {}
    owner: str | None = None
    last = {key: value for key, value in records if key is not None}
    for key, value in last.items():
        if value is None:
            continue
        try:
            told = orjson.loads(value)
            if key == OWNER:
                owner = told["owner"]
                continue
            anomaly, began_ms = Anomaly.model_validate(told["anomaly"]), int(told.get("began_ms", 0))
            page = Page(told["key"], anomaly, _tried(told), began_ms, told.get("goal"))
            pages.setdefault(told["sink"], {})[page.key] = page
        except (ValueError, LookupError, TypeError, ValidationError):
            log.warning("a record of the alerts topic cannot be understood", key=key.decode(errors="backslashreplace"))
    return pages, owner


def name_of(sink: str, key: str) -> bytes:
    """The key of a record."""
    return f"{sink}/{key}".encode()


def dump(sink: str, page: Page | None) -> bytes | None:
    """A record's value; evidence is left out, as it can be long and nobody is told of it."""
    if page is None:
        return None
    told: dict[str, Any] = page.anomaly.model_copy(update={"evidence": ()}).model_dump(mode="json")
    state = {"sure": page.sure, "tried": page.tried, "began_ms": page.began_ms, "goal": page.goal}
    return orjson.dumps({"schema_version": "1", "sink": sink, "key": page.key, **state, "anomaly": told})


def _tried(told: Mapping[str, Any]) -> Action | None:
    """Records of earlier versions do not say what was under way: it is said as if the sink had not heard of it."""
    tried = told.get("tried", None if told["sure"] else Action.OPEN)
    return None if tried is None else Action(tried)


def _owned(settings: Settings, owner: str) -> Record:
    return Record(settings.alerts_topic, 0, OWNER, orjson.dumps({"schema_version": "1", "owner": owner}))
