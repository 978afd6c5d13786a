"""Which items a query asks for, and the sort keys that pages are cut by.

Knows: the query parameters of each list and what they match.
Must not know: HTTP, who keeps the state.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from models.public import (
    Anomaly,
    AnomalyKind,
    AnomalyStatus,
    ClusterItem,
    GroupItem,
    InstanceItem,
    Picture,
    Severity,
)
from streams.web.answers import SortKey

Words = list[str]
Stale = Literal["ok"] | None


AT = Field(
    default=None,
    description="Answer as of then: ISO 8601, an epoch, or a distance from as_of such as -2h.",
    examples=["-2h"],
)
PHASE: Words = Field(default=[], description="Phases, in any case.")
GROUP: Words = Field(default=[], description="Names of instance groups.")
STALE = Field(
    default=None,
    description="`ok`: while partitions have no owner, answer from what was last known of them, marked `partial`.",
)


class ListQuery(BaseModel):
    """What every list takes.  An unknown parameter is an error: a misspelt filter must not return everything."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    limit: int = Field(default=500, ge=1, le=5000, description="Items of one page at most.")
    continue_: str | None = Field(default=None, alias="continue", description="The token of the page before.")
    cluster: Words = Field(default=[], description="Cluster names or ARNs.")
    at: str | None = AT
    stale: Stale = STALE


class ClusterQuery(ListQuery):
    """Filters of clusters."""

    phase: Words = PHASE

    def keep(self, item: ClusterItem, clusters: Collection[str] | None) -> bool:
        """Whether this cluster is asked for."""
        return _among(item.cluster_arn, clusters) and _word(item.phase, self.phase)


class GroupQuery(ListQuery):
    """Filters of instance groups."""

    group: Words = GROUP
    phase: Words = PHASE

    def keep(self, item: GroupItem, clusters: Collection[str] | None) -> bool:
        """Whether this group is asked for."""
        names = _any(item.instance_group, self.group)
        return names and _among(item.cluster_arn, clusters) and _word(item.phase, self.phase)


class InstanceQuery(ListQuery):
    """Filters of instances."""

    group: Words = GROUP
    instance: Words = Field(default=[], description="EC2 ids or logical ids.")
    phase: Words = PHASE

    def keep(self, item: InstanceItem, clusters: Collection[str] | None) -> bool:
        """Whether this instance is asked for."""
        names = _any(item.instance_group, self.group) and (
            _any(item.instance_id, self.instance) or _any(item.node_logical_id, self.instance)
        )
        return names and _among(item.cluster_arn, clusters) and _word(item.phase, self.phase)


class AnomalyQuery(ListQuery):
    """Filters of anomalies."""

    id: Words = Field(default=[], description="Anomaly ids.")
    group: Words = GROUP
    instance: Words = Field(default=[], description="EC2 ids or logical ids.")
    kind: list[AnomalyKind] = Field(default=[], description="Kinds.")
    severity: list[Severity] = Field(default=[], description="Severities; each only itself.")
    status: list[AnomalyStatus] = Field(default=[], description="Where in their life they are.")
    planned: bool | None = Field(default=None, description="Whether someone began what it belongs to.")
    silenced: bool | None = Field(default=None, description="Whether a silence holds over it.")

    def keep(self, item: Anomaly, clusters: Collection[str] | None) -> bool:
        """Whether this anomaly is asked for."""
        names = (
            _any(item.anomaly_id, self.id)
            and _any(item.instance_group, self.group)
            and (_any(item.instance_id, self.instance) or _any(item.node_logical_id, self.instance))
        )
        words = _any(item.kind, self.kind) and _any(item.severity, self.severity) and _any(item.status, self.status)
        flags = self.planned in (None, item.planned) and self.silenced in (None, item.silenced_by is not None)
        return names and words and flags and _among(item.cluster_arn, clusters)


def arns(names: Words, picture: Picture) -> set[str] | None:
    """The cluster ARNs that the names or ARNs stand for; None where none was given, so all are meant."""
    if not names:
        return None
    wanted = set(names)
    return wanted | {item.cluster_arn for item in picture.clusters if item.cluster_name in wanted}


def cluster_key(item: ClusterItem) -> SortKey:
    """The order of clusters."""
    return (item.cluster_arn,)


def group_key(item: GroupItem) -> SortKey:
    """The order of groups."""
    return (item.cluster_arn, item.instance_group)


def instance_key(item: InstanceItem) -> SortKey:
    """The order of instances; null is before any name, as the empty string is."""
    return (item.cluster_arn, item.instance_group or "", item.instance_id or "", item.node_logical_id or "")


def anomaly_key(item: Anomaly) -> SortKey:
    """The order of anomalies: retracted ones last."""
    return (str(int(item.status is AnomalyStatus.RETRACTED)), item.opened_at, item.anomaly_id)


def _among(arn: str, wanted: Collection[str] | None) -> bool:
    return wanted is None or arn in wanted


def _any(value: str | None, wanted: Collection[str]) -> bool:
    return not wanted or value in wanted


def _word(value: str, wanted: Words) -> bool:
    """Phases match in any case: nobody should have to remember `InService`."""
    return not wanted or value.casefold() in {word.casefold() for word in wanted}
