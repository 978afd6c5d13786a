"""The bytes of every record that the worker writes, and back.

Knows: the envelopes of `hyperpod.events`, of table rows, of progress rows and dead letters.
Must not know: Kafka clients, Faust, what an observation means.
"""

from __future__ import annotations

from base64 import b64encode
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from models.observation import Observation

T = TypeVar("T")
VERSION = 1
PROGRESS_KEY = b"progress"
REPLAY_HEADER = "hyperpod-state-replay-of"
"""Header of a raw record that is a dead letter fed again; the value names the letter."""
REPLAY_BYTES = 256


class DecodeError(ValueError):
    """A record is not one of ours, or of a version that this code does not know; the message names no payload."""


class Origin(msgspec.Struct, frozen=True, order=True):
    """Where a value stood in the raw topic: what a crash made us forward twice has the same origin."""

    incarnation: str
    partition: int
    offset: int
    index: int


class Tick(msgspec.Struct, frozen=True):
    """The clock of one raw partition, in epoch ms."""

    partition: int
    clock: int


class SilenceNews(msgspec.Struct, frozen=True):
    """What became of a silence: its record, or null where it was taken away."""

    silence_id: str
    record: msgspec.Raw = msgspec.Raw(b"null")


class Forwarded(msgspec.Struct, omit_defaults=True, frozen=True):
    """One record of `hyperpod.events`: an observation with the event it was read from, a tick or a silence.

    An echo is a heartbeat as it is told to the partitions that do not count it.
    """

    v: int = 0
    origin: Origin | None = None
    observed_ms: int | None = None
    observation: Observation | None = None
    event: msgspec.Raw = msgspec.Raw(b"null")
    tick: Tick | None = None
    echo: bool = False
    silence: SilenceNews | None = None


class Row(msgspec.Struct, frozen=True):
    """A table value: `g` is the guard (incarnation and offset of the last record that changed it)."""

    v: int
    g: tuple[str, int]
    row: msgspec.Raw


class Counts(msgspec.Struct, omit_defaults=True):
    """Of one partition of `hyperpod.events`."""

    applied: int = 0
    duplicate: int = 0
    late: int = 0
    unrecognized: int = 0
    failed: int = 0
    """Events that could not be folded, or not be written then; they are in the dead letters."""
    foreign: int = 0
    """Records of the topic that are not ours; they are in the dead letters, but no value was read from them."""


class RawCounts(msgspec.Struct, omit_defaults=True):
    """Of one partition of the raw topic: read = forwarded + sum(ignored) + sum(dead_lettered)."""

    read: int = 0
    ignored: dict[str, int] = {}
    dead_lettered: dict[str, int] = {}


class Progress(msgspec.Struct, omit_defaults=True):
    """How far one partition of `hyperpod.events` is, written in the same transaction as the rows it speaks of."""

    incarnation: str
    generation: int = 1
    """Grows when the topic was made anew: the upper part of every revision."""
    next: int = 0
    """The offset that is read next; all below is in the rows."""
    now: int | None = None
    clocks: dict[int, int] = {}
    origins: dict[int, tuple[str, int, int]] = {}
    """Per raw partition: incarnation, offset and index of the last value applied."""
    watermark: int | None = None
    judged: int | None = None
    """The `now` of the judgement that the anomalies' records are of; None where the rows went on without one."""
    told: int = 0
    """Below this offset other tables were worked with: transitions and dead letters were told then."""
    counts: Counts = msgspec.field(default_factory=Counts)
    status_at: int = 0


class RawProgress(msgspec.Struct, omit_defaults=True):
    """How far one partition of the raw topic is."""

    incarnation: str
    next: int = 0
    last_ms: int | None = None
    """Kafka time of the last value forwarded."""
    counts: RawCounts = msgspec.field(default_factory=RawCounts)


class AnomalyRow(msgspec.Struct, omit_defaults=True, frozen=True):
    """The last known record of an anomaly; `held_since` while it is kept from the topic."""

    cluster: str
    record: dict[str, Any]
    held_since: int | None = None


