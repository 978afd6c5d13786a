"""Events for stories: one line of a test is one event, written as AWS would send it.

Knows: AWS's texts (from the catalogue, as data), envelopes, metadata.  Must not know: how anything is read or judged.

An event has no time and no id of its own: the fleet that sees it gives it both, unless it is told (`at`, `named`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from models.catalogue import BY_CODE

ARN = "arn:aws:sagemaker:us-west-2:111122223333:cluster/0a1b2c3d4e5f"
NAME = "train"
WORKERS = "workers"

NO_METADATA = {
    "Cluster": None,
    "Instance": None,
    "InstanceGroup": None,
    "InstanceGroupScaling": None,
    "InstanceMonitor": None,
    "InstanceHealth": None,
}
"""What EventBridge delivers where AWS has nothing to add: every key, all null."""

_FILLINGS = {
    "cluster-name": NAME,
    "subnet-id": "subnet-0aa11bb22cc33dd44",
    "availability-zone": "usw2-az2",
    "security-group-ids": "[sg-0a1]",
    "ami-id": "ami-0123456789abcdef0",
    "reservation-id": "cr-0123456789abcdef0",
    "strategy": "RollingUpdate",
    "alarm-names": "gpu-errors",
    "duration": "600",
    "drift-details": "partition dev",
    "fault": "NvidiaErrorTerminate",
    "action": "Replace",
    "lost": "2",
    "current": "6",
    "total": "8",
    "groups": "1",
    "status": "completed",
    "operation": "creation",
}


@dataclass(frozen=True)
class Event:
    """One value to be sent: an envelope, or an answer of the API, still without time and id."""

    detail_type: str
    detail: dict[str, Any]
    moment: int | None = None
    """Seconds after the story's beginning; None: a minute after the event before."""
    name: str | None = None
    envelope: dict[str, Any] = field(default_factory=dict)
    """Fields of the envelope that are not as AWS has them."""

    def at(self, seconds: float) -> Event:
        """The same event so many seconds after the story's beginning."""
        return replace(self, moment=int(seconds * 1000))

    def named(self, name: str) -> Event:
        """The same event under an id of its own."""
        return replace(self, name=name)


@dataclass(frozen=True)
class ClusterEvent(Event):
    """An event with a text, whose fields a test may change one by one."""

    metadata: dict[str, Any] | None = field(default_factory=lambda: dict(NO_METADATA))

    def told(self, **fields: Any) -> ClusterEvent:
        """The same event with other core fields (AWS's names); None takes one away."""
        kept = {key: value for key, value in (self.detail | fields).items() if value is not None}
        return replace(self, detail=kept)

    def slot(self, node_logical_id: str) -> ClusterEvent:
        """The same event with a NodeLogicalId."""
        return self._with("Instance", NodeLogicalId=node_logical_id)

    def because(self, message: str, member: str = "Instance") -> ClusterEvent:
        """The same event with a FailureMessage."""
        return self._with(member, FailureMessage=message)

    def counts(self, current: int, target: int, minimum: int = 0) -> ClusterEvent:
        """The same event with the counts of a scaling."""
        return self._with("InstanceGroupScaling", InstanceCount=current, TargetCount=target, MinCount=minimum)

    def bare(self) -> ClusterEvent:
        """The same event without any metadata."""
        return replace(self, metadata=None)

    def _with(self, member: str, **values: Any) -> ClusterEvent:
        metadata = dict(self.metadata or NO_METADATA)
        metadata[member] = (metadata.get(member) or {}) | values
        return replace(self, metadata=metadata)


def text(code: str, **fillings: str | None) -> str:
    """AWS's text of a code, its placeholders filled."""
    named = {key.replace("_", "-"): value for key, value in fillings.items() if value is not None}
    values = _FILLINGS | {"instance-group-name": WORKERS, "instance-id": ""} | named
    written = re.sub(r"<([a-z-]+)>", lambda found: values[found.group(1)], BY_CODE[code].text)
    return re.sub(r" {2,}", " ", written)


def says(description: str, **fields: Any) -> ClusterEvent:
    """A cluster event with any text; `fields` are AWS's core fields beside it."""
    core = {"ClusterArn": ARN, "ClusterName": NAME, "EventLevel": "Info", "Description": description}
    kept = {key: value for key, value in (core | fields).items() if value is not None}
    return ClusterEvent("SageMaker HyperPod Cluster Event", kept)


def instance(
    code: str, instance_id: str | None = None, operation: str | None = None, *, group: str | None = WORKERS, **more: str
) -> ClusterEvent:
    """An event of an instance; without an id AWS's text simply has none."""
    words = text(code, instance_id=instance_id, operation=operation, instance_group_name=group, **more)
    return says(words, ResourceType="Instance", InstanceGroupName=group, InstanceId=instance_id)


