"""The worker's HTTP API from the other side.

Knows: the address, pages, what each failure means for the caller.
Must not know: commands, formats, terminals.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

import orjson

TIMEOUT_SECONDS = 10.0
PAST_SECONDS = 120.0
"""What is no longer in the rows has to be folded again."""
PAGE = 1000
NOT_READY = 503
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class BadServer(ValueError):
    """The address is not one that can be asked."""


class Unavailable(Exception):
    """The worker is not there, not ready, or not a worker."""


class Refused(Exception):
    """The worker will not answer this question: its own words, and its hint."""

    def __init__(self, status: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.status = status
        self.hint = hint


@dataclass(frozen=True)
class Listing:
    """All pages of one list, with the freshness of the last page."""

    items: list[dict[str, Any]]
    as_of: str | None
    lag: int


class Client:
    """Asks one worker; with `at`, of an earlier moment, and all questions of the same."""

    def __init__(
        self, server: str, timeout: float | None = None, token: str | None = None, at: str | None = None
    ) -> None:
        parts = urlsplit(server)
        if "@" in server:
            raise BadServer("an address has no password in it: the token is in HYPERPOD_STATE_HTTP_TOKEN")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadServer(f"{server!r} is not an address such as http://127.0.0.1:8780")
        self.server = server.rstrip("/")
        self._timeout = timeout or (TIMEOUT_SECONDS if at is None else PAST_SECONDS)
        self._at = at
        self._headers = {"Accept": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        self._opener = _opener(parts.hostname)

    def list(self, path: str, filters: Mapping[str, Sequence[str]]) -> Listing:
        """Every item of `/api/v1/PATH` that passes the filters.  Raises Unavailable or Refused."""
        items: list[dict[str, Any]] = []
        for page in self._pages(f"/api/v1/{quote(path)}", filters):
            items += page["items"]
        return Listing(items, page["as_of"], page["lag"])

    def get(self, path: str, filters: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """The answer of `/api/v1/PATH`, which has no pages.  Raises Unavailable or Refused."""
        return self._ask(f"/api/v1/{path}", filters)

    def post(self, path: str, body: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        """The answer of `/api/v1/PATH` to a body in JSON.  Raises Unavailable or Refused."""
        headers = {**self._headers, "Content-Type": "application/json"}
        request = Request(f"{self.server}/api/v1/{path}", orjson.dumps(body), headers, method="POST")
        return self._answer(request, timeout)

    def ready(self) -> dict[str, Any]:
        """The answer of `/readyz`, also where it is that the worker is not ready.  Raises Unavailable."""
        request = Request(f"{self.server}/readyz", headers=self._headers)
        try:
            with self._opener.open(request, timeout=self._timeout) as response:
                return self._body(response)
        except HTTPError as error:
            with error:
                if error.code == NOT_READY:
                    return self._body(error)
                raise self._refusal(error) from None
        except (URLError, HTTPException, OSError) as error:
            raise Unavailable(f"no answer from {self.server}: {getattr(error, 'reason', None) or error}") from None

    def _pages(self, path: str, filters: Mapping[str, Sequence[str]]) -> Iterator[dict[str, Any]]:
        token: str | None = None
        while True:
            query = {**filters, "limit": [str(PAGE)], **({"continue": [token]} if token else {})}
            page = self._ask(path, query)
            if not isinstance(page.get("items"), list):
                raise Unavailable(f"{self.server} answers, but not as a hyperpod-state worker")
            yield page
            if not page.get("continue"):
                return
            token = str(page["continue"])

    def _ask(self, path: str, query: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """The answer says which moment it is of; what is asked after it is asked of that moment."""
        moment = {} if self._at is None else {"at": [self._at]}
        answer = self._get(f"{path}?{urlencode({**query, **moment}, doseq=True)}")
        if self._at is not None:
            self._at = answer.get("as_of") or self._at
        return answer

    def _get(self, path: str) -> dict[str, Any]:
        return self._answer(Request(self.server + path, headers=self._headers), self._timeout)

    def _answer(self, request: Request, timeout: float) -> dict[str, Any]:
        try:
            with self._opener.open(request, timeout=timeout) as response:  # the scheme was checked
                return self._body(response)
        except HTTPError as error:
            with error:
                raise self._refusal(error) from None
        except (URLError, HTTPException, OSError) as error:
            why = getattr(error, "reason", None) or error
            raise Unavailable(f"no answer from {self.server}: {why}") from None

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
            message, hint = str(problem["message"]), str(problem["hint"])
        except (orjson.JSONDecodeError, LookupError, TypeError, OSError):
            return Unavailable(f"{self.server} answers {error.code}, not as a hyperpod-state worker would")
        if error.code >= 500:
            return Unavailable(f"the worker at {self.server} cannot answer now: {message}")
        return Refused(error.code, message, hint)


class _StayHere(HTTPRedirectHandler):
    """A worker never sends anybody elsewhere; whoever does would be given the token."""

    def redirect_request(self, *_: Any) -> None:
        """None: the redirection is the answer."""


def _opener(host: str) -> OpenerDirector:
    """A proxy of the environment cannot reach this machine's own loopback."""
    return build_opener(_StayHere, *([ProxyHandler({})] if host in LOOPBACK else []))
