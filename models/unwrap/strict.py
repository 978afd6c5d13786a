"""Strict JSON within limits, and exact reasons where a text is not that.

Knows: bytes, JSON, size, depth and number of keys.  Must not know: wire forms.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final

import orjson

from models.unwrap.outcome import Reason

MAX_BYTES: Final = 1_048_576
"""1 MB, as Kafka counts it: the default size limit of one value."""
MAX_DEPTH: Final = 64
"""Arrays and objects within each other, the outermost counted."""

MAX_KEYS: Final = 50_000
"""Members of all objects within one value.  A page of nodes has some 37,000 in 1 MB."""

_CONTAINERS: Final = (dict, list)

BOM: Final = b"\xef\xbb\xbf"


class Broken(ValueError):
    """A text that is not strict JSON within the limits."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def parse(text: bytes, limit: int = MAX_BYTES) -> Any:
    """The JSON value of a text; a byte order mark is no part of it.  Raises Broken with the reason."""
    if len(text) > limit:
        raise Broken(Reason.TOO_LARGE)
    if text.startswith(BOM):
        text = text[len(BOM) :]
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Broken(_why(text, str(error))) from None
    if _too_deep(value, text):
        raise Broken(Reason.TOO_DEEP)
    return value


def _too_deep(value: Any, text: bytes) -> bool:
    # Counting brackets is a hundred times cheaper than walking, and settles nearly every value.
    if text.count(b"{") + text.count(b"[") <= MAX_DEPTH:
        return False
    level = [value] if isinstance(value, _CONTAINERS) else []
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _members(outer) if isinstance(inner, _CONTAINERS)]
        if not level:
            return False
    return True


def too_many_keys(value: Any) -> bool:
    """Whether the value has more members than may be."""
    count, pending = 0, [value] if isinstance(value, _CONTAINERS) else []
    while pending and count <= MAX_KEYS:
        outer = pending.pop()
        count += len(outer) if isinstance(outer, dict) else 0
        pending += [inner for inner in _members(outer) if isinstance(inner, _CONTAINERS)]
    return count > MAX_KEYS


def _members(container: Any) -> Any:
    return container.values() if type(container) is dict else container


def _why(text: bytes, complaint: str) -> Reason:
    """orjson says what it met first in its own words; the second, lenient reader tells the reasons apart."""
    try:
        lenient = text.decode()
    except UnicodeDecodeError:
        return Reason.INVALID_UTF8
    if "depth limit" in complaint:
        return Reason.TOO_DEEP
    return _second_opinion(lenient)


def _second_opinion(text: str) -> Reason:
    infinite: list[str] = []

    def number(digits: str) -> float:
        if not math.isfinite(value := float(digits)):
            infinite.append(digits)
        return value

    try:
        json.loads(text, parse_constant=infinite.append, parse_float=number, parse_int=number)
    except ValueError:
        return Reason.NOT_JSON
    except RecursionError:
        return Reason.TOO_DEEP
    # What only orjson refuses and is no number is an escape of half a surrogate pair.
    return Reason.NOT_FINITE if infinite else Reason.INVALID_UTF8
