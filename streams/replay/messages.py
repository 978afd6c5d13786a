"""What the replay's processes say to each other.

Knows: the messages, how they go through a pipe.
Must not know: processes, clusters, files.

To a member go its terms, batches of values, `Judge` once all are read.  From it come `Counted` once it has them all,
`Judging` now and then, `Written` last, or `Failed` at any time.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from models.observation import Observation
from streams.replay.tally import Tally
from streams.replay.told import Part

LENGTH: Final = 4
"""Bytes in front of each message that say how long it is."""


class Setup(msgspec.Struct, tag=True, array_like=True):
    """The terms of the replay, and the files for what is told: numbers of open ones."""

    letters: int
    items: int
    at_ms: int | None
    limits: bytes | None
    thresholds: bytes | None
    silences: list[bytes]


class Raw(msgspec.Struct, tag=True, array_like=True):
    """A raw value that is plainly one event of the cluster."""

    number: int
    origin: str
    arn: str
    raw: bytes


class Timeless(msgspec.Struct, tag=True, array_like=True):
    """An answer that tells no time, so that its cluster's newest is needed; `data` is how it stood on the wire."""

    number: int
    within: int
    origin: str
    form: str
    body: dict[str, Any]
    data: bytes


class Event(msgspec.Struct, tag=True, array_like=True):
    """What was read already."""

    number: int
    within: int
    origin: str
    observation: Observation


class Batch(msgspec.Struct, tag=True, array_like=True):
    """Values in the order read."""

    values: list[Raw | Timeless | Event]


class Judge(msgspec.Struct, tag=True, array_like=True):
    """All values are read; `feeds` is what heartbeats have told."""

    clock: int
    feeds: dict[str, bytes]


class End(msgspec.Struct, tag=True, array_like=True):
    """There are no more values."""


class Counted(msgspec.Struct, tag=True, array_like=True):
    """How many clusters there are to judge, and how their values were counted."""

    clusters: int
    tally: Tally


class Judging(msgspec.Struct, tag=True, array_like=True):
    """How many clusters are judged so far."""

    clusters: int


class Written(msgspec.Struct, tag=True, array_like=True):
    """Everything is in the files; how long they are, and where each cluster's items are."""

    letters: int
    items: int
    parts: list[Part]


class Failed(msgspec.Struct, tag=True, array_like=True):
    """The member cannot go on, and why."""

    why: str


ToMember = Setup | Batch | End | Judge
FromMember = Counted | Judging | Written | Failed

_ENCODE = msgspec.msgpack.Encoder().encode
to_member = msgspec.msgpack.Decoder(ToMember).decode
from_member = msgspec.msgpack.Decoder(FromMember).decode


def frame(message: ToMember | FromMember) -> bytes:
    """The message as it is sent."""
    data = _ENCODE(message)
    return len(data).to_bytes(LENGTH, "big") + data
