"""Copies of one event become one, in any order and number."""

from __future__ import annotations

import itertools

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from models.canonical import canonical
from models.observation import Observation
from models.reading import derive, merge
from tests.test_models.wire import (
    ARN,
    EVENT_TYPE,
    HEALTH_TYPE,
    SENT_MS,
    STATE_TYPE,
    envelope,
    event,
    same,
    seen,
)

IDS = st.none() | st.sampled_from(["i-0aaaaaaaaaaaaaaaa", "i-0bbbbbbbbbbbbbbbb"])
TEXTS = st.none() | st.sampled_from(
    [
        "EC2 Instance i-0cccccccccccccccc successfully provisioned in Cluster demo and IG workers",
        "Instance creation i-0aaaaaaaaaaaaaaaa in Cluster demo and InstanceGroup other completed successfully",
        "Instance creation in Cluster demo and InstanceGroup workers failed",
        "Cluster demo creation failed",
        "no such text",
    ]
)
LEAVES = st.none() | st.booleans() | st.integers(-3, 12) | st.sampled_from(["a", "b", ""]) | st.lists(st.integers(0, 2))
DETAILS = st.dictionaries(
    st.sampled_from("abc"),
    LEAVES.filter(lambda leaf: leaf is not None) | st.dictionaries(st.sampled_from("xy"), LEAVES),
    max_size=3,
)
TIMES = st.none() | st.sampled_from([0, 5, SENT_MS, SENT_MS - 10, SENT_MS - 2 * 86_400_000])
COPIES = st.builds(
    Observation,
    event_id=st.just("e-1"),
    detail_type=st.sampled_from([EVENT_TYPE, HEALTH_TYPE]),
    cluster_arn=st.just(ARN),
    cluster_name=st.none() | st.sampled_from(["demo", "other"]),
    instance_group=st.none() | st.sampled_from(["workers", "and"]),
    instance_id=IDS,
    node_logical_id=st.none() | st.sampled_from(["n-1", "n-2"]),
    description=TEXTS,
    event_time=TIMES,
    envelope_time=TIMES,
    observed_time=TIMES,
    time_unreadable=st.none() | st.just(True),
    details=DETAILS,
).map(derive)


@given(COPIES, COPIES)
def test_merging_is_commutative(a: Observation, b: Observation) -> None:
    assert same(merge(a, b), merge(b, a))


@given(COPIES, COPIES, COPIES)
def test_merging_is_associative(a: Observation, b: Observation, c: Observation) -> None:
    assert same(merge(merge(a, b), c), merge(a, merge(b, c)))


@given(COPIES, COPIES)
def test_merging_is_idempotent(a: Observation, b: Observation) -> None:
    assert same(merge(a, a), a)
    assert same(merge(merge(a, b), b), merge(a, b))


@given(COPIES)
def test_deriving_twice_changes_nothing(a: Observation) -> None:
    assert derive(a) == a


def test_an_enriched_copy_improves_the_event_in_any_order() -> None:
    bare = seen(event(Description="Instance creation in Cluster demo and IG workers failed", EventDetails=None))
    rich = seen(
        event(
            InstanceId="i-1",
            EventDetails={"EventMetadata": {"Instance": {"NodeLogicalId": "n-1", "FailureMessage": "m"}}},
        )
    )
    other = seen(event(EventTime=None, Description="Cluster demo creation failed"))
    merged = {
        canonical(msgspec.to_builtins(merge(merge(a, b), c))) for a, b, c in itertools.permutations([bare, rich, other])
    }
    assert len(merged) == 1
    obs = merge(bare, rich)
    assert (obs.code, obs.instance_id, obs.node_logical_id) == ("InstanceOperationFailed", "i-1", "n-1")
    assert obs.details["failure_message"] == "m"


def test_a_readable_time_beats_an_unreadable_one() -> None:
    good, bad = seen(event()), seen(event(EventTime="?"))
    assert bad.clock_suspect
    assert not merge(bad, good).clock_suspect


def test_two_copies_of_an_event_are_the_same_bytes_as_one() -> None:
    groups = [{"InstanceGroupName": "workers", "Status": "InService"}]
    told = seen(envelope({"ClusterArn": ARN, "ClusterStatus": "InService", "InstanceGroups": groups}, STATE_TYPE))
    assert msgspec.json.encode(merge(told, told)) == msgspec.json.encode(told)
