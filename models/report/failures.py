"""Which anomalies are failures, and whose.

Knows: public anomalies.  Must not know: histories, windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from models.explain.times import milliseconds
from models.public import Anomaly, AnomalyKind, AnomalyStatus, Cause

KINDS = frozenset(
    {
        AnomalyKind.OPERATION_FAILED,
        AnomalyKind.LIFECYCLE_SCRIPT_FAILED,
        AnomalyKind.REPLACEMENT_FAILED,
        AnomalyKind.PATCH_FAILED,
        AnomalyKind.ROLLBACK_FAILED,
        AnomalyKind.UNHEALTHY_NODE,
    }
)


class Failure(NamedTuple):
    """One failure from its opening to its repair."""

    cluster_arn: str
    group: str | None
    entity: tuple[str, str] | None
    """Of an instance or slot: which name it has, and the name."""
    of_cluster: bool
    cause: str
    planned: bool
    opened: int
    resolved: int | None
    repaired: int | None
    """When it was resolved and, of an instance, its place was up again; None while one of the two is awaited."""
    faults: int

    def open_at(self, at: int) -> bool:
        """Whether it had opened and was not resolved before."""
        return self.opened <= at and (self.resolved is None or self.resolved >= at)


def failures_of(anomalies: Iterable[Anomaly]) -> Iterator[Failure]:
    """The failures among anomalies, retracted ones left out."""
    for each in anomalies:
        if each.kind in KINDS and each.status is not AnomalyStatus.RETRACTED:
            resolved = None if each.resolved_at is None else milliseconds(each.resolved_at)
            yield Failure(
                each.cluster_arn,
                each.instance_group,
                _entity(each),
                each.resource_type == "Cluster",
                str(each.cause or Cause.UNKNOWN),
                each.planned,
                milliseconds(each.opened_at),
                resolved,
                resolved,
                each.count,
            )


def _entity(each: Anomaly) -> tuple[str, str] | None:
    if each.instance_id:
        return ("instance", each.instance_id)
    return ("slot", each.node_logical_id) if each.node_logical_id else None
