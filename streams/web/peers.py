"""The other workers of the fleet, as routes ask them.

Knows: who owns which partition, the shape of a question and of an answer.
Must not know: Faust, Kafka, how HTTP is spoken to another worker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Members:
    """The fleet by the last assignment that this worker knows of."""

    count: int | None
    """Partitions that there are; None where there is nobody else to have them."""
    others: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """The addresses of other workers that work on something, and the partitions of events that each owns."""


@dataclass(frozen=True)
class Reply:
    """What another worker answered."""

    status: int
    body: bytes


class Unreachable(Exception):
    """Another worker does not answer; the message says why."""


class Peers(Protocol):
    """Asked on the event loop that serves HTTP."""

    def members(self) -> Members:
        """Who is there; at once."""

    async def ask(self, address: str, target: str, headers: Mapping[str, str], seconds: float) -> Reply:
        """GET `target` (path and query, encoded).  Raises Unreachable."""


class Alone:
    """A worker without others: whatever it has is all there is."""

    def members(self) -> Members:
        """Nobody."""
        return Members(None)

    async def ask(self, address: str, target: str, headers: Mapping[str, str], seconds: float) -> Reply:
        """There is nobody to ask."""
        del target, headers, seconds
        raise Unreachable(f"{address} is not known")
