"""The hand-written reader agrees with the model, and nothing raises."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from models.events import ClusterEventAnswer
from models.observation import Observation
from models.reading import merge, read
from models.timestamps import parse_ms
from models.unwrap import Ignored, Reason, Unreadable, Value, unwrap
from tests.test_models.wire import (
    ARN,
    EVENT_TYPE,
    HEALTH_TYPE,
    SENT,
    SENT_MS,
    STATE_TYPE,
    never,
    outcome,
    same,
)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["", "a", "1777885200000"])
    | st.just({})
    | st.just([])
)
MEMBERS = {
    "Cluster": ("FailureMessage", "EksRoleAccessEntries", "SlrAccessEntry"),
    "InstanceGroup": ("FailureMessage", "CapacityReservation", "SecurityGroupIds", "AmiOverride"),
    "InstanceGroupScaling": ("InstanceCount", "TargetCount"),
    "Instance": ("FailureMessage", "NodeLogicalId", "AdditionalEnis"),
}
LEAF = (
    SCALARS
    | st.lists(st.sampled_from(["a", "", 5]), max_size=2)
    | st.fixed_dictionaries({"Arn": SCALARS, "EfaEnis": SCALARS})
)
META = SCALARS | st.fixed_dictionaries(
    {}, optional={name: SCALARS | st.dictionaries(st.sampled_from(keys), LEAF) for name, keys in MEMBERS.items()}
)
FIELDS = (
    "EventId",
    "ClusterArn",
    "ClusterName",
    "InstanceGroupName",
    "InstanceId",
    "ResourceType",
    "EventTime",
    "Description",
)
RECORDS = st.fixed_dictionaries(
    {"EventLevel": st.sampled_from(["Info", "Warn"])},
    optional={
        **dict.fromkeys(FIELDS, st.sampled_from(["", "a"]) | SCALARS),
        "EventDetails": SCALARS | st.fixed_dictionaries({"EventMetadata": META}),
        "EventMetadata": META,
    },
)


@given(RECORDS)
def test_cluster_events_are_read_as_their_model_says(record: dict[str, Any]) -> None:
    obs = outcome({"EventDetails": record, "ClusterArn": ARN, "ObservedAt": SENT})
    try:
        model = ClusterEventAnswer.model_validate({"EventDetails": record}).event_details
    except ValidationError:
        assert isinstance(obs, Unreadable)
        assert obs.reason == Reason.WRONG_TYPE
        return
    assert model is not None
    assert isinstance(obs, Observation)
    assert obs.cluster_arn == (model.cluster_arn or ARN)
    assert obs.event_time == parse_ms(model.event_time)
    assert not model.event_id or obs.event_id == model.event_id
    for ours, theirs in (
        ("cluster_name", "cluster_name"),
        ("level", "event_level"),
        ("resource_type", "resource_type"),
    ):
        assert getattr(obs, ours) == (getattr(model, theirs) or None)
    metadata = [
        meta for meta in (model.event_metadata, model.event_details and model.event_details.event_metadata) if meta
    ]
    parts = [meta.instance for meta in metadata if meta.instance]
    slots = [part.node_logical_id for part in parts if part.node_logical_id]
    assert obs.node_logical_id == (slots[-1] if slots else None)
    order = ("database_configuration", "cluster", "instance_group", "instance_group_scaling", "instance")
    members = [member for meta in metadata for name in order if (member := getattr(meta, name))]
    messages = [member.failure_message for member in members if member.failure_message]
    assert obs.details.get("failure_message") == (messages[-1] if messages else None)
    counts = [meta.instance_group_scaling.target_count for meta in metadata if meta.instance_group_scaling]
    known = [count for count in counts if count is not None]
    assert obs.details.get("target_count") == (known[-1] if known else None)


ANY = st.recursive(
    SCALARS | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = (
    "EventDetails",
    "EventMetadata",
    *FIELDS,
    *MEMBERS,
    "HealthSummary",
    "InstanceGroups",
    "ClusterStatus",
    "Status",
)
SHAPED = st.recursive(
    ANY,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=20,
)
TOP = (
    "ClusterArn",
    "ClusterStatus",
    "ClusterNodeSummaries",
    "EventDetails",
    "ResponseMetadata",
    "ObservedAt",
    "time",
    "resources",
)


@given(
    st.sampled_from([EVENT_TYPE, STATE_TYPE, HEALTH_TYPE, "HyperPod State Heartbeat", None]),
    SHAPED,
    st.dictionaries(st.sampled_from(TOP), SHAPED, max_size=5),
)
def test_reading_never_raises(kind: str | None, detail: Any, fields: dict[str, Any]) -> None:
    record = fields if kind is None else {"detail-type": kind, "source": "hyperpod-state", "detail": detail, **fields}
    for value in unwrap(json.dumps(record).encode(), observed_ms=SENT_MS):
        if not isinstance(value, Value):
            continue
        obs = read(value, latest=never)
        assert isinstance(obs, Observation | Ignored | Unreadable)
        if isinstance(obs, Observation):
            assert msgspec.json.decode(msgspec.json.encode(obs), type=Observation) == obs
            assert same(merge(obs, obs), obs)
