"""From Faust's streams to lanes.

Knows: Faust's events, and the records of aiokafka that a chunk is made of.
Must not know: what a lane does with a message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from streams import codecs
from streams.lane import Message
from streams.transport import CHUNK

Take = Callable[[int, Sequence[Message]], Any]


def agent_of(take: Take) -> Callable[[Any], Any]:
    """An agent's function: it only hands over; what it hands to catches everything."""

    async def hand_over(stream: Any) -> None:
        async for event in stream.events():
            await take(event.message.partition, messages_of(event.message))

    return hand_over


def messages_of(message: Any) -> list[Message]:
    """What one message of Faust's holds, as a lane takes it: a chunk, or with Faust's own transport one record."""
    if isinstance(message.headers, dict) and CHUNK in message.headers:
        chunk = message.headers[CHUNK]
        *before, end = chunk.records
        return [*(_message(record, record.timestamp) for record in before), _message(end, end.timestamp, chunk.last)]
    return [_message(message, None if message.timestamp is None else round(message.timestamp * 1000))]


def _message(record: Any, time_ms: int | None, last: bool = False) -> Message:
    known = None if time_ms is None or time_ms < 0 else time_ms
    replay_of = _replay_of(record.headers) if record.headers else None
    return Message(record.offset, record.value, known, replay_of, record.key, last)


def _replay_of(headers: Any) -> str | None:
    """The dead letter that the record is a copy of.  Anybody may write anything into a header."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    for name, value in pairs:
        if name == codecs.REPLAY_HEADER and value:
            return bytes(value[: codecs.REPLAY_BYTES]).decode(errors="replace")
    return None
