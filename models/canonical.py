"""Canonical JSON: one spelling for one value, so that it can be hashed and compared.

Knows: JSON values.  Must not know: what they mean.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

import orjson

_ID_LENGTH: Final = 32
"""Hex digits of an id: 128 bits, no collision within any stream that a disk can hold."""


def canonical(value: Any) -> bytes:
    """Sorted keys, no spaces, UTF-8.  Raises TypeError for what is no JSON value."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        # Integers beyond 64 bits and lone surrogates: orjson refuses them, JSON does not.
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return text.encode("utf-8", "surrogatepass")


def digest(*parts: Any) -> str:
    """A stable id of JSON values: the first 32 hex digits of the SHA-256 of their canonical list."""
    return hashlib.sha256(canonical(parts)).hexdigest()[:_ID_LENGTH]


def smaller(a: Any, b: Any) -> Any:
    """Of two values the one with the smaller canonical JSON; null gives way to anything else."""
    if a is None or b is None:
        return b if a is None else a
    if a == b and type(a) is type(b):
        return a
    return min(a, b, key=canonical)
