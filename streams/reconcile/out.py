"""Where records go: the raw topic, or files.

Knows: kafka-python, files.
Must not know: what records say.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import orjson

from streams.reconcile.answers import Json
from streams.settings import PlainError, Settings

SEND_SECONDS = 30


class NotDelivered(PlainError):
    """Some of the records may have arrived, and some not."""


class Out(Protocol):
    """Takes records of one cluster; once `send` returns, they have arrived."""

    def send(self, arn: str, records: Sequence[Json]) -> None:
        """Raises NotDelivered."""

    def close(self) -> None:
        """Nothing follows."""


class KafkaOut:
    """The raw topic, keyed by the cluster; connects anew after a failure."""

    def __init__(self, settings: Settings) -> None:
        """Raises PlainError where Kafka cannot be reached."""
        self._settings = settings
        self._producer: Any = self._connected()

    def send(self, arn: str, records: Sequence[Json]) -> None:
        """All of them, or NotDelivered."""
        from kafka.errors import KafkaError

        try:
            self._producer = self._producer or self._connected()
            topic, key = self._settings.raw_topic, arn.encode()
            sent = [self._producer.send(topic, key=key, value=orjson.dumps(each)) for each in records]
            for future in sent:
                future.get(timeout=SEND_SECONDS)
        except KafkaError as error:
            self.close()
            raise NotDelivered(f"Kafka does not take records into {self._settings.raw_topic}: {error}") from None

    def close(self) -> None:
        """Forget the producer."""
        from kafka.errors import KafkaError

        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaError):  # what it could not send was said where it was sent
                producer.close(timeout=5)

    def _connected(self) -> Any:
        from kafka import KafkaProducer

        from streams.connection import REACH_MS, making, options

        with making(self._settings):
            return KafkaProducer(
                **options(self._settings),
                acks="all",
                enable_idempotence=True,
                bootstrap_timeout_ms=REACH_MS,
                max_block_ms=SEND_SECONDS * 1000,
                max_request_size=self._settings.max_record_bytes,
                allow_auto_create_topics=False,
            )


class FileOut:
    """One JSON value a line: in one file, or in a folder a file for each cluster.  Appends."""

    def __init__(self, path: Path) -> None:
        """A name that ends like a file of lines is a file, anything else a folder.  Raises PlainError."""
        self._path = path
        self._one = path.suffix in (".jsonl", ".ndjson")
        try:
            (path.parent if self._one else path).mkdir(parents=True, exist_ok=True)
            if self._one:
                path.open("ab").close()
        except OSError as error:
            raise PlainError(f"{path} cannot be written to: {error.strerror}") from None

    def send(self, arn: str, records: Sequence[Json]) -> None:
        """Written when it returns."""
        path = self._path if self._one else self._path / f"{arn.rpartition('/')[2]}.jsonl"
        try:
            with path.open("ab") as file:
                file.write(b"".join(orjson.dumps(each) + b"\n" for each in records))
        except OSError as error:
            raise NotDelivered(f"{path} cannot be written to: {error.strerror}") from None

    def close(self) -> None:
        """Files are closed as they are written."""
