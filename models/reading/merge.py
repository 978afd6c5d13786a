"""Copies of one event become one, leaf by leaf (contract section 1, "Identity").

Knows: which fields of an Observation are leaves.  Must not know: wire forms, rows.

Commutative, associative and idempotent, so that copies may arrive in any order and number.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from models.canonical import smaller
from models.observation import Observation
from models.reading.derive import derive, own_ids

LEAVES: Final = (
    "event_id",
    "detail_type",
    "cluster_arn",
    "cluster_name",
    "node_logical_id",
    "resource_type",
    "level",
    "description",
    "event_time",
    "envelope_time",
    "observed_time",
    "time_unreadable",
)


def merge(a: Observation, b: Observation) -> Observation:
    """One event of two copies: non-null beats null, of two non-nulls the smaller canonical JSON wins; then derived."""
    leaves: dict[str, Any] = {name: smaller(getattr(a, name), getattr(b, name)) for name in LEAVES}
    ours, theirs = own_ids(a), own_ids(b)
    leaves |= {name: smaller(ours[name], theirs[name]) for name in ours}
    # An id that is filled in from the text is no leaf, and `text` is what tells them apart: derive anew.
    return derive(msgspec.structs.replace(a, **leaves, details=_merged(a.details, b.details), text={}))


def _merged(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    """Key by key, in sorted order so that equal contents are equal bytes."""
    return {key: _leaf(a.get(key), b.get(key)) for key in sorted(a.keys() | b.keys())}


def _leaf(a: Any, b: Any) -> Any:
    return _merged(a, b) if isinstance(a, dict) and isinstance(b, dict) else smaller(a, b)
