"""Nothing raises: whatever can be read can be folded, stored and judged.

Knows: wire keys, to hit what is read.  Must not know: what comes of it.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from models.fold import Limits
from models.public import dumps
from models.rows import decode, encode
from models.workspace import Workspace
from streams.replay import Replay
from tests.builders import EVENT, HEALTH, START, STATE, Event, raw
from tests.oracle import observe
from tests.properties.harness import TIGHT, clusters, now_of
from tests.properties.stories import delivered, events

KEYS = (
    *("detail-type", "detail", "time", "source", "resources", "account", "region", "Type", "Message", "body", "Body"),
    *("Records", "Messages", "records", "value", "Events", "EventDetails", "EventMetadata", "EventId", "EventTime"),
    *("ClusterArn", "ClusterName", "ClusterStatus", "InstanceGroupName", "InstanceId", "NodeLogicalId", "Description"),
    *("InstanceGroups", "Status", "CurrentCount", "TargetCount", "SoftwareUpdateStatus", "HealthSummary", "Instance"),
    *(
        "HealthStatus",
        "RepairAction",
        "ClusterNodeSummaries",
        "InstanceStatus",
        "NextToken",
        "ObservedAt",
        "Orchestrator",
    ),
)
WORDS = (
    *("", "a|b", "|slot:", "slot:n-0", "i-0", "n-0", "None", "InService", "Deleting", "Unhealthy", "Replace", "\u0000"),
    *(
        "arn:aws:sagemaker:us-west-2:1:cluster/a",
        "2026-05-28T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999Z",
    ),
    *(
        EVENT,
        HEALTH,
        STATE,
        "Failed to provision EC2 Instance in Cluster train and IG gpu",
        "Instance i-0 in IG a|b updated",
    ),
)
TIMES = st.sampled_from((0, 1, -1, START, -62_135_596_800_000, 253_402_300_799_999, 2**63, 1e300, -0.5))
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4), st.sampled_from(WORDS), TIMES
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=25,
)
BOUNDS = st.sampled_from((None, TIGHT, Limits(lateness_ms=0, keep=1, ceiling_events=1)))


def survives(values: list[bytes], limits: Limits | None) -> None:
    """Everything that is done with a raw value is done with these."""
    job = Replay(limits=limits)
    for value in values:
        job.feed("any", value)
    document = job.document()
    assert json.loads(dumps(document))
    summary = document.summary
    assert summary.read == summary.applied + summary.duplicate + sum(summary.ignored.values()) + summary.dead_lettered
    seen = observe(values)
    for arn in clusters(seen):
        workspace, again = Workspace(arn, limits), Workspace(arn, limits)
        for obs in (obs for obs in seen if obs.cluster_arn == arn):
            workspace.apply(obs)
        for key, data in workspace.take().rows.items():
            if data is not None:
                assert encode(decode(data)) == data
                again.load(*key, data)
        assert again.picture(now_of(seen)) == workspace.picture(now_of(seen))


@given(st.lists(JSON, max_size=4), BOUNDS)
def test_any_json(values: list[Any], limits: Limits | None) -> None:
    survives([json.dumps(value).encode() for value in values], limits)


@given(st.lists(st.binary(max_size=40), max_size=4))
def test_any_bytes(values: list[bytes]) -> None:
    survives(values, None)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, child in children for place in _places(child, (*path, name)))]


def _put(value: Any, path: tuple[Any, ...], leaf: Any) -> Any:
    if not path:
        return leaf
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _put(copy[path[0]], path[1:], leaf)
    return copy


@given(events(), st.data(), BOUNDS)
def test_real_events_with_anything_in_any_place(story: list[Event], data: st.DataObject, limits: Limits | None) -> None:
    spoilt: list[Any] = list(story)
    for _ in range(data.draw(st.integers(1, 8))):
        index = data.draw(st.integers(0, len(spoilt) - 1))
        path = data.draw(st.sampled_from(_places(spoilt[index])))
        spoilt.append(_put(spoilt[index], path, data.draw(JSON)))
    survives(raw(data.draw(st.permutations(spoilt))), limits)


@given(events(), st.integers(0, 2**32), BOUNDS)
def test_counts_add_up(story: list[Event], seed: int, limits: Limits | None) -> None:
    seen = delivered(story, seed)
    for arn in clusters(seen):
        mine = [obs for obs in seen if obs.cluster_arn == arn]
        workspace = Workspace(arn, limits)
        outcomes = [workspace.apply(obs) for obs in mine]
        fresh = [outcome for outcome in outcomes if not outcome.duplicate]
        assert len(fresh) >= len({obs.event_id for obs in mine})
        if limits is None:
            assert len(fresh) == len({obs.event_id for obs in mine})
            assert not any(outcome.late for outcome in outcomes)
        assert all(not outcome.late and not outcome.unrecognized for outcome in outcomes if outcome.duplicate)
