"""What workers say to each other: which partitions are asked for, and a part of an answer.

Knows: the header that marks a question of another worker, the form of a part.
Must not know: which routes exist, who asks whom.

A question with this header is answered out of the worker's own partitions and never passed on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from models.public import Time
from models.timestamps import parse_ms
from streams.web.answers import ApiError

HEADER = "Hyperpod-State-Share"
HOLDINGS = "/api/v1/holdings"
"""Where a worker says which partitions it can tell of."""
VERSION = 1
"""Of these forms.  Workers of different versions do not answer for each other."""


class Share(msgspec.Struct, frozen=True):
    """The partitions that a part must be of, and by which assignment; else there is no part."""

    fleet: str
    generation: int
    partitions: tuple[int, ...]
    as_of: Time | None
    """The fleet's moment: what is told relative to the present is told relative to it."""
    stale: bool = False
    """What was last known will do."""
    version: int = VERSION


class Part(msgspec.Struct):
    """One worker's part of an answer: items as JSON, each with what they are merged by."""

    items: list[msgspec.Raw]
    keys: list[tuple[str, ...]] = []
    more: bool = False
    """Of a list: it has more items than these."""
    as_of: Time | None = None


def header_of(share: Share) -> Mapping[str, str]:
    """The marker of a question of another worker."""
    return {HEADER: msgspec.json.encode(share).decode()}


def share_of(headers: Mapping[str, str]) -> Share | None:
    """What another worker asks for; None of everybody else's question.  ApiError 400."""
    text = headers.get(HEADER)
    if text is None:
        return None
    try:
        share = msgspec.json.decode(text, type=Share)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise ApiError(400, "bad_share", f"the header {HEADER} cannot be read", "leave it away") from None
    if share.as_of is not None and parse_ms(share.as_of) is None:
        raise ApiError(400, "bad_share", f"the header {HEADER} has no time that can be read", "leave it away")
    if share.version != VERSION:
        raise ApiError(503, "other_version", f"this worker speaks version {VERSION} of {HEADER}", "update all workers")
    return share


def earliest(times: Sequence[Time | None]) -> Time | None:
    """The least; None where one is not known."""
    known = [each for each in times if each is not None]
    return min(known) if known and len(known) == len(times) else None
