"""AnomalyConsumer on a made-up Kafka: what is handed on, what is committed, and what happens where a loop is left."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from kafka import TopicPartition
from kafka.errors import CommitFailedError, KafkaError, KafkaTimeoutError, RebalanceInProgressError

from streams.client import AnomalyConsumer, NewerVersion, NoKafka
from tests.test_streams.serving import anomaly

PART = TopicPartition("hyperpod.anomalies", 0)
BATCH = 5


def record(name: str, offset: int, value: bytes | None = b"", **changes: Any) -> Any:
    told = json.dumps({**anomaly(name).model_dump(mode="json"), **changes}).encode() if value == b"" else value
    return SimpleNamespace(topic=PART.topic, partition=PART.partition, offset=offset, key=name.encode(), value=told)


class Kafka:
    """A topic with one partition, a group's offset in it, and what it says to the next commits."""

    def __init__(self, records: list[Any]) -> None:
        self.records, self.position, self.committed = records, 0, 0
        self.refusals: list[KafkaError] = []

    def __call__(self, **_: Any) -> Kafka:
        """As the class of kafka-python is called."""
        return self

    def partitions_for_topic(self, _: str) -> set[int]:
        return {PART.partition}

    def subscribe(self, _: list[str]) -> None:
        pass

    assign = subscribe

    def seek_to_beginning(self) -> None:
        self.position = 0

    def poll(self, **_: int) -> dict[TopicPartition, list[Any]]:
        found = self.records[self.position : self.position + BATCH]
        assert found, "it waits for ever"
        self.position += len(found)
        return {PART: found}

    def commit(self) -> None:
        if self.refusals:
            raise self.refusals.pop(0)
        self.committed = self.position

    def close(self) -> None:
        pass


@pytest.fixture
def kafka(monkeypatch: pytest.MonkeyPatch) -> Kafka:
    """With one anomaly more than twelve, so that the last batch is not full."""
    made = Kafka([record(f"a{number}", number) for number in range(13)])
    monkeypatch.setattr("streams.client.consumer.making", lambda _: contextlib.nullcontext())
    monkeypatch.setattr("streams.client.consumer.KafkaConsumer", made)
    return made


def names(found: Iterator[Any], count: int) -> list[str]:
    return [each.anomaly_id for each in itertools.islice(found, count)]


def test_a_loop_that_was_left_goes_on_at_the_anomaly_that_it_was_left_at(kafka: Kafka) -> None:
    consumer = AnomalyConsumer(group="g")
    for each in consumer:
        if each.anomaly_id == "a1":
            break
    assert names(iter(consumer), 12) == [f"a{number}" for number in range(1, 13)]
    assert kafka.committed == 10


def test_what_a_handler_failed_at_is_handed_on_again_and_not_committed_before(kafka: Kafka) -> None:
    consumer, handled = AnomalyConsumer(group="g"), []
    pager = iter([True, False, True])
    with contextlib.suppress(ConnectionError):
        for each in consumer:
            if not next(pager):
                raise ConnectionError("the pager is down")
            handled.append(each.anomaly_id)
    assert (handled, kafka.committed) == (["a0"], 0)
    assert names(iter(consumer), 5) == ["a1", "a2", "a3", "a4", "a5"]
    assert kafka.committed == BATCH


def test_two_loops_over_one_consumer_lose_nothing(kafka: Kafka) -> None:
    consumer = AnomalyConsumer()
    one, other = iter(consumer), iter(consumer)
    assert [next(each).anomaly_id for each in (one, other, one, other, one)] == ["a0", "a0", "a1", "a1", "a2"]
    assert kafka.committed == 0


def test_a_record_of_a_newer_version_is_not_passed_over_by_asking_again(kafka: Kafka) -> None:
    kafka.records[1] = record("a1", 1, schema_version="2")
    consumer = AnomalyConsumer(group="g")
    for expected in (["a0"], []):
        source = iter(consumer)
        assert names(source, len(expected)) == expected
        with pytest.raises(NewerVersion, match="schema_version 2"):
            next(source)
    assert kafka.committed == 0


@pytest.mark.parametrize("refusal", [CommitFailedError(), RebalanceInProgressError("g")])
def test_a_group_that_went_on_without_us_is_only_a_warning(
    kafka: Kafka, caplog: pytest.LogCaptureFixture, refusal: KafkaError
) -> None:
    kafka.refusals = [refusal]
    assert len(names(iter(AnomalyConsumer(group="g")), 6)) == 6
    assert [each.getMessage()[:14] for each in caplog.records] == ["not committed:"]


def test_a_commit_that_kafka_does_not_answer_is_told_in_words_and_tried_again(kafka: Kafka) -> None:
    kafka.refusals = [KafkaTimeoutError("the coordinator is away")]
    consumer = AnomalyConsumer(group="g")
    with pytest.raises(NoKafka, match=r"could not be told how far this group has come: .*the coordinator is away"):
        names(iter(consumer), 6)
    assert kafka.committed == 0
    assert names(iter(consumer), 1) == ["a5"]
    assert kafka.committed == BATCH


def test_what_somebody_else_writes_under_its_key_does_not_close_an_anomaly(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = [record("a", 0), record("b", 1), record("a", 2, b"not JSON"), record("b", 3, None)]
    told.append(record("a", 4, anomaly_id="c"))
    topic = SimpleNamespace(records=lambda _: iter(told))
    monkeypatch.setattr("streams.client.consumer.reader", lambda _: contextlib.nullcontext(topic))
    assert [each.anomaly_id for each in AnomalyConsumer().now()] == ["a"]
