"""Connections that take too long, or are too many, are closed: uvicorn itself waits for a request without end.

Knows: uvicorn's HTTP/1.1 protocol, and that streams have no end of their own.
Must not know: requests' contents.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from streams.web.answers import ErrorAnswer, Problem
from streams.web.headers import with_security
from streams.web.stream import STREAM

REQUEST_SECONDS = 20.0
"""For a request to arrive, head and body, since the connection or the last answer."""
READ_SECONDS = 30.0
"""For a client to take what waits for it."""
MOST = 500
"""Connections at once."""
HEAD = 32_768
"""Bytes of a request's head."""


class Patient(H11Protocol):
    """uvicorn's protocol with an end to its patience."""

    request_seconds = REQUEST_SECONDS
    read_seconds = READ_SECONDS
    most = MOST
    _arriving: asyncio.TimerHandle | None = None
    _taking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """The clock of the first request runs; one connection too many is dropped."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            transport.abort()
        self._watch()

    def data_received(self, data: bytes) -> None:
        """The clock runs on until the request is whole."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """The clock of the next request."""
        super().on_response_complete()
        self._arrived()
        self._watch()

    def shutdown(self) -> None:
        """The worker stops: whoever only listens is let go at once, an answer under way is waited for."""
        super().shutdown()
        if self.cycle is not None and not self.cycle.response_complete and self.scope["path"] == STREAM:
            self.transport.close()

    def pause_writing(self) -> None:
        """The client does not keep up."""
        super().pause_writing()
        self._taking = self._taking or self.loop.call_later(self.read_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        self._took()

    def connection_lost(self, exc: Exception | None) -> None:
        """No clock outlives its connection."""
        self._arrived()
        self._took()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """In our shape, with our headers; where an answer has begun there is nothing to say."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            hint = f"send HTTP/1.1, with a head of at most {HEAD} bytes"
            body = ErrorAnswer(error=Problem(code="bad_request", message=msg, hint=hint)).model_dump_json().encode()
            given = [(b"content-type", b"application/json"), (b"connection", b"close")]
            size = (b"content-length", str(len(body)).encode())
            parts: tuple[Any, ...] = (
                h11.Response(status_code=400, headers=with_security([*given, size]), reason=b"Bad Request"),
                h11.Data(data=body),
                h11.EndOfMessage(),
            )
            self.transport.write(b"".join(self.conn.send(part) or b"" for part in parts))
        self.transport.close()

    def timeout_keep_alive_handler(self) -> None:
        """Closing waits for what is still to be sent; that has an end as well."""
        super().timeout_keep_alive_handler()
        self.loop.call_later(self.read_seconds, self.transport.abort)

    def _watch(self) -> None:
        """A request arrives while the other side is idle or sends a body."""
        arriving = self.conn.their_state in (h11.IDLE, h11.SEND_BODY) and not self.transport.is_closing()
        if not arriving:
            self._arrived()
        elif self._arriving is None:
            self._arriving = self.loop.call_later(self.request_seconds, self.transport.abort)

    def _arrived(self) -> None:
        if self._arriving is not None:
            self._arriving.cancel()
            self._arriving = None

    def _took(self) -> None:
        if self._taking is not None:
            self._taking.cancel()
            self._taking = None
