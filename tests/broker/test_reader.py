"""A bystander reads what is committed, up to the end that there was, past markers and aborted records."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from streams import reader as reading
from streams import silence_topic
from streams.backfill.delivery import delivering
from streams.connection import NoKafka
from streams.reader import Offsets, Shorter, offsets, reader
from streams.settings import Settings
from streams.store import filler
from streams.web.sql import NotYet
from tests.kafka import new_topic, produce
from tests.test_streams.alerting import Log
from tests.test_streams.test_store import told, transition

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


PART = TopicPartition("topic", 3)


def test_a_partition_without_a_leader_is_asked_for_again_and_then_named(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: Iterator[Offsets | KeyError] = iter([KeyError(PART), KeyError(PART), {PART: 7}])

    def ask(_: list[TopicPartition]) -> Offsets:
        found = next(answers, KeyError(PART))
        if isinstance(found, KeyError):
            raise found
        return found

    monkeypatch.setattr(reading, "POLL_MS", 1)
    assert offsets(ask, [PART]) == {PART: 7}
    monkeypatch.setattr(reading, "LEADER_SECONDS", 0)
    with pytest.raises(NoKafka, match=r"topic/3 has no leader: .*`hyperpod-state doctor`"):
        offsets(ask, [PART])


def make_anew(kafka: Broker, *names: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    try:
        admin.delete_topics([*names])
        until = time.monotonic() + 60
        while set(names) & set(admin.list_topics()) and time.monotonic() < until:
            time.sleep(0.2)
        time.sleep(2)  # whoever reads meanwhile finds nothing there
        admin.create_topics([NewTopic(name, 2, 1) for name in names], wait_for_metadata=True)
    finally:
        admin.close()


def test_what_was_read_further_than_a_partition_goes_is_said(kafka: Broker) -> None:
    topic = new_topic(kafka.bootstrap)
    produce(kafka.bootstrap, topic, [(b"k", b"%d" % number) for number in range(3)])
    with reader(Settings(brokers=kafka.bootstrap)) as found:
        steps = list(found.follow({(topic, 0): 9}, 10))
        assert [record.value for step in steps for record in step.records] == [b"0", b"1", b"2"]
        with pytest.raises(Shorter, match=f"{topic}/0 ends at 3 and was read up to 9: the topic was made anew"):
            next(found.follow({(topic, 0): 9}, 10, strict=True))


def test_the_store_fills_itself_anew_from_topics_that_are_made_anew_under_it(
    kafka: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [new_topic(kafka.bootstrap, partitions=2) for _ in range(2)]
    settings = Settings(
        brokers=kafka.bootstrap, data_dir=tmp_path, transitions_topic=names[0], anomalies_topic=names[1]
    )
    log = Log()
    monkeypatch.setattr(filler, "log", log)
    monkeypatch.setattr(filler, "RETRY_SECONDS", 0.5)
    filling = filler.Filler(settings)
    thread = threading.Thread(target=filling.run)
    thread.start()

    def rows(query: str) -> list[Any]:
        try:
            return [tuple(item.values()) for item in filling.sql(query).items]
        except NotYet:
            return []

    def wait(expected: list[Any]) -> None:
        until, query = time.monotonic() + 120, "SELECT transition_id FROM transitions ORDER BY ALL"
        while (found := rows(query)) != expected and time.monotonic() < until:
            time.sleep(0.2)
        assert found == expected, log.lines

    try:
        values = [(b"k", transition(name)) for name in ("a", "b", "c")]
        produce(kafka.bootstrap, names[0], values, partition=0)
        produce(kafka.bootstrap, names[1], [(b"k", told("x", 1))])
        wait([("a",), ("b",), ("c",)])
        make_anew(kafka, *names)
        produce(kafka.bootstrap, names[0], [(b"k", transition("d"))], partition=0)
        wait([("d",)])
        assert rows("SELECT count(*) FROM anomalies") == [(0,)]
    finally:
        filling.stop()
        thread.join(60)
    assert any("store waits for Kafka" in line for line in log.lines), log.lines
    assert not [line for line in log.lines if "stopped" in line]
