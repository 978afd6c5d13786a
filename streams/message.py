"""One record of a topic, as a lane takes it.

Knows: records as aiokafka has them.
Must not know: lanes, Faust, what is in a record.

There is one for every event, so it is made of a fetched record in one step, and nothing is made in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from streams import codecs


class Message(msgspec.Struct, frozen=True, gc=False):
    """What a lane is given: one record of its source topic."""

    offset: int
    value: bytes | None
    time_ms: int | None
    replay_of: str | None = None
    """The dead letter that it is a copy of."""
    key: bytes | None = None
    last: bool | None = None
    """Nothing stood behind it when it was read.  None where that is not known."""


def fetched(_: object, record: Any) -> Message:
    """Of a record in a batch of Kafka's, which is not the end of it; the first argument is its partition."""
    time, headers = record.timestamp, record.headers
    replay_of = replayed(headers) if headers else None
    known = None if time is None or time < 0 else time
    return Message(record.offset, record.value, known, replay_of, record.key, False)


def replayed(headers: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> str | None:
    """The dead letter that the record is a copy of.  Anybody may write anything into a header."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    for name, value in pairs:
        if name == codecs.REPLAY_HEADER and value:
            return bytes(value[: codecs.REPLAY_BYTES]).decode(errors="replace")
    return None
