"""Who may ask: everybody on loopback, elsewhere whoever has the token, or a certificate, or both.

The dashboard's page and its files are for everybody: they hold nothing of the fleet, and it is the page that asks for
the token.  A certificate is part of the connection, so it is wanted of pages as well.

Knows: the bearer token, whether a certificate was shown.
Must not know: how one is checked, routes' contents, the state.
"""

from __future__ import annotations

import hmac
from typing import Any

from streams.web.answers import Problem
from streams.web.asgi import Asgi, Scope
from streams.web.errors import answer
from streams.web.page import is_shell

OPEN = frozenset({"/healthz", "/readyz"})
"""Probes have neither token nor certificate, and these routes tell nothing of the fleet."""


class TokenRequired:
    """An ASGI application behind `Authorization: Bearer TOKEN`."""

    def __init__(self, api: Asgi, token: str) -> None:
        self._api, self._expected = api, f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Pass the request on, or answer 401."""
        if scope["type"] != "http" or scope["path"] in OPEN or is_shell(scope) or self._may(scope):
            await self._api(scope, receive, send)
            return
        hint = "send the header Authorization: Bearer with the worker's HYPERPOD_STATE_HTTP_TOKEN"
        problem = Problem(code="unauthorized", message="a token is needed here", hint=hint)
        response = answer(401, problem, {"WWW-Authenticate": "Bearer"})
        await response(scope, receive, send)

    def _may(self, scope: Scope) -> bool:
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        return hmac.compare_digest(given, self._expected)


class CertificateRequired:
    """An ASGI application for clients that have shown a certificate: the server has checked it."""

    def __init__(self, api: Asgi) -> None:
        self._api = api

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Pass the request on, or answer 401."""
        shown = scope.get("extensions", {}).get("tls", {}).get("client_cert_name")
        if scope["type"] != "http" or scope["path"] in OPEN or shown is not None:
            await self._api(scope, receive, send)
            return
        hint = (
            "connect with a certificate: commands take it from HYPERPOD_STATE_HTTP_TLS_CERTIFICATE_FILE and _KEY_FILE"
        )
        problem = Problem(code="unauthorized", message="a certificate is needed here", hint=hint)
        await answer(401, problem)(scope, receive, send)