def group(code: str, operation: str | None = None, *, of: str = WORKERS, **more: str) -> ClusterEvent:
    """An event of an instance group."""
    words = text(code, operation=operation, instance_group_name=of, **more)
    return says(words, ResourceType="InstanceGroup", InstanceGroupName=of)


def cluster(code: str, operation: str | None = None, **more: str) -> ClusterEvent:
    """An event of the cluster."""
    return says(text(code, operation=operation, **more), ResourceType="Cluster")


def script(instance_id: str, status: str) -> ClusterEvent:
    """What the lifecycle script did."""
    return instance("LifecycleScriptStatus", instance_id, status=status)


def health(instance_id: str, status: str, action: str = "None", **fields: Any) -> Event:
    """A node health event: it has no id and names no group."""
    summary = {
        "HealthStatus": status,
        "HealthStatusReason": "fault type NvidiaErrorTerminate",
        "RepairAction": action,
        "Recommendation": "Please replace the node.",
    }
    detail = {"ClusterName": NAME, "ClusterArn": ARN, "InstanceId": instance_id, "Tags": {}, "HealthSummary": summary}
    return Event("SageMaker HyperPod Cluster Node Health Event", detail | fields)


def heartbeat(account: str = "111122223333", region: str = "us-west-2") -> Event:
    """A sign of life of a feed; it is of no cluster."""
    sender = {"source": "hyperpod-state", "account": account, "region": region, "resources": []}
    return Event("HyperPod State Heartbeat", {}, envelope=sender)


def shown(status: str, current: int, target: int, software: str | None = None) -> dict[str, Any]:
    """A group as a snapshot shows it."""
    body: dict[str, Any] = {"Status": status, "CurrentCount": current, "TargetCount": target}
    return body | ({"SoftwareUpdateStatus": software} if software else {})


def state_change(status: str, **groups: dict[str, Any]) -> Event:
    """A state change: the whole cluster at that moment."""
    return Event("SageMaker HyperPod Cluster State Change", _described(status, groups))


def described(status: str, **groups: dict[str, Any]) -> Event:
    """An answer of DescribeCluster."""
    return Event("", _described(status, groups))


def node_list(**statuses: str) -> Event:
    """An answer of ListClusterNodes; an instance is named with `_` for `-`."""
    nodes = [
        {
            "InstanceGroupName": WORKERS,
            "InstanceId": name.replace("_", "-"),
            "InstanceStatus": {"Status": status, "Message": ""},
        }
        for name, status in statuses.items()
    ]
    return Event("", {"ClusterArn": ARN, "ClusterNodeSummaries": nodes})


def _described(status: str, groups: dict[str, dict[str, Any]]) -> dict[str, Any]:
    listed = [{"InstanceGroupName": name, **body} for name, body in groups.items()]
    return {"ClusterArn": ARN, "ClusterName": NAME, "ClusterStatus": status, "InstanceGroups": listed}


def born(instance_id: str, node_logical_id: str | None = None, *, group: str = WORKERS) -> list[Event]:
    """All steps of a birth, from the request to the creation's own word; without a slot only those with an id."""
    unnamed: list[ClusterEvent] = []
    if node_logical_id is not None:
        unnamed = [instance(code, group=group) for code in ("InstanceOperationStarted", "EniCreated")]
    own = [
        instance("InstanceProvisioned", instance_id, group=group),
        replace(script(instance_id, "Started")).told(InstanceGroupName=group),
        replace(script(instance_id, "Succeeded")).told(InstanceGroupName=group),
        instance("InstanceOperationCompleted", instance_id, "creation", group=group),
    ]
    return [event.slot(node_logical_id) if node_logical_id else event for event in [*unnamed, *own]]


def rollout_begins(*, of: str = WORKERS) -> list[Event]:
    """A group is scheduled for a software update, which begins with its first batch."""
    return [group(code, of=of) for code in ("PatchScheduled", "PatchStarted", "PatchBatchSelected")]


def patched(instance_id: str) -> list[Event]:
    """One instance's software update from the cordon until it may take work again."""
    return [
        instance("PatchPrepared", instance_id),
        instance("RootVolumeReplacementStarted", instance_id),
        script(instance_id, "Started"),
        script(instance_id, "Succeeded"),
        instance("InstancePatched", instance_id),
        instance("SchedulableRestored", instance_id),
    ]


def terminated(instance_id: str) -> list[Event]:
    """The end of an instance."""
    return [
        instance("TerminationInProgress", instance_id),
        instance("EniDeleted", instance_id),
        instance("InstanceOperationCompleted", instance_id, "deletion"),
    ]


def replacing(instance_id: str) -> list[Event]:
    """A replacement as the new instance tells it, until it is complete."""
    return [
        instance("ReplacementStarted", instance_id),
        instance("InstanceProvisioned", instance_id),
        script(instance_id, "Started"),
        script(instance_id, "Succeeded"),
        instance("ReplacementCompleted", instance_id, "creation"),
    ]
