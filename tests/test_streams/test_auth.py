"""Doors: loopback is open, everything else needs a token, and the token is shown to nobody."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError

from streams.addresses import is_loopback
from streams.settings import Settings
from streams.web.auth import TokenRequired

TOKEN = "a-token-of-enough-length"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_is_open(host: str) -> None:
    assert is_loopback(host)
    assert Settings(http_host=host).http_token is None


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.7", "::", "worker.example.com"])
def test_elsewhere_needs_a_token(host: str) -> None:
    with pytest.raises(ValidationError, match="HYPERPOD_STATE_HTTP_TOKEN"):
        Settings(http_host=host)
    assert Settings(http_host=host, http_token=TOKEN).http_host == host


def test_a_short_token_is_refused() -> None:
    with pytest.raises(ValidationError, match="http_token"):
        Settings(http_token="short")


def test_the_token_is_never_shown() -> None:
    settings = Settings(http_token=TOKEN)
    assert TOKEN not in settings.public()
    assert TOKEN not in repr(settings)


async def _api(scope: dict[str, Any], receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"inside"})


def _ask(path: str, header: str | None) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    headers = [(b"authorization", header.encode())] if header is not None else []
    scope = {"type": "http", "method": "GET", "path": path, "headers": headers}
    asyncio.run(TokenRequired(_api, TOKEN)(scope, receive, send))
    return sent


@pytest.mark.parametrize("header", [None, "", TOKEN, f"bearer {TOKEN}", f"Bearer {TOKEN}x", "Bearer "])
def test_without_the_token_nothing_is_told(header: str | None) -> None:
    start, body = _ask("/api/v1/instances", header)
    assert start["status"] == 401
    assert (b"www-authenticate", b"Bearer") in start["headers"]
    assert b"inside" not in body["body"]
    assert TOKEN.encode() not in body["body"]


def test_with_the_token_the_door_opens() -> None:
    assert _ask("/api/v1/instances", f"Bearer {TOKEN}")[0]["status"] == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_need_none(path: str) -> None:
    assert _ask(path, None)[0]["status"] == 200
