"""What is read of the anomalies topic, whoever wrote it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from kafka.errors import KafkaError, KafkaTimeoutError

from streams.alerts.book import Notes
from streams.alerts.feed import Feed
from streams.alerts.picture import Picture, Taken
from streams.alerts.run import Desk
from streams.alerts.tally import Tally
from streams.connection import NoKafka
from streams.reader import Step
from streams.settings import Settings
from tests.test_streams.alerting import Log, anomaly

SETTINGS = Settings()


class Topic:
    """Partitions with records, as `streams.reader` reads them."""

    def __init__(self, *partitions: list[tuple[bytes, bytes]]) -> None:
        self.all, self.leaderless, self.failed = list(partitions), set[int](), 0

    def partitions(self, topic: str) -> list[int]:
        return list(range(len(self.all)))

    def follow(self, starts: Mapping[tuple[str, int], int], most: int) -> Iterator[Step]:
        if self.leaderless & {number for _, number in starts}:
            self.failed += 1
            assert self.failed < 100, "nothing is read of the others"
            raise KafkaTimeoutError("no leader")
        for (topic, number), offset in starts.items():
            found = [SimpleNamespace(key=key, value=value, timestamp=0) for key, value in self.all[number][offset:]]
            yield Step(found, {(topic, number): len(self.all[number])}, 0)


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> Topic:
    found = Topic([])

    @contextmanager
    def reader(settings: Settings) -> Iterator[Any]:
        try:
            yield found
        except KafkaError as error:
            raise NoKafka(str(error)) from error

    monkeypatch.setattr("streams.alerts.feed.reader", reader)
    return found


def record(name: str) -> tuple[bytes, bytes]:
    return name.encode(), anomaly(name).model_dump_json().encode()


def test_a_record_whose_key_is_no_text_is_left_out_and_named(topic: Topic, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("streams.alerts.run.log", log := Log())
    topic.all[0] += [record("a"), (b"\xff\x00", b"?"), (b"\xfe", record("b")[1]), record("c")]
    desk = Desk(SETTINGS, Notes(), (), Tally([]))
    desk.take(Feed(SETTINGS, lambda found, whole: None).once())
    assert [each.anomaly_id for each in desk.picture.opened()] == ["a", "c"]
    (line,) = log.lines
    assert "records that cannot be understood are left out" in line
    assert "xff" in line


def test_a_record_under_another_id_is_not_understood():
    picture = Picture()
    assert not picture.take(Taken("b", record("a")[1]))
    assert list(picture.opened()) == []


def test_a_partition_that_is_added_later_is_read(topic: Topic):
    found: list[Taken] = []

    def take(more: list[Taken], whole: bool) -> None:
        found.extend(more)
        feed.stop()

    feed = Feed(SETTINGS, take)
    topic.all[0].append(record("a"))
    found += feed.once()
    topic.all.append([record("b")])
    feed.run()
    assert [each.key for each in found] == ["a", "b"]


def test_a_partition_without_a_leader_withholds_nothing_of_the_others(topic: Topic, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("streams.alerts.feed.LOOK_SECONDS", 0.001)
    monkeypatch.setattr("streams.alerts.feed.RETRY_SECONDS", 0.001)
    topic.all[:] = [[], [], []]
    found: list[tuple[str, bool]] = []

    def take(more: list[Taken], whole: bool) -> None:
        found.extend((each.key, whole) for each in more)
        if whole and found:
            feed.stop()
        elif more:  # it has a leader again
            topic.leaderless.clear()

    feed = Feed(SETTINGS, take)
    feed.once()
    topic.leaderless.add(0)
    for number, name in enumerate("abc"):
        topic.all[number].append(record(name))
    feed.run()
    assert found[0] == ("b", False)
    assert sorted(key for key, _ in found) == ["a", "b", "c"]


def test_only_a_topic_that_was_read_whole_is_said_to_be_read():
    desk = Desk(SETTINGS, Notes(), (), Tally([]))
    desk.take([], False)
    assert desk.tally.last._value.get() == 0
    desk.take([])
    assert desk.tally.last._value.get() > 0
