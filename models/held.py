"""An event as a row keeps it: its place in the order, and its bytes.

Knows: the fields that order and place are asked of.  Must not know: rows, states, what an event does.
"""

from __future__ import annotations

from sys import intern

import msgspec

from models.observation import Observation

_ENCODER = msgspec.json.Encoder()
_OBSERVATION = msgspec.json.Decoder(Observation)


class Held(msgspec.Struct, frozen=True, gc=False):
    """An event as a row keeps it: what order and place are asked of, and its JSON.

    Most are never looked into again, so that the bytes take less room, and are written as they are.
    """

    time: int
    rank: int
    event_id: str
    code: str
    operation: str | None
    instance_id: str | None
    node_logical_id: str | None
    data: bytes

    @property
    def key(self) -> tuple[int, int, str]:
        """The order in which events are judged, as an observation has it."""
        return (self.time, self.rank, self.event_id)


Known = Observation | Held
"""An event in either form: of both the same is asked where it stands."""


def hold(obs: Observation) -> Held:
    """An event to be kept; all of an entity share their names."""
    return Held(
        obs.time,
        obs.rank,
        obs.event_id,
        intern(obs.code),
        obs.operation and intern(obs.operation),
        obs.instance_id and intern(obs.instance_id),
        obs.node_logical_id and intern(obs.node_logical_id),
        _ENCODER.encode(obs),
    )


def told(held: Held) -> Observation:
    """The event that is kept."""
    return _OBSERVATION.decode(held.data)
