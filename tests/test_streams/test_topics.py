"""Topics are created as they must be, and a worker refuses others."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from streams.settings import Settings
from streams.topics import TopicError, changelog, member_id, prepare, wanted

if TYPE_CHECKING:
    from tests.kafka import Broker


def settings(broker: Broker, **more: Any) -> Settings:
    stem = f"topics-{uuid.uuid4().hex[:8]}"
    names = {f"{kind}_topic": f"{stem}.{kind}" for kind in ("raw", "events", "transitions", "anomalies")}
    names |= {f"{kind}_topic": f"{stem}.{kind}" for kind in ("deadletter", "status", "silences")}
    return Settings(
        **{"brokers": broker.bootstrap, "app_id": stem, "partitions": 2, "raw_partitions": 3, **names, **more}
    )


def make(broker: Broker, name: str, partitions: int, policy: str = "delete", **config: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    try:
        admin.create_topics(
            [NewTopic(name, partitions, 1, None, {"cleanup.policy": policy, **config})], wait_for_metadata=True
        )
    finally:
        admin.close()


def drop(broker: Broker, name: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
    try:
        admin.delete_topics([name])
        for _ in range(100):  # Kafka deletes after it has answered
            if name not in admin.list_topics():
                break
            time.sleep(0.1)
    finally:
        admin.close()


def test_everything_is_created_and_found_again(kafka: Broker) -> None:
    chosen = settings(kafka)
    first = prepare(chosen)
    assert set(first.incarnations) == {topic.name for topic in wanted(chosen)}
    assert prepare(chosen) == first


def test_every_topic_that_is_a_table_or_a_state_is_compacted() -> None:
    chosen = Settings()
    compacted = {topic.name for topic in wanted(chosen) if topic.compacted}
    assert compacted == {
        "hyperpod.anomalies",
        "hyperpod.status",
        *(f"hyperpod-state-{table}-changelog" for table in ("clusters", "instance_groups", "instances")),
        *(f"hyperpod-state-{table}-changelog" for table in ("anomalies", "progress", "raw_progress")),
        "hyperpod.silences",
        *(f"hyperpod-state-{table}-changelog" for table in ("broadcasts", "silences_progress")),
    }


def test_a_wrong_partition_count_is_refused_with_what_to_do(kafka: Broker) -> None:
    chosen = settings(kafka)
    make(kafka, chosen.raw_topic, 5)
    with pytest.raises(TopicError, match=r"has 5 partitions, 3 are wanted.*HYPERPOD_STATE_RAW_PARTITIONS"):
        prepare(chosen)


def test_a_wrong_cleanup_policy_is_refused_with_the_command_that_mends_it(kafka: Broker) -> None:
    chosen = settings(kafka)
    make(kafka, changelog(chosen, "instances"), 2, "delete")
    with pytest.raises(TopicError, match=r"kafka-configs .*cleanup.policy=compact"):
        prepare(chosen)


def test_missing_topics_are_named_where_creation_is_disabled(kafka: Broker) -> None:
    chosen = settings(kafka, create_topics=False)
    with pytest.raises(TopicError, match="missing and creation is disabled") as refusal:
        prepare(chosen)
    assert all(topic.name in str(refusal.value) for topic in wanted(chosen))


def test_a_recreated_topic_has_another_incarnation(kafka: Broker) -> None:
    chosen = settings(kafka)
    first = prepare(chosen)
    drop(kafka, chosen.events_topic)
    second = prepare(chosen)
    before, after = first.incarnations, second.incarnations
    assert {name for name in before if before[name] != after[name]} == {chosen.events_topic}


def test_no_record_is_to_be_larger_than_the_topics_take(kafka: Broker) -> None:
    chosen = settings(kafka)
    make(kafka, chosen.events_topic, 2, **{"max.message.bytes": "2000000"})
    make(kafka, chosen.raw_topic, 3, **{"max.message.bytes": "1000"})  # only others write to it
    assert prepare(chosen).record_bytes == 2_000_000


def test_a_topic_that_takes_next_to_nothing_is_refused(kafka: Broker) -> None:
    chosen = settings(kafka)
    make(kafka, chosen.anomalies_topic, 2, "compact", **{"max.message.bytes": "100000"})
    with pytest.raises(TopicError, match=r"at most 100000 bytes.*--add-config max\.message\.bytes=1048576"):
        prepare(chosen)


def test_no_broker_is_said_plainly() -> None:
    with pytest.raises(TopicError, match=r"No Kafka broker answers at 127\.0\.0\.1:1\."):
        prepare(Settings(brokers="127.0.0.1:1"))


def test_a_member_of_the_group_is_another_one_once_it_works_other_topics() -> None:
    worker = Settings(instance_id="worker-1")
    assert member_id(worker) == member_id(Settings(instance_id="worker-1"))
    changes = ({"tables": "v2"}, {"raw_topic": "raw"}, {"instance_id": "w"})
    others = [worker.model_copy(update=change) for change in changes]
    assert len({member_id(each) for each in [worker, *others]}) == 4


def test_segments_have_room_for_the_largest_record_and_are_small_otherwise() -> None:
    def of(**more: int) -> set[int]:
        return {int(topic.config["segment.bytes"]) for topic in wanted(Settings(**more)) if topic.compacted}

    assert of() == {50 << 20}
    assert of(max_record_bytes=64 << 20) == {128 << 20}
