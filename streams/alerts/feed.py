"""The anomalies topic, read from its beginning and then followed, in a thread.

Knows: Kafka's reader, when the topic was read to its end.
Must not know: what records mean.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from kafka.errors import KafkaError

from streams import logs
from streams.alerts.picture import Taken
from streams.connection import NoKafka
from streams.reader import Reader, reader
from streams.settings import PlainError, Settings

BATCH = 5000
LOOK_SECONDS = 0.5
RETRY_SECONDS = 2.0
Take = Callable[[list[Taken], bool], None]
"""Gets records, and whether these are all there were."""
log = logs.get(__name__)


class Feed:
    """Hands records on in stretches that end where the topic ended: what was written in one transaction comes at once.

    So a member comes with its incident, and what was superseded with its heir.
    """

    def __init__(self, settings: Settings, take: Take) -> None:
        self._settings, self._take = settings, take
        self._stopping = threading.Event()
        self._starts: dict[tuple[str, int], int] = {}

    def stop(self) -> None:
        """`run` ends soon."""
        self._stopping.set()

    def once(self) -> list[Taken]:
        """Everything that there is now.  NoKafka where it cannot be read."""
        with reader(self._settings) as source:
            self._begin(source)
            return self._stretch(source)

    def run(self) -> None:
        """From where `once` ended, until stopped; Kafka may go and come back."""
        failed = False
        while not self._stopping.is_set():
            try:
                with reader(self._settings) as source:
                    if failed:
                        self._apart(source)
                    while not self._stopping.wait(LOOK_SECONDS):
                        self._take(self._stretch(source), True)
                        failed = False
            except PlainError as error:
                failed = True
                log.warning("waits for Kafka", error=str(error))
                self._stopping.wait(RETRY_SECONDS)

    def _begin(self, source: Reader) -> None:
        topic = self._settings.anomalies_topic
        self._starts = {(topic, number): 0 for number in source.partitions(topic)}
        if not self._starts:
            raise NoKafka(
                f"There is no topic {topic} at {self._settings.brokers}. A worker creates it when it starts; another "
                "name is set with HYPERPOD_STATE_ANOMALIES_TOPIC."
            )

    def _stretch(self, source: Reader) -> list[Taken]:
        """All partitions, those that are new too."""
        topic = self._settings.anomalies_topic
        self._starts = {(topic, number): 0 for number in source.partitions(topic)} | self._starts
        return self._read(source, self._starts)

    def _apart(self, source: Reader) -> None:
        """Each partition by itself: one without a leader withholds nothing of the others, which know nothing of it."""
        for place, start in sorted(self._starts.items()):
            if self._stopping.is_set():
                return
            try:
                self._take(self._read(source, {place: start}), False)
            except KafkaError as error:
                log.warning("a partition cannot be read", topic=place[0], partition=place[1], error=str(error))

    def _read(self, source: Reader, starts: Mapping[tuple[str, int], int]) -> list[Taken]:
        found: list[Taken] = []
        following = dict(starts)
        for step in source.follow(starts, BATCH):
            found += [Taken(_name(each.key), each.value, each.timestamp) for each in step.records if each.key]
            following.update(step.following)
        self._starts |= following
        return found


def _name(key: bytes) -> str:
    """Keys of ours are ids; what else somebody writes is shown, and ends nothing."""
    return key.decode(errors="backslashreplace")
