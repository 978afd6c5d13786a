"""Fills a topic with the workload, as fast as it goes; in the peers' environment, whose client is the quickest.

Knows: confluent-kafka, the workload.
Must not know: who reads it.
"""

from __future__ import annotations

import json
import sys

from confluent_kafka import Producer

from benchmarks.workload import Shape, events

QUEUED = 20_000


def fill(bootstrap: str, topic: str, shape: Shape) -> None:
    """Every event of the shape, in its order, each into its partition."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 20, "batch.size": 1 << 19, "acks": "all"})
    for number, event in enumerate(events(shape)):
        if number % QUEUED == 0:
            producer.flush()
        producer.produce(topic, event.value, event.key, event.partition)
    producer.flush()


if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    fill(told["bootstrap"], told["topic"], Shape(**told["shape"]))
