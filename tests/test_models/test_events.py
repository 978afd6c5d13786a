"""The wire models against AWS's own service model, and their tolerance."""

from __future__ import annotations

from typing import Any

import botocore.loaders
import pytest
from pydantic import ValidationError

from models import events
from models.events import KEPT_UNREAD, Cluster, ClusterEvent, EventMetadata, NodeHealth, NodeList, Wire

SHAPES: dict[str, Any] = botocore.loaders.Loader().load_service_model("sagemaker", "service-2")["shapes"]

MIRRORS: list[tuple[str, type[Wire]]] = [
    ("DescribeClusterEventResponse", events.ClusterEventAnswer),
    ("ClusterEventDetail", events.ClusterEvent),
    ("ClusterEventSummary", events.ClusterEvent),
    ("EventDetails", events.EventDetails),
    ("EventMetadata", events.EventMetadata),
    ("ClusterMetadata", events.ClusterMetadata),
    ("InstanceGroupMetadata", events.InstanceGroupMetadata),
    ("InstanceGroupScalingMetadata", events.InstanceGroupScalingMetadata),
    ("InstanceMetadata", events.InstanceMetadata),
    ("DatabaseConfigurationMetadata", events.DatabaseConfigurationMetadata),
    ("CapacityReservation", events.CapacityReservation),
    ("AdditionalEnis", events.AdditionalEnis),
    ("DescribeClusterResponse", events.Cluster),
    ("ClusterInstanceGroupDetails", events.InstanceGroup),
    ("ClusterRestrictedInstanceGroupDetails", events.InstanceGroup),
    ("ClusterOrchestrator", events.Orchestrator),
    ("ListClusterNodesResponse", events.NodeList),
    ("ClusterNodeSummary", events.Node),
    ("ClusterInstanceStatusDetails", events.InstanceStatus),
]


@pytest.mark.parametrize(("shape", "model"), MIRRORS)
def test_every_member_is_a_field_or_listed_as_unread(shape: str, model: type[Wire]) -> None:
    fields = {field.alias for field in model.model_fields.values()}
    members, unread = set(SHAPES[shape]["members"]), KEPT_UNREAD.get(shape, frozenset())
    assert members - fields == unread


def test_slurm_config_too() -> None:
    [shape] = {SHAPES["ClusterInstanceGroupDetails"]["members"]["SlurmConfig"]["shape"]}
    assert set(SHAPES[shape]["members"]) - {"NodeType"} == KEPT_UNREAD["SlurmConfig"]


@pytest.mark.parametrize(
    ("shape", "known"),
    [
        ("ClusterStatus", events.CLUSTER_STATUS),
        ("InstanceGroupStatus", events.GROUP_STATUS),
        ("SoftwareUpdateStatus", events.SOFTWARE_UPDATE_STATUS),
        ("ClusterInstanceStatus", events.NODE_STATUS),
    ],
)
def test_every_status_word_is_known(shape: str, known: frozenset[str]) -> None:
    assert set(SHAPES[shape]["enum"]) <= known


def test_unknown_members_are_kept() -> None:
    event = ClusterEvent.model_validate({"OperationId": "o", "Surprise": {"a": [1]}})
    assert event.model_extra == {"OperationId": "o", "Surprise": {"a": [1]}}


@pytest.mark.parametrize("absent", [None, "", {}, [], 5, "words"])
def test_metadata_that_cannot_be_read_is_absent(absent: Any) -> None:
    event = ClusterEvent.model_validate({"EventDetails": absent, "EventMetadata": {"Instance": absent}})
    assert event.event_details is None or event.event_details.event_metadata is None
    assert event.event_metadata is not None
    instance = event.event_metadata.instance
    assert instance is None or instance.node_logical_id is None


def test_one_unreadable_leaf_does_not_cost_its_neighbours() -> None:
    meta = EventMetadata.model_validate({"Instance": {"FailureMessage": 5, "NodeLogicalId": "n-1", "Future": 1}})
    assert meta.instance is not None
    assert (meta.instance.failure_message, meta.instance.node_logical_id) == (None, "n-1")


def test_a_dict_of_nulls_is_valid_everywhere() -> None:
    for _, model in MIRRORS:
        nulls = {field.alias: None for field in model.model_fields.values()}
        assert set(model.model_validate(nulls).model_dump().values()) == {None}


@pytest.mark.parametrize(
    ("model", "wrong"),
    [
        (ClusterEvent, {"ClusterArn": 5}),
        (ClusterEvent, {"Description": {}}),
        (ClusterEvent, {"InstanceId": ["i-1"]}),
        (events.ClusterEventAnswer, {"EventDetails": []}),
        (Cluster, {"ClusterStatus": 1}),
        (Cluster, {"InstanceGroups": {"a": {}}}),
        (Cluster, {"InstanceGroups": ["workers"]}),
        (Cluster, {"InstanceGroups": [{"InstanceGroupName": 1}]}),
        (Cluster, {"InstanceGroups": [{"CurrentCount": "many"}]}),
        (Cluster, {"InstanceGroups": [{"TargetCount": 2.5}]}),
        (Cluster, {"InstanceGroups": [{"TargetCount": 2**60}]}),
        (NodeHealth, {"HealthSummary": "Unhealthy"}),
        (NodeHealth, {"HealthSummary": {"HealthStatus": True}}),
        (NodeList, {"ClusterNodeSummaries": {"a": 1}}),
        (NodeList, {"ClusterNodeSummaries": [{"InstanceStatus": "Running"}]}),
    ],
)
def test_core_fields_of_another_type_are_errors(model: type[Wire], wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(wrong)
