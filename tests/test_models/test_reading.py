"""A value to an observation: who, when, which event, and why there is none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from models.observation import Observation
from models.reading import merge, read
from models.unwrap import Ignored, Reason, Value, unwrap
from tests.test_models.wire import (
    ARN,
    DATE,
    EVENT_TYPE,
    HAPPENED,
    HEALTH_TYPE,
    OBSERVED,
    SENT_MS,
    STATE_TYPE,
    cluster,
    envelope,
    event,
    never,
    refused,
    seen,
)


def test_a_cluster_event_with_metadata() -> None:
    instance = {"FailureMessage": "no capacity", "NodeLogicalId": "n-1", "LcsExecutionState": "Started"}
    instance |= {"CustomerEni": "eni-1", "AdditionalEnis": {"EfaEnis": ["eni-2"]}}
    instance |= {"CapacityReservation": {"Arn": "cr-arn", "Type": "ODCR"}}
    obs = seen(
        event(
            InstanceGroupName="workers",
            InstanceId="i-0391f86fa0fe0d465",
            ResourceType="Instance",
            EventLevel="Error",
            Description="Instance creation in Cluster demo and InstanceGroup workers failed",
            EventDetails={"EventMetadata": {"Cluster": None, "Instance": instance}},
        )
    )
    assert (obs.event_id, obs.detail_type, obs.cluster_arn, obs.cluster_name) == ("e-1", EVENT_TYPE, ARN, "demo")
    assert (obs.instance_group, obs.instance_id, obs.node_logical_id) == ("workers", "i-0391f86fa0fe0d465", "n-1")
    assert (obs.resource_type, obs.level, obs.code) == ("Instance", "Error", "InstanceOperationFailed")
    assert (obs.operation, obs.operation_word) == ("create", "creation")
    assert (obs.time, obs.event_time, obs.envelope_time, obs.clock_suspect) == (HAPPENED, HAPPENED, SENT_MS, False)
    assert obs.details == {"failure_message": "no capacity", "capacity_reservation": "cr-arn"}


GROUP = {"AvailabilityZoneId": "usw2-az2", "SubnetId": "subnet-1", "SecurityGroupIds": ["sg-1"], "AmiOverride": "ami-1"}
SCALING = {"InstanceCount": 0, "TargetCount": 4, "MinCount": 1, "FailureMessage": "quota"}
ACCESS = {"EksRoleAccessEntries": ["role"], "SlrAccessEntry": "slr", "FailureMessage": "denied"}


@pytest.mark.parametrize(
    ("metadata", "details"),
    [
        (
            {"InstanceGroup": GROUP},
            {"availability_zone": "usw2-az2", "subnet": "subnet-1", "ami": "ami-1"},
        ),
        (
            {"InstanceGroupScaling": SCALING},
            {"instance_count": 0, "target_count": 4, "min_count": 1, "failure_message": "quota"},
        ),
        ({"Cluster": ACCESS}, {"failure_message": "denied"}),
        ({"DatabaseConfiguration": {"FailureMessage": "down"}}, {"failure_message": "down"}),
        ({"Cluster": {"FailureMessage": "a"}, "Instance": {"FailureMessage": "b"}}, {"failure_message": "b"}),
        ({"InstanceGroupScaling": {"InstanceCount": True, "TargetCount": 2**60, "MinCount": "1"}}, {}),
        ({"Instance": {"FailureMessage": 5, "AdditionalEnis": [], "CapacityReservation": "cr"}}, {}),
        ({"Instance": {"AdditionalEnis": {"EfaEnis": [5]}}}, {}),
        ({"Cluster": None, "Instance": None, "InstanceGroup": None}, {}),
        (None, {}),
        ([], {}),
        ("words", {}),
    ],
)
@pytest.mark.parametrize("nested", [True, False])
def test_metadata_in_both_places(metadata: Any, details: dict[str, Any], nested: bool) -> None:
    holder = {"EventMetadata": metadata}
    obs = seen(event(**({"EventDetails": holder} if nested else holder)))
    assert obs.details == details


def test_ids_of_the_text_fill_in_and_the_records_own_win() -> None:
    text = "EC2 Instance i-0bec0082ea0787979 successfully provisioned in Cluster demo and IG workers"
    filled = seen(event(Description=text, InstanceId="", InstanceGroupName=None))
    assert (filled.instance_id, filled.instance_group) == ("i-0bec0082ea0787979", "workers")
    own = seen(event(Description=text, InstanceId="i-0aaaaaaaaaaaaaaaa", InstanceGroupName="other"))
    assert (own.instance_id, own.instance_group) == ("i-0aaaaaaaaaaaaaaaa", "other")


@pytest.mark.parametrize("description", [None, "", "  "])
def test_a_missing_description_is_not_unrecognised(description: str | None) -> None:
    obs = seen(event(Description=description))
    assert (obs.code, obs.shape) == ("NoDescription", None)


def test_an_unknown_description_has_a_shape() -> None:
    obs = seen(event(Description="The moon is in Cluster demo"))
    assert obs.code == "Unrecognized"
    assert obs.shape
    assert "demo" not in obs.shape


def test_an_envelope_without_details_or_a_flattened_one_is_applied() -> None:
    assert seen(envelope({})).code == seen(envelope({"EventDetails": None})).code == "NoDescription"
    flat = {"EventId": "e-1", "ClusterArn": ARN, "EventTime": HAPPENED, "Description": "Cluster c creation failed"}
    obs = seen(envelope({**flat, "EventDetails": {"EventMetadata": {"Instance": {"NodeLogicalId": "n-1"}}}}))
    assert (obs.event_id, obs.code, obs.node_logical_id) == ("e-1", "ClusterOperationFailed", "n-1")


def test_identity_is_the_event_id_else_a_hash_of_type_time_and_detail() -> None:
    assert seen({**event(), "id": "a"}).event_id == seen({**event(), "id": "b", "time": None}).event_id == "e-1"
    for absent in (None, "", 5):
        plain = seen(event(EventId=absent))
        assert len(plain.event_id) == 32
        assert plain.event_id == seen({**event(EventId=absent), "id": "other", "account": "9"}).event_id
        assert plain.event_id != seen({**event(EventId=absent), "time": "2026-05-04T09:00:02Z"}).event_id
        assert plain.event_id != seen(event(EventId=absent, Future=1)).event_id


def test_the_hash_does_not_depend_on_the_order_of_keys() -> None:
    record = envelope(cluster(VpcConfig={"a": 1, "b": 2}), STATE_TYPE)
    turned = envelope(dict(reversed(cluster(VpcConfig={"b": 2, "a": 1}).items())), STATE_TYPE)
    assert seen(record).event_id == seen(turned).event_id


def test_the_cluster_is_the_arn_else_the_first_resource() -> None:
    assert seen(event(ClusterArn="")).cluster_arn == ARN
    assert seen({**event(ClusterArn="arn:own"), "resources": ["arn:other"]}).cluster_arn == "arn:own"
    for resources in (None, [], [""], [5], "arn"):
        assert refused({**event(ClusterArn=None), "resources": resources}) == Reason.NO_CLUSTER


@pytest.mark.parametrize(
    ("event_time", "time", "suspect"),
    [
        (HAPPENED, HAPPENED, False),
        (HAPPENED / 1000, HAPPENED, False),
        (str(HAPPENED), HAPPENED, False),
        ("2026-05-04T09:00:00Z", HAPPENED, False),
        (SENT_MS - 86_400_000, SENT_MS - 86_400_000, False),
        (SENT_MS - 86_400_001, SENT_MS, True),
        (SENT_MS + 86_400_001, SENT_MS, True),
        ("0001-01-01T00:00:00Z", SENT_MS, True),
        ("99999-01-01T00:00:00Z", SENT_MS, True),
        (1e300, SENT_MS, True),
        ("yesterday", SENT_MS, True),
        ({"a": 1}, SENT_MS, True),
        (None, SENT_MS, False),
        ("", SENT_MS, False),
    ],
)
def test_event_time_and_envelope_time(event_time: Any, time: int, suspect: bool) -> None:
    obs = seen(event(EventTime=event_time))
    assert (obs.time, obs.clock_suspect) == (time, suspect)


def test_an_envelope_without_time() -> None:
    assert seen({**event(), "time": "garbage"}).time == HAPPENED
    assert refused({**event(EventTime="?"), "time": "garbage"}, observed_ms=5, latest=6) == Reason.NO_TIME
    assert refused({**event(EventTime=None), "time": None}) == Reason.NO_TIME
    assert refused(envelope(cluster(), STATE_TYPE, time=None)) == Reason.NO_TIME


def test_state_changes_and_health_events_use_the_envelope() -> None:
    assert seen(envelope(cluster(EventTime=1), STATE_TYPE)).time == SENT_MS
    assert seen(envelope({"ClusterArn": ARN, "EventTime": 1}, HEALTH_TYPE)).time == SENT_MS


@pytest.mark.parametrize(
    "answer", [cluster(), {"ClusterNodeSummaries": [], "ClusterArn": ARN}, {"EventDetails": {"ClusterArn": ARN}}]
)
def test_an_answers_time_in_the_contracts_order(answer: dict[str, Any]) -> None:
    assert seen(answer | DATE | OBSERVED, observed_ms=5, latest=6).time == SENT_MS
    assert seen(answer | OBSERVED, observed_ms=5, latest=6).time == HAPPENED
    assert seen(answer | {"ObservedAt": "?", "ResponseMetadata": []}, observed_ms=5, latest=6).time == 5
    assert seen(answer, latest=6).time == 6
    assert refused(answer) == Reason.NO_TIME


def test_items_of_a_page_have_its_time_unless_their_own() -> None:
    page = {
        "Events": [{"EventId": "a", "ClusterArn": ARN}, {"EventId": "b", "ClusterArn": ARN, "EventTime": 5000}]
    } | DATE
    items = [read(value, latest=never) for value in unwrap(json.dumps(page).encode()) if isinstance(value, Value)]
    assert [obs.time for obs in items if isinstance(obs, Observation)] == [SENT_MS, 5_000_000]


def test_an_answers_hash_has_its_time_but_not_the_last_resort() -> None:
    def ids(*known: dict[str, int]) -> set[str]:
        return {seen(cluster(), **each).event_id for each in known}

    assert len(ids({"latest": 1}, {"latest": 2})) == 1
    assert len(ids({"observed_ms": 1}, {"observed_ms": 2})) == 2


def test_the_api_copy_of_an_event_is_a_copy() -> None:
    record = event(Description="Cluster demo creation failed")
    answer = {"EventDetails": record["detail"]["EventDetails"]}
    ours, theirs = seen(record), seen(answer)
    assert (ours.event_id, ours.detail_type) == (theirs.event_id, theirs.detail_type)
    assert merge(ours, theirs) == ours


@pytest.mark.parametrize(
    "record",
    [
        envelope(None),
        envelope([]),
        envelope("words"),
        envelope({"EventDetails": []}),
        envelope({"EventDetails": "words"}),
        event(ClusterArn=5),
        event(Description={}),
        event(InstanceId=["i-1"]),
        event(InstanceGroupName=1),
        event(EventLevel=0),
        envelope(cluster(InstanceGroups=["workers"]), STATE_TYPE),
        envelope(cluster(InstanceGroups=[{"CurrentCount": "many"}]), STATE_TYPE),
        envelope({"HealthSummary": []}, HEALTH_TYPE),
        {"ClusterArn": ARN, "ClusterNodeSummaries": {}},
    ],
)
def test_wrong_types_in_core_fields(record: dict[str, Any]) -> None:
    assert refused(record) == Reason.WRONG_TYPE


def test_a_foreign_type_is_ignored_here_too() -> None:
    assert read(Value("envelope", envelope({}, "EC2 Something")), latest=never) == Ignored("EC2 Something")
