"""The records that users script against (contract section 4): field names, their order, the order of lists, the bytes.

Knows: the public shape of clusters, groups, instances, summaries and of the document that `replay` prints.
Must not know: rows, folding, judging, files, Kafka, HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, TypeAdapter

from models.public_anomaly import (
    SCHEMA_VERSION,
    Anomaly,
    AnomalyKind,
    AnomalyStatus,
    Cause,
    PublicModel,
    ResourceType,
    Severity,
    Time,
    Transition,
)
from models.public_history import HistoryItem, Told
from models.public_rollout import RolloutItem
from models.timestamps import iso

__all__ = [
    "SCHEMA_VERSION",
    "Anomaly",
    "AnomalyKind",
    "AnomalyStatus",
    "Cause",
    "ClusterItem",
    "DeadLetterItem",
    "Document",
    "GroupItem",
    "GroupType",
    "HistoryItem",
    "InstanceItem",
    "Observed",
    "Picture",
    "PublicModel",
    "ResourceType",
    "RolloutItem",
    "Severity",
    "Summary",
    "Time",
    "Transition",
    "dumps",
    "iso",
    "join",
    "sort_anomalies",
    "sort_clusters",
    "sort_groups",
    "sort_instances",
    "sort_rollouts",
]

MACHINE_ORDER = (
    # Instance, then group, then cluster, as the contract lists them; shared names keep one place.
    *("provision", "lifecycle_script", "replace", "operation", "network", "fsx"),
    *("patch", "rollback", "reboot", "health"),
    *("access", "autoscaling", "slurm_config"),
)
_PLACE = {name: place for place, name in enumerate(MACHINE_ORDER)}


def by_machine(value: dict[str, str]) -> dict[str, str]:
    """In the contract's order."""
    return dict(sorted(value.items(), key=lambda item: (_PLACE.get(item[0], len(_PLACE)), item[0])))


def _by_name(value: dict[str, int]) -> dict[str, int]:
    return dict(sorted(value.items()))


Machines = Annotated[dict[str, str], AfterValidator(by_machine)]
Counts = Annotated[dict[str, int], AfterValidator(_by_name)]
Origin = Literal["observed", "adopted"]


class ClusterItem(PublicModel):
    """One cluster."""

    cluster_arn: str
    cluster_name: str | None
    phase: str
    machines: Machines
    origin: Origin
    since: Time | None
    last_event_time: Time | None


class GroupItem(PublicModel):
    """One instance group; `members` counts its instances by phase."""

    cluster_arn: str
    instance_group: str
    phase: str
    machines: Machines
    origin: Origin
    current_count: int | None = None
    target_count: int | None = None
    min_count: int | None = None
    members: Counts
    since: Time | None
    last_event_time: Time | None


class Observed(PublicModel):
    """What the last snapshot said of an instance, in AWS's words; `time` is that of the newest list that had it so."""

    status: str | None
    message: str | None
    time: Time | None


class InstanceItem(PublicModel):
    """One instance, or a slot that has no EC2 id yet."""

    cluster_arn: str
    instance_group: str | None
    instance_id: str | None
    node_logical_id: str | None
    phase: str
    machines: Machines
    origin: Origin
    schedulable: bool
    replaces: str | None = None
    replaced_by: str | None = None
    lineage: Literal["node_logical_id", "inferred"] | None = None
    observed: Observed | None = None
    since: Time | None
    last_event_time: Time | None
    history: Told = ()


class Summary(PublicModel):
    """How every value read was counted: read = applied + duplicate + sum(ignored) + dead_lettered."""

    read: int = 0
    applied: int = 0
    duplicate: int = 0
    ignored: Counts = Field(default_factory=dict)
    dead_lettered: int = 0
    late: int = 0
    unrecognized: int = 0
    watermark: Time | None = None


class DeadLetterItem(PublicModel):
    """One value that could not be read: why, where it stood, and all of it in base64."""

    reason: str
    origin: str
    data: str


