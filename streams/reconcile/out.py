"""Where records go: the raw topic, or files.

Knows: files, and who knows Kafka (`streams.backfill.delivery`).
Must not know: what records say.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import orjson

from streams.reconcile.answers import Json
from streams.settings import PlainError, Settings

if TYPE_CHECKING:
    from streams.backfill.delivery import Delivery


ENDINGS = (".jsonl", ".ndjson")


class Out(Protocol):
    """Takes records of one cluster; once `send` returns, they have arrived."""

    def send(self, arn: str, records: Sequence[Json]) -> None:
        """Raises PlainError: then some may have arrived, and some not."""

    def close(self) -> None:
        """Nothing follows."""


class KafkaOut:
    """The raw topic; connects anew after a failure."""

    def __init__(self, settings: Settings) -> None:
        """Raises PlainError where Kafka, or the topic, is not there."""
        self._settings, self._open = settings, ExitStack()
        self._delivery: Delivery | None = self._connected()

    def send(self, arn: str, records: Sequence[Json]) -> None:
        """All of them."""
        try:
            self._delivery = self._delivery or self._connected()
            self._delivery.send(arn, [orjson.dumps(each) for each in records])
        except PlainError:
            self.close()
            raise

    def close(self) -> None:
        """Forget the connection."""
        self._delivery = None
        self._open.close()

    def _connected(self) -> Delivery:
        from streams.backfill.delivery import delivering

        return self._open.enter_context(delivering(self._settings))


class FileOut:
    """One JSON value a line: in one file, or in a folder a file for each cluster.  Appends."""

    def __init__(self, path: Path) -> None:
        """A name that ends like a file of lines is a file, anything else a folder.  Raises PlainError."""
        self._path = path
        self._one = path.suffix in ENDINGS
        if not self._one and (path == Path("-") or (path.exists() and not path.is_dir())):
            raise PlainError(f"{path} is no folder; the name of a file has to end in {' or '.join(ENDINGS)}.")
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
            raise PlainError(f"{path} cannot be written to: {error.strerror}") from None

    def close(self) -> None:
        """Files are closed as they are written."""
