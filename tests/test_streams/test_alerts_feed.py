"""What is read of the anomalies topic, whoever wrote it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from streams.alerts.book import Notes
from streams.alerts.feed import Feed
from streams.alerts.picture import Picture, Taken
from streams.alerts.run import Desk
from streams.alerts.tally import Tally
from streams.reader import Step
from streams.settings import Settings
from tests.test_streams.alerting import anomaly

SETTINGS = Settings()


class Topic:
    """Partitions with records, as `streams.reader` reads them."""

    def __init__(self, *partitions: list[tuple[bytes, bytes]]) -> None:
        self.all = list(partitions)

    def partitions(self, topic: str) -> list[int]:
        return list(range(len(self.all)))

    def follow(self, starts: Mapping[tuple[str, int], int], most: int) -> Iterator[Step]:
        for (topic, number), offset in starts.items():
            found = [SimpleNamespace(key=key, value=value, timestamp=0) for key, value in self.all[number][offset:]]
            yield Step(found, {(topic, number): len(self.all[number])}, 0)


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> Topic:
    found = Topic([])

    @contextmanager
    def reader(settings: Settings) -> Iterator[Any]:
        yield found

    monkeypatch.setattr("streams.alerts.feed.reader", reader)
    return found


def record(name: str) -> tuple[bytes, bytes]:
    return name.encode(), anomaly(name).model_dump_json().encode()


def test_a_record_whose_key_is_no_text_is_left_out_and_named(topic: Topic, caplog: pytest.LogCaptureFixture):
    topic.all[0] += [record("a"), (b"\xff\x00", b"?"), (b"\xfe", record("b")[1]), record("c")]
    desk = Desk(SETTINGS, Notes(), (), Tally([]))
    desk.take(Feed(SETTINGS, lambda found: None).once())
    assert [each.anomaly_id for each in desk.picture.opened()] == ["a", "c"]
    assert "records that cannot be understood are left out" in caplog.text
    assert "xff" in caplog.text


def test_a_record_under_another_id_is_not_understood():
    picture = Picture()
    assert not picture.take(Taken("b", record("a")[1]))
    assert list(picture.opened()) == []


def test_a_partition_that_is_added_later_is_read(topic: Topic):
    found: list[Taken] = []

    def take(more: list[Taken]) -> None:
        found.extend(more)
        feed.stop()

    feed = Feed(SETTINGS, take)
    topic.all[0].append(record("a"))
    found += feed.once()
    topic.all.append([record("b")])
    feed.run()
    assert [each.key for each in found] == ["a", "b"]
