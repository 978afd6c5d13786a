"""A bystander reads what is committed, up to the end that there was, past markers and aborted records."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

import pytest
from kafka import KafkaProducer

from streams import silence_topic
from streams.backfill.delivery import delivering
from streams.connection import NoKafka
from streams.reader import reader
from streams.settings import Settings
from tests.kafka import new_topic, produce

if TYPE_CHECKING:
    from tests.kafka import Broker


def transaction(kafka: Broker, topic: str, values: list[bytes], commit: bool) -> None:
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id=f"test-{uuid.uuid4().hex}")
    try:
        producer.init_transactions()
        producer.begin_transaction()
        for value in values:
            producer.send(topic, value=value, partition=0)
        producer.flush()
        (producer.commit_transaction if commit else producer.abort_transaction)()
    finally:
        producer.close()


def test_committed_records_are_read_and_nothing_else(kafka: Broker) -> None:
    topic = new_topic(kafka.bootstrap, partitions=2)
    transaction(kafka, topic, [b"taken back"], commit=False)
    transaction(kafka, topic, [b"one", b"two"], commit=True)
    transaction(kafka, topic, [b"taken back too"], commit=False)
    with reader(Settings(brokers=kafka.bootstrap)) as found:
        assert [record.value for record in found.records(topic)] == [b"one", b"two"]
        assert list(found.records(topic, partitions=[1])) == []


def test_reading_begins_at_a_moment_and_finds_one_record(kafka: Broker) -> None:
    topic = new_topic(kafka.bootstrap, partitions=2)
    produce(kafka.bootstrap, topic, [(b"k", b"%d" % number) for number in range(20)], partition=1)
    with reader(Settings(brokers=kafka.bootstrap)) as found:
        times = [record.timestamp for record in found.records(topic)]
        assert len(times) == 20
        later = [record.timestamp for record in found.records(topic, since_ms=times[-1])]
        assert later == [time for time in times if time >= times[-1]]
        assert list(found.records(topic, since_ms=times[-1] + 3_600_000)) == []
        third = found.record(topic, 1, 3)
        assert third is not None
        assert third.value == b"3"
        assert found.record(topic, 1, 20) is None


def test_a_topic_that_does_not_exist_is_empty(kafka: Broker) -> None:
    with reader(Settings(brokers=kafka.bootstrap)) as found:
        assert found.partitions("nobody-has-this") == []
        assert list(found.records("nobody-has-this")) == []


def test_no_broker_is_said_with_the_way_out() -> None:
    with pytest.raises(NoKafka, match="hyperpod-state broker"), reader(Settings(brokers="127.0.0.1:1")):
        raise AssertionError("there is nothing to read")


def test_who_writes_to_a_topic_that_is_not_there_hears_so_at_once(kafka: Broker) -> None:
    settings = Settings(brokers=kafka.bootstrap, raw_topic="nowhere", silences_topic="nobodys")
    begun = time.monotonic()
    wanted = r"There is no topic nowhere at .* `hyperpod-state topics --create`"
    with pytest.raises(NoKafka, match=wanted), delivering(settings):
        pass
    with pytest.raises(NoKafka, match="There is no topic nobodys"):
        silence_topic.write(settings, [])
    assert time.monotonic() - begun < 30
