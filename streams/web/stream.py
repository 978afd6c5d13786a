"""The route that tells a browser when something changed, as server-sent events: no page has to ask all the time.

Knows: how often the fleet is asked, how many may watch and for how long, the form of an event.
Must not know: what a summary says, who watches.

Whoever watches holds a connection for minutes, so these have a bound of their own and take none of the places in which
questions are answered (`streams.web.bounds`).  However many watch, the fleet is asked once a second, less often where
it takes long to answer: all wait for the same answer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import StreamingResponse

from streams.web.answers import ApiError
from streams.web.fleet import SUMMARY, Summaries
from streams.web.lookup import PREFIX, OneQuery

STREAM = f"{PREFIX}/stream"
MOST = 100
"""Streams at once; a browser has one, however many tabs are open."""
BEAT_SECONDS = 1.0
SILENT_SECONDS = 10.0
"""Something is sent at least so often, so that a broken connection shows on both sides."""
LIFE_SECONDS = 600.0
"""A browser connects again after it: streams spread over workers that come, and nothing is held for ever."""
TYPE = "text/event-stream"


@dataclass(frozen=True)
class Beat:
    """The newest answer: a summary with its digest, or why there is none."""

    body: bytes
    digest: str | None


class Pulse:
    """Asks no more than once in a while, for all who watch."""

    def __init__(
        self,
        ask: Callable[[], Awaitable[Beat]],
        *,
        seconds: float = BEAT_SECONDS,
        life: float = LIFE_SECONDS,
        most: int = MOST,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask, self.seconds, self.life, self.most, self._clock = ask, seconds, life, most, clock
        self._asked: asyncio.Task[Beat] | None = None
        self._answered = 0.0
        self.watching = 0

    async def now(self) -> Beat | None:
        """The newest answer; None where it takes so long that something else has to be sent."""
        asked = self._asked
        if asked is None or (asked.done() and self._clock() - self._answered >= self.seconds):
            asked = self._asked = asyncio.create_task(self._once())
        await asyncio.wait({asked}, timeout=SILENT_SECONDS)  # who leaves meanwhile takes nothing from the others
        return asked.result() if asked.done() else None

    async def _once(self) -> Beat:
        try:
            return await self._ask()
        finally:
            self._answered = self._clock()  # not when it was asked: a slow answer would be old as soon as it is there

    async def told(self, seen: str | None) -> AsyncIterator[bytes]:
        """Events for one who has `seen` that digest last."""
        began = heard = self._clock()
        last: bytes | None = None
        self.watching += 1
        try:
            yield b"retry: 2000\n\n"
            while self._clock() - began < self.life:
                beat = await self.now()
                if beat is not None and beat.body != last:
                    yield _event(beat, seen)
                    last, heard = beat.body, self._clock()
                    seen = seen if beat.digest is None else beat.digest
                elif beat is None or self._clock() - heard >= SILENT_SECONDS:
                    yield b": still here\n\n"
                    heard = self._clock()
                if beat is not None:
                    await asyncio.sleep(self.seconds)
        finally:
            self.watching -= 1


def stream_route(routes: APIRouter, summaries: Summaries) -> None:
    """Adds `/stream`."""
    pulse = Pulse(lambda: _asked(summaries))

    @routes.get("/stream", response_class=StreamingResponse, responses={200: {"content": {TYPE: _SCHEMA}}})
    async def stream(
        last_event_id: Annotated[str | None, Header(description="The digest that was told last.")] = None,
    ) -> Response:
        """The summary, again whenever it changed: `changed` where pages may have, `fresh` where only time went by,
        `trouble` (an error's body) where there is none.  Ids are digests: with `Last-Event-ID` what was missed is
        told by one `changed`."""
        if pulse.watching >= pulse.most:
            hint = "ask for /api/v1/summary now and then instead"
            raise ApiError(503, "busy", f"{pulse.most} streams are open", hint)
        return StreamingResponse(pulse.told(last_event_id), media_type=TYPE)


_SCHEMA: dict[str, Any] = {"schema": {"type": "string"}}


def _event(beat: Beat, seen: str | None) -> bytes:
    if beat.digest is None:
        return b"event: trouble\ndata: " + beat.body + b"\n\n"
    name = "fresh" if beat.digest == seen else "changed"
    return f"event: {name}\nid: {beat.digest}\ndata: ".encode() + beat.body + b"\n\n"


async def _asked(summaries: Summaries) -> Beat:
    try:
        answer = await summaries.answer(_question(), OneQuery(stale="ok"))
    except ApiError as error:
        return Beat(msgspec.json.encode({"error": error.problem.model_dump(mode="json")}), None)
    body = bytes(answer.body)
    return Beat(body, msgspec.json.decode(body)["item"]["digest"])


def _question() -> Request:
    """What the other workers are asked on behalf of all who watch."""
    path = f"{PREFIX}{SUMMARY}"
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "headers": []}
    return Request({**scope, "query_string": b"stale=ok"})
