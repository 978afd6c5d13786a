"""Anything at all: any JSON made of the keys and words that are read, and real events with such in any place.

Knows: wire keys, to hit what is read; Hypothesis.  Must not know: what comes of it.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.builders import EVENT, HEALTH, START, STATE, Event

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
        "UnchangedSince",
        "OrSince",
        "Gone",
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


@st.composite
def spoilt(draw: st.DrawFn, story: list[Event]) -> list[Any]:
    """The story, and a few of its events again, each with anything in some place of it."""
    made: list[Any] = list(story)
    for _ in range(draw(st.integers(1, 8))):
        index = draw(st.integers(0, len(made) - 1))
        path = draw(st.sampled_from(_places(made[index])))
        made.append(_put(made[index], path, draw(JSON)))
    return made


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, child in children for place in _places(child, (*path, name)))]


def _put(value: Any, path: tuple[Any, ...], leaf: Any) -> Any:
    if not path:
        return leaf
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _put(copy[path[0]], path[1:], leaf)
    return copy
