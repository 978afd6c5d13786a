"""Raw values as things to deliver: of which cluster, when, which event, in one line of JSON.

Knows: what of a raw value is an event of a cluster, and what is not.
Must not know: where values come from, where they go.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from models.broadcasts import is_heartbeat
from models.observation import Observation
from models.reading import read
from models.unwrap import DESCRIBE_CLUSTER_EVENT, Ignored, Unreadable, Value, unwrap
from streams import codecs


@dataclass(frozen=True)
class Item:
    """One event."""

    cluster_arn: str
    cluster_name: str | None
    order: tuple[int, int, str]
    """Time, rank and identity: what events are judged in the order of."""
    described: bool
    """By the control plane: nothing says more of it."""
    data: bytes

    @property
    def event_id(self) -> str:
        """Its identity."""
        return self.order[2]


@dataclass
class Tally:
    """What became of the values that were read."""

    read: int = 0
    outside: int = 0
    """Events of other clusters or other times than were asked for."""
    ignored: int = 0
    """Other detail types; heartbeats too, which are about a feed and not about a cluster."""
    unreadable: int = 0


def items(raw: bytes, tally: Tally) -> Iterator[Item]:
    """The events in a raw value."""
    for value in unwrap(raw):
        tally.read += 1
        found = read(value, latest=_nothing) if isinstance(value, Value) else value
        if isinstance(found, Ignored) or (isinstance(found, Observation) and is_heartbeat(found)):
            tally.ignored += 1
        elif isinstance(found, Unreadable):
            tally.unreadable += 1
        elif isinstance(value, Value):
            yield _item(value, found)


def _item(value: Value, found: Observation) -> Item:
    described = value.form == DESCRIBE_CLUSTER_EVENT
    return Item(found.cluster_arn, found.cluster_name, found.key, described, codecs.encode(value.written))


def _nothing(cluster_arn: str) -> int | None:
    """An event that tells no time has no place in a history."""
    del cluster_arn
    return None
