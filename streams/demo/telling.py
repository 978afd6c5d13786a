"""From the fleet's tale to values for the raw topic: the past at once, the rest many times as fast as it happens.

Knows: the moments at which things are told, wrappings, what else a shared feed carries.
Must not know: the tale, Kafka, which moment is now.

Sped-up steps have the times at which they are told, so no state outlives a deadline that it would have kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from random import Random

from streams.demo.fleet import SEED, Mark, Tale
from streams.simulate.delivery import Habits, deliver
from streams.simulate.records import NODE_HEALTH, STATE_CHANGE, Event, envelope

WHOLE_SECONDS = (STATE_CHANGE, NODE_HEALTH)
"""These have no time but the envelope's, which is one of whole seconds."""
UNTIDY = Habits(duplicates=0.03, wrapped=True)


def past(tale: Tale) -> list[bytes]:
    """Kafka values in the order of their arrival, with what a shared feed carries besides."""
    events = tale.past()
    values = [value for _, value in deliver(events, UNTIDY, _dice("past")).values]
    return [*values, _foreign(events[-1]), _cut_off(events[-1])]


def live(tale: Tale, began_ms: int, speed: float) -> Iterator[tuple[int, Mark | bytes]]:
    """What to say to people or to send, with its moment, `speed` times as fast as it happens; moments only rise."""
    newest, chance = began_ms, _dice("live")
    for (at_ms, kind), told in groupby(tale.live(), key=_at_once):
        wanted = began_ms + round((at_ms - tale.cut_ms) / speed)
        if kind is None:
            yield from ((max(wanted, newest), each) for each in told if isinstance(each, Mark))
            continue
        events = [each for each in told if isinstance(each, Event)]
        for some in [events] if kind in WHOLE_SECONDS else [[event] for event in events]:
            newest = _moment(kind, max(wanted, newest + 1))
            yield newest, _wrapped([replace(event, at_ms=newest) for event in some], chance)


def _at_once(each: Event | Mark) -> tuple[int, str | None]:
    """What was told in one whole second stays in one, and in one delivery: else three that fail at once would not."""
    return each.at_ms, each.kind if isinstance(each, Event) else None


def _moment(kind: str, at_ms: int) -> int:
    """The next one that an event's own time can say: else it would be judged before what it follows."""
    return -(-at_ms // 1000) * 1000 if kind in WHOLE_SECONDS else at_ms


def _wrapped(events: list[Event], chance: Random) -> bytes:
    """One in any form; several as the array that a pipe makes of what waits."""
    if len(events) > 1:
        return json.dumps([envelope(event) for event in events]).encode()
    ((_, value),) = deliver(events, Habits(wrapped=True), chance).values
    return value


def _foreign(event: Event) -> bytes:
    """Somebody else's event on the same bus."""
    body = envelope(event)
    body |= {"detail-type": "SageMaker Training Job State Change", "detail": {"TrainingJobName": "nightly"}}
    return json.dumps(body).encode()


def _cut_off(event: Event) -> bytes:
    """As a size limit on the way does it."""
    whole = json.dumps(envelope(event)).encode()
    return whole[: len(whole) // 2]


def _dice(name: str) -> Random:
    return Random(f"{SEED} {name}")  # nosec B311  # makes up a fleet, keeps no secret
