"""The worker's HTTP API from the other side, as JSON.

Knows: the address, pages, what each failure means for the caller.
Must not know: commands, formats, terminals.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPResponse, IncompleteRead
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request, build_opener

import orjson

TIMEOUT_SECONDS = 10.0
PAST_SECONDS = 120.0
"""What is no longer in the rows has to be folded again."""
SILENT_SECONDS = 30.0
"""A stream says something every 10 s; one that is silent for so long has broken off."""
PAGE = 1000
NOT_FOUND, GONE, NOT_READY, TOO_MANY = 404, 410, 503, 429
LOOPBACK = ("127.0.0.1", "localhost", "::1")
MOVING = {"anomalies": "anomaly_id"}
"""Lists in which an item may come again on a later page, as it is now, and by what it is known."""


class BadServer(ValueError):
    """The address is not one that can be asked."""


class Unavailable(Exception):
    """The worker is not there, not ready, or not a worker; `code` and `hint` are its own, if it gave any.

    `retry_after` are the seconds after which it is worth asking again, where it said so.
    """

    def __init__(
        self, message: str, hint: str | None = None, code: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code
        self.retry_after = retry_after


class Refused(Exception):
    """The worker will not answer this question: its own words, and its hint."""

    def __init__(self, status: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.status = status
        self.hint = hint


class NotFound(Refused):
    """There is no such thing."""


class Gone(Refused):
    """Nothing exact is kept of that moment; `oldest_at` is the first that can be told."""

    oldest_at: str | None = None


@dataclass(frozen=True)
class Listing:
    """All pages of one list, with the freshness of the last page, and what any of them lacks."""

    items: list[dict[str, Any]]
    as_of: str | None
    lag: int
    missing: tuple[int, ...] = ()
    """Partitions of the fleet that nothing is known of."""
    stale: tuple[dict[str, Any], ...] = ()
    """Partitions of which it has what was last known, and of when that is."""

    @property
    def partial(self) -> bool:
        """Whether it is not the whole present fleet."""
        return bool(self.missing or self.stale)


@dataclass(frozen=True)
class Event:
    """One server-sent event; without a name it is only a sign of life."""

    name: str = ""
    id: str | None = None


class Client:
    """Asks one worker; with `at`, of an earlier moment, and all questions of the same.

    With `stale_ok`, what was last known will do where partitions have no owner; `lacks` then says of which.
    """

    def __init__(
        self,
        server: str,
        timeout: float | None = None,
        token: str | None = None,
        at: str | None = None,
        *,
        stale_ok: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        if "@" in server:
            raise BadServer("an address has no password in it: the token is in HYPERPOD_STATE_HTTP_TOKEN")
        try:
            parts = urlsplit(server)
            fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:  # brackets that do not close, a port that is no number or too large
            fits = False
        if not fits or not parts.hostname:
            raise BadServer(f"{server!r} is not an address such as http://127.0.0.1:8780")
        self.server = server.rstrip("/")
        self._timeout = timeout or (TIMEOUT_SECONDS if at is None else PAST_SECONDS)
        self._at, self._stale_ok = at, stale_ok
        self.lacks: dict[int, str | None] = {}
        """By partition: the moment that is told of it, None where nothing is."""
        self._headers = {"Accept": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        self._opener = _opener(parts.hostname, tls)

    def list(self, path: str, filters: Mapping[str, Sequence[str]]) -> Listing:
        """Every item of `/api/v1/PATH` that passes the filters.  Raises Unavailable or Refused."""
        pages = list(self._pages(f"/api/v1/{quote(path)}", filters))
        items = _once([item for page in pages for item in page["items"]], MOVING.get(path))
        missing = {number for page in pages for number in page.get("missing", ())}
        stale = {each["partition"]: each for page in pages for each in page.get("stale", ())}
        last = pages[-1]
        told = tuple(stale[number] for number in sorted(stale.keys() - missing))
        return Listing(items, last["as_of"], last["lag"], tuple(sorted(missing)), told)

    def get(self, path: str, filters: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """The answer of `/api/v1/PATH`, which has no pages.  Raises Unavailable or Refused."""
        return self._ask(f"/api/v1/{path}", filters)

    def post(self, path: str, body: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        """The answer of `/api/v1/PATH` to a body in JSON.  Raises Unavailable or Refused."""
        headers = {**self._headers, "Content-Type": "application/json"}
        request = Request(f"{self.server}/api/v1/{path}", orjson.dumps(body), headers, method="POST")
        return self._answer(request, timeout)

    def stream(self, seen: str | None) -> Iterator[Event]:
        """The events of `/api/v1/stream` after the one with that id, until the worker ends it or goes.

        Raises Unavailable or Refused.
        """
        headers = {**self._headers, "Accept": "text/event-stream", **({"Last-Event-ID": seen} if seen else {})}
        request = Request(f"{self.server}/api/v1/stream", headers=headers)
        with self._opened(request, SILENT_SECONDS) as response:
            yield from _events(response)

    def ready(self) -> dict[str, Any]:
        """The answer of `/readyz`, also where it is that the worker is not ready.  Raises Unavailable."""
        request = Request(f"{self.server}/readyz", headers=self._headers)
        with self._opened(request, self._timeout, also=NOT_READY) as response:
            return self._body(response)

    def about(self) -> tuple[str | None, datetime | None]:
        """The worker's version and its clock, as far as it tells them.  Raises Unavailable or Refused."""
        request = Request(f"{self.server}/", headers=self._headers)
        with self._opened(request, self._timeout) as response:
            date, body = response.headers.get("Date"), self._body(response)
        try:
            clock = None if date is None else parsedate_to_datetime(date)
        except ValueError:
            clock = None
        return body.get("version"), clock

    def _pages(self, path: str, filters: Mapping[str, Sequence[str]]) -> Iterator[dict[str, Any]]:
        token: str | None = None
        while True:
            query = {**filters, "limit": [str(PAGE)], **({"continue": [token]} if token else {})}
            page = self._ask(path, query)
            if not _is_list(page.get("items")):
                raise self._not_a_worker()
            yield page
            if not page.get("continue"):
                return
            token = str(page["continue"])

    def _ask(self, path: str, query: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """The answer says which moment it is of; what is asked after it is asked of that moment."""
        manner = ({} if self._at is None else {"at": [self._at]}) | ({"stale": ["ok"]} if self._stale_ok else {})
        answer = self._get(f"{path}?{urlencode({**query, **manner}, doseq=True)}")
        if self._at is not None:
            self._at = answer.get("as_of") or self._at
        self.lacks |= {each["partition"]: each["as_of"] for each in answer.get("stale", ())}
        self.lacks |= dict.fromkeys(answer.get("missing", ()))
        return answer

    def _get(self, path: str) -> dict[str, Any]:
        return self._answer(Request(self.server + path, headers=self._headers), self._timeout)

    def _answer(self, request: Request, timeout: float) -> dict[str, Any]:
        """Of `/api/v1`, where every answer has something, and says of when that is."""
        with self._opened(request, timeout) as response:
            body = self._body(response)
        if not (body.keys() >= {"as_of", "lag"} and body.keys() & {"item", "items"}):
            raise self._not_a_worker()
        return body

    @contextmanager
    def _opened(self, request: Request, timeout: float, also: int | None = None) -> Iterator[HTTPResponse | HTTPError]:
        """The answer, where it is none that refuses, or one with the status `also`.

        Whatever breaks while it is open, a refusal's own words included, raises Unavailable or Refused.
        """
        try:
            try:
                answer = self._opener.open(request, timeout=timeout)  # the scheme was checked
            except HTTPError as error:
                answer = error
            with answer:
                if isinstance(answer, HTTPError) and answer.code != also:
                    raise self._refusal(answer)
                yield answer
        except (URLError, HTTPException, OSError) as error:
            raise self._no_answer(error) from None

    def _not_a_worker(self) -> Unavailable:
        return Unavailable(f"{self.server} answers, but not as a hyperpod-state worker")

    def _no_answer(self, error: Exception) -> Unavailable:
        if isinstance(error, IncompleteRead):
            return Unavailable(f"the answer of {self.server} broke off")
        why = getattr(error, "reason", None) or error
        if isinstance(why, ssl.SSLCertVerificationError):
            hint = "name the authority that signed it: HYPERPOD_STATE_HTTP_TLS_CA_FILE"
            return Unavailable(f"the certificate of {self.server} is not trusted: {why.verify_message}", hint)
        if isinstance(error, HTTPException) or isinstance(why, ConnectionResetError | ssl.SSLError):
            return Unavailable(f"no answer from {self.server}: {why}", "is it http, or https?")
        return Unavailable(f"no answer from {self.server}: {why}")

    def _body(self, response: HTTPResponse | HTTPError) -> dict[str, Any]:
        try:
            body = orjson.loads(response.read())
        except orjson.JSONDecodeError:
            body = None
        if not isinstance(body, dict):
            raise Unavailable(f"{self.server} answers, but not with the JSON of a hyperpod-state worker")
        return body

    def _refusal(self, error: HTTPError) -> Exception:
        try:
            problem = orjson.loads(error.read())["error"]
            code, message, hint = (str(problem[name]) for name in ("code", "message", "hint"))
        except (orjson.JSONDecodeError, LookupError, TypeError):
            return Unavailable(f"{self.server} answers {error.code}, not as a hyperpod-state worker would")
        retry_after = _seconds(error.headers.get("Retry-After"))
        if error.code >= 500 or error.code == TOO_MANY:
            return Unavailable(
                f"the worker at {self.server} cannot answer now: {message}", hint, code=code, retry_after=retry_after
            )
        refused = {NOT_FOUND: NotFound, GONE: Gone}.get(error.code, Refused)(error.code, message, hint)
        if isinstance(refused, Gone):
            refused.oldest_at = problem.get("oldest_at")
        return refused


def _is_list(items: Any) -> bool:
    return isinstance(items, list) and all(isinstance(each, dict) for each in items)


def _once(items: list[dict[str, Any]], name: str | None) -> list[dict[str, Any]]:
    """Each item as it was told last, in the order of that; the same list, where it has none twice."""
    if name is None:
        return items
    last = {item.get(name): place for place, item in enumerate(items)}
    return [item for place, item in enumerate(items) if last[item.get(name)] == place]


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isdecimal() else None


class _StayHere(HTTPRedirectHandler):
    """A worker never sends anybody elsewhere; whoever does would be given the token."""

    def redirect_request(self, *_: Any) -> None:
        """None: the redirection is the answer."""


def _events(lines: Iterable[bytes]) -> Iterator[Event]:
    """Each ends with an empty line."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.decode(errors="replace").rstrip("\r\n").partition(":")
        if name or value:
            fields[name] = value.removeprefix(" ")
        else:
            yield Event(fields.get("event", ""), fields.get("id"))
            fields = {}


def _opener(host: str, tls: ssl.SSLContext | None) -> OpenerDirector:
    """A proxy of the environment cannot reach this machine's own loopback."""
    direct = [ProxyHandler({})] if host in LOOPBACK else []
    return build_opener(_StayHere, *direct, HTTPSHandler(context=tls))
