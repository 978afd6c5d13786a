"""From Faust's streams to lanes.

Knows: Faust's events.  Must not know: what a lane does with a message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from streams import codecs
from streams.lane import Message


def agent_of(take: Callable[[int, Message], Any]) -> Callable[[Any], Any]:
    """An agent's function: it only hands over; what it hands to catches everything."""

    async def hand_over(stream: Any) -> None:
        async for event in stream.events():
            await take(event.message.partition, message_of(event.message))

    return hand_over


def message_of(message: Any) -> Message:
    """Faust's message as a lane takes it; Faust has times in seconds."""
    time_ms = None if message.timestamp is None or message.timestamp < 0 else round(message.timestamp * 1000)
    return Message(message.offset, message.value, time_ms, _replay_of(message.headers or ()), message.key)


def _replay_of(headers: Any) -> str | None:
    """The dead letter that the record is a copy of.  Anybody may write anything into a header."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    for name, value in pairs:
        if name == codecs.REPLAY_HEADER and value:
            return bytes(value[: codecs.REPLAY_BYTES]).decode(errors="replace")
    return None