class GroupType(PublicModel):
    """Which EC2 instance type a group is made of, where a snapshot said so."""

    cluster_arn: str
    instance_group: str
    instance_type: str | None


class History(PublicModel):
    """What is kept of the changes of one group, or of one cluster where `instance_group` is null; oldest first."""

    cluster_arn: str
    instance_group: str | None
    items: Told


class Picture(PublicModel):
    """Everything known at one cut of the stream; every list is in the contract's order.

    `rollouts`, `group_types` and `histories` are beside the document that `replay` prints.
    """

    clusters: tuple[ClusterItem, ...] = ()
    instance_groups: tuple[GroupItem, ...] = ()
    instances: tuple[InstanceItem, ...] = ()
    anomalies: tuple[Anomaly, ...] = ()
    rollouts: tuple[RolloutItem, ...] = ()
    group_types: tuple[GroupType, ...] = ()
    histories: tuple[History, ...] = ()


class Document(PublicModel):
    """What `replay` prints."""

    summary: Summary
    clusters: tuple[ClusterItem, ...] = ()
    instance_groups: tuple[GroupItem, ...] = ()
    instances: tuple[InstanceItem, ...] = ()
    anomalies: tuple[Anomaly, ...] = ()
    dead_letters: tuple[DeadLetterItem, ...] = ()


_DOCUMENT = TypeAdapter(Document)


def dumps(document: Document) -> bytes:
    """The document as strict JSON: UTF-8, two spaces of indent, a newline at the end, the same bytes every time."""
    return _DOCUMENT.dump_json(document, indent=2) + b"\n"


def _null_first(value: str | None) -> tuple[bool, str]:
    return (value is not None, value or "")


def _place(item: GroupType | History) -> tuple[str, tuple[bool, str]]:
    return item.cluster_arn, _null_first(item.instance_group)


def sort_clusters(items: Iterable[ClusterItem]) -> tuple[ClusterItem, ...]:
    """By cluster ARN."""
    return tuple(sorted(items, key=lambda item: item.cluster_arn))


def sort_groups(items: Iterable[GroupItem]) -> tuple[GroupItem, ...]:
    """By cluster ARN, then group."""
    return tuple(sorted(items, key=lambda item: (item.cluster_arn, item.instance_group)))


def sort_instances(items: Iterable[InstanceItem]) -> tuple[InstanceItem, ...]:
    """By cluster ARN, group, EC2 id, then slot; null before any name."""

    def key(item: InstanceItem) -> tuple[object, ...]:
        names = (item.instance_group, item.instance_id, item.node_logical_id)
        return (item.cluster_arn, *(_null_first(name) for name in names))

    return tuple(sorted(items, key=key))


def sort_anomalies(items: Iterable[Anomaly]) -> tuple[Anomaly, ...]:
    """Retracted ones last, then by `opened_at` and id."""
    return tuple(sorted(items, key=lambda a: (a.status is AnomalyStatus.RETRACTED, a.opened_at, a.anomaly_id)))


def sort_rollouts(items: Iterable[RolloutItem]) -> tuple[RolloutItem, ...]:
    """By cluster ARN and group, the newest of a group first."""
    newest_first = sorted(items, key=lambda item: item.scheduled or item.begun or "", reverse=True)
    return tuple(sorted(newest_first, key=lambda item: (item.cluster_arn, item.instance_group)))


def join(pictures: Iterable[Picture]) -> Picture:
    """Several clusters' pictures as one, lists in the contract's order."""
    parts = list(pictures)
    return Picture(
        clusters=sort_clusters(item for each in parts for item in each.clusters),
        instance_groups=sort_groups(item for each in parts for item in each.instance_groups),
        instances=sort_instances(item for each in parts for item in each.instances),
        anomalies=sort_anomalies(item for each in parts for item in each.anomalies),
        rollouts=sort_rollouts(item for each in parts for item in each.rollouts),
        group_types=tuple(sorted((item for each in parts for item in each.group_types), key=_place)),
        histories=tuple(sorted((item for each in parts for item in each.histories), key=_place)),
    )
