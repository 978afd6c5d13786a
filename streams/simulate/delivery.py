"""From what was said to what arrives: losses, copies, delays, wrappings.

Knows: EventBridge's promises, and the forms in which feeds hand events on.
Must not know: what the events mean.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from streams.simulate.records import ANSWER, CLUSTER_EVENT, Event, Json, api_answer, envelope
from streams.simulate.world import Metadata

MINUTE_MS = 60_000


@dataclass(frozen=True)
class Habits:
    """How a feed treats events; shares from 0 to 1.  `wrapped`: in every form, else one plain envelope a value."""

    duplicates: float = 0.0
    disorder: float = 0.0
    loss: float = 0.0
    wrapped: bool = False


@dataclass(frozen=True)
class Delivered:
    """What arrives: the values, when the newest event of each happened, and how many events are in them."""

    values: list[tuple[int, bytes]]
    read: int
    distinct: int


def deliver(log: list[Event], habits: Habits, chance: Random) -> Delivered:
    """Everything that the log says, as the feed hands it on."""
    arrivals: list[tuple[int, int, int, Json]] = []
    distinct = 0
    for event in log:
        if chance.random() < habits.loss:
            continue
        distinct += 1
        for copy in _copies(event, habits, chance):
            arrivals.append((event.at_ms + _delay(event, habits, chance), len(arrivals), event.at_ms, copy))
    arrivals.sort(key=lambda arrival: arrival[:2])
    bodies = [(happened, body) for _, _, happened, body in arrivals]
    values = list(_wrapped(bodies, chance)) if habits.wrapped else [(at, _dump(body)) for at, body in bodies]
    return Delivered(values, len(arrivals), distinct)


def _copies(event: Event, habits: Habits, chance: Random) -> list[Json]:
    """The event, and perhaps more of it: the same again, one that says less, or the API's answer."""
    copies = [envelope(event)]
    while chance.random() < habits.duplicates and len(copies) < 4:
        copies.append(_copy(event, chance))
    return copies


def _copy(event: Event, chance: Random) -> Json:
    form = chance.random()
    if event.kind != CLUSTER_EVENT or event.lies_ms or form < 0.5:
        return envelope(event)
    return envelope(event, Metadata.null) if form < 0.75 else api_answer(event)


def _delay(event: Event, habits: Habits, chance: Random) -> int:
    """A second or two; of the disordered mostly minutes, rarely hours.  An answer of the API comes as it is given."""
    usual, late, how = chance.randint(0, 2000), chance.random(), chance.random()
    if event.kind == ANSWER or late >= habits.disorder:
        return usual
    return round(how * (120 if how > 0.95 else 10) * MINUTE_MS)


def _wrapped(bodies: list[tuple[int, Json]], chance: Random) -> list[tuple[int, bytes]]:
    values: list[tuple[int, bytes]] = []
    place = 0
    while place < len(bodies):
        form, count = chance.choice(tuple(FORMS)), chance.randint(1, 6)
        many = bodies[place : place + (count if form in _BATCHES else 1)]
        values.append((max(at for at, _ in many), _dump(FORMS[form]([body for _, body in many]))))
        place += len(many)
    return values


def _text(body: object) -> str:
    return json.dumps(body)


def _sns(body: Json) -> Json:
    return {"Type": "Notification", "MessageId": body.get("id", "m"), "TopicArn": "arn", "Message": _text(body)}


FORMS: Mapping[str, Callable[[list[Json]], Any]] = {
    "plain": lambda bodies: bodies[0],
    "array": lambda bodies: bodies,
    "lambda": lambda bodies: {"Records": [{"messageId": "m", "body": _text(body)} for body in bodies]},
    "queue": lambda bodies: {"Messages": [{"MessageId": "m", "Body": _text(body)} for body in bodies]},
    "notice": lambda bodies: _sns(bodies[0]),
    "notices": lambda bodies: {"Records": [{"messageId": "m", "body": _text(_sns(body))} for body in bodies]},
    "proxy": lambda bodies: {"records": [{"value": body} for body in bodies]},
    "base64": lambda bodies: {"value": base64.b64encode(_text(bodies[0]).encode()).decode()},
}
_BATCHES = frozenset({"array", "lambda", "queue", "notices", "proxy"})


def _dump(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
