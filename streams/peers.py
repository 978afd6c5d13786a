"""The other workers of the group: where they are, by Faust's assignment, and how they are asked.

Knows: Faust's assignor, aiohttp.
Must not know: what is asked, what an answer means.

Every member tells the assignor its address, and every member gets to know all of them with each assignment.  Whoever
may join the consumer group can so say where questions, and the token in them, go: a worker that speaks HTTPS asks
others by nothing else, and checks who they are.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import aiohttp
from yarl import URL

from streams.settings import Settings
from streams.web.peers import Members, Reply, Unreachable

if TYPE_CHECKING:
    from streams.app import App

CONNECT_SECONDS = 2.0
CONNECTIONS = 16
"""To one worker at a time; what is more waits."""
LARGEST = 256 * 1024 * 1024
"""Bytes of an answer: a page of 5,000 instances with full histories has some 170 MB."""
CHUNK = 256 * 1024


class FleetPeers:
    """Neither proxies nor netrc of the environment are used, and no redirect is followed."""

    def __init__(self, app: App, settings: Settings, tls: ssl.SSLContext) -> None:
        self._app, self._settings, self._tls = app, settings, tls
        self._session: aiohttp.ClientSession | None = None

    def members(self) -> Members:
        """By the last assignment."""
        assignor: Any = self._app.assignor  # the type that Faust gives it lacks this method
        spread: Mapping[str, Mapping[str, Any]] = assignor.external_topics_metadata()
        own = str(self._app.conf.canonical_url)
        events = self._settings.events_topic
        return Members(
            self._settings.partitions,
            {
                address: frozenset(topics.get(events, ()))
                for address, topics in spread.items()
                if address != own and any(topics.values())
            },
        )

    async def ask(self, address: str, target: str, headers: Mapping[str, str], seconds: float) -> Reply:
        """GET `target` of the worker at `address`.  Raises Unreachable."""
        if self._settings.http_tls_certificate_file is not None and not address.startswith("https:"):
            raise Unreachable(f"{address} is not asked: this worker speaks https only, and so must the others")
        url = URL(address.rstrip("/") + target, encoded=True)
        limits = aiohttp.ClientTimeout(total=seconds, sock_connect=CONNECT_SECONDS)
        try:
            async with self._open().get(url, headers=headers, timeout=limits, allow_redirects=False) as response:
                return Reply(response.status, await _body(response))
        except TimeoutError:
            raise Unreachable(f"no answer from {address} within {seconds:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unreachable(f"no answer from {address}: {_why(error)}") from None

    async def close(self) -> None:
        """Close what is open."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open(self) -> aiohttp.ClientSession:
        """Made when it is first needed, in the loop that uses it."""
        if self._session is None:
            token = self._settings.http_token
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, limit_per_host=CONNECTIONS, ssl=self._tls),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"Authorization": f"Bearer {token.get_secret_value()}"} if token else {},
                trust_env=False,
            )
        return self._session


def _why(error: Exception) -> str:
    """Without aiohttp's own words, which speak of its options."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return str(error.certificate_error)
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error.strerror or str(error.os_error)
    return str(error) or type(error).__name__


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """All of it.  ValueError where it is larger than any answer can be."""
    chunks, size = list[bytes](), 0
    async for chunk in response.content.iter_chunked(CHUNK):
        size += len(chunk)
        if size > LARGEST:
            raise ValueError(f"the answer is larger than {LARGEST} bytes")
        chunks.append(chunk)
    return b"".join(chunks)
