"""From Faust's streams to lanes.

Knows: Faust's events.
Must not know: what a lane does with a message.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from streams.message import Message, replayed
from streams.transport import CHUNK

Take = Callable[[int, Sequence[Message]], Any]


def agent_of(take: Take) -> Callable[[Any], Any]:
    """An agent's function: it only hands over; what it hands to catches everything."""

    async def hand_over(stream: Any) -> None:
        async for event in stream.events():
            await take(event.message.partition, messages_of(event.message))

    return hand_over


def messages_of(message: Any) -> Sequence[Message]:
    """What one message of Faust's holds, as a lane takes it: a chunk, or with Faust's own transport one record."""
    headers = message.headers
    if isinstance(headers, dict) and CHUNK in headers:
        messages: Sequence[Message] = headers[CHUNK].messages
        return messages
    seconds = message.timestamp
    time_ms = None if seconds is None or seconds < 0 else round(seconds * 1000)
    return [Message(message.offset, message.value, time_ms, replayed(headers) if headers else None, message.key)]
