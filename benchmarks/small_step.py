"""The small standard step, as kafka-streams/ has it in Java: parse, classify, one transition, a row of 470 bytes.

Knows: what one event does to the row of its instance, and when that is an anomaly.
Must not know: where rows are kept, who delivers events.

It is no reconstruction.  It is what a stateful step costs at the least, so that transports can be compared.
"""

from __future__ import annotations

from typing import Any

import msgspec

KEEP = 3
"""Transitions that a row remembers."""
CODES = {
    "EC2 instance {i} successfully provisioned in Cluster {c} and IG {g}": "EC2Provisioned",
    "Instance lifecycle script execution for {i} has Started": "ScriptStarted",
    "Instance lifecycle script execution for {i} has Succeeded": "ScriptSucceeded",
    "Instance lifecycle script execution for {i} has Failed": "ScriptFailed",
    "Instance {i} in IG {g} cordoned and pods evicted.": "PatchPrepared",
    "Root volume replacement started for Instance {i} in IG {g}.": "RootVolumeReplacement",
    "Instance {i} in IG {g} updated successfully.": "InstancePatched",
    "Instance {i} in IG {g} restored to schedulable state.": "SchedulableRestored",
}
STATES = {
    "EC2Provisioned": "Provisioned",
    "ScriptStarted": "LifecycleScript",
    "ScriptSucceeded": "InService",
    "ScriptFailed": "Failed",
    "PatchPrepared": "Patching",
    "RootVolumeReplacement": "Patching",
    "InstancePatched": "InService",
    "SchedulableRestored": "InService",
}


class _Record(msgspec.Struct):
    EventId: str
    ClusterArn: str
    ClusterName: str
    InstanceGroupName: str
    InstanceId: str
    EventTime: int
    Description: str


class _Detail(msgspec.Struct):
    EventDetails: _Record


class _Envelope(msgspec.Struct):
    detail: _Detail


class Move(msgspec.Struct, array_like=True):
    """One transition."""

    time: int
    event_id: str
    code: str


class Row(msgspec.Struct):
    """What is known of one instance."""

    cluster_arn: str
    cluster_name: str
    instance_group: str
    instance_id: str
    state: str = "Unknown"
    since: int = 0
    events: int = 0
    failures: int = 0
    last_event_time: int = 0
    moves: list[Move] = []


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_ROW = msgspec.json.Decoder(Row)
_ENCODER = msgspec.json.Encoder()


def parse(value: bytes) -> _Record:
    """The record within an envelope."""
    return _ENVELOPE.decode(value).detail.EventDetails


def key_of(record: _Record) -> bytes:
    """The key of its row."""
    return f"{record.ClusterArn}|{record.InstanceId}".encode()


def classify(record: _Record) -> str:
    """The code: the names that the event carries masked, then one look-up."""
    masked = record.Description.replace(record.InstanceId, "{i}", 1)
    masked = masked.replace(record.InstanceGroupName, "{g}", 1).replace(record.ClusterName, "{c}", 1)
    return CODES[masked]


def step(row: Row | None, record: _Record) -> tuple[Row, bytes | None]:
    """The row after the event, and the anomaly's record where it is one."""
    if row is None:
        row = Row(record.ClusterArn, record.ClusterName, record.InstanceGroupName, record.InstanceId)
    code = classify(record)
    state = STATES[code]
    if state != row.state:
        row.state, row.since = state, record.EventTime
    row.events += 1
    row.last_event_time = record.EventTime
    row.moves = [*row.moves[1 - KEEP :], Move(record.EventTime, record.EventId, code)]
    if code != "ScriptFailed":
        return row, None
    row.failures += 1
    return row, encode({"kind": code, "entity": row.instance_id, "cluster": row.cluster_arn, "at": record.EventTime})


def encode(value: object) -> bytes:
    """JSON."""
    return _ENCODER.encode(value)


def decode(data: bytes) -> Row:
    """A row from its JSON."""
    return _ROW.decode(data)


def plain(row: Row) -> dict[str, Any]:
    """A row as plain values, for stores that take no bytes."""
    fields: dict[str, Any] = msgspec.to_builtins(row)
    return fields


def revive(fields: dict[str, Any]) -> Row:
    """A row from its plain values."""
    return msgspec.convert(fields, Row)
