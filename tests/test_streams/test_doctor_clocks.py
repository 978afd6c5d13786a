"""Clocks that differ are told, with the way and by how much; one that cannot be told is no alarm."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from kafka.errors import TopicAuthorizationFailedError

from streams.client import Client
from streams.doctor.clocks import broker_clock, record_clocks, worker_clock
from streams.doctor.worker import worker_checks
from tests.test_streams.serving import Held, served


class Admin:
    """Kafka's newest commits, this long ago by the brokers' clock."""

    def __init__(self, *seconds: float | None) -> None:
        self.seconds = seconds

    def describe_topics(self, names: list[str]) -> list[dict[str, Any]]:
        return [{"partitions": [{}] * len(self.seconds)}]

    def list_partition_offsets(self, asked: dict[Any, Any]) -> dict[Any, Any]:
        now = time.time()
        times = [-1 if each is None else round(1000 * (now - each)) for each in self.seconds]
        return dict(zip(asked, (SimpleNamespace(timestamp=each) for each in times), strict=True))


class Refusing(Admin):
    def describe_topics(self, names: list[str]) -> list[dict[str, Any]]:
        raise TopicAuthorizationFailedError("no")


@pytest.mark.parametrize(
    ("admin", "working", "status", "words"),
    [
        (Admin(2, 300), True, "ok", "2s ago"),
        (Admin(-60), True, "warn", "60s ahead of this machine's"),
        (Admin(600, 900, None), True, "warn", "10m behind this machine's"),
        (Admin(600), False, "ok", "10m ago"),
        (Admin(None, None), True, "ok", "cannot be told"),
        (Admin(), True, "ok", "cannot be told"),
        (Refusing(1), True, "ok", "cannot be told from __consumer_offsets: TopicAuthorizationFailedError"),
    ],
)
def test_the_brokers_clock_is_that_of_the_newest_commit(admin: Any, working: bool, status: str, words: str) -> None:
    found = broker_clock(admin, working)
    assert (found.status, words in found.message) == (status, True), found
    assert (found.next is None) == (status == "ok")


@pytest.mark.parametrize(
    ("seconds", "status", "words"),
    [(0, "ok", "within"), (-2, "ok", "within"), (60, "warn", "60s ahead of"), (-300, "warn", "5m behind")],
)
def test_the_workers_clock_is_that_of_its_answer(seconds: int, status: str, words: str) -> None:
    now = time.time()
    found = worker_clock(datetime.fromtimestamp(int(now) + seconds, UTC), int(now) * 1000 + 500)
    assert (found.status, words in found.message) == (status, True), found


def test_a_worker_that_tells_no_time_is_no_alarm() -> None:
    assert worker_clock(None, 0).status == "ok"


def test_records_of_the_future_are_told() -> None:
    now = round(time.time() * 1000)
    assert record_clocks({"a": now - 5, "b": None}).status == "ok"
    assert "10m ahead" in record_clocks({"a": now - 5, "b": now + 600_000}).message


def test_a_worker_says_its_version_and_the_doctor_where_it_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.web.api.installed", lambda: "9.9.9")
    with served(Held()) as address:
        version, date = Client(address).about()
        found = {each.check: each for each in worker_checks(address, None)}
    assert version == "9.9.9"
    assert date is not None
    assert abs(date.timestamp() - time.time()) < 60
    assert found["worker's version"].status == "warn"
    assert "the worker is 9.9.9" in found["worker's version"].message
    assert found["clock of the worker"].status == "ok"
