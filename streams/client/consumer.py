"""The anomalies topic as anomalies.

Knows: Kafka's consumer, which records are news.
Must not know: what anomalies mean, what a program does with them.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from types import TracebackType
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import CommitFailedError, KafkaError, RebalanceInProgressError

from streams.client.records import Anomaly, NewerVersion, NotARecord, read_anomaly
from streams.connection import REACH_MS, NoKafka, making, options
from streams.reader import reader
from streams.settings import Settings

POLL_MS = 500
AT_ONCE = 100
"""Records between two commits, at most."""
log = logging.getLogger("streams.client")
log.addHandler(logging.NullHandler())


class AnomalyConsumer:
    """Every state of every anomaly, each once, from the oldest that is kept on; it goes on for ever.

    Of `brokers`, and all else that is not said, the environment decides, as it does for commands
    (`HYPERPOD_STATE_BROKERS`, `HYPERPOD_STATE_KAFKA_…`); `settings` are those by name.  With a `group` Kafka remembers
    how far it has come: what was handed on after the last commit is handed on again (at least once).  Without one it
    begins at the beginning, so whoever keeps the last of each `anomaly_id` has the present state.

    What is handed on is done with when the next is asked for.  Whoever leaves the loop, by `break` or by an error, and
    begins another one over the same consumer gets the anomaly again at which it was left.

    Raises NoKafka, and while it goes on NewerVersion.
    """

    def __init__(self, brokers: str | None = None, *, group: str | None = None, **settings: Any) -> None:
        given = settings if brokers is None else {**settings, "brokers": brokers}
        self._settings, self._group = Settings(**given), group
        self._topic = self._settings.anomalies_topic
        self._seen: dict[str, int] = {}
        self._batch: deque[Any] = deque()
        self._uncommitted = False
        with making(self._settings):
            self._consumer = KafkaConsumer(
                **options(self._settings),
                bootstrap_timeout_ms=REACH_MS,
                group_id=group,
                isolation_level="read_committed",
                auto_offset_reset="earliest",
                enable_auto_commit=False,
                allow_auto_create_topics=False,
                max_partition_fetch_bytes=self._settings.max_record_bytes,
            )
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[Anomaly]:
        """Kafka's position is past the whole batch, so it is committed only when nothing of that is left."""
        while True:
            while self._batch:
                record = self._batch[0]
                found = self._news(record)
                if found is not None:
                    yield found
                self._finish(record, found)
            self._commit()
            with self._asking("could not be read"):
                batch = self._consumer.poll(timeout_ms=POLL_MS, max_records=AT_ONCE)
            self._batch.extend(chain.from_iterable(batch.values()))
            self._uncommitted = bool(self._batch)

    def now(self) -> list[Anomaly]:
        """The present state of every anomaly that the topic holds, by the time that they opened."""
        newest: dict[bytes | None, Anomaly] = {}
        with reader(self._settings) as source:
            for record in source.records(self._topic):
                if record.value is None:
                    newest.pop(record.key, None)
                elif (found := self._read(record)) is not None:
                    newest[record.key] = found
        return sorted(newest.values(), key=lambda each: (each.opened_at, each.anomaly_id))

    def close(self) -> None:
        """Leave Kafka, and the group."""
        self._consumer.close()

    def __enter__(self) -> AnomalyConsumer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self) -> None:
        with self._asking("could not be read"):
            parts = self._consumer.partitions_for_topic(self._topic)
        if not parts:
            raise NoKafka(
                f"There is no topic {self._topic} at {self._settings.brokers}. A worker creates it when it starts; "
                "another name is set with HYPERPOD_STATE_ANOMALIES_TOPIC."
            )
        if self._group is None:
            self._consumer.assign([TopicPartition(self._topic, number) for number in sorted(parts)])
            self._consumer.seek_to_beginning()
        else:
            self._consumer.subscribe([self._topic])

    @contextmanager
    def _asking(self, failure: str) -> Iterator[None]:
        """What Kafka's client does not try again by itself is said in words."""
        try:
            yield
        except KafkaError as error:
            raise NoKafka(f"{self._topic} at {self._settings.brokers} {failure}: {error}") from error

    def _news(self, record: Any) -> Anomaly | None:
        found = self._read(record)
        return None if found is None or found.revision <= self._seen.get(found.anomaly_id, 0) else found

    def _finish(self, record: Any, found: Anomaly | None) -> None:
        """A null value means that the worker has forgotten the anomaly."""
        if not self._batch or self._batch[0] is not record:  # another loop over this consumer has finished it
            return
        self._batch.popleft()
        if found is not None:
            self._seen[found.anomaly_id] = found.revision
        elif record.value is None and record.key is not None:
            self._seen.pop(record.key.decode(errors="replace"), None)

    def _read(self, record: Any) -> Anomaly | None:
        """None for what is no anomaly: somebody else wrote it, and it must not stop whoever waits for the next."""
        if record.value is None:
            return None
        place = f"{record.topic}/{record.partition} at {record.offset}"
        try:
            found = read_anomaly(record.value)
            if (record.key or b"").decode(errors="replace") != found.anomaly_id:
                raise NotARecord("its key is another anomaly's")
        except NewerVersion as error:
            raise NewerVersion(f"{place}: {error}") from None
        except NotARecord as error:
            log.warning("%s is left out: %s", place, error)
            return None
        return found

    def _commit(self) -> None:
        if not self._uncommitted or self._group is None:
            return
        with self._asking("could not be told how far this group has come"):
            try:
                self._consumer.commit()
            except (CommitFailedError, RebalanceInProgressError) as error:  # the group hands these on again
                log.warning("not committed: %s", error)
        self._uncommitted = False
