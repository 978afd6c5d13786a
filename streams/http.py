"""The HTTP side of the worker as a service of its own in Faust's loop, so that it answers before recovery ends.

Knows: uvicorn, and how it starts and stops inside another program's loop; TLS connections.
Must not know: routes, who may ask what.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
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


class _Protocol(Patient):
    """Tells the application what uvicorn keeps to itself: whether the client has shown a certificate.

    It was checked before, in the handshake.  The form is that of ASGI's TLS extension, as far as it is needed.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        shown = transport.get_extra_info("peercert")
        if transport.get_extra_info("sslcontext") is not None:
            self.app = _with_extension(self.app, {"client_cert_name": _name(shown) if shown else None})


def _with_extension(app: Any, told: dict[str, str | None]) -> Any:
    async def call(scope: Any, receive: Any, send: Any) -> None:
        extensions = {**scope.get("extensions", {}), "tls": told}
        await app({**scope, "extensions": extensions}, receive, send)

    return call


def _name(certificate: dict[str, Any]) -> str:
    """The subject, such as `commonName=worker-1`."""
    return ",".join(f"{key}={value}" for part in certificate.get("subject", ()) for key, value in part)


class Http(Service):
    """`api` is any ASGI application, `listener` what `listen` gave; with `tls` nothing but HTTPS is spoken."""

    mundane_level = "debug"

    def __init__(self, api: object, listener: socket.socket, tls: ssl.SSLContext | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._socket = listener
        self.host, self.port = listener.getsockname()[:2]
        config = uvicorn.Config(
            api,  # type: ignore[arg-type]
            http=_Protocol,
            ws="none",
            h11_max_incomplete_event_size=HEAD,
            proxy_headers=False,  # whoever can set X-Forwarded-For could be any client it likes
            ssl_context_factory=None if tls is None else lambda *_: tls,
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


def listen(host: str, port: int) -> socket.socket:
    """A socket at this address; port 0 takes any free one.  HttpError where it is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # TCP named outright, else asyncio leaves Nagle's algorithm on: an answer on a kept connection took 40 ms more.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise HttpError(f"Port {port} of {host} cannot be used: {error.strerror}. Name another with --port.") from error
    return listener
