"""Requests to real HTTP servers on loopback that fail in every way, and what becomes of what was to be said."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from streams.alerts.book import Notes
from streams.alerts.config import Config
from streams.alerts.courier import Courier, Sink
from streams.alerts.forms import Request, form
from streams.alerts.picture import Picture
from streams.alerts.post import HttpPost, Later, Refused, Unheard
from streams.alerts.tally import Tally
from streams.alerts.words import Links
from streams.broker import free_port
from tests import certificates
from tests.test_streams.alerting import Log, anomaly, resolved, taken

NOW = 1_791_200_000.0
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Server:
    """Answers what it is told, in turn, then 202; keeps what it was sent."""

    answers: list[Answer] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.json())
        self.headers.append(dict(request.headers))
        return await (self.answers.pop(0) if self.answers else status(202))(request)

    @asynccontextmanager
    async def up(self, context: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.handle)
        server = TestServer(app, scheme="https" if context else "http")
        await server.start_server(ssl=context)
        self.url = str(server.make_url("/in"))
        try:
            yield self
        finally:
            await server.close()


def status(code: int, text: str = "", **headers: str) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=code, text=text, headers={name.replace("_", "-"): v for name, v in headers.items()})

    return answer


async def hang(request: web.Request) -> web.StreamResponse:
    await asyncio.sleep(30)
    return web.Response()


async def cut_off(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


def config(url: str, **more: Any) -> Any:
    return Config.model_validate({"sinks": [{"type": "webhook", "name": "hook", "url": url, **more}]}).sinks[0]


def outcome(server: Server, answer: Answer | None = None, **more: Any) -> Exception | None:
    """What one request came to."""
    server.answers[:] = [answer] if answer else []

    async def send() -> Exception | None:
        async with server.up():
            post = HttpPost(config(server.url, **more), clock=lambda: NOW)
            try:
                await post.send(Request(server.url, {"a": 1}, {"X-Own": "yes"}, ("s3cret",)))
            except (Later, Refused) as error:
                return error
            finally:
                await post.close()
        return None

    return asyncio.run(send())


def test_a_request_is_json_with_its_headers():
    server = Server()
    assert outcome(server) is None
    assert server.bodies == [{"a": 1}]
    assert (server.headers[0]["X-Own"], server.headers[0]["Content-Type"]) == ("yes", "application/json")


@pytest.mark.parametrize("code", [301, 401, 403, 404, 408, 410, 425, 429, 500, 502, 503, 504])
def test_what_speaks_of_the_service_is_tried_again(code: int):
    assert isinstance(outcome(Server(), status(code, Location="/elsewhere")), Later)


@pytest.mark.parametrize(
    ("code", "heard"), [(401, False), (403, False), (404, False), (429, False), (500, True), (503, True)]
)
def test_what_cannot_have_arrived_is_told_from_what_may_have(code: int, heard: bool):
    assert isinstance(outcome(Server(), status(code)), Unheard) is not heard


@pytest.mark.parametrize("code", [400, 413, 422])
def test_what_speaks_of_the_message_is_refused(code: int):
    assert isinstance(outcome(Server(), status(code)), Refused)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("17", 17.0),
        (formatdate(NOW + 30, usegmt=True), 30.0),
        (formatdate(NOW - 30, usegmt=True), 0.0),
        ("99999999", 600.0),
        ("soon", 0.0),
        ("", 0.0),
    ],
)
def test_retry_after_is_heeded_as_seconds_and_as_a_date(told: str, seconds: float):
    error = outcome(Server(), status(429, Retry_After=told))
    assert isinstance(error, Later)
    assert error.after == pytest.approx(seconds, abs=1.0)


def test_no_answer_is_tried_again():
    error = outcome(Server(), hang, timeout=0.2)
    assert type(error) is Later
    assert str(error) == "no answer within 0.2 s"


def test_a_connection_that_is_cut_or_refused_is_tried_again():
    assert type(outcome(Server(), cut_off)) is Later

    async def nobody() -> None:
        url = f"http://127.0.0.1:{free_port()}/in"
        post = HttpPost(config(url))
        with pytest.raises(Unheard, match=r"Connect call failed|refused"):
            await post.send(Request(url, {}))
        await post.close()

    asyncio.run(nobody())


def by_proxy(url: str, answer: bytes) -> tuple[Exception | None, list[str]]:
    """What the request comes to, and what a proxy on loopback is asked for."""
    asked: list[str] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode().splitlines()[0])
        writer.write(answer)
        await writer.drain()
        writer.close()

    async def send() -> Exception | None:
        server = await asyncio.start_server(proxy, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        post = HttpPost(config(url, allow_http=True, proxy=f"http://127.0.0.1:{port}"))
        try:
            await post.send(Request(url, {"a": 1}))
        except Later as error:
            return error
        finally:
            await post.close()
            server.close()
        return None

    return asyncio.run(send()), asked


def test_a_sink_behind_a_proxy_is_reached_by_it():
    error, asked = by_proxy("http://hooks.example.com/in", b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
    assert (error, asked) == (None, ["POST http://hooks.example.com/in HTTP/1.1"])


def test_a_proxy_that_lets_nothing_through_is_tried_again_and_nothing_can_have_arrived():
    error, asked = by_proxy("https://hooks.example.com/in", b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
    assert asked == ["CONNECT hooks.example.com:443 HTTP/1.1"]
    assert isinstance(error, Unheard)
    assert "403" in str(error)


def test_a_secret_that_the_other_side_quotes_is_shown_nowhere():
    for code in (400, 500):
        error = outcome(Server(), status(code, "bad key s3cret\nof yours"))
        assert str(error) == f"{code}: bad key … of yours"


def test_a_certificate_of_a_stranger_is_not_trusted_and_one_of_ours_is(tmp_path: Path):
    ours, own = certificates.authority("ours"), tmp_path / "ours.pem"
    own.write_bytes(ours.pem())
    shown = certificates.signed(ours, "localhost", "127.0.0.1")
    for name, content in (("shown.pem", shown.pem()), ("shown.key", shown.key_pem())):
        (tmp_path / name).write_bytes(content)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "shown.pem", tmp_path / "shown.key")

    async def story() -> None:
        server = Server()
        async with server.up(context):
            stranger, friend = HttpPost(config(server.url)), HttpPost(config(server.url, ca_file=str(own)))
            with pytest.raises(Unheard, match=r"unable to get local issuer certificate|self-signed"):
                await stranger.send(Request(server.url, {}))
            await friend.send(Request(server.url, {}))
            for each in (stranger, friend):
                await each.close()
        assert len(server.bodies) == 1

    asyncio.run(story())


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


def courier(name: str, url: str, kind: str, picture: Picture, book: Notes, **more: Any) -> Courier:
    sink = Config.model_validate({"sinks": [{"type": kind, "name": name, "url": url, **more}]}).sinks[0]
    post = HttpPost(sink)
    return Courier(Sink(name, sink.filter, form(sink, Links()), post), picture, book, Tally([name]), 0)


def test_a_sink_that_is_down_loses_nothing_and_does_not_hold_up_the_other(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("streams.alerts.courier.BACKOFF", lambda state: 0.05)
    ill, well = Server([status(503)] * 3 + [hang, cut_off]), Server()

    async def story() -> None:
        picture, book = Picture(), Notes()
        async with ill.up(), well.up():
            one = courier("ill", ill.url, "webhook", picture, book, timeout=0.2)
            other = courier("well", well.url, "webhook", picture, book)
            picture.take(taken(anomaly("a")))
            picture.take(taken(anomaly("b")))
            work = [asyncio.create_task(each.run()) for each in (one, other)]
            await _until(lambda: len(well.bodies) == 2)
            assert one.tally.failed.labels("ill")._value.get() < 5
            await _until(lambda: len(book.pages("ill")) == 2 and all(p.sure for p in book.pages("ill").values()))
            picture.take(taken(resolved("a")))
            for each in (one, other):
                each.wake()
            await _until(lambda: not any("a" in book.pages(name) for name in ("ill", "well")))
            for each in (one, other):
                each.stop()
            await asyncio.gather(*work)
            for each in (one, other):
                await each.sink.post.close()

    asyncio.run(story())
    heard = [body["id"].rpartition("/")[0] for body in ill.bodies[5:]]
    assert sorted(heard) == ["a/1/open", "a/2/close", "b/1/open"]
    assert [body["id"].rpartition("/")[0] for body in well.bodies] == ["a/1/open", "b/1/open", "a/2/close"]


def test_alertmanager_is_told_again_before_its_alerts_end():
    server = Server()

    async def story() -> None:
        picture, book, now = Picture(), Notes(), NOW
        async with server.up():
            one = courier("am", server.url, "alertmanager", picture, book)
            one.clock = lambda: now
            picture.take(taken(anomaly("a")))
            await one.drain()
            await one.drain()
            assert len(server.bodies) == 1
            now += 61
            await one.drain()
            assert len(server.bodies) == 2
            picture.take(taken(resolved("a")))
            await one.drain()
            now += 61
            await one.drain()
            await one.sink.post.close()

    asyncio.run(story())
    ends = [body[0]["endsAt"] for body in server.bodies]
    assert len(ends) == 3
    assert ends[0] < ends[1]
    assert ends[2] < ends[1]  # the end of it, and nothing after


def test_no_log_line_has_a_secret(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("streams.alerts.courier.log", log := Log())
    monkeypatch.setenv("TEST_TOKEN", "s3cret-token")
    server = Server([status(400, "what is s3cret-token?")])

    async def story() -> None:
        picture = Picture()
        async with server.up():
            one = courier("hook", server.url, "webhook", picture, Notes(), token_env="TEST_TOKEN")
            picture.take(taken(anomaly("a")))
            await one.drain()
            await one.sink.post.close()

    with caplog.at_level(logging.DEBUG):
        asyncio.run(story())
    assert server.headers[0]["Authorization"] == "Bearer s3cret-token"
    assert "what is …?" in log.lines[0]
    assert "s3cret" not in caplog.text + str(log.lines)


def test_no_log_line_has_what_a_server_quotes_of_a_secret_url(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("streams.alerts.courier.log", log := Log())

    async def cannot(request: web.Request) -> web.StreamResponse:
        return web.Response(status=400, text=f"<pre>Cannot POST {request.path}</pre>")

    async def story() -> None:
        picture, server = Picture(), Server([cannot])
        async with server.up():
            monkeypatch.setenv("TEST_URL", f"{server.url}/s3cret")
            one = courier("hook", "", "webhook", picture, Notes(), url_env="TEST_URL")
            picture.take(taken(anomaly("a")))
            await one.drain()
            await one.sink.post.close()

    asyncio.run(story())
    (line,) = log.lines
    assert "400: <pre>Cannot POST …</pre>" in line
    assert "s3cret" not in line


def test_a_message_is_not_sent_with_a_secret_that_is_gone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("streams.alerts.courier.BACKOFF", lambda state: 0.01)
    monkeypatch.setenv("TEST_TOKEN", "s3cret-token")
    server = Server()

    async def story() -> None:
        picture, book = Picture(), Notes()
        async with server.up():
            one = courier("hook", server.url, "webhook", picture, book, token_env="TEST_TOKEN")
            monkeypatch.delenv("TEST_TOKEN")
            picture.take(taken(anomaly("a")))
            work = asyncio.create_task(one.run())
            await _until(lambda: one.tally.failed.labels("hook")._value.get() > 1)
            assert server.bodies == []
            monkeypatch.setenv("TEST_TOKEN", "s3cret-again")
            await _until(lambda: len(server.bodies) == 1)
            one.stop()
            await work
            await one.sink.post.close()

    asyncio.run(story())
