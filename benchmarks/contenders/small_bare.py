"""The small step on bare confluent-kafka clients: the limit of what any framework could reach.

Knows: confluent-kafka.
Must not know: how its figures are used.

Rows live in a dictionary; what changed is written to a changelog topic once a second, then the offsets are committed.
There is no restore, no rebalance, no fencing: whoever needs those pays more.
"""

from __future__ import annotations

import gc
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from benchmarks import small_step as small
from benchmarks.contenders.job import Job, Stopwatch, leave, told

FETCH = {"fetch.wait.max.ms": 50, "queued.max.messages.kbytes": 65_536, "fetch.message.max.bytes": 4 << 20}
SEND = {"linger.ms": 5, "queue.buffering.max.messages": 1_000_000, "acks": "all"}


def consumer_of(job: Job) -> Consumer:
    """All partitions by hand: nothing is to be shared out."""
    options = {"bootstrap.servers": job.bootstrap, "group.id": job.group, "enable.auto.commit": False}
    consumer = Consumer({**options, "auto.offset.reset": "earliest", **FETCH})
    consumer.assign([TopicPartition(job.topic, number, 0) for number in range(job.partitions)])
    return consumer


def commit(consumer: Consumer) -> None:
    """Where everything delivered is committed already, the library calls that an error."""
    try:
        consumer.commit(asynchronous=False)
    except KafkaException as error:
        if error.args[0].code() != KafkaError._NO_OFFSET:
            raise


def main(job: Job) -> None:
    """Drain the topic."""
    gc.disable()
    watch = Stopwatch(job)
    consumer, producer = consumer_of(job), Producer({"bootstrap.servers": job.bootstrap, **SEND})
    rows: dict[bytes, small.Row] = {}
    changed: dict[bytes, tuple[int, small.Row]] = {}
    anomalies: list[tuple[int, bytes, bytes]] = []
    due = 0.0
    while not watch.full:
        for message in consumer.consume(5000, 0.05):
            watch.event()
            record = small.parse(message.value())
            key = small.key_of(record)
            row, anomaly = small.step(rows.get(key), record)
            rows[key], changed[key] = row, (message.partition(), row)
            if anomaly is not None:
                anomalies.append((message.partition(), key, anomaly))
        due = due or time.monotonic() + job.checkpoint_seconds
        if time.monotonic() >= due or watch.full:
            _checkpoint(job, consumer, producer, changed, anomalies)
            due = time.monotonic() + job.checkpoint_seconds
    watch.end()
    leave()


def _checkpoint(
    job: Job,
    consumer: Consumer,
    producer: Producer,
    changed: dict[bytes, tuple[int, small.Row]],
    anomalies: list[tuple[int, bytes, bytes]],
) -> None:
    for key, (partition, row) in changed.items():
        producer.produce(f"{job.group}-changelog", small.encode(row), key, partition)
    for partition, key, value in anomalies:
        producer.produce(f"{job.group}-anomalies", value, key, partition)
    producer.flush()
    commit(consumer)
    changed.clear()
    anomalies.clear()


if __name__ == "__main__":
    main(told())
