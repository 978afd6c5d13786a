"""Copies of one event become one, leaf by leaf (contract section 1, "Identity").

Knows: which fields of an Observation are leaves.  Must not know: wire forms, rows.

Commutative, associative and idempotent, so that copies may arrive in any order and number.
"""

from __future__ import annotations

from typing import Any

from models.canonical import smaller
from models.observation import Observation
from models.reading.derive import LEAVES, observe, own_ids


def merge(a: Observation, b: Observation) -> Observation:
    """One event of two copies: non-null beats null, of two non-nulls the smaller canonical JSON wins; then derived."""
    leaves: dict[str, Any] = {name: smaller(getattr(a, name), getattr(b, name)) for name in LEAVES}
    # An id that is filled in from the text is no leaf.
    ours, theirs = own_ids(a), own_ids(b)
    leaves |= {name: smaller(ours[name], theirs[name]) for name in ours}
    return observe(details=_merged(a.details, b.details), **leaves)


def _merged(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    """Key by key, in sorted order so that equal contents are equal bytes."""
    return {key: _leaf(a.get(key), b.get(key)) for key in sorted(a.keys() | b.keys())}


def _leaf(a: Any, b: Any) -> Any:
    return _merged(a, b) if isinstance(a, dict) and isinstance(b, dict) else smaller(a, b)
