"""The anomalies topic, read from its beginning and then followed, in a thread.

Knows: Kafka's reader, when the topic was read to its end.
Must not know: what records mean.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from streams import logs
from streams.alerts.picture import Taken
from streams.connection import NoKafka
from streams.reader import Reader, reader
from streams.settings import PlainError, Settings

BATCH = 5000
LOOK_SECONDS = 0.5
RETRY_SECONDS = 2.0
Take = Callable[[list[Taken]], None]
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
        while not self._stopping.is_set():
            try:
                with reader(self._settings) as source:
                    while not self._stopping.wait(LOOK_SECONDS):
                        self._take(self._stretch(source))
            except PlainError as error:
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
        found: list[Taken] = []
        topic = self._settings.anomalies_topic
        self._starts = {(topic, number): 0 for number in source.partitions(topic)} | self._starts  # some may be new
        following = dict(self._starts)
        for step in source.follow(self._starts, BATCH):
            found += [Taken(_name(each.key), each.value, each.timestamp) for each in step.records if each.key]
            following.update(step.following)
        self._starts = following
        return found


def _name(key: bytes) -> str:
    """Keys of ours are ids; what else somebody writes is shown, and ends nothing."""
    return key.decode(errors="backslashreplace")
