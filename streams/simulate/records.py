"""Events as AWS writes them down: the details, the envelope, the forms of a time.

Knows: EventBridge, DescribeClusterEvent, DescribeCluster, ListClusterNodes.
Must not know: stories, wrappings of transports.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from streams.simulate.world import ACCOUNT, Cluster, Group, Metadata

Json = dict[str, Any]
CLUSTER_EVENT = "SageMaker HyperPod Cluster Event"
STATE_CHANGE = "SageMaker HyperPod Cluster State Change"
NODE_HEALTH = "SageMaker HyperPod Cluster Node Health Event"
ANSWER = "answer"
"""Not an event: a bare answer of the API, which carries its own time."""
TIME_FORMS = ("ms", "seconds", "text", "iso")


@dataclass(frozen=True)
class Event:
    """One thing said.  `at_ms`: when; `detail`: EventBridge's, without any time in it."""

    at_ms: int
    kind: str
    cluster: Cluster
    detail: Json
    metadata: Json
    """EventMetadata in full, whatever the cluster sends of it."""
    id: str
    time_form: str = "ms"
    lies_ms: int = 0
    """How far EventTime is from the truth."""


def iso(ms: int) -> str:
    """As the envelope has it."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def event_time(ms: int, form: str) -> int | str:
    """EventTime in one of `TIME_FORMS`."""
    if form == "iso":
        return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if form == "seconds":
        return ms // 1000
    return str(ms) if form == "text" else ms


def envelope(event: Event, metadata: Metadata | None = None) -> Json:
    """The event as it is delivered; `metadata`: another amount of it than the cluster sends."""
    if event.kind == ANSWER:
        return event.detail
    return {
        "version": "0",
        "id": event.id,
        "detail-type": event.kind,
        "source": "aws.sagemaker",
        "account": ACCOUNT,
        "time": iso(event.at_ms),
        "region": event.cluster.region,
        "resources": [event.cluster.arn],
        "detail": {"EventDetails": record(event, metadata)} if event.kind == CLUSTER_EVENT else event.detail,
    }


def api_answer(event: Event) -> Json:
    """What DescribeClusterEvent says of a cluster event."""
    return {"EventDetails": record(event, None)}


def record(event: Event, metadata: Metadata | None) -> Json:
    """The record of a cluster event."""
    when = event_time(event.at_ms + event.lies_ms, event.time_form)
    told = {**event.detail, "EventTime": when}
    amount = metadata or event.cluster.metadata
    if amount is Metadata.absent:
        return told
    full = event.metadata if amount is Metadata.full else {}
    keys = dict.fromkeys(("Cluster", "InstanceGroup", "InstanceGroupScaling", "Instance"))
    return {**told, "EventDetails": {"EventMetadata": {**keys, **full}}}


def snapshot(cluster: Cluster) -> Json:
    """DescribeCluster's picture, as state changes carry it."""
    eks = {"Eks": {"ClusterArn": f"arn:aws:eks:{cluster.region}:{ACCOUNT}:cluster/{cluster.name}"}}
    return {
        "SdkResponseMetadata": None,
        "ClusterArn": cluster.arn,
        "ClusterName": cluster.name,
        "ClusterStatus": cluster.phase,
        "CreationTime": cluster.created_ms,
        "FailureMessage": "",
        "InstanceGroups": [_group(group) for group in cluster.standing],
        "RestrictedInstanceGroups": None,
        "VpcConfig": None,
        "Orchestrator": eks if cluster.eks else None,
        "NodeRecovery": "Automatic" if cluster.eks else "",
        "Tags": {},
    }


def node_list(cluster: Cluster, ms: int) -> Json:
    """ListClusterNodes's answer, complete."""
    nodes = [
        {
            "InstanceGroupName": group.name,
            "InstanceId": node.id,
            "InstanceType": group.type,
            "InstanceStatus": {"Status": node.api_status, "Message": ""},
            **({"NodeLogicalId": node.slot} if cluster.slots_known else {}),
        }
        for group in cluster.standing
        for node in group.nodes
        if node.id and node.phase != "Terminated"
    ]
    return {"ClusterNodeSummaries": nodes, "ClusterArn": cluster.arn, "ObservedAt": iso(ms)}


def described(cluster: Cluster, ms: int) -> Json:
    """DescribeCluster's answer."""
    date = datetime.fromtimestamp(ms / 1000, UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    return {**snapshot(cluster), "ResponseMetadata": {"HTTPHeaders": {"date": date}}}


def _group(group: Group) -> Json:
    return {
        "CurrentCount": group.current,
        "TargetCount": group.target,
        "InstanceGroupName": group.name,
        "InstanceType": group.type,
        "LifeCycleConfig": {"SourceS3Uri": "s3://sagemaker-hyperpod-lifecycle/config/", "OnCreate": "on_create.sh"},
        "ExecutionRole": f"arn:aws:iam::{ACCOUNT}:role/sagemaker-hyperpod-role",
        "ThreadsPerCore": 2,
        "InstanceStorageConfigs": None,
        "EnableBurnInTest": None,
        "Status": group.shown_status,
        "FailureMessages": None,
        "ScalingConfig": None,
        "TrainingPlanStatus": "NotApplicable",
        "OverrideVpcConfig": None,
        "CurrentImageId": group.image,
        "DesiredImageId": group.desired_image,
        "SoftwareUpdateStatus": group.update,
    }
