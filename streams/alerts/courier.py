"""One sink's work: says what is due, tries again what failed, writes down what was said.

Knows: order (written down, sent, written down), back-off, what has to be said again.
Must not know: how things are sent or kept, how it is found out what is due.

Each sink has a courier of its own: one that is down holds up no other.  Nothing is queued: what is due is found anew
before each message, so that what is over meanwhile is not said.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from streams import logs
from streams.alerts.book import Book, NotNow
from streams.alerts.due import Action, Heard, Message, Page, again, due, heard
from streams.alerts.filters import Filter
from streams.alerts.forms import Form, Refreshed
from streams.alerts.picture import Picture
from streams.alerts.post import Later, Post, Refused, Unheard
from streams.alerts.tally import Tally
from streams.secret_files import BadSecret

LOOK_SECONDS = 5.0
"""What waits for time alone is looked at so often."""
REFRESH_TRIES = 4
"""A refresh that failed is tried again so often within the time that one lasts."""
PORTION = 100
"""Pages in one refresh: a proxy in front of the service may have no larger request (413), and then all of them end."""
REFUSED_SECONDS = 600.0
"""A message that the service will not have is tried again after that; the settings may have been mended over there."""
BACKOFF = wait_random_exponential(multiplier=1, max=60)
Mark = tuple[str, Action, int]
"""Page, action and revision: another revision is another message."""
log = logs.get(__name__)


@dataclass(frozen=True)
class Sink:
    """Who is told, what of, and in which form."""

    name: str
    rule: Filter
    form: Form
    post: Post


@dataclass
class Courier:
    """`run` until `stop`; `wake` says that the picture has changed."""

    sink: Sink
    picture: Picture
    book: Book
    tally: Tally
    patience_ms: int
    clock: Callable[[], float] = time.time
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _refused: dict[Mark, float] = field(default_factory=dict)
    _failures: Counter[Mark] = field(default_factory=Counter)
    _known: tuple[int, Heard] | None = None
    _refresh_at: float = 0.0
    _taken: dict[str, Page | None] = field(default_factory=dict)
    """Pages as the sink took them, while that could not be written down."""
    _stale: Later | None = None
    """Why the last refresh failed."""

    def wake(self) -> None:
        """There may be something to say."""
        self._changed.set()

    def stop(self) -> None:
        """`run` ends after the message that is under way."""
        self._stopping.set()
        self._changed.set()

    async def run(self) -> None:
        """Raises TakenOver, and nothing else."""
        while not self._stopping.is_set():
            if await self.deliver() == 0:
                await self._idle()

    async def drain(self) -> None:
        """Says everything that is due, and ends."""
        await self.deliver()
        while self.due() and not self._stopping.is_set():
            await self.deliver()

    async def deliver(self) -> int:
        """Says the first things that are due; how many.  What fails is tried again until it is done, or `stop`."""
        tries = AsyncRetrying(
            retry=retry_if_exception_type(Later),
            wait=_wait,
            stop=lambda _: self._stopping.is_set(),
            sleep=self._pause,
            before_sleep=self._failed,
            retry_error_callback=lambda _: 0,
        )
        return await tries(self._next)

    def due(self) -> list[Message]:
        """What is to be said, without what was refused a short while ago; what failed comes last, if it is to blame."""
        found = self.left()
        self.tally.pending.labels(self.sink.name).set(len(found))
        self.tally.open.labels(self.sink.name).set(len(self.book.pages(self.sink.name)))
        self._forget({_mark(each) for each in found})
        ready = [each for each in found if self._refused.get(_mark(each), 0.0) <= self.clock()]
        return sorted(ready, key=lambda each: self._failures[_mark(each)])

    def _forget(self, marks: Collection[Mark]) -> None:
        """What became of messages that are not due any more."""
        self._refused = {mark: until for mark, until in self._refused.items() if mark in marks}
        self._failures = Counter({mark: count for mark, count in self._failures.items() if mark in marks})

    def _heard(self) -> Heard:
        if self._known is None or self._known[0] != self.picture.version:
            self._known = self.picture.version, heard(self.picture, self.sink.rule)
        return self._known[1]

    def left(self) -> list[Message]:
        """What is to be said, what was refused too."""
        pages, now_ms = self.book.pages(self.sink.name), round(self.clock() * 1000)
        return due(self.picture, self._heard(), pages, self.sink.rule, now_ms, self.patience_ms)

    async def _next(self) -> int:
        """Everything that is due now, as long as nothing changes; what is open is told again however long it takes."""
        await self._refresh()
        messages, version = self.due(), self.picture.version
        for number, message in enumerate(messages):
            if self._stopping.is_set() or version != self.picture.version:
                return number
            await self._say(message)
            self.tally.pending.labels(self.sink.name).set(len(messages) - number - 1)
            await self._refresh()
        if self._stale is not None:
            raise self._stale
        return len(messages)

    async def _say(self, message: Message) -> None:
        """Written down first: whatever happens then, the page is known."""
        name = self.sink.name
        self._failures[_mark(message)] += 1
        try:
            await self._note(message.key, message.claimed)
            await self._send(message)
            await self._note(message.key, message.after)
        except Refused as error:
            self._refused[_mark(message)] = self.clock() + REFUSED_SECONDS
            self.tally.refused.labels(name).inc()
            log.error("refused", sink=name, action=message.action.value, page=message.key, why=str(error))
            return
        except (NotNow, BadSecret) as error:
            raise Later(str(error)) from error
        del self._taken[message.key]
        self._refused.pop(_mark(message), None)
        del self._failures[_mark(message)]
        self.tally.sent.labels(name, message.action.value).inc()
        kind, severity = message.anomaly.kind.value, message.anomaly.severity.value
        log.info("sent", sink=name, action=message.action.value, page=message.key, kind=kind, severity=severity)

    async def _send(self, message: Message) -> None:
        """A page that cannot have arrived is struck out: its end would be said to whoever never heard of it."""
        try:
            await self.sink.post.send(self.sink.form.request(message, round(self.clock() * 1000)))
        except (Unheard, Refused, BadSecret):
            if message.before is None:
                await self._note(message.key, None)
            raise
        self._taken[message.key] = message.after

    async def _note(self, key: str, page: Page | None) -> None:
        """Written down, however long Kafka takes for it: what is open is told again meanwhile."""
        writing = asyncio.create_task(self.book.write(self.sink.name, key, page))
        try:
            while not (await asyncio.wait([writing], timeout=LOOK_SECONDS))[0]:
                with suppress(Later):
                    await self._refresh()
        finally:
            writing.cancel()
        await writing

    async def _refresh(self) -> None:
        """What the sink has, if it is time.  One that fails holds up nothing else, unless the sink asks to be left."""
        form, now = self.sink.form, self.clock()
        if not isinstance(form, Refreshed) or now < self._refresh_at:
            return
        pages = {**self.book.pages(self.sink.name), **self._taken}
        told = again([page for page in pages.values() if page is not None], self._heard(), self.left())
        self._stale, self._refresh_at = None, now + form.refresh_seconds
        for start in range(0, len(told), PORTION):
            await self._say_again(form, told[start : start + PORTION], now)

    async def _say_again(self, form: Refreshed, told: list[Message], now: float) -> None:
        """One portion; the others do not suffer from it."""
        try:
            await self.sink.post.send(form.refresh(told, round(now * 1000)))
        except Refused as error:
            self.tally.refused.labels(self.sink.name).inc()
            log.error("refused", sink=self.sink.name, action="refresh", why=str(error))
        except (Later, BadSecret) as error:
            self._stale = error if isinstance(error, Later) else Later(str(error))
            self._refresh_at = now + form.refresh_seconds / REFRESH_TRIES
            if self._stale.after:
                raise self._stale from None

    async def _idle(self) -> None:
        await self._pause(LOOK_SECONDS, self._changed)
        self._changed.clear()

    async def _pause(self, seconds: float, until: asyncio.Event | None = None) -> None:
        """Sleep that `stop` ends."""
        try:
            await asyncio.wait_for((until or self._stopping).wait(), seconds)
        except TimeoutError:
            return

    def _failed(self, state: RetryCallState) -> None:
        self.tally.failed.labels(self.sink.name).inc()
        pause = state.next_action.sleep if state.next_action else 0.0
        why = state.outcome.exception() if state.outcome else None
        log.warning("failed, tried again", sink=self.sink.name, why=str(why), tries=state.attempt_number, wait=pause)


def _wait(state: RetryCallState) -> float:
    """Longer with every try, by chance so that many do not come at once; never shorter than the other side asks."""
    error = state.outcome.exception() if state.outcome else None
    return max(BACKOFF(state), error.after if isinstance(error, Later) else 0.0)


def _mark(message: Message) -> Mark:
    return message.key, message.action, message.anomaly.revision
