"""Events that the API still has: which are new, and which are worth asking for one by one.

Knows: ids, levels, times of events; which were handed on.
Must not know: how the API is asked, where records go.

EventBridge may deliver events without their metadata, or not at all.  The API has both, for its newest 500 events; so
each error is asked for once, whether it was delivered or not: a copy only adds to what is known, and one that was lost
is found.  Nobody has to read the topic, or ask a worker, to know which.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from models.timestamps import parse_ms
from streams.reconcile.answers import Json

BEFORE_SECONDS = 3600.0
"""How far back events are asked for at the start."""
OVERLAP_SECONDS = 600.0
"""Events may show later than others that happened after them."""
MOST_ASKED = 25
"""Events asked for one by one in one poll; the next poll goes on."""


class Events(StrEnum):
    """Which events are looked for."""

    none = "none"
    errors = "errors"
    all = "all"


@dataclass
class Found:
    """Of one cluster: which events were handed on."""

    after: float
    """Epoch seconds from which on events are asked for."""
    handed: dict[str, float] = field(default_factory=dict)

    def new(self, listed: Iterable[Json]) -> list[Json]:
        """Those that were not handed on."""
        return [event for event in listed if event["EventId"] not in self.handed]

    def note(self, events: Iterable[Json]) -> None:
        """They were handed on, or nobody wants them."""
        self.handed |= {event["EventId"]: (parse_ms(event["EventTime"]) or 0) / 1000 for event in events}

    def move_on(self, now: float) -> None:
        """All that was listed is noted: later only what is newer has to be listed, and remembered."""
        newest = min(now, max(self.handed.values(), default=0.0))
        self.after = max(self.after, newest - OVERLAP_SECONDS)
        self.handed = {name: at for name, at in self.handed.items() if at >= self.after}


def is_error(event: Json) -> bool:
    """Whether an event of a list is worth asking for by itself."""
    return event.get("EventLevel") == "Error"


def listing(events: Iterable[Json]) -> Json:
    """Events as ListClusterEvents has them, in one record."""
    return {"Events": list(events)}
