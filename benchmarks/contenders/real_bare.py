"""The real fold on bare confluent-kafka clients, with a changelog that is written each second: the limit.

Knows: confluent-kafka.
Must not know: how its figures are used, how a row moves.

Option `judges`: clusters are judged now and then as well, as in the worker.
"""

from __future__ import annotations

import gc
import time

from confluent_kafka import Consumer, Producer

from benchmarks.contenders.job import Job, Stopwatch, leave, told
from benchmarks.contenders.real_fold import Clusters
from benchmarks.contenders.small_bare import SEND, commit, consumer_of


def main(job: Job) -> None:
    """Drain the topic."""
    gc.disable()
    watch = Stopwatch(job)
    consumer, producer = consumer_of(job), Producer({"bootstrap.servers": job.bootstrap, **SEND})
    clusters, due = Clusters(), 0.0
    while not watch.full:
        for message in consumer.consume(5000, 0.05):
            watch.event()
            clusters.apply(message.value(), message.timestamp()[1], message.partition())
            if time.monotonic() >= due:
                due = _checkpoint(job, consumer, producer, clusters, bool(due))
    _checkpoint(job, consumer, producer, clusters, True)
    watch.end()
    leave()


def _checkpoint(job: Job, consumer: Consumer, producer: Producer, clusters: Clusters, begun: bool) -> float:
    """Returns when the next one is due.  Offsets are those delivered, which may be a little ahead: in its favour."""
    if begun:
        if job.options.get("judges"):
            clusters.judge_if_due()
        for partition, kind, key, value in clusters.take():
            producer.produce(f"{job.group}-{kind}", value, key, partition)
        producer.flush()
        commit(consumer)
    return time.monotonic() + job.checkpoint_seconds


if __name__ == "__main__":
    main(told())
