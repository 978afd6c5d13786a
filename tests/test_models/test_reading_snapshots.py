"""Snapshots, state changes, health and heartbeats as observations."""

from __future__ import annotations

from typing import Any

import pytest

from models.unwrap import Reason
from tests.test_models.wire import (
    ARN,
    DATE,
    HEALTH_TYPE,
    SENT_MS,
    STATE_TYPE,
    cluster,
    envelope,
    event,
    refused,
    seen,
)

GROUPS = [
    {
        "InstanceGroupName": "workers",
        "Status": "InService",
        "CurrentCount": 1,
        "TargetCount": 2,
        "MinCount": None,
        "InstanceType": "ml.p5.48xlarge",
        "CurrentImageId": "ami-1",
        "DesiredImageId": "ami-2",
        "SoftwareUpdateStatus": "Pending",
        "FailureMessages": ["no capacity", {"odd": 1}],
        "SlurmConfig": {"NodeType": "Compute"},
    },
    {"InstanceGroupName": None, "Status": "InService"},
]


@pytest.mark.parametrize(
    ("record", "kind", "code"),
    [
        (
            envelope(
                cluster(InstanceGroups=GROUPS, RestrictedInstanceGroups=[{"InstanceGroupName": "rig"}]), STATE_TYPE
            ),
            STATE_TYPE,
            "ClusterStateChange",
        ),
        (
            cluster(InstanceGroups=GROUPS, RestrictedInstanceGroups=[{"InstanceGroupName": "rig"}]) | DATE,
            "DescribeCluster",
            "ClusterSnapshot",
        ),
    ],
)
def test_a_cluster_as_a_whole(record: dict[str, Any], kind: str, code: str) -> None:
    obs = seen(record)
    assert (obs.detail_type, obs.code, obs.status, obs.shape, obs.cluster_name) == (
        kind,
        code,
        "InService",
        None,
        "demo",
    )
    assert obs.details["cluster_status"] == "InService"
    assert obs.details["groups"] == [
        {
            "name": "workers",
            "status": "InService",
            "current_count": 1,
            "target_count": 2,
            "instance_type": "ml.p5.48xlarge",
            "current_image_id": "ami-1",
            "desired_image_id": "ami-2",
            "software_update_status": "Pending",
            "failure_messages": ["no capacity"],
            "node_type": "Compute",
        },
        {"name": "rig"},
    ]


@pytest.mark.parametrize(
    ("fields", "orchestrator"),
    [
        ({"Orchestrator": {"Eks": {"ClusterArn": "arn"}}}, "eks"),
        ({"Orchestrator": {"Slurm": {"SlurmConfigStrategy": "Managed"}, "Eks": None}}, "slurm"),
        ({"Orchestrator": None, "VpcConfig": "", "NodeRecovery": "", "FailureMessage": ""}, None),
        ({"Orchestrator": "", "InstanceGroups": ""}, None),
        ({"Orchestrator": {}}, None),
    ],
)
def test_empty_fields_are_absent(fields: dict[str, Any], orchestrator: str | None) -> None:
    details = seen(envelope(cluster(**fields), STATE_TYPE)).details
    assert details.get("orchestrator") == orchestrator
    assert details.keys() - {"orchestrator"} == {"cluster_status"}


def test_no_groups_and_no_word_of_groups_differ() -> None:
    assert seen(envelope(cluster(InstanceGroups=[]), STATE_TYPE)).details["groups"] == []
    assert "groups" not in seen(envelope(cluster(InstanceGroups=None), STATE_TYPE)).details


def test_a_node_health_event() -> None:
    summary = {
        "HealthStatus": "Unhealthy",
        "HealthStatusReason": "fault",
        "RepairAction": "Replace",
        "Recommendation": "r",
    }
    obs = seen(envelope({"ClusterArn": ARN, "InstanceId": "i-1", "EventId": "", "HealthSummary": summary}, HEALTH_TYPE))
    assert (obs.code, obs.instance_id, obs.status, obs.resource_type) == ("NodeHealth", "i-1", "Unhealthy", "Instance")
    assert obs.details["repair_action"] == "Replace"
    assert obs.details["health_reason"] == "fault"
    assert seen(envelope({"HealthSummary": ""}, HEALTH_TYPE)).status is None


def test_a_page_of_nodes() -> None:
    node = {
        "InstanceGroupName": "workers",
        "InstanceId": "i-1",
        "NodeLogicalId": "n-1",
        "InstanceType": "ml.p5.48xlarge",
    }
    node["InstanceStatus"] = {"Status": "Running", "Message": ""}
    page = {"ClusterArn": ARN, "ClusterNodeSummaries": [node, {}]} | DATE
    obs = seen(page)
    assert (obs.code, obs.cluster_arn, obs.detail_type) == ("NodeList", ARN, "ListClusterNodes")
    assert obs.details["nodes"] == [
        {
            "instance_group": "workers",
            "instance_id": "i-1",
            "node_logical_id": "n-1",
            "status": "Running",
            "instance_type": "ml.p5.48xlarge",
        },
        {},
    ]
    assert obs.details["complete"] is True
    assert seen(page | {"NextToken": "n"}).details["complete"] is False
    assert refused({"ClusterNodeSummaries": [node]} | DATE) == Reason.NO_CLUSTER


@pytest.mark.parametrize(
    ("record", "word"),
    [
        (envelope(cluster(ClusterStatus="Foo"), STATE_TYPE), "Foo"),
        (cluster(ClusterStatus="Foo") | DATE, "Foo"),
        (envelope(cluster(InstanceGroups=[{"InstanceGroupName": "g", "Status": "Foo"}]), STATE_TYPE), "Foo"),
        (envelope({"HealthSummary": {"HealthStatus": "Foo"}}, HEALTH_TYPE), "Foo"),
        ({"ClusterArn": ARN, "ClusterNodeSummaries": [{"InstanceStatus": {"Status": "Foo"}}]} | DATE, "Foo"),
    ],
)
def test_an_unknown_status_word_is_part_of_the_shape(record: dict[str, Any], word: str) -> None:
    obs = seen(record)
    assert obs.shape
    assert word in obs.shape
    assert obs.code not in ("Unrecognized", "NoDescription")


def test_a_shape_of_many_unknown_words_is_bounded() -> None:
    groups = [{"InstanceGroupName": "g", "Status": f"{at}" * 100} for at in range(500)]
    assert 0 < len(seen(envelope(cluster(InstanceGroups=groups), STATE_TYPE)).shape or "") < 1000


def test_an_unknown_script_status_is_unrecognised() -> None:
    obs = seen(
        event(Description="Instance lifecycle script execution for EC2 Instance i-0bec0082ea0787979 has Exploded")
    )
    assert obs.code == "Unrecognized"
    assert obs.shape
    assert "Exploded" in obs.shape


def test_heartbeats_are_told_apart_by_their_feed() -> None:
    beat = envelope({}, "HyperPod State Heartbeat", source="hyperpod-state", resources=[])
    obs = seen(beat)
    assert (obs.code, obs.cluster_arn, obs.time) == ("Heartbeat", "", SENT_MS)
    assert obs.details == {"account": "111122223333", "region": "us-west-2"}
    assert obs.event_id == seen(beat).event_id != seen({**beat, "region": "us-east-1"}).event_id
    assert refused({**beat, "account": None}) == Reason.WRONG_TYPE
