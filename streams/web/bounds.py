"""How much may be asked: sizes, how often, how much at once.

Knows: bytes, counts, clients' addresses.
Must not know: routes, tokens, why a token is wrong.

Probes are never counted and never put off: whoever watches over the process must not take a busy worker for a dead one.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from streams import logs
from streams.addresses import is_loopback
from streams.web.answers import Problem
from streams.web.asgi import Asgi, Layer, Message, Receive, Refusal, Scope, Send, header, refuse
from streams.web.auth import OPEN
from streams.web.page import is_shell
from streams.web.rates import Rates, client_of
from streams.web.share import HEADER as SHARE
from streams.web.share import HOLDINGS
from streams.web.stream import STREAM

TARGET = 16_384
"""Bytes of path and query."""
BODY = 262_144
AT_ONCE = 100
"""Requests that are worked on."""
GUESSES, GUESSES_PER_SECOND = 20, 1.0
"""Wrong tokens that one client may send at once, and in the long run."""
TELL_SECONDS = 60.0
log = logs.get(__name__)


class ShortTarget(Layer):
    """Path and query are bounded."""

    def check(self, scope: Scope) -> None:
        """414 where they are longer."""
        if len(scope.get("raw_path") or b"") + len(scope.get("query_string", b"")) > TARGET:
            hint = "ask several times, with fewer names each"
            message = f"path and query are longer than {TARGET} bytes"
            raise Refusal(414, Problem(code="too_long", message=message, hint=hint))


class SmallBody(Layer):
    """The body is read before the routes see the request, and no more of it than may be."""

    async def pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """413 for a larger one."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._inner(scope, receive, send)
            return
        message = f"the body is larger than {BODY} bytes"
        large = Refusal(413, Problem(code="too_large", message=message, hint="send a shorter query"))
        said = header(scope, b"content-length") or "0"
        body = b"" if said.isdecimal() and len(said) < 10 and int(said) <= BODY else None
        more = body is not None
        while body is not None and more:
            part = await receive()
            if part["type"] != "http.request":
                return  # the client has gone
            body, more = body + part.get("body", b""), part.get("more_body", False)
            body = body if len(body) <= BODY else None
        if body is None:
            await refuse(large, scope, receive, send)
        else:
            await self._inner(scope, _replayed(body, receive), send)


def _replayed(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


class NotTooOften(Layer):
    """Each client that is not on this machine has its rate, and so has each worker for what it asks for its own."""

    def __init__(self, inner: Asgi, rates: Rates, of_workers: Rates) -> None:
        super().__init__(inner)
        self._rates, self._of_workers = rates, of_workers

    def check(self, scope: Scope) -> None:
        """429 for a client that is over it."""
        client = client_of(scope.get("client"))
        if scope["path"] in OPEN or is_loopback(client):
            return
        rates = self._of_workers if _of_a_worker(scope) else self._rates
        if wait := rates.wait(client):
            raise too_often("this client asks too often", wait)
        rates.take(client)


def _of_a_worker(scope: Scope) -> bool:
    """Whether another worker asks for its own clients, each of which it has counted.

    Anybody who was let in can say so, therefore it only moves the question into other bounds, out of none.
    """
    return scope["path"] == HOLDINGS or header(scope, SHARE.lower().encode()) is not None


class FewGuesses(Layer):
    """Around whatever checks tokens: a client that was wrong too often is not even listened to for a while.

    Who sends no token guesses none: a dashboard that is opened without one puts off nobody behind the same address.
    """

    def __init__(self, inner: Asgi, rates: Rates | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(inner)
        self._rates = Rates(GUESSES_PER_SECOND, GUESSES, clock) if rates is None else rates
        self._clock, self._told = clock, -TELL_SECONDS

    def check(self, scope: Scope) -> None:
        """429 for such a client."""
        client = client_of(scope.get("client"))
        if scope["path"] in OPEN or is_shell(scope) or not (wait := self._rates.wait(client)):
            return
        if self._clock() - self._told >= TELL_SECONDS:
            self._told = self._clock()
            log.warning("http client sends wrong tokens", client=client)
        raise too_often("this client sent too many wrong tokens", wait)

    async def pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Counts tokens that are answered with 401."""
        if scope["type"] != "http" or header(scope, b"authorization") is None:
            await self._inner(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 401:
                self._rates.take(client_of(scope.get("client")))
            await send(message)

        await self._inner(scope, receive, sending)


class FewAtOnce(Layer):
    """What is worked on at once is bounded, whoever asks.

    Streams are not among them: they last, and have a bound of their own.

    Workers have their own places: two that are full of clients would wait for each other otherwise, and refuse both.
    """

    def __init__(self, inner: Asgi, most: int = AT_ONCE) -> None:
        super().__init__(inner)
        self._most = most
        self._now = {True: 0, False: 0}

    def check(self, scope: Scope) -> None:
        """503 beyond it."""
        if scope["path"] == STREAM:
            return
        if self._now[_of_a_worker(scope)] >= self._most and scope["path"] not in OPEN:
            message = f"{self._most} requests are being answered"
            raise Refusal(503, Problem(code="busy", message=message, hint="ask again in a few seconds"))

    async def pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Counts it while it lasts."""
        if scope["path"] == STREAM:
            await self._inner(scope, receive, send)
            return
        place = _of_a_worker(scope)
        self._now[place] += 1
        try:
            await self._inner(scope, receive, send)
        finally:
            self._now[place] -= 1


def too_often(message: str, wait: float) -> Refusal:
    """429, with the seconds to wait."""
    seconds = str(max(1, math.ceil(wait)))
    hint = f"ask again in {seconds} s"
    return Refusal(429, Problem(code="too_often", message=message, hint=hint), {"Retry-After": seconds})
