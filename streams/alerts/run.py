"""`alerts run`: everything put together, from start to end.

Knows: the order of starting and stopping, signals.
Must not know: what is said to whom.
"""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from streams import logs, topics
from streams.alerts.book import Book, Notes, NotNow, TopicBook, open_book, read
from streams.alerts.config import Config
from streams.alerts.courier import Courier, Sink
from streams.alerts.dry import dry
from streams.alerts.feed import Feed
from streams.alerts.forms import form
from streams.alerts.picture import Picture, Taken
from streams.alerts.post import HttpPost
from streams.alerts.tally import Tally
from streams.alerts.words import Links
from streams.secret_files import BadSecret
from streams.settings import PlainError, Settings

HOLD_SECONDS = 20.0
"""How often it is found out whether another process has taken over."""
LINE_SECONDS = 60.0
STOP_SECONDS = 15.0
"""For the message that is under way."""
log = logs.get(__name__)


@dataclass(frozen=True)
class Options:
    """Beside the settings."""

    once: bool = False
    metrics_port: int | None = None
    metrics_host: str = "127.0.0.1"
    show: Callable[[dict[str, Any]], None] | None = None
    """A dry run: gets what would be sent, and nothing is."""


def sinks(config: Config) -> list[Sink]:
    """Ready to send; every secret and every URL was looked at.  Raises PlainError."""
    links = Links(config.link, config.docs)
    made = []
    for each in config.sinks:
        try:
            each.target()
            for name in each.secrets:
                each.secret(name)
        except BadSecret as error:
            raise PlainError(str(error)) from None
        made.append(Sink(each.name, each.filter, form(each, links), HttpPost(each)))
    return made


def run(settings: Settings, config: Config, options: Options) -> bool:
    """Until SIGTERM or Ctrl-C; False where `once` left something unsaid.  Raises PlainError."""
    logs.setup(settings.log_level, settings.log_format)
    ready = sinks(config)
    if options.show is not None:
        ready = [dry(each, options.show) for each in ready]
    else:
        topics.prepare_alerts(settings)
    return asyncio.run(_run(settings, ready, options))


async def _run(settings: Settings, ready: Sequence[Sink], options: Options) -> bool:
    tally = Tally([each.name for each in ready])
    if options.metrics_port is not None:
        tally.serve(options.metrics_host, options.metrics_port)
    async with _book(settings, options) as book:
        _strangers(book, ready)
        desk = Desk(settings, book, ready, tally)
        try:
            await desk.read_all()
            if options.once:
                return await desk.once()
            await desk.work()
            return True
        finally:
            for each in ready:
                await each.post.close()
            tally.log()


@asynccontextmanager
async def _book(settings: Settings, options: Options) -> AsyncIterator[TopicBook | Notes]:
    if options.show is not None:
        yield Notes((await asyncio.to_thread(read, settings))[0])
        return
    book = await open_book(settings)
    try:
        yield book
    finally:
        await book.close()


def _strangers(book: TopicBook | Notes, ready: Sequence[Sink]) -> None:
    """Pages of sinks that are not in the settings stay as they are, and are spoken of."""
    for name, count in book.counts().items():
        if name not in [each.name for each in ready]:
            log.warning("a sink is not in the settings any more: its pages stay open", sink=name, open=count)


@dataclass
class Desk:
    """Picture, book and couriers of one process."""

    settings: Settings
    book: Book
    ready: Sequence[Sink]
    tally: Tally
    picture: Picture = field(default_factory=Picture)
    couriers: list[Courier] = field(default_factory=list)

    def __post_init__(self) -> None:
        patience = round(max(60.0, 2 * self.settings.settle_seconds) * 1000)
        self.couriers = [Courier(each, self.picture, self.book, self.tally, patience) for each in self.ready]

    async def read_all(self) -> None:
        """Nothing is said before all of the topic is known: half of it would close pages, and open others."""
        loop = asyncio.get_running_loop()
        self._feed = Feed(self.settings, lambda found, whole: _hand(loop, self.take, found, whole))
        self.take(await asyncio.to_thread(self._feed.once))

    def take(self, found: list[Taken], whole: bool = True) -> None:
        """Records of the topic, up to its end; not `whole`: of some of its partitions."""
        strange = [each.key for each in found if not self.picture.take(each)]
        if strange:
            log.warning("records that cannot be understood are left out", count=len(strange), first=strange[0])
        if whole:
            self.tally.last.set(time.time())
        if found:
            for courier in self.couriers:
                courier.wake()

    async def once(self) -> bool:
        """Says what is due, tries again what fails, and ends when every sink knows all of it, but what it refuses."""
        with _signals(self._stop):
            await self._together([each.drain() for each in self.couriers])
        return not any(each.left() for each in self.couriers)

    async def work(self) -> None:
        """Until a signal, or until another process takes over."""
        log.info("working", sinks=[each.name for each in self.ready], open=len(list(self.picture.opened())))
        beside = [self._listen(), self._hold(), self._lines()]
        with _signals(self._stop):
            await self._together([each.run() for each in self.couriers], beside)

    async def _together(
        self, work: Sequence[Coroutine[Any, Any, None]], beside: Sequence[Coroutine[Any, Any, None]] = ()
    ) -> None:
        """What failed is raised, once messages that are under way have had their time."""
        own, others = [asyncio.create_task(each) for each in work], [asyncio.create_task(each) for each in beside]
        tasks = [*own, *others]
        try:
            while not any(each.done() and _failed(each) for each in tasks) and not all(each.done() for each in own):
                await asyncio.wait([each for each in tasks if not each.done()], return_when=asyncio.FIRST_COMPLETED)
            self._stop()
            await asyncio.wait(own, timeout=STOP_SECONDS)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in tasks:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def _listen(self) -> None:
        """The feed in a thread of its own, which may hang in Kafka's client when all else has ended."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()

        def follow() -> None:
            try:
                self._feed.run()
            except BaseException as error:  # noqa: BLE001 - raised in the loop: nobody may go on deaf
                _hand(loop, ended.set_exception, error)

        threading.Thread(target=follow, name="feed", daemon=True).start()
        try:
            await ended
        finally:
            self._feed.stop()

    def _stop(self) -> None:
        for courier in self.couriers:
            courier.stop()

    async def _hold(self) -> None:
        """Whoever believes to be in charge goes on telling an Alertmanager what is open: so ask."""
        while True:
            await asyncio.sleep(HOLD_SECONDS)
            with suppress(NotNow):
                await self.book.hold()

    async def _lines(self) -> None:
        while True:
            await asyncio.sleep(LINE_SECONDS)
            self.tally.log()


def _failed(task: asyncio.Task[None]) -> bool:
    return task.cancelled() or task.exception() is not None


def _hand(loop: asyncio.AbstractEventLoop, take: Callable[..., Any], *found: Any) -> None:
    """From the thread to the loop, which may have ended."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(take, *found)


@contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """SIGTERM and Ctrl-C end the work in order."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
