"""How a worker asks another one: over a socket, with nothing from the environment, and never more than it can hold."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from streams import peers, tls
from streams.http import listen
from streams.peers import FleetPeers
from streams.settings import Settings
from streams.topics import member_id
from streams.web.peers import Reply, Unreachable

TOKEN = "a-token-of-enough-length"
OWN = "http://127.0.0.1:1"


class _Other(BaseHTTPRequestHandler):
    """Another worker, or what stands in its place."""

    seen: list[tuple[str, dict[str, str]]]

    def do_GET(self) -> None:
        self.seen.append((self.path, dict(self.headers)))
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = b"x" * 5000 if self.path == "/large" else b"{}"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) + (9 if self.path == "/cut" else 0)))
        self.end_headers()
        if self.path == "/slow":
            threading.Event().wait(1.0)
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Not to the tests' output."""


@pytest.fixture
def other() -> Iterator[str]:
    _Other.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Other)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def app(spread: dict[str, dict[str, list[int]]] | None = None) -> Any:
    assignor = SimpleNamespace(external_topics_metadata=lambda: spread or {})
    return SimpleNamespace(assignor=assignor, conf=SimpleNamespace(canonical_url=OWN))


def ask(address: str, target: str, seconds: float = 5.0, **settings: Any) -> Reply:
    async def asked() -> Reply:
        chosen = Settings(**settings)
        found = FleetPeers(app(), chosen, tls.asking(chosen))
        try:
            return await found.ask(address, target, {"Hyperpod-State-Share": "{}"}, seconds)
        finally:
            await found.close()

    return asyncio.run(asked())


def test_the_path_is_sent_as_it_is_with_the_token_and_the_marker(other: str) -> None:
    assert ask(other, "/a%2Fb?c=%C3%A4&d=1%2B1", http_token=TOKEN) == Reply(200, b"{}")
    [(path, headers)] = _Other.seen
    assert path == "/a%2Fb?c=%C3%A4&d=1%2B1"
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert headers["Hyperpod-State-Share"] == "{}"


def test_no_proxy_of_the_environment_is_asked_and_no_redirect_followed(
    other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert ask(other, "/moved").status == 302
    assert [path for path, _ in _Other.seen] == ["/moved"]


@pytest.mark.parametrize(("target", "words"), [("/large", "larger than 1000 bytes"), ("/cut", "no answer")])
def test_what_is_too_large_or_cut_off_is_no_answer(
    other: str, target: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "LARGEST", 1000)
    with pytest.raises(Unreachable, match=words):
        ask(other, target)


def test_who_is_not_there_or_takes_too_long_is_named(other: str) -> None:
    with pytest.raises(Unreachable, match=r"within 0\.1 s"):
        ask(other, "/slow", 0.1)
    with pytest.raises(Unreachable, match=r"no answer from http://127\.0\.0\.1:9: Connect call failed"):
        ask("http://127.0.0.1:9", "/")


def test_an_answer_on_a_kept_connection_does_not_wait_for_more_to_send() -> None:
    with listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP, "asyncio switches Nagle's algorithm off for these only"


def test_the_others_are_those_of_the_assignment_that_work_on_something() -> None:
    topics = Settings()
    spread = {
        OWN: {topics.events_topic: [0]},
        "http://b:1": {topics.events_topic: [1, 3], topics.raw_topic: [1]},
        "http://c:1": {topics.raw_topic: [2], topics.events_topic: []},
        "http://d:1": {topics.raw_topic: [], topics.events_topic: []},
    }
    found = FleetPeers(app(spread), topics, tls.asking(topics)).members()
    assert found.count == topics.partitions
    assert found.others == {"http://b:1": frozenset({1, 3}), "http://c:1": frozenset()}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, "http://127.0.0.1:8780"),
        ({"http_host": "::1"}, "http://[::1]:8780"),
        ({"http_host": "10.1.2.3", "http_token": TOKEN}, "http://10.1.2.3:8780"),
        ({"http_host": "0.0.0.0", "http_token": TOKEN}, "http://this-machine:8780"),
        ({"http_advertise": "https://worker-1.example.com/"}, "https://worker-1.example.com"),
    ],
)
def test_the_address_for_the_others(given: dict[str, str], wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "this-machine")
    assert Settings(**given).address(8780) == wanted


@pytest.mark.parametrize("address", ["worker-1:8780", "ftp://worker-1", "http://", "http://worker-1/path"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ValidationError, match="http://worker-1"):
        Settings(http_advertise=address)


def test_a_worker_at_another_address_is_another_member() -> None:
    settings = Settings(instance_id="one")
    assert member_id(settings, "http://a:1") == member_id(settings, "http://a:1")
    assert member_id(settings, "http://a:1") != member_id(settings, "http://a:2")
