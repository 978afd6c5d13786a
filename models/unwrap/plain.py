"""The envelope of a cluster event as EventBridge writes it, parsed straight into its fields.

Knows: EventBridge's names and types of what nearly every record is.
Must not know: what a field means, other forms, how a text is broken.

Whatever is not exactly this (an unknown member, another type, broken JSON) is not plain and is read the general way.
So nothing is skipped unseen, nothing nests deeper than the types say, and the outcome is that of the general way: the
tests compare the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from models.events import ClusterEvent
from models.exact import exact

if TYPE_CHECKING:
    _Event = ClusterEvent
else:
    _Event = exact(ClusterEvent, closed=True)


class Detail(msgspec.Struct, rename="pascal", forbid_unknown_fields=True, gc=False):
    """The detail of the envelope."""

    event_details: _Event
    cluster_arn: str | None = None


class Plain(msgspec.Struct, rename="kebab", forbid_unknown_fields=True, gc=False):
    """The envelope."""

    detail_type: Literal["SageMaker HyperPod Cluster Event"]
    detail: Detail
    version: str = ""
    id: str = ""
    source: str = ""
    account: str = ""
    time: str = ""
    region: str = ""
    resources: list[str] = []
    replay_name: str = ""


_decode = msgspec.json.Decoder(Plain).decode


def plain(text: bytes, limit: int) -> Plain | None:
    """The envelope that a text is; None where it is anything else, too large, or broken."""
    if len(text) > limit:
        return None
    try:
        return _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # all that msgspec raises on bytes
        return None
