"""One POST, and what its answer means: taken, not now, or never.

Knows: aiohttp, statuses, Retry-After.
Must not know: services, anomalies.

Neither proxies nor netrc of the environment are used (a proxy is a setting of the sink), and no redirect is followed:
whoever answers one would be given the secret.  No secret is in what is raised.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any, Protocol

import aiohttp
import orjson

from streams import tls
from streams.alerts.config import SinkConfig
from streams.alerts.forms import Request, hidden

CONNECT_SECONDS = 5.0
SHOWN = 300
LONGEST_WAIT = 600.0
"""Seconds that a Retry-After may ask for."""
OWN_FAULT = frozenset({400, 405, 406, 409, 411, 413, 414, 415, 416, 422, 431})
"""Statuses that speak of this message alone; every other one but 2xx speaks of the service, or of how it is reached."""
UNHEARD = frozenset({401, 403, 404, 429})
"""Of those that speak of the service, the ones that say that it took nothing."""


class Later(Exception):
    """It is to be tried again, after so many seconds where the other side said so."""

    def __init__(self, why: str, after: float = 0.0) -> None:
        super().__init__(why)
        self.after = after


class Unheard(Later):
    """The same, and nothing of it can have arrived."""


class Refused(Exception):
    """The service will not have this message."""


class Post(Protocol):
    """What couriers need of it."""

    async def send(self, request: Request) -> None:
        """Raises Later and Refused."""
        ...

    async def close(self) -> None:
        """Nothing more is sent."""
        ...


class HttpPost:
    """The connections of one sink.  Raises streams.tls.Unusable where its authorities cannot be read."""

    def __init__(self, sink: SinkConfig, clock: Callable[[], float] = time.time) -> None:
        self._sink, self._clock = sink, clock
        self._tls: ssl.SSLContext = tls.believing(sink.ca_file, "ALERTS ca_file")
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: Request) -> None:
        """Raises Later and Refused."""
        headers = {**request.headers, "Content-Type": request.content_type, "User-Agent": "hyperpod-state"}
        try:
            async with self._opened().post(
                request.url,
                data=orjson.dumps(request.body),
                headers=headers,
                allow_redirects=False,
                proxy=self._sink.proxy or None,
            ) as response:
                answer = await response.content.read(SHOWN * 4)
                self._judge(request, response, answer)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError) as error:
            raise Unheard(hidden(_why(error), request.secrets)) from None
        except TimeoutError:
            raise Later(f"no answer within {self._sink.timeout:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Later(hidden(_why(error), request.secrets)) from None

    async def close(self) -> None:
        """Close what is open."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _judge(self, request: Request, response: aiohttp.ClientResponse, answer: bytes) -> None:
        if 200 <= response.status < 300:
            return
        said = " ".join(answer.decode("utf-8", "replace").split())
        text = hidden(f"{response.status}: {said}", request.secrets)[:SHOWN]
        if response.status in OWN_FAULT:
            raise Refused(text)
        kind = Unheard if response.status in UNHEARD else Later
        raise kind(text, _after(response.headers.get("Retry-After", ""), self._clock()))

    def _opened(self) -> aiohttp.ClientSession:
        """Made when it is first needed, in the loop that uses it."""
        if self._session is None:
            limits = aiohttp.ClientTimeout(total=self._sink.timeout, sock_connect=CONNECT_SECONDS)
            connector = aiohttp.TCPConnector(ssl=self._tls, limit=2)
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=limits, trust_env=False, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._session


def _after(text: str, now: float) -> float:
    """Retry-After in seconds, as a number or a date; 0 where it is neither."""
    if re.fullmatch(r"\d{1,9}(\.\d+)?", text.strip()):
        return min(LONGEST_WAIT, float(text))
    try:
        moment = parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return min(LONGEST_WAIT, max(0.0, moment - now))


def _why(error: Exception) -> str:
    reason: Any = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    return getattr(reason, "verify_message", None) or getattr(reason, "strerror", None) or str(reason) or _name(error)


def _name(error: Exception) -> str:
    return type(error).__name__
