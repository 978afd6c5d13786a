"""The HTTP side of the worker as a service of its own in Faust's loop, so that it answers before recovery ends.

Knows: uvicorn, and how it starts and stops inside another program's loop.
Must not know: routes.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from mode import Service

from streams import logs
from streams.patience import HEAD, Patient
from streams.settings import StartError

log = logs.get(__name__)
STOP_SECONDS = 2.0


class HttpError(StartError):
    """The port cannot be listened on; the message says what to do."""


class _Server(uvicorn.Server):
    """Signals are the worker's; uvicorn must not take them."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Http(Service):
    """`api` is any ASGI application; port 0 takes any free one, `port` then says which."""

    mundane_level = "debug"

    def __init__(self, api: object, host: str, port: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._socket = _listen(host, port)
        self.host, self.port = host, int(self._socket.getsockname()[1])
        config = uvicorn.Config(
            api,  # type: ignore[arg-type]
            http=Patient,
            ws="none",
            h11_max_incomplete_event_size=HEAD,
            proxy_headers=False,  # whoever can set X-Forwarded-For could be any client it likes
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=int(STOP_SECONDS),
            server_header=False,
        )
        self._server = _Server(config)
        self._serving: asyncio.Task[None] | None = None

    async def on_start(self) -> None:
        """Answer from now on."""
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._socket]), name="http")
        log.info("http listening", host=self.host, port=self.port)

    async def on_stop(self) -> None:
        """Let running requests end, but not for long."""
        self._server.should_exit = True
        if self._serving is not None:
            await asyncio.wait([self._serving], timeout=2 * STOP_SECONDS)
        self._socket.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise HttpError(f"Port {port} of {host} cannot be used: {error.strerror}. Name another with --port.") from error
    return listener
