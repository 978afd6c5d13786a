"""What becomes of what was said, or was to be said: crashes, services that fail, the book."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

import orjson
import pytest

from models.public_anomaly import Severity
from streams.alerts.book import TakenOver, TopicBook, dump, name_of, parse
from streams.alerts.config import Config
from streams.alerts.due import Action, Message, Page
from streams.alerts.filters import Filter
from streams.alerts.forms import form
from streams.alerts.post import Later, Refused, Unheard
from streams.alerts.words import Links
from streams.secret_files import BadSecret
from streams.settings import Settings
from streams.transaction import Record, TransactionLost
from tests.test_streams.alerting import Desk, anomaly, resolved, retracted


class Killed(BaseException):
    """kill -9."""


def test_a_page_that_may_have_been_sent_is_sent_again_by_the_same_key_and_closed_in_any_case():
    desk = Desk()

    def die(message: object) -> None:
        raise Killed

    desk.write(anomaly())
    desk.mouth.after = die
    with pytest.raises(Killed):
        desk.deliver()
    assert desk.kept["oncall"]["a"] == Page("a", anomaly(), Action.OPEN, 2_000_000_000_000)
    desk.mouth.after = lambda message: None
    desk.restart()
    assert desk.deliver() == ["open a"]

    desk.write(anomaly("b"))
    desk.mouth.after = die
    with pytest.raises(Killed):
        desk.deliver()
    desk.mouth.after = lambda message: None
    desk.write(resolved("b"))
    desk.restart()
    assert desk.deliver() == ["close b"]


def test_a_service_that_is_down_is_asked_until_it_is_up_and_nothing_is_lost():
    desk = Desk()
    left = 6

    def down(message: object) -> None:
        nonlocal left
        left -= 1
        if left >= 0:
            raise Later("503: no", after=7.0)

    desk.mouth.before = down
    desk.write(anomaly("a"), anomaly("b"))
    assert sorted(desk.deliver()) == ["open a", "open b"]
    assert len(desk.courier.naps) == 6
    assert min(desk.courier.naps) >= 7.0
    assert desk.tally.failed.labels("oncall")._value.get() == 6


def test_a_message_that_always_fails_does_not_hold_up_the_others():
    desk = Desk()
    tries = 0

    def poison(message: object) -> None:
        nonlocal tries
        if message.key == "a":
            tries += 1
            if tries == 5:
                desk.courier.stop()
            raise Later("500: oops")

    desk.mouth.before = poison
    desk.write(anomaly("a", severity="critical"), anomaly("b"), anomaly("c"))
    assert desk.deliver() == ["open b", "open c"]


def test_a_message_that_is_refused_is_left_for_ten_minutes_and_the_others_are_said():
    desk = Desk()

    def refuse(message: object) -> None:
        if message.key == "a":
            raise Refused("400: no")

    desk.mouth.before = refuse
    desk.write(anomaly("a"), anomaly("b"))
    assert desk.deliver() == ["open b"]
    assert desk.deliver() == []
    desk.mouth.before = lambda message: None
    desk.now += 601
    assert desk.deliver() == ["open a"]


def test_a_change_that_fails_is_the_same_change_when_it_is_tried_again_also_after_a_crash():
    desk = Desk()
    desk.write(anomaly("a", severity="warning"))
    desk.deliver()
    desk.write(anomaly("a", 2, severity="critical"))
    (change,) = desk.courier.due()
    for fault in (Later("no answer"), Killed()):
        failed = False

        def fail(message: object, fault: BaseException = fault) -> None:
            nonlocal failed
            if not failed:
                failed = True
                desk.courier.stop()
                raise fault

        desk.mouth.after = fail
        with suppress(Killed):
            desk.deliver()
        desk.restart()
        (again,) = desk.courier.due()
        assert (again.action, again.anomaly, again.why) == (Action.UPDATE, change.anomaly, "it was warning before")
    assert desk.deliver() == ["update a"]


def test_a_change_that_is_refused_is_not_tried_again_at_once():
    desk = Desk()
    desk.write(anomaly("a", severity="warning"))
    desk.deliver()
    tries = []

    def refuse(message: object) -> None:
        tries.append(message)
        raise Refused("400: no")

    desk.mouth.before = refuse
    desk.write(anomaly("a", 2, severity="critical"))
    desk.deliver()
    assert len(tries) == 1


def test_a_page_whose_end_was_tried_opens_anew():
    desk = Desk()
    desk.write(anomaly())
    desk.deliver()

    def die(message: object) -> None:
        raise Killed

    desk.mouth.after = die
    desk.write(resolved())
    with pytest.raises(Killed):
        desk.deliver()
    desk.mouth.after = lambda message: None
    desk.write(anomaly("a", 3))
    desk.restart()
    assert desk.deliver() == ["open a"]


@pytest.mark.parametrize("tried", [None, *Action])
def test_the_book_is_read_as_it_was_written(tried: Action | None):
    page = Page("a", anomaly(evidence=()), tried, 1_791_193_320_000)
    assert parse([(name_of("oncall", "a"), dump("oncall", page))]) == ({"oncall": {"a": page}}, None)


def test_a_page_of_the_first_version_that_is_not_sure_is_opened_again():
    told = orjson.loads(dump("oncall", Page("a", anomaly(evidence=()), Action.UPDATE)) or b"")
    del told["tried"], told["began_ms"]
    pages, _ = parse([(name_of("oncall", "a"), orjson.dumps(told))])
    assert pages["oncall"]["a"].tried is Action.OPEN


@pytest.mark.parametrize("error", [Unheard("no route"), Refused("400: no"), BadSecret("no such file")])
def test_the_end_of_what_cannot_have_arrived_is_not_told(error: Exception):
    desk = Desk()
    names = [f"a{number}" for number in range(30)]
    tries = 0

    def dead(message: object) -> None:
        nonlocal tries
        tries += 1
        if tries == 40:
            desk.courier.stop()
        raise error

    desk.mouth.before = dead
    desk.write(*map(anomaly, names))
    desk.deliver()
    assert tries >= 30
    assert desk.kept == {"oncall": {}}
    desk.mouth.before = lambda message: None
    desk.write(*map(resolved, names))
    desk.restart()
    assert desk.deliver() == []


def test_the_end_of_what_may_have_arrived_before_is_told_although_it_did_not_the_last_time():
    desk = Desk()
    desk.fails_with(Later("no answer"), Unheard("no route"))
    desk.write(anomaly())
    desk.deliver()
    desk.mouth.before = lambda message: None
    desk.write(resolved())
    desk.restart()
    assert desk.deliver() == ["close a"]


class Receiver(Desk):
    """Keeps the ids of CloudEvents; a second passes with each."""

    def __init__(self, rule: Filter | None = None) -> None:
        super().__init__(rule)
        table = {"type": "webhook", "name": "oncall", "url": "https://hook.example.com"}
        self.form_of_events, self.ids = form(Config.model_validate({"sinks": [table]}).sinks[0], Links()), list[str]()
        self.mouth.before = self.keep

    def keep(self, message: Message) -> None:
        self.now += 1
        self.ids.append(self.form_of_events.request(message, 0).body["id"])


def test_each_opening_of_a_page_has_an_id_of_its_own():
    desk = Receiver(Filter(least=Severity.CRITICAL))
    desk.write(anomaly("i"), anomaly("m", 3, severity="critical", parent_id="i"))
    assert desk.deliver() == ["open m"]
    desk.write(anomaly("i", 2, severity="critical"))
    assert desk.deliver() == ["open i", "close m"]
    desk.write(resolved("i", 3))
    assert desk.deliver() == ["open m", "close i"]
    assert len(set(desk.ids)) == len(desk.ids) == 5


def test_a_page_that_opens_after_its_end_was_tried_has_another_id_each_time_the_same():
    desk = Receiver()
    desk.write(anomaly("a", 3))
    desk.deliver()

    def die(message: object) -> None:
        raise Killed

    for record in (resolved("a", 3), anomaly("a", 3)):
        desk.write(record)
        desk.mouth.after = die
        with pytest.raises(Killed):
            desk.deliver()
        desk.restart()
    desk.mouth.after = lambda message: None
    assert desk.deliver() == ["open a"]
    opened, closed, reopened, again = desk.ids
    assert reopened == again
    assert len({opened, closed, again}) == 3


def test_each_heir_that_takes_a_page_over_is_told_of_by_an_id_of_its_own():
    desk = Receiver()
    desk.write(anomaly("a"))
    desk.deliver()
    desk.write(retracted("a", "b"), anomaly("b"))
    desk.deliver()
    desk.write(retracted("b", "c"), anomaly("c"))
    assert desk.deliver() == ["update a"]
    assert len(set(desk.ids)) == len(desk.ids) == 3


def test_what_is_not_due_any_more_is_not_remembered_as_refused_or_failed():
    desk = Desk()
    desk.fails_with(Refused("400: no"), Later("500: oops"))
    desk.write(anomaly("a"), anomaly("b"))
    desk.deliver()
    assert (len(desk.courier._refused), len(desk.courier._failures)) == (1, 2)
    desk.mouth.before = lambda message: None
    desk.write(resolved("a"), resolved("b"))
    desk.courier.due()
    assert (desk.courier._refused, dict(desk.courier._failures)) == ({}, {})


class Writer:
    """A claim that is lost at the first write; meanwhile something happens."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        self.meanwhile, self.lost, self.written = meanwhile, True, list[Record]()

    async def claim(self) -> None:
        self.meanwhile()
        self.lost = False

    async def write(self, records: list[Record], offsets: object) -> list[int]:
        if self.lost:
            raise TransactionLost("fenced")
        self.written += records
        return [0]


@pytest.mark.parametrize("other", [None, "another"])
def test_who_was_taken_over_while_it_claimed_its_book_again_writes_nothing(
    other: str | None, monkeypatch: pytest.MonkeyPatch
):
    owner = "me"

    def meanwhile() -> None:
        nonlocal owner
        owner = other or owner

    monkeypatch.setattr("streams.alerts.book.read", lambda settings: ({}, owner))
    writer = Writer(meanwhile)
    book = TopicBook(Settings(), {}, "me", cast(Any, writer))
    if other is None:
        asyncio.run(book.write("oncall", "a", Page("a", anomaly())))
        assert len(writer.written) == 1
    else:
        with pytest.raises(TakenOver):
            asyncio.run(book.write("oncall", "a", Page("a", anomaly())))
        assert writer.written == []
