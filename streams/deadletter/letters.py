"""Dead letters as they lie in their topic.

Knows: the record that `streams.codecs.dead_letter` writes, and that others may write there too.
Must not know: how they are printed, how they are fed again.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from models.public import iso
from models.timestamps import MAX_MS, MIN_MS
from streams import codecs
from streams.deadletter.advice import NOT_A_LETTER
from streams.reader import Reader
from streams.settings import Settings

BEGINS = 120
"""Characters of the value that a list shows."""


class _Body(msgspec.Struct):
    reason: str
    data: str
    origin: dict[str, Any] = {}
    time: str | None = None


_BODY = msgspec.json.Decoder(_Body)


@dataclass(frozen=True)
class Letter:
    """One record of the topic, without its data but for how they begin; `time` is that of the raw record."""

    partition: int
    offset: int
    key: str
    reason: str
    origin: dict[str, Any]
    time: str | None
    written_ms: int
    size: int
    begins: str

    @property
    def id(self) -> str:
        """Unlike `key` it stays unique when the topic that the value came from is made anew."""
        return f"{self.origin.get('incarnation', '')}/{self.key}"

    @property
    def replay_of(self) -> str | None:
        """The id of the first letter of this value, where it was fed again and is still broken."""
        found = self.origin.get("replay_of")
        return found if isinstance(found, str) else None

    @property
    def root(self) -> str:
        """The same for all letters of one value."""
        return self.replay_of or self.id

    def item(self) -> dict[str, Any]:
        """For output."""
        return {
            "key": self.key,
            "reason": self.reason,
            "time": self.time,
            "written_at": iso(self.written_ms) if MIN_MS <= self.written_ms <= MAX_MS else None,
            "origin": self.origin,
            "replay_of": self.replay_of,
            "size": self.size,
            "begins": self.begins,
        }


def letters(reader: Reader, settings: Settings, since_ms: int | None = None) -> Iterator[Letter]:
    """All that are there now, or were written at or after that moment."""
    for record in reader.records(settings.deadletter_topic, since_ms=since_ms):
        yield letter_of(record)[0]


def data_of(reader: Reader, settings: Settings, letter: Letter) -> bytes | None:
    """The value, whole; None where it has left the topic meanwhile."""
    record = reader.record(settings.deadletter_topic, letter.partition, letter.offset)
    return None if record is None else letter_of(record)[1]


def letter_of(record: Any) -> tuple[Letter, bytes]:
    """A record of the topic, and the value in it.  Never raises."""
    key = (record.key or b"").decode(errors="replace") or f"{record.partition}@{record.offset}"
    try:
        body = codecs.decode(_BODY, record.value)
        data = b64decode(body.data, validate=True)
    except (codecs.DecodeError, binascii.Error, ValueError):
        body, data = _Body(NOT_A_LETTER, ""), record.value or b""
    begins = data[: 4 * BEGINS].decode(errors="backslashreplace")[:BEGINS]
    place = (record.partition, record.offset)
    return Letter(*place, key, body.reason, body.origin, body.time, record.timestamp, len(data), begins), data
