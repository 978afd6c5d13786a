"""Which cluster a raw value is of, found at a fraction of the cost of reading it.

Knows: the one form that nearly every value has, an envelope with a cluster event in it.
Must not know: processes, rows.

What is said here must be what `models.reading` says (a test holds the two together); of any other form nothing is said,
and the value is read.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from models.unwrap import MAX_BYTES


class _Event(msgspec.Struct):
    arn: str = msgspec.field(name="ClusterArn")
    event_id: msgspec.Raw = msgspec.field(name="EventId")
    """Only that it is there."""


class _Detail(msgspec.Struct):
    event: _Event = msgspec.field(name="EventDetails")


class _Envelope(msgspec.Struct):
    kind: Literal["SageMaker HyperPod Cluster Event"] = msgspec.field(name="detail-type")
    detail: _Detail


_DECODE = msgspec.json.Decoder(_Envelope).decode


def cluster_of(raw: bytes) -> str | None:
    """The ARN, where the value is one event of one cluster if it can be read at all; None: read it to know."""
    if len(raw) > MAX_BYTES:
        return None
    try:
        return _DECODE(raw).detail.event.arn or None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # also where it is JSON of another form
        return None
