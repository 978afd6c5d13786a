"""Records as AWS sends them, and what is made of them: short ways to say both in tests."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from models.canonical import canonical
from models.observation import Observation
from models.reading import read
from models.unwrap import Reason, Unreadable, Value, unwrap

ARN = "arn:aws:sagemaker:us-west-2:111122223333:cluster/ac7vzqgh29mf"
SENT = "2026-05-04T09:00:01Z"
SENT_MS = 1_777_885_201_000
HAPPENED = 1_777_885_200_000
EVENT_TYPE = "SageMaker HyperPod Cluster Event"
STATE_TYPE = "SageMaker HyperPod Cluster State Change"
HEALTH_TYPE = "SageMaker HyperPod Cluster Node Health Event"


def never(_: str) -> int | None:
    return None


def outcome(record: Any, *, observed_ms: int | None = None, latest: int | None = None) -> Any:
    [value] = unwrap(json.dumps(record).encode(), observed_ms=observed_ms)
    return read(value, latest=lambda _: latest) if isinstance(value, Value) else value


def seen(record: Any, **known: Any) -> Observation:
    observation = outcome(record, **known)
    assert isinstance(observation, Observation), observation
    return observation


def refused(record: Any, **known: Any) -> Reason:
    unreadable = outcome(record, **known)
    assert isinstance(unreadable, Unreadable), unreadable
    assert json.loads(unreadable.data) == record
    return unreadable.reason


def envelope(detail: Any, kind: str = EVENT_TYPE, **fields: Any) -> dict[str, Any]:
    common = {"version": "0", "source": "aws.sagemaker", "account": "111122223333", "region": "us-west-2"}
    return {**common, "detail-type": kind, "time": SENT, "resources": [ARN], "detail": detail, **fields}


def event(**fields: Any) -> dict[str, Any]:
    record = {"EventId": "e-1", "ClusterArn": ARN, "ClusterName": "demo", "EventTime": HAPPENED, **fields}
    return envelope({"EventDetails": record})


def cluster(**fields: Any) -> dict[str, Any]:
    return {"ClusterArn": ARN, "ClusterName": "demo", "ClusterStatus": "InService", **fields}


DATE = {"ResponseMetadata": {"HTTPHeaders": {"date": "Mon, 04 May 2026 09:00:01 GMT"}}}
OBSERVED = {"ObservedAt": "2026-05-04T09:00:00Z"}


def same(a: Observation, b: Observation) -> bool:
    return canonical(msgspec.to_builtins(a)) == canonical(msgspec.to_builtins(b))
