"""Where the tests' Kafka comes from, and the few things tests do with one.

In this order: a broker named by HYPERPOD_STATE_TEST_KAFKA (host:port), a container where a Docker engine answers
(image: HYPERPOD_STATE_TEST_KAFKA_IMAGE), else the embedded broker. All three are Apache Kafka; none is a fake.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import docker
from docker.errors import DockerException
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from streams.broker import EmbeddedKafka, free_port

ADDRESS = "HYPERPOD_STATE_TEST_KAFKA"
IMAGE = "HYPERPOD_STATE_TEST_KAFKA_IMAGE"
DEFAULT_IMAGE = "apache/kafka:4.1.0"
DOCKER_SECONDS = 60

Record = tuple[bytes | None, bytes | None]


@dataclass(frozen=True)
class Broker:
    """A running Kafka: `bootstrap` is host:port; `origin` says where it comes from, and why not from elsewhere."""

    bootstrap: str
    origin: str


@contextmanager
def some_kafka(folder: Path) -> Iterator[Broker]:
    """The first Kafka to be had; `folder` is for the embedded one's data."""
    if address := os.environ.get(ADDRESS):
        yield Broker(address, f"{address}, named by {ADDRESS}")
        return
    container, reason = _try_container(os.environ.get(IMAGE, DEFAULT_IMAGE))
    if container is None:
        with EmbeddedKafka(folder, port=free_port()) as kafka:
            yield Broker(kafka.bootstrap, f"the embedded broker, as there is no container: {reason}")
        return
    try:
        yield Broker(container.env["HOST_ADDRESS"], f"a container of {container.image}")
    finally:
        container.stop()


def _try_container(image: str) -> tuple[DockerContainer | None, str]:
    """A started container, or None and the reason why there is none."""
    try:
        client = docker.from_env(timeout=DOCKER_SECONDS)
    except DockerException as error:
        return None, f"no Docker engine answers ({error})"
    try:
        if not client.images.list(image):
            client.images.pull(image)
        return _started(_container(image)), ""
    except (DockerException, OSError, TimeoutError) as error:
        return None, f"{image} cannot be had ({error})"
    finally:
        client.close()


def _started(container: DockerContainer) -> DockerContainer:
    """Leaves nothing behind where the start fails half-way."""
    try:
        return container.start()
    except BaseException:
        container.stop()
        raise


def _container(image: str) -> DockerContainer:
    """One KRaft node. Clients reach it by the address it advertises, so the port outside is chosen beforehand."""
    port = free_port()
    address = f"127.0.0.1:{port}"
    settings = {
        "HOST_ADDRESS": address,
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENERS": "PLAINTEXT://0.0.0.0:9092,CONTROLLER://localhost:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://{address}",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    }
    started = LogMessageWaitStrategy("Kafka Server started").with_startup_timeout(DOCKER_SECONDS)
    container = DockerContainer(image).with_bind_ports(9092, port).waiting_for(started)
    return container.with_envs(**settings)


def new_topic(bootstrap: str, partitions: int = 1, stem: str = "test") -> str:
    """Creates a topic nobody else uses and returns its name, once it can be written to."""
    name = f"{stem}-{uuid.uuid4().hex[:12]}"
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        topic = {name: {"num_partitions": partitions, "replication_factor": 1}}
        admin.create_topics(topic, wait_for_metadata=True)
    finally:
        admin.close()
    return name


def produce(bootstrap: str, topic: str, records: Iterable[Record], partition: int | None = None) -> int:
    """Writes (key, value) pairs and waits until the broker has them all; returns how many."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all")
    try:
        sent = [producer.send(topic, key=key, value=value, partition=partition) for key, value in records]
        for one in sent:
            one.get(timeout=30)
    finally:
        producer.close()
    return len(sent)


def consume(bootstrap: str, topic: str) -> list[ConsumerRecord]:
    """Everything the topic holds now, partition by partition, each in its order."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    try:
        parts = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
        consumer.assign(parts)
        ends = consumer.end_offsets(parts)
        found: list[ConsumerRecord] = []
        while any(consumer.position(part) < ends[part] for part in parts):
            for batch in consumer.poll(timeout_ms=500).values():
                found.extend(batch)
    finally:
        consumer.close()
    return sorted(found, key=lambda record: (record.partition, record.offset))
