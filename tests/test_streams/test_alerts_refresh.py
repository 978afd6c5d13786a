"""What a service forgets unless it is told again: whatever else happens, it is."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from streams.alerts.book import NotNow
from streams.alerts.due import Message, Page
from streams.alerts.post import Later, Refused
from tests.test_streams.alerting import Desk, Forgetful, anomaly, resolved

HOLD = 300.0
"""What a service is told lasts so long, by default."""


class Watched(Desk):
    """Notes when it told the service again, and of what; a try at anything takes two seconds."""

    def __init__(self) -> None:
        super().__init__(form=Forgetful())
        self.told: list[tuple[float, list[Message]]] = []
        self.mouth.again = self.refreshed
        self.mouth.after = self.took
        self.until = self.now + 3600

    def refreshed(self, messages: list[Message]) -> None:
        self.told.append((self.now, messages))

    def took(self, message: object = None, seconds: float = 2.0) -> None:
        self.now += seconds
        if self.now > self.until:
            self.courier.stop()

    def longest_gap(self) -> float:
        moments = [self.until - 3600, *(moment for moment, _ in self.told), self.now]
        return max(later - earlier for earlier, later in pairwise(moments))

    def keys(self) -> list[str]:
        return [each.key for each in self.told[-1][1]]


def test_what_is_open_stays_open_while_kafka_is_away(monkeypatch: pytest.MonkeyPatch):
    desk = Watched()
    desk.write(anomaly("a"))
    desk.deliver()

    async def away(*_: object) -> None:
        desk.took(seconds=30)
        raise NotNow("away")

    monkeypatch.setattr(desk.book, "write", away)
    desk.write(anomaly("b"))
    assert desk.deliver() == []
    assert desk.now > desk.until
    assert desk.longest_gap() < HOLD / 3


@pytest.mark.parametrize("which", [1, 2])
def test_what_is_open_stays_open_while_kafka_does_not_answer(which: int, monkeypatch: pytest.MonkeyPatch):
    desk, writes = Watched(), 0
    desk.write(anomaly("a"), anomaly("b"))
    desk.deliver()
    write = desk.book.write

    async def slow(sink: str, key: str, page: Page | None) -> None:
        nonlocal writes
        writes += 1
        if writes == which:  # before the message was sent, or after
            while desk.now < desk.until:
                desk.took(seconds=30)
                await asyncio.sleep(0.01)
        await write(sink, key, page)

    monkeypatch.setattr("streams.alerts.courier.LOOK_SECONDS", 0.001)
    monkeypatch.setattr(desk.book, "write", slow)
    desk.write(anomaly("b", 2, severity="critical"))
    assert desk.deliver() == ["update b"]
    assert desk.longest_gap() < HOLD / 3
    severity = {1: "error", 2: "critical"}[which]
    assert {each.key: each.anomaly.severity for each in desk.told[-1][1]} == {"a": "error", "b": severity}


def test_what_is_open_stays_open_while_a_storm_is_said():
    desk = Watched()
    desk.write(anomaly("a"))
    desk.deliver()
    desk.write(*(anomaly(f"b{number}") for number in range(300)))
    assert len(desk.deliver()) == 300
    assert desk.now - desk.until + 3600 >= 600
    assert desk.longest_gap() < HOLD / 3


def test_what_is_open_stays_open_while_the_picture_changes_with_every_message():
    desk = Watched()
    desk.write(anomaly("a"))
    desk.deliver()
    revisions = iter(range(2, 10_000))

    def news(message: object) -> None:
        desk.took(seconds=20)
        number = next(revisions)
        desk.write(*(anomaly(name, number, severity=("critical", "error")[number % 2]) for name in "bc"))

    desk.mouth.after = news
    desk.write(anomaly("b"), anomaly("c"))
    desk.deliver()
    assert desk.now > desk.until
    assert desk.longest_gap() < HOLD / 3


def test_what_is_open_stays_open_while_one_message_always_fails():
    desk = Watched()
    desk.write(anomaly("a"))
    desk.deliver()

    def poison(message: object) -> None:
        desk.took(seconds=30)
        raise Later("500: oops")

    desk.mouth.before = poison
    desk.write(anomaly("b"))
    desk.deliver()
    assert desk.longest_gap() < HOLD / 3


def test_a_change_that_is_refused_leaves_the_alert_that_there_is():
    desk = Watched()
    desk.write(anomaly("a"))
    desk.deliver()

    def refuse(message: object) -> None:
        raise Refused("400: no")

    desk.mouth.before = refuse
    desk.write(anomaly("a", 2, severity="critical"))
    for _ in range(10):
        desk.now += 61
        desk.deliver()
        assert [each.anomaly for each in desk.told[-1][1]] == [anomaly("a")]
    assert desk.longest_gap() < HOLD / 3


def test_what_may_be_new_to_the_service_and_what_is_over_are_not_told_again():
    desk = Watched()
    desk.write(anomaly("a"), anomaly("b"))
    desk.deliver()

    def no(message: object) -> None:
        raise Refused("400: no")

    desk.mouth.before = no
    desk.write(resolved("b"), anomaly("c"))
    desk.now += 61
    desk.deliver()
    desk.now += 61
    desk.deliver()
    assert desk.keys() == ["a"]


def test_a_refresh_that_fails_holds_up_no_message_and_is_tried_until_it_is_done():
    desk = Watched()
    desk.write(anomaly("a"))
    desk.deliver()
    tries = 0

    def fail(messages: list[Message]) -> None:
        nonlocal tries
        tries += 1
        desk.took(seconds=10)
        if tries < 4:
            raise Later("503: no")
        desk.refreshed(messages)

    async def nap(seconds: float, until: object = None) -> None:
        desk.now += 20
        await asyncio.sleep(0)

    desk.mouth.again, desk.courier._pause = fail, nap
    desk.now += 61
    desk.write(anomaly("b"))
    assert desk.deliver() == ["open b"]
    assert (tries, desk.keys()) == (4, ["a", "b"])
    assert desk.tally.failed.labels("oncall")._value.get() == 3


def test_a_refresh_counts_as_the_newest_title_does():
    desk = Watched()
    for revision, count in ((1, 3), (2, 9)):
        text = f"Failed together: {count} instances with AMI x"
        desk.write(anomaly("a", revision, title=text, instance_id=f"i-{revision}"))
        desk.deliver()
    desk.now += 61
    desk.deliver()
    (message,) = desk.told[-1][1]
    assert (message.anomaly.title, message.anomaly.instance_id) == ("Failed together: 9 instances with AMI x", "i-1")


def test_a_refresh_of_many_comes_in_portions_and_one_that_is_refused_costs_no_other():
    desk = Watched()
    desk.write(*(anomaly(f"a{number:03}") for number in range(250)))
    desk.deliver()
    desk.told.clear()
    sizes = []

    def refuse_the_first(messages: list[Message]) -> None:
        sizes.append(len(messages))
        if len(sizes) == 1:
            raise Refused("413: Request Entity Too Large")
        desk.refreshed(messages)

    desk.mouth.again = refuse_the_first
    desk.now += 61
    desk.deliver()
    assert sizes == [100, 100, 50]
    assert sum(len(messages) for _, messages in desk.told) == 150


def test_a_refresh_says_for_how_many_a_page_stands():
    desk = Watched()
    desk.write(anomaly("i"), anomaly("a", parent_id="i"), anomaly("b", parent_id="i"))
    desk.deliver()
    desk.now += 61
    desk.deliver()
    (message,) = desk.told[-1][1]
    assert (message.key, message.members, message.named) == ("i", 2, ("i-a", "i-b"))
