"""An event as a row keeps it: its place in the order, whose it is, and the rest of it as bytes.

Knows: the short form of an event.  Must not know: rows, states, what an event does.

What nearly all events of an entity have alike is kept once for all of them; the rest is a JSON array without names, and
without what is nothing at its end.  Most events are never looked into again, and their bytes are written as they are.
"""

from __future__ import annotations

from sys import intern
from typing import Any

import msgspec
from msgspec.structs import astuple

from models.observation import Observation


class Subject(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Whose event it is, in the words of its record."""

    detail_type: str
    cluster_arn: str
    cluster_name: str | None
    instance_group: str | None
    instance_id: str | None
    node_logical_id: str | None
    resource_type: str | None


class _Short(msgspec.Struct, frozen=True, array_like=True):
    """The rest of an observation; times are told from `time` on."""

    event_id: str
    time: int
    rank: int
    code: str
    description: str | None
    level: str | None
    sent: int | None
    """The envelope's time."""
    status: str | None = None
    operation: str | None = None
    operation_word: str | None = None
    text: dict[str, str] = {}
    details: dict[str, Any] = {}
    happened: int | None = 0
    """The event's own time."""
    answered: int | None = None
    """The answer's time."""
    time_unreadable: bool | None = None
    clock_suspect: bool = False
    shape: str | None = None


class Held(msgspec.Struct, frozen=True, gc=False):
    """An event as a row keeps it: what order and place are asked of, and the rest as bytes."""

    time: int
    rank: int
    event_id: str
    code: str
    operation: str | None
    instance_id: str | None
    node_logical_id: str | None
    subject: Subject
    data: bytes
    size: int
    """Bytes that it takes where no other event is of its subject, roughly."""

    @property
    def key(self) -> tuple[int, int, str]:
        """The order in which events are judged, as an observation has it."""
        return (self.time, self.rank, self.event_id)


Known = Observation | Held
"""An event in either form: of both the same is asked where it stands."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Short).decode
_decode_old = msgspec.json.Decoder(Observation).decode


def hold(obs: Observation, beside: Held | None = None) -> Held:
    """An event to be kept; `beside` is one that may be of the same subject."""
    subject = Subject(
        obs.detail_type, obs.cluster_arn, obs.cluster_name, obs.instance_group,
        obs.instance_id, obs.node_logical_id, obs.resource_type,
    )  # fmt: skip
    short = _encode(_short(obs))
    if beside is not None and beside.subject == subject:
        subject, size = beside.subject, beside.size - len(beside.data) + len(short)
    else:
        subject = shared(subject)
        size = size_of(subject) + len(short)
    instance, slot = subject.instance_id, subject.node_logical_id
    operation = obs.operation and intern(obs.operation)
    return Held(obs.time, obs.rank, obs.event_id, intern(obs.code), operation, instance, slot, subject, short, size)


def shared(subject: Subject) -> Subject:
    """The same with words that are there once for all who have them: within a cluster nearly all are alike."""
    return Subject(*[word and intern(word) for word in astuple(subject)])


def size_of(subject: Subject) -> int:
    """Bytes that it takes, roughly."""
    return len(_encode(subject))


def _short(obs: Observation) -> tuple[Any, ...]:
    """The fields of `_Short`, without those at the end that say nothing."""
    time, sent, happened, answered = obs.time, obs.envelope_time, obs.event_time, obs.observed_time
    delay = None if sent is None else sent - time
    short = (obs.event_id, time, obs.rank, obs.code, obs.description, obs.level, delay)
    unreadable, suspect, shape = obs.time_unreadable, obs.clock_suspect, obs.shape
    if happened != time or answered is not None or suspect or shape is not None or unreadable is not None:
        happened = None if happened is None else happened - time
        answered = None if answered is None else answered - time
        rare = happened, answered, unreadable, suspect, shape
        return (*short, obs.status, obs.operation, obs.operation_word, obs.text, obs.details, *rare)
    if obs.details:
        return (*short, obs.status, obs.operation, obs.operation_word, obs.text, obs.details)
    if obs.text:
        return (*short, obs.status, obs.operation, obs.operation_word, obs.text)
    if obs.operation_word is not None or obs.operation is not None:
        return (*short, obs.status, obs.operation, obs.operation_word)
    return short if obs.status is None else (*short, obs.status)


def told(held: Held) -> Observation:
    """The event that is kept."""
    short, subject = _decode(held.data), held.subject
    time, sent, happened, answered = short.time, short.sent, short.happened, short.answered
    # By position, in the order of the fields: by name it would take a microsecond more.
    return Observation(
        short.event_id, subject.detail_type, subject.cluster_arn, subject.cluster_name,
        subject.instance_group, subject.instance_id, subject.node_logical_id, subject.resource_type,
        short.level, short.description,
        None if happened is None else time + happened,
        None if sent is None else time + sent,
        None if answered is None else time + answered,
        short.time_unreadable, short.details,
        time, short.clock_suspect, short.code, short.rank,
        short.operation, short.operation_word, short.status, short.shape, short.text,
    )  # fmt: skip


def held_as(data: bytes, subject: Subject, size: int) -> Held:
    """The event that these bytes are, of a subject of that size.  Raises what msgspec raises on bytes."""
    short = _decode(data)
    return Held(
        short.time,
        short.rank,
        short.event_id,
        intern(short.code),
        short.operation and intern(short.operation),
        subject.instance_id,
        subject.node_logical_id,
        subject,
        data,
        size + len(data),
    )


def held_of_old(data: bytes, beside: Held | None) -> Held:
    """The event that an observation's JSON is, as rows had them in version 1."""
    return hold(_decode_old(data), beside)
