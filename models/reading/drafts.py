"""A value half read: what its record says by itself, before its envelope or its answer adds cluster and time.

Knows: reasons.  Must not know: any form.
"""

from __future__ import annotations

from typing import Any

import msgspec

from models.unwrap import Reason


class Unusable(ValueError):
    """A value that no event can be made of."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class Draft(msgspec.Struct):
    """One record's own share of an Observation; `leaves` are fields of it by name."""

    detail_type: str
    cluster_arn: str | None
    event_id: str | None
    leaves: dict[str, Any]
    details: dict[str, Any]


def in_order(details: dict[str, Any]) -> dict[str, Any]:
    """Sorted, as `merge` has them: of one copy or more, the same bytes."""
    return {name: details[name] for name in sorted(details)}
