"""What the HTTP routes ask of whoever keeps the state.

Knows: the questions and the shape of the answers.
Must not know: Faust, Kafka, FastAPI.

All methods are called on the event loop that serves HTTP.  Those that are no coroutines must return at once: compute
ahead, answer from memory.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from pydantic import Field

from models.public import Picture, PublicModel, Summary, Time
from streams.metrics.workings import Workings


class TopicProgress(PublicModel):
    """How far one topic's partition is."""

    topic: str
    folded: int = Field(ge=0, description="Offset that is read next.")
    committed: int = Field(ge=0, description="Offset up to which everything is written.")
    lag: int = Field(ge=0, description="Records that wait in the topic.")
    still_seconds: float = Field(ge=0, description="For how long nothing has moved although something waits.")
    stalled: bool = Field(description="That is too long.")


class Partition(PublicModel):
    """How far one partition of the input is."""

    partition: int
    state: str = Field(description="One word for people: recovering, running, stalled, unowned …")
    lag: int = Field(ge=0, description="Records that wait in the topic.")
    restored: float | None = Field(
        default=None, ge=0, le=1, description="Share of the tables read back, while recovering."
    )
    as_of: Time | None = Field(default=None, description="The moment that its part of the picture is of.")
    topics: tuple[TopicProgress, ...] = ()


class Readiness(PublicModel):
    """Whether data may be served, and in one sentence why not."""

    ready: bool
    message: str
    partitions: tuple[Partition, ...] = ()


class Freshness(PublicModel):
    """The moment that the picture is of, and how many records wait behind it."""

    as_of: Time | None
    lag: int = Field(ge=0)
    partitions: tuple[Partition, ...] = ()


class Holding(PublicModel):
    """What one worker has of one partition of the events topic."""

    partition: int
    as_of: Time | None
    fresh: bool = Field(description="It owns the partition and has judged all of it; else this is the last it knew.")


class Holdings(PublicModel):
    """What one worker can tell of, for the workers beside it."""

    fleet: str = Field(description="Whose partitions: the consumer group, and which incarnation of the events topic.")
    generation: int = Field(description="Of the group's assignment that the worker works by.")
    ready: bool
    message: str
    lag: int = Field(ge=0)
    partitions: tuple[Holding, ...]


class Gone(Exception):
    """The moment is older than everything kept; `oldest_at` is the first that can be told of what was asked."""

    def __init__(self, oldest_at: Time | None) -> None:
        super().__init__(oldest_at)
        self.oldest_at = oldest_at


class Behind(Exception):
    """What is asked will be known in a moment; the message says what is waited for."""


class Provider(Protocol):
    """One worker, seen from HTTP: it knows its own partitions only."""

    def ready(self) -> Readiness:
        """Asked at any time, also before the tables are restored."""

    def picture(self) -> Picture:
        """All clusters here at `freshness().as_of`, lists in the contract's order.  Asked only while ready."""

    def holdings(self) -> Holdings:
        """Which partitions the worker can tell of; asked at any time."""

    def last(self, partitions: Collection[int]) -> Picture:
        """What is or was last known of these of its holdings; asked at any time."""

    def summary(self) -> Summary:
        """The counts so far; asked at any time."""

    def dead_letters(self) -> Mapping[str, int]:
        """Values that could not be read, by reason; asked at any time."""

    def freshness(self) -> Freshness:
        """How fresh `picture()` is; asked at any time."""

    def workings(self) -> Workings:
        """Of the worker's own work, for the metrics; asked at any time."""

    async def past(self, at: int, clusters: Collection[str] | None) -> Picture:
        """The clusters with these ARNs, all where None, at a moment (epoch ms) up to `freshness().as_of`.

        Raises Gone or Behind.  Asked only while ready.
        """
