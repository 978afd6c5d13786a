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
FETCH = {"fetch.wait.max.ms": 5, "isolation.level": "read_committed", "enable.auto.commit": False}


def main(told: dict[str, Any]) -> None:
    """Produce and listen."""
    shape = Shape(**told["shape"])
    listener = _listener(told["bootstrap"], told["transitions"], shape.partitions)
    producer = Producer({"bootstrap.servers": told["bootstrap"], "linger.ms": 0, "acks": "all"})
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
    while sent and time.monotonic() < until and _hear(listener, sent, took, begin, 1.0):
        pass
    _report(sorted(took), seconds, len(ready))


def _listener(bootstrap: str, topic: str, partitions: int) -> Consumer:
    listener = Consumer({"bootstrap.servers": bootstrap, "group.id": "latency", **FETCH})
    found = [TopicPartition(topic, number) for number in range(partitions)]
    for part in found:
        part.offset = listener.get_watermark_offsets(part, timeout=10)[1]
    listener.assign(found)
    return listener


def _hear(listener: Consumer, sent: dict[str, float], took: list[float], begin: float, seconds: float) -> int:
    """The first transition of each event; what was sent while things got warm does not count."""
    messages = listener.consume(1000, seconds)
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


def _report(took: list[float], seconds: float, events_sent: int) -> None:
    shares = {"p50": 0.5, "p99": 0.99, "p99_9": 0.999, "max": 1.0}
    spans = {name: round(percentile(took, share) * 1000, 1) for name, share in shares.items()} if took else {}
    figures = {"events": events_sent, "heard": len(took), "rate": round(events_sent / seconds, 1), **spans}
    print(MARK + json.dumps(figures), flush=True)
    leave()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
