"""Snapshots and health: the records that show a whole cluster, its nodes, or what an agent found.

Knows: the wire models of these records and our names for their fields.
Must not know: envelopes, identity, when a record was made, what a leaf leads to.

Null leaves are left out, and so are "" and []: AWS writes an absent field in all these ways.
"""

from __future__ import annotations

from typing import Any

from models.events import (
    Cluster,
    HealthSummary,
    InstanceGroup,
    InstanceStatus,
    Node,
    NodeHealth,
    NodeList,
    Orchestrator,
)
from models.exact import read_as
from models.reading.drafts import Draft
from models.timestamps import parse_ms
from models.unwrap import LIST_CLUSTER_NODES, NODE_HEALTH


def shown_cluster(detail_type: str, body: dict[str, Any]) -> Draft:
    """DescribeCluster's answer, or the detail of a state change.  Raises ValidationError."""
    cluster = read_as(Cluster, body)
    leaves = {"cluster_name": cluster.cluster_name or None, "resource_type": "Cluster"}
    return Draft(detail_type, cluster.cluster_arn, cluster.event_id, leaves, _of_cluster(cluster))


def health(detail: dict[str, Any]) -> Draft:
    """The detail of a node health event.  Raises ValidationError."""
    event = read_as(NodeHealth, detail)
    leaves = {
        "cluster_name": event.cluster_name or None,
        "instance_group": event.instance_group_name or None,
        "instance_id": event.instance_id or None,
        "node_logical_id": event.node_logical_id or None,
        "resource_type": "Instance",
    }
    return Draft(NODE_HEALTH, event.cluster_arn, event.event_id, leaves, _of_health(event.health_summary))


def node_page(body: dict[str, Any]) -> Draft:
    """A page of ListClusterNodes.  Raises ValidationError."""
    page = read_as(NodeList, body)
    leaves = {"cluster_name": page.cluster_name or None, "resource_type": "Cluster"}
    return Draft(LIST_CLUSTER_NODES, page.cluster_arn, None, leaves, _of_nodes(page))


def _of_cluster(cluster: Cluster) -> dict[str, Any]:
    """A cluster as DescribeCluster and state changes show it; no `groups` at all where neither list is given."""
    lists = [cluster.instance_groups, cluster.restricted_instance_groups]
    groups = [_of_group(group) for each in lists if each is not None for group in each if group.instance_group_name]
    known = any(each is not None for each in lists)
    return _present(
        cluster_status=cluster.cluster_status,
        failure_message=cluster.failure_message,
        orchestrator=_orchestrator(cluster.orchestrator),
        node_provisioning_mode=cluster.node_provisioning_mode,
        node_recovery=cluster.node_recovery,
    ) | ({"groups": groups} if known else {})


def _of_health(summary: HealthSummary | None) -> dict[str, Any]:
    """A node health event's summary."""
    summary = summary or HealthSummary()
    return _present(
        health_status=summary.health_status,
        health_reason=summary.health_status_reason,
        repair_action=summary.repair_action,
        recommendation=summary.recommendation,
    )


def _of_nodes(page: NodeList) -> dict[str, Any]:
    """A page of nodes; `complete` says that no page follows it, not that none came before.

    `since`: all other nodes are as in the list of that time (epoch ms), but for those that are `gone`; `or_since`: and
    as in those of these times.
    """
    nodes = [_of_node(node) for node in page.cluster_node_summaries or ()]
    since = parse_ms(page.unchanged_since)
    if since is None:
        return {"nodes": nodes, "complete": not page.next_token}
    told = {"nodes": nodes, "complete": False, "since": since, "gone": [name for name in page.gone or () if name]}
    others = [at for text in page.or_since or () if (at := parse_ms(text)) is not None]
    return {**told, "or_since": others} if others else told


def _orchestrator(part: Orchestrator | None) -> str | None:
    if part is None:
        return None
    return "eks" if part.eks is not None else "slurm" if part.slurm is not None else None


def _of_group(group: InstanceGroup) -> dict[str, Any]:
    return _present(
        name=group.instance_group_name,
        status=group.status,
        current_count=group.current_count,
        target_count=group.target_count,
        min_count=group.min_count,
        instance_type=group.instance_type,
        current_image_id=group.current_image_id,
        desired_image_id=group.desired_image_id,
        software_update_status=group.software_update_status,
        failure_messages=[text for text in group.failure_messages or () if isinstance(text, str)],
        node_type=group.slurm_config.node_type if group.slurm_config else None,
    )


def _of_node(node: Node) -> dict[str, Any]:
    status = node.instance_status or InstanceStatus()
    return _present(
        instance_group=node.instance_group_name,
        instance_id=node.instance_id,
        node_logical_id=node.node_logical_id,
        status=status.status,
        message=status.message,
        instance_type=node.instance_type,
    )


def _present(**leaves: Any) -> dict[str, Any]:
    return {name: leaf for name, leaf in leaves.items() if leaf or leaf == 0}
