"""By which name the worker is asked, and from which pages: what keeps a web page from reading a loopback worker.

Knows: the headers Host and Sec-Fetch-*.
Must not know: tokens, routes.

A page of evil.example may have its name point at 127.0.0.1 after it was loaded; the browser then takes this worker for
the page's own server and lets it read every answer.  The name stays in Host.  An address cannot be made to point
elsewhere, so any address is good.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

from streams.addresses import is_loopback
from streams.web.answers import Problem
from streams.web.asgi import Asgi, Layer, Refusal, Scope, header

ELSEWHERE = ("cross-site", "same-site")


class KnownHosts(Layer):
    """Where only this machine can ask, or where `names` are given, the name must be a known one."""

    def __init__(self, inner: Asgi, bound: str, names: Collection[str] = ()) -> None:
        super().__init__(inner)
        self._known = {"localhost", bound.lower(), *(name.lower() for name in names)}
        self._strict = bool(names) or is_loopback(bound)

    def check(self, scope: Scope) -> None:
        """421 for a strange name; whoever sends none is no browser."""
        host = header(scope, b"host")
        if self._strict and host and not self._good(host):
            hint = "ask by address or as localhost, or add the name to HYPERPOD_STATE_HTTP_ALLOWED_HOSTS"
            raise Refusal(421, Problem(code="unknown_host", message="this worker has no such name", hint=hint))

    def _good(self, host: str) -> bool:
        name = name_of(host)
        return name in self._known or is_address(name)


class OwnPages(Layer):
    """Requests that a browser makes for a page of elsewhere are refused; following a link to here is not one."""

    def check(self, scope: Scope) -> None:
        """403 for those."""
        follows = scope["method"] in ("GET", "HEAD") and header(scope, b"sec-fetch-mode") == "navigate"
        framed = header(scope, b"sec-fetch-dest") not in (None, "document")
        if header(scope, b"sec-fetch-site") in ELSEWHERE and (framed or not follows):
            hint = "ask from the command line, or from a server of your own"
            raise Refusal(403, Problem(code="cross_site", message="pages of elsewhere may not ask here", hint=hint))


def name_of(host: str) -> str:
    """The host of a Host header, without port, brackets and the dot at the end."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].rstrip(".").lower()


def is_address(name: str) -> bool:
    """Whether it is an IP address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
