"""The function of the feed on a real Kafka: what it answers a pipe is what Kafka has."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from streams.broker import EmbeddedKafka, free_port
from streams.feed import function
from streams.feed.sender import Access, Record, Sender
from tests.broker.lab import arn, event
from tests.builders import heartbeat
from tests.kafka import consume, new_topic
from tests.test_deploy.pipe import Context, message

if TYPE_CHECKING:
    from tests.kafka import Broker

BATCH = [(f"m-{number}", event(number % 3, number, 0).decode()) for number in range(10)]
PATIENT = 120
"""Seconds for what has to succeed, also on a machine that does much else."""
OUTAGE = 40
"""For all calls of one producer: what it may hold when the time is over goes with it."""
Call = Callable[..., dict[str, Any]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    """The handler, as a fresh function of Lambda with these settings."""
    kept: list[Sender] = []
    monkeypatch.setattr(function, "_kept", kept)

    def called(batch: list[tuple[str, str]], brokers: str, topic: str, seconds: float = PATIENT) -> dict[str, Any]:
        monkeypatch.setenv("HYPERPOD_STATE_BROKERS", brokers)
        monkeypatch.setenv("HYPERPOD_STATE_RAW_TOPIC", topic)
        monkeypatch.setenv("HYPERPOD_STATE_KAFKA_TLS", "false")
        return function.handler([message(name, body) for name, body in batch], Context(int(seconds * 1000)))

    yield called
    for sender in kept:
        sender.close()


def named(answer: dict[str, Any]) -> list[str]:
    return [item["itemIdentifier"] for item in answer["batchItemFailures"]]


def test_a_batch_is_in_the_topic_byte_for_byte_once_and_by_cluster(kafka: Broker, call: Call) -> None:
    topic = new_topic(kafka.bootstrap, partitions=4)
    assert call(BATCH, kafka.bootstrap, topic) == {"batchItemFailures": []}
    found = consume(kafka.bootstrap, topic)
    assert sorted(record.value for record in found) == sorted(body.encode() for _, body in BATCH)
    homes = {record.key: {each.partition for each in found if each.key == record.key} for record in found}
    assert set(homes) == {arn(number).encode() for number in range(3)}
    assert all(len(partitions) == 1 for partitions in homes.values())
    for key in homes:  # the order of the batch is the order in the topic
        assert [r.value for r in found if r.key == key] == [b.encode() for _, b in BATCH if key.decode() in b]


def test_what_has_no_cluster_and_what_is_no_event_goes_on_as_it_came(kafka: Broker, call: Call) -> None:
    topic = new_topic(kafka.bootstrap)
    bodies = [json.dumps(heartbeat(1_700_000_000_000)), "no JSON", "[1]", '{"detail": 1, "resources": {}}', "[" * 5000]
    assert named(call(list(zip("abcde", bodies, strict=True)), kafka.bootstrap, topic)) == []
    assert [(r.key, r.value.decode()) for r in consume(kafka.bootstrap, topic)] == [(None, body) for body in bodies]


def test_a_batch_is_one_request(kafka: Broker) -> None:
    topic = new_topic(kafka.bootstrap, partitions=4)
    sender = Sender(Access(kafka.bootstrap, topic, tls=False))
    try:
        records = [Record(arn(number % 7).encode(), b"x" * 20_000) for number in range(50)]
        assert [sender.send(records, PATIENT) for _ in range(3)] == [[""] * 50] * 3
        assert sender._producer.metrics()["producer-metrics"]["records-per-request-avg"] == 50
    finally:
        sender.close()


def test_only_what_kafka_refused_comes_again(kafka: Broker, call: Call) -> None:
    """A topic takes a megabyte unless it is told otherwise; a message of SQS may have a little more, with its key.

    Those that are too large come first here: kafka-python gives up on all that is not sent yet by then.
    """
    topic = new_topic(kafka.bootstrap, partitions=2)
    larger = [(name, json.dumps({"text": "x" * size})) for name, size in (("large", 1_100_000), ("larger", 1_200_000))]
    batch = [*larger, *BATCH[:3], ("larger still", json.dumps({"text": "x" * 1_300_000})), *BATCH[3:6]]
    assert named(call(batch, kafka.bootstrap, topic)) == ["large", "larger", "larger still"]
    there = [record.value.decode() for record in consume(kafka.bootstrap, topic)]
    assert sorted(there) == sorted(body for _, body in BATCH[:6])


def test_a_topic_that_is_not_there_fails_the_batch_in_time_and_is_not_made(
    kafka: Broker, call: Call, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        answer = call(BATCH, kafka.bootstrap, "no-such-topic", seconds=12)
        assert named(answer) == [name for name, _ in BATCH]
    (why,) = json.loads(capsys.readouterr().out.splitlines()[-1])["why"]
    assert why.startswith("topic no-such-topic cannot be written to: KafkaTimeoutError: Failed")


def test_what_a_stopped_broker_may_have_taken_comes_again_and_not_a_word_of_it_is_lost(
    tmp_path: Path, call: Call
) -> None:
    """Its fate is not known in time: it counts as not written, so the worse that can happen is a copy."""
    with EmbeddedKafka(tmp_path, port=free_port()) as kafka:
        topic = new_topic(kafka.bootstrap)
        assert named(call(BATCH[:1], kafka.bootstrap, topic, seconds=OUTAGE)) == []
        assert kafka.pid is not None
        os.kill(kafka.pid, signal.SIGSTOP)
        try:
            assert named(call(BATCH[1:], kafka.bootstrap, topic, seconds=OUTAGE)) == [name for name, _ in BATCH[1:]]
        finally:
            os.kill(kafka.pid, signal.SIGCONT)
        assert named(call(BATCH[1:], kafka.bootstrap, topic, seconds=OUTAGE)) == []
        assert {record.value.decode() for record in consume(kafka.bootstrap, topic)} == {body for _, body in BATCH}


def test_nothing_is_lost_while_kafka_is_away_and_the_same_function_goes_on(
    tmp_path: Path, call: Call, capsys: pytest.CaptureFixture[str]
) -> None:
    port, every = free_port(), [name for name, _ in BATCH]
    address = f"127.0.0.1:{port}"
    assert named(call(BATCH, address, "raw", seconds=9)) == every
    assert "no connection to Kafka" in capsys.readouterr().out
    with EmbeddedKafka(tmp_path, port=port):
        topic = new_topic(address)
        function._kept[0]._access = Access(address, topic, tls=False)
        assert named(call(BATCH, address, topic, seconds=OUTAGE)) == []
    assert named(call(BATCH, address, topic, seconds=OUTAGE)) == every  # with the connection from before
    with EmbeddedKafka(tmp_path, port=port):
        assert named(call(BATCH[:2], address, topic, seconds=OUTAGE)) == []
        there = [record.value.decode() for record in consume(address, topic)]
        assert there == [body for _, body in [*BATCH, *BATCH[:2]]]