_ENCODER = msgspec.json.Encoder()
_FORWARDED = msgspec.json.Decoder(Forwarded)
_ROW = msgspec.json.Decoder(Row)
PROGRESS = msgspec.json.Decoder(Progress)
RAW_PROGRESS = msgspec.json.Decoder(RawProgress)
ANOMALY = msgspec.json.Decoder(AnomalyRow)
ANY = msgspec.json.Decoder(Any)


def encode(value: object) -> bytes:
    """Compact JSON of any of the structs here, or of plain values."""
    return _ENCODER.encode(value)


def decode(decoder: msgspec.json.Decoder[T], data: bytes | None) -> T:
    """A record by one of the decoders, whoever wrote it.  DecodeError where it is none."""
    try:
        return decoder.decode(data or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:  # all that msgspec raises on bytes
        raise DecodeError("not JSON of this form") from error


def plain(origin: Origin) -> dict[str, Any]:
    """An origin as plain fields."""
    fields: dict[str, Any] = msgspec.to_builtins(origin)
    return fields


def forwarded(origin: Origin, observed_ms: int | None, observation: Observation, event: object) -> bytes:
    """A record of `hyperpod.events`."""
    raw = event if isinstance(event, msgspec.Raw) else msgspec.Raw(_ENCODER.encode(event))
    return _ENCODER.encode(Forwarded(VERSION, origin, observed_ms, observation, raw))


def echoed(origin: Origin, observed_ms: int | None, observation: Observation) -> bytes:
    """The same of a heartbeat for a partition that does not count it; the event stands where it is counted."""
    return _ENCODER.encode(Forwarded(VERSION, origin, observed_ms, observation, echo=True))


def tick(partition: int, clock: int) -> bytes:
    """A record of `hyperpod.events` that only carries time."""
    return _ENCODER.encode(Forwarded(VERSION, tick=Tick(partition, clock)))


def silenced(news: SilenceNews) -> bytes:
    """A record of `hyperpod.events` that only carries a silence."""
    return _ENCODER.encode(Forwarded(VERSION, silence=news))


def read_forwarded(data: bytes | None) -> Forwarded:
    """A record of `hyperpod.events`.  DecodeError where it is none."""
    try:
        record = decode(_FORWARDED, data)
    except DecodeError as error:
        raise DecodeError("not a record of this topic") from error
    if record.v != VERSION or (record.observation, record.tick, record.silence).count(None) != 2:
        raise DecodeError(f"a record of version {record.v}, or not one of observation, tick and silence")
    return record


def wrap(version: int, incarnation: str, offset: int, row: bytes) -> bytes:
    """A table value around the JSON of a row: a `Row`, but a large row is copied once."""
    return b"".join((_head(version, incarnation, offset), row, b"}"))


@lru_cache(maxsize=64)
def _head(version: int, incarnation: str, offset: int) -> bytes:
    """What stands before the row's JSON; all of a checkpoint's rows have the same."""
    return _ENCODER.encode(Row(version, (incarnation, offset), msgspec.Raw(b"null"))).removesuffix(b"null}")


def unwrap_row(data: bytes, newest: int) -> bytes:
    """The JSON of a row.  DecodeError where the value is foreign or of a version above `newest`."""
    try:
        row = decode(_ROW, data)
    except DecodeError as error:
        raise DecodeError("not a row of this table") from error
    if row.v > newest:
        raise DecodeError(f"a row of version {row.v}; this program knows versions up to {newest}")
    return bytes(row.row)


def guard_of(data: bytes) -> tuple[str, int]:
    """The guard of a value that `unwrap_row` accepts."""
    return _ROW.decode(data).g


def dead_letter(reason: str, origin: dict[str, Any], data: bytes, time: str | None) -> bytes:
    """A record of the dead-letter topic: the value whole, in base64."""
    letter = {"reason": reason, "origin": origin, "data": b64encode(data).decode(), "time": time}
    return _ENCODER.encode({"schema_version": "1", **letter})
