"""Events into the raw topic: in their order, and there before anybody says so.

Knows: kafka-python's producer.
Must not know: where events come from.

A cluster's events have one key, so they are in one partition, in the order of their times.  A record's time is that of
its delivery, so that the worker can tell history from what happens now.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError

from streams.connection import REACH_MS, NoKafka, making, options
from streams.producers import let_go
from streams.reader import has_topic
from streams.settings import Settings
from streams.topics import incarnations

SEND_SECONDS = 60.0
UNDER_WAY = 1000
"""Records that wait for their acknowledgement at a time."""


class Delivery:
    """Of one run."""

    def __init__(self, producer: KafkaProducer, settings: Settings) -> None:
        self._producer, self._settings = producer, settings

    def topic(self) -> str:
        """Which topic it is, anywhere: one that is made anew under the same name is another.  Raises NoKafka."""
        name = self._settings.raw_topic
        return incarnations(self._settings, [name])[name]

    def send(self, cluster_arn: str, events: Iterable[bytes]) -> int:
        """All of a cluster; returns how many, once the brokers have them.  Raises NoKafka."""
        waiting, count = deque[Any](), 0
        try:
            for value in events:
                count += 1
                waiting.append(self._producer.send(self._settings.raw_topic, key=cluster_arn.encode(), value=value))
                if len(waiting) >= UNDER_WAY:
                    waiting.popleft().get(timeout=SEND_SECONDS)
            for sent in waiting:
                sent.get(timeout=SEND_SECONDS)
        except KafkaError as error:
            raise NoKafka(f"Kafka does not take events into {self._settings.raw_topic}: {error}") from error
        return count


@contextmanager
def delivering(settings: Settings) -> Iterator[Delivery]:
    """A connection to the raw topic, which has to be there.  Raises NoKafka."""
    if not has_topic(settings, settings.raw_topic):
        raise NoKafka(
            f"There is no topic {settings.raw_topic} at {settings.brokers}. A worker creates it when it starts, "
            "or `hyperpod-state topics --create`; another name is set with HYPERPOD_STATE_RAW_TOPIC."
        )
    with making(settings):
        producer = KafkaProducer(
            **options(settings),
            bootstrap_timeout_ms=REACH_MS,
            max_block_ms=int(SEND_SECONDS * 1000),
            max_request_size=settings.max_record_bytes,
            allow_auto_create_topics=False,
            enable_idempotence=True,
            acks="all",
            linger_ms=20,
        )
    try:
        yield Delivery(producer, settings)
    except KafkaError as error:
        raise NoKafka(f"Kafka at {settings.brokers} could not be asked: {error}") from error
    finally:
        let_go(producer)
