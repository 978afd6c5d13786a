"""The short look at a value names the cluster that reading it names, or nothing.

Knows: what may be done with a value.  Must not know: processes.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.broadcasts import is_heartbeat
from models.observation import Observation
from models.reading import read
from models.unwrap import Unreadable, Value, unwrap
from streams.replay.routing import cluster_of
from tests.builders import EVENT, STATE, Event, raw
from tests.fuzz.seeds import seeds
from tests.properties.absurd import JSON, spoilt
from tests.properties.fixed import three_clusters
from tests.properties.stories import events


def agrees(value: bytes) -> bool:
    """Whether anything was said of the value; what is said must be so."""
    arn = cluster_of(value)
    if arn is None:
        return False
    (found,) = unwrap(value)
    outcome = read(found, latest=lambda _: None) if isinstance(found, Value) else found
    assert isinstance(outcome, Observation | Unreadable), outcome
    if isinstance(outcome, Observation):
        assert outcome.cluster_arn == arn
        assert not is_heartbeat(outcome)
    return True


def test_it_agrees_with_reading_on_everything_that_was_ever_seen() -> None:
    said = [agrees(value) for value in seeds()]
    assert True in said
    assert False in said


CRAFTED = (
    b'{"detail-type":"SageMaker HyperPod Cluster Event","time":"2026-01-01T00:00:00Z","detail":{"EventDetails":'
    b'{"EventId":"e1","ClusterArn":"%b","Description":"x","Foo":%b}}}'
)
ARN = b"arn:aws:sagemaker:us-east-1:111122223333:cluster/abc"


@pytest.mark.parametrize(
    "value", [CRAFTED % (b"\xff", b"1"), CRAFTED % (ARN, b"[" * 100_000)], ids=["no UTF-8", "too deep"]
)
def test_what_no_reader_takes_is_of_no_cluster(value: bytes) -> None:
    assert not agrees(value)


def test_nearly_all_events_are_known_by_it() -> None:
    story = [event for event in three_clusters() if event.get("detail-type") == EVENT]
    assert sum(map(agrees, raw(story))) > 0.9 * len(story)


@given(events(), st.data())
def test_it_agrees_on_events_with_anything_in_any_place(story: list[Event], data: st.DataObject) -> None:
    for value in raw(data.draw(spoilt(story))):
        agrees(value)


@given(JSON)
def test_it_agrees_on_any_json(value: Any) -> None:
    agrees(json.dumps(value).encode())


INNER = '{"EventId": "e", "ClusterArn": "a", "EventTime": 1780000000000}'
OTHER = '{"EventId": "f", "ClusterArn": "b", "EventTime": 1780000000000}'


@pytest.mark.parametrize(
    "text",
    [
        '{"detail-type": "%(kind)s", "detail": {"EventDetails": %(inner)s}, "detail": {"EventDetails": %(other)s}}',
        '{"detail-type": "%(kind)s", "detail": {"EventDetails": %(inner)s, "EventDetails": %(other)s}}',
        '{"detail-type": "%(state)s", "detail-type": "%(kind)s", "detail": {"EventDetails": %(inner)s}}',
        '{"detail-type": "%(kind)s", "detail-type": "Other", "detail": {"EventDetails": %(inner)s}}',
        '{"detail-type": "%(kind)s", "detail": {"EventDetails": {"EventId": 1, "ClusterArn": "a", "ClusterArn": ""}}}',
        '{"detail-type": "%(kind)s", "detail": {"EventDetails": {"EventId": 1, "Cluster\\u0041rn": "c"}}}',
        '{"detail-type": "%(kind)s", "detail": {"EventDetails": {"EventId": 1, "ClusterArn": ""}, "ClusterArn": "b"}}',
        '{"detail-type": "%(kind)s", "detail": {"EventDetails": %(inner)s, "ClusterArn": "b", "EventId": "x"}}',
        '{"detail-type": "%(kind)s", "time": NaN, "detail": {"EventDetails": %(inner)s}}',
        '{"detail-type": "%(kind)s", "detail": {"EventDetails": %(inner)s}} {}',
        '{"detail-type": "%(kind)s", "detail": {"EventDetails": %(inner)s}}]',
    ],
)
def test_it_agrees_where_keys_come_twice_or_in_disguise(text: str) -> None:
    agrees((text % {"kind": EVENT, "state": STATE, "inner": INNER, "other": OTHER}).encode())
