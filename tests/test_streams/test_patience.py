"""Clients that send or read too slowly, or are too many, lose their connection; the others are answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from streams import patience
from streams.http import Http, listen
from streams.web.headers import ALWAYS

SOON = 10.0
STREAM = "/api/v1/stream"
BIG = b"x" * 64_000_000


async def api(scope: Any, receive: Any, send: Any) -> None:
    """Says whom it takes the client for; /big is more than any buffer holds; POST waits for its body."""
    if scope["method"] == "POST":
        while (part := await receive()).get("more_body"):
            pass
        if part["type"] == "http.disconnect":
            return
    body = BIG if scope["path"] == "/big" else f"{scope['client'][0]} {scope['type']}".encode()
    size = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [size]})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    http = Http(api, listen("127.0.0.1", 0))
    await http.start()
    while not http._server.started:
        await asyncio.sleep(0.01)
    try:
        yield http.port
    finally:
        await http.stop()


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience.Patient, "request_seconds", 0.2)
    monkeypatch.setattr(patience.Patient, "read_seconds", 0.2)


async def until_closed(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the worker closes the connection; not to be closed is a failure."""
    try:
        return await asyncio.wait_for(reader.read(), SOON)
    except ConnectionResetError:
        return b""


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf",
    ],
    ids=["nothing", "half a head", "half a body", "half a second request", "a body nobody reads"],
)
def test_who_does_not_finish_a_request_is_hung_up_on(sent: bytes) -> None:
    async def run() -> None:
        async with serving() as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            dripping = asyncio.create_task(_drip(writer, sent))
            await until_closed(reader)
            dripping.cancel()
            writer.close()
            assert b"127.0.0.1 http" in await _ask(port)

    asyncio.run(run())


async def _drip(writer: asyncio.StreamWriter, sent: bytes) -> None:
    """A byte now and then keeps no connection."""
    writer.write(sent)
    while sent.startswith(b"GET") and sent.endswith(b": "):
        await asyncio.sleep(0.02)
        writer.write(b"x")


async def _ask(port: int, more: bytes = b"") -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + more + b"\r\n")
    answer = await until_closed(reader)
    writer.close()
    return answer


@pytest.mark.usefixtures("brief")
def test_who_does_not_read_the_answer_is_hung_up_on() -> None:
    async def run() -> None:
        async with serving() as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
            writer.write(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
            await asyncio.sleep(1.0)  # the stream's own buffer is full, and nobody empties it
            assert len(await until_closed(reader)) < len(BIG)
            writer.close()

    asyncio.run(run())


def test_one_connection_too_many_is_dropped_and_the_others_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience.Patient, "most", 2)

    async def run() -> None:
        async with serving() as port:
            idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
            await asyncio.sleep(0.05)
            assert await _ask(port) == b""
            idle[0][1].write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert b"127.0.0.1 http" in await until_closed(idle[0][0])
            assert b"127.0.0.1 http" in await _ask(port)
            for _, writer in idle:
                writer.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    "sent",
    [b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nA: " + b"x" * patience.HEAD],
    ids=["another protocol", "no host", "a long head"],
)
def test_what_is_no_request_is_answered_in_our_shape(sent: bytes) -> None:
    async def run() -> bytes:
        async with serving() as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for start in range(0, len(sent), 8192):
                writer.write(sent[start : start + 8192])
                await asyncio.sleep(0.01)
            answer = await until_closed(reader)
            writer.close()
            return answer

    head, _, body = asyncio.run(run()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["error"]["code"] == "bad_request"
    for name, value in ALWAYS:
        assert name.lower() + b": " + value in head


def test_what_is_no_request_after_an_answer_ends_the_connection() -> None:
    async def run() -> None:
        async with serving() as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n\x00\x01\r\n\r\n")
            answer = await until_closed(reader)
            writer.close()
            assert answer.count(b"127.0.0.1 http") == 1

    asyncio.run(run())


def test_nobody_chooses_whom_it_is_taken_for() -> None:
    async def run() -> None:
        async with serving() as port:
            assert b"127.0.0.1 http" in await _ask(port, b"X-Forwarded-For: 10.9.9.9\r\nForwarded: for=10.9.9.9\r\n")
            upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n"
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n" + upgrade + b"\r\n")
            assert b"127.0.0.1 http" in await asyncio.wait_for(reader.readuntil(b"http"), SOON) + await reader.read(64)
            writer.close()

    asyncio.run(run())


async def endless(scope: Any, receive: Any, send: Any) -> None:
    """A stream as the real one: until its client has gone."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"one", "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        pass


def test_a_stop_waits_for_no_stream_and_says_nothing_of_it(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> bytes:
        http = Http(endless, listen("127.0.0.1", 0))
        await http.start()
        while not http._server.started:
            await asyncio.sleep(0.01)
        reader, writer = await asyncio.open_connection("127.0.0.1", http.port)
        writer.write(f"GET {STREAM} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert b"one" in await reader.readuntil(b"one")
        rest = asyncio.create_task(reader.read())
        await http.stop()
        writer.close()
        return await rest

    assert b"one" not in asyncio.run(asyncio.wait_for(run(), SOON))
    assert [each.message for each in caplog.records if each.levelname in ("WARNING", "ERROR")] == []
