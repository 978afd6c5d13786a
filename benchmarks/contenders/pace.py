"""Events at a steady rate, and how long each takes until a transition of it can be read: for the worker's latency.

Knows: confluent-kafka, the workload.
Must not know: what works between the two topics.

It reads what is committed, as every reader of those topics should.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import orjson
from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.contenders.job import MARK, leave
from benchmarks.measure import percentile
from benchmarks.workload import Shape, events

WARM_SECONDS = 3.0
PATIENCE_SECONDS = 20.0
SILENCE_SECONDS = 5.0
"""After the last event was sent: that nothing more will come.  Shorter, and the slowest would not be counted."""
SEND = {"linger.ms": 0, "acks": "all"}
FETCH = {"fetch.wait.max.ms": 5, "isolation.level": "read_committed", "enable.auto.commit": False}


def main(told: dict[str, Any]) -> None:
    """Produce and listen."""
    shape = Shape(**told["shape"])
    listener = listener_of(told["bootstrap"], told["transitions"], shape.partitions)
    producer = Producer({"bootstrap.servers": told["bootstrap"], **SEND})
    ready, sent, took = list(events(shape)), dict[str, float](), list[float]()
    begin, number = time.monotonic(), 0
    while number < len(ready):
        due = min(len(ready), int((time.monotonic() - begin) * told["rate"]))
        for event in ready[number:due]:
            sent[_id(event.value)] = time.monotonic()
            producer.produce(told["raw"], event.value, event.key, event.partition)
        number = max(number, due)
        producer.poll(0)
        _hear(listener, sent, took, begin, 0.002)
    until = time.monotonic() + PATIENCE_SECONDS
    seconds = time.monotonic() - begin
    while sent and time.monotonic() < until and _hear(listener, sent, took, begin, SILENCE_SECONDS):
        pass
    sent_rate = round(len(ready) / seconds, 1)
    print(MARK + json.dumps(spans(sorted(took), events=len(ready), heard=len(took), rate=sent_rate)), flush=True)
    leave()


def listener_of(bootstrap: str, topic: str, partitions: int) -> Consumer:
    """A reader of what is committed to a topic from now on."""
    listener = Consumer({"bootstrap.servers": bootstrap, "group.id": "latency", **FETCH})
    found = [TopicPartition(topic, number) for number in range(partitions)]
    for part in found:
        part.offset = listener.get_watermark_offsets(part, timeout=10)[1]
    listener.assign(found)
    return listener


def _hear(listener: Consumer, sent: dict[str, float], took: list[float], begin: float, seconds: float) -> int:
    """The first transition of each event; what was sent while things got warm does not count."""
    first = listener.poll(seconds)  # asked for many, it would wait for all of them, or for all of the time
    messages = [] if first is None else [first, *listener.consume(1000, 0)]
    now = time.monotonic()
    for message in messages:
        at = sent.pop(orjson.loads(message.value())["event_id"], None)
        if at is not None and at - begin >= WARM_SECONDS:
            took.append(now - at)
    return len(messages)


def _id(value: bytes) -> str:
    mark = b'"EventId":"'
    at = value.index(mark) + len(mark)
    return value[at : at + 32].decode()


def spans(ordered: list[float], **more: float) -> dict[str, float]:
    """Milliseconds of sorted seconds, and what else is to be told."""
    shares = {"p50": 0.5, "p99": 0.99, "p99_9": 0.999, "max": 1.0}
    found = {name: round(percentile(ordered, share) * 1000, 1) for name, share in shares.items()} if ordered else {}
    return {**more, **found}


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
