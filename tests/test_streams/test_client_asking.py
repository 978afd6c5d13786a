"""Asking over HTTP: answers that break off, answers of who is no worker, and items that move while pages are read."""

from __future__ import annotations

import itertools
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from models.public import AnomalyStatus
from streams.client import Api, Client, Unavailable
from streams.follow import Signal, signals
from tests.test_streams.serving import Held, picture, served

MANY = 200


@contextmanager
def saying(status: str, body: bytes, length: int | None = None) -> Iterator[Client]:
    """A client of something that answers so, whatever it is asked, and hangs up."""
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body) if length is None else length}\r\n\r\n".encode()

    def answer(listener: socket.socket) -> None:
        while True:
            try:
                asking, _ = listener.accept()
            except OSError:  # it is over
                return
            with asking:
                asking.recv(65536)
                asking.sendall(head + body)
                asking.shutdown(socket.SHUT_WR)
                while asking.recv(65536):  # closed before all was read, TCP would break off what was sent
                    pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer, args=(listener,), daemon=True)
        thread.start()
        try:
            yield Client(f"http://127.0.0.1:{listener.getsockname()[1]}")
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


ASKED: dict[str, Callable[[Client], object]] = {
    "list": lambda client: client.list("clusters", {}),
    "get": lambda client: client.get("report", {}),
    "post": lambda client: client.post("sql", {"query": "SELECT 1"}, 5),
    "stream": lambda client: list(client.stream(None)),
    "ready": lambda client: client.ready(),
    "about": lambda client: client.about(),
}


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("status", ["503 Service Unavailable", "404 Not Found"])
def test_a_refusal_that_breaks_off_is_called_so(name: str, status: str) -> None:
    with saying(status, b'{"err', MANY) as client, pytest.raises(Unavailable, match=r"the answer of \S+ broke off"):
        ASKED[name](client)


def test_a_refusal_that_breaks_off_does_not_end_a_watch() -> None:
    with saying("503 Service Unavailable", b'{"err', MANY) as client:
        told = signals(client, sleep=lambda _: None)
        assert list(itertools.islice(told, 3)) == [Signal.BLIND] * 3


@pytest.mark.parametrize("name", ["list", "get", "post"])
@pytest.mark.parametrize("body", [{"items": []}, {"items": [], "as_of": None}, {"as_of": None, "lag": 0}])
def test_who_does_not_say_what_and_of_when_is_no_worker(name: str, body: dict[str, object]) -> None:
    with saying("200 OK", json.dumps(body).encode()) as client, pytest.raises(Unavailable, match="answers, but not as"):
        ASKED[name](client)


def test_a_list_of_something_else_is_no_workers() -> None:
    body = b'{"items": ["a", "b"], "as_of": null, "lag": 0}'
    with saying("200 OK", body) as client, pytest.raises(Unavailable, match="answers, but not as"):
        client.list("anomalies", {})


def test_an_anomaly_that_is_retracted_between_two_pages_is_there_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.client.asking.PAGE", 2)
    held, pages = Held(), Client._get

    def retracting(self: Client, path: str) -> dict[str, object]:
        """One page; what it begins with is taken back at once."""
        told = pages(self, path)
        first, *others = picture().anomalies
        taken_back = first.model_copy(update={"status": AnomalyStatus.RETRACTED, "revision": 2})
        held.shown = picture().model_copy(update={"anomalies": (*others, taken_back)})
        return told

    monkeypatch.setattr(Client, "_get", retracting)
    with served(held) as address:
        found = Api(address).anomalies()
    assert [(each.anomaly_id, each.status) for each in found][-1] == ("a1", "retracted")
    assert sorted(each.anomaly_id for each in found) == ["a1", "a2", "a3"]
