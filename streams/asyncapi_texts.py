"""What is said of each topic and of each record, beside what models and settings say.

Knows: words.
Must not know: schemas, settings, how the document is put together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

INTRO = """Records of the topics of a hyperpod-state worker.

Every record is JSON. What a worker writes, it writes in transactions together with its state: with
`isolation.level=read_committed` each record is there exactly once. Fields may be added without a new
`schema_version`; readers ignore what they do not know. Guarantees, and what may change, are in docs/programs.md.
Channels marked `x-internal` are the program's own: their form may change with any release.
"""
ARN = "arn:aws:sagemaker:us-west-2:111122223333:cluster/de30ek5c1u57"
ENTITY = {
    "cluster_arn": ARN,
    "cluster_name": "demo-eks",
    "instance_group": "workers",
    "instance_id": "i-0a300000000000001",
    "node_logical_id": "workers-3",
    "resource_type": "Instance",
}
ANOMALY = {
    "schema_version": "1",
    "anomaly_id": "8c0f5b0a5c7e4d53",
    "revision": 4294967313,
    "kind": "unhealthy_node",
    "severity": "error",
    "status": "open",
    **ENTITY,
    "machine": "health",
    "state": "Unhealthy",
    "cause": None,
    "title": "i-0a300000000000001 is unhealthy",
    "expected": "it is healthy, rebooted, replaced or terminated",
    "evidence": ["5701e000-0000-4000-8000-000002000000"],
    "count": 1,
    "opened_at": "2026-10-05T09:42:00.000Z",
    "updated_at": "2026-10-05T09:42:00.000Z",
    "resolved_at": None,
    "planned": False,
    "parent_id": None,
    "superseded_by": None,
    "silenced_by": None,
    "runbook": None,
}
TRANSITION = {
    "schema_version": "1",
    "transition_id": "f2b7a0c41d9e8f35",
    "status": "accepted",
    "revision": 4294967313,
    **ENTITY,
    "machine": "health",
    "from": "Healthy",
    "to": "Unhealthy",
    "time": "2026-10-05T09:42:00.000Z",
    "event_id": "5701e000-0000-4000-8000-000002000000",
    "code": "NodeHealth",
    "legal": True,
}
LETTER = {
    "schema_version": "1",
    "reason": "not_json",
    "origin": {
        "topic": "hyperpod.events.raw",
        "incarnation": "0Zx1hP2fQ0Kq3m4n5o6p7w",
        "partition": 2,
        "offset": 815,
        "index": 0,
    },
    "data": "eyJkZXRhaWwi",
    "time": "2026-10-05T09:40:00.000Z",
}
STATUS = {
    "schema_version": "1",
    "partition": 2,
    "as_of": "2026-10-05T09:55:00.000Z",
    "lag": 0,
    "open": {"error": 1},
    "offset": 4711,
    "watermark": "2026-10-05T09:54:50.000Z",
}
SILENCE = {
    "silence_id": "rack-7",
    "matchers": {"cluster": "train-*", "kind": "stuck"},
    "starts_at": "2026-10-05T09:00:00Z",
    "until": "2026-10-05T12:00:00Z",
    "created_by": "ana",
    "reason": "rack 7 is being recabled",
    "created_at": "2026-10-05T08:55:00Z",
}
EVENT = {
    "version": "0",
    "id": "00000000-0000-0000-0000-000000000001",
    "detail-type": "SageMaker HyperPod Cluster Event",
    "source": "aws.sagemaker",
    "account": "111122223333",
    "time": "2026-10-05T09:50:00Z",
    "region": "us-west-2",
    "resources": [ARN],
    "detail": {
        "EventDetails": {
            "EventId": "5701e000-0000-4000-8000-000003000000",
            "ClusterArn": ARN,
            "ClusterName": "demo-eks",
            "InstanceGroupName": "workers",
            "InstanceId": "i-0a300000000000001",
            "ResourceType": "Instance",
            "EventTime": 1791193800000,
            "Description": "Customer ENI deleted",
        }
    },
}
HEARTBEAT = {
    **EVENT,
    "source": "hyperpod-state",
    "detail-type": "HyperPod State Heartbeat",
    "resources": [],
    "detail": {},
}
ENVELOPE: Mapping[str, Any] = {
    "type": "object",
    "description": "What EventBridge sends. SQS, SNS, Pipes and a Kafka REST proxy may wrap it, in any depth, and so "
    "may a JSON array; answers of the API are understood as well.",
    "required": ["detail-type", "detail"],
    "properties": {
        "detail-type": {"type": "string"},
        "source": {"type": "string"},
        "time": {"type": "string", "format": "date-time"},
        "resources": {"type": "array", "items": {"type": "string"}, "description": "The cluster's ARN comes first."},
        "detail": {
            "anyOf": [
                *({"$ref": f"#/components/schemas/{name}"} for name in ("ClusterEventAnswer", "Cluster", "NodeHealth")),
                {"type": "object"},
            ]
        },
    },
}
FORWARDED: Mapping[str, Any] = {
    "type": "object",
    "description": "One of `observation`, `tick` and `silence`; an echo is a heartbeat as other partitions hear of it.",
    "required": ["v"],
    "properties": {
        "v": {"const": 1},
        "origin": {"$ref": "#/components/schemas/Origin"},
        "observed_ms": {"type": ["integer", "null"], "description": "Kafka's time of the raw record."},
        "observation": {"$ref": "#/components/schemas/Observation"},
        "event": {"description": "The event that it was read from, as it was written."},
        "tick": {"$ref": "#/components/schemas/Tick"},
        "echo": {"type": "boolean"},
        "silence": {
            "type": "object",
            "required": ["silence_id", "record"],
            "properties": {
                "silence_id": {"type": "string"},
                "record": {"anyOf": [{"$ref": "#/components/schemas/Silence"}, {"type": "null"}]},
            },
        },
    },
}
PAGE: Mapping[str, Any] = {
    "type": "object",
    "description": "A page that is open somewhere, or may be; or whose the book is.",
    "properties": {
        "schema_version": {"const": "1"},
        "owner": {"type": "string"},
        "sink": {"type": "string"},
        "key": {"type": "string"},
        "anomaly": {"$ref": "#/components/schemas/Anomaly"},
    },
}
Action = Literal["send", "receive"]


@dataclass(frozen=True)
class Channel:
    """One topic; `actions` are the worker's, or those of `hyperpod-state alerts run`."""

    title: str
    text: str
    messages: tuple[str, ...]
    actions: tuple[Action, ...]
    internal: bool = False


@dataclass(frozen=True)
class Message:
    """One form of a record; `schema` names that of its value, empty where it has none to rely on."""

    title: str
    text: str
    key: str
    schema: str
    examples: tuple[Mapping[str, Any], ...] = ()
    headers: Mapping[str, Any] = field(default_factory=dict)


CHANNELS: Mapping[str, Channel] = {
    "raw": Channel(
        "Raw events",
        "What you produce, in any partition and any order, and as often as it likes to come. A null value is nothing.",
        ("envelope", "heartbeat"),
        ("receive",),
    ),
    "silences": Channel(
        "Silences",
        "Anomalies that somebody expects for a while; the commands write them, and so may you. One partition.",
        ("silence",),
        ("receive",),
    ),
    "anomalies": Channel(
        "Anomalies",
        "One record for each change of an anomaly: the last of a key is its present state, and a null value means that "
        "the worker has forgotten it, 30 days after it was over.",
        ("anomaly",),
        ("send",),
    ),
    "transitions": Channel(
        "Transitions",
        "Every step of every state machine, in the order in which the worker learnt of them. A late event that changes "
        "the past withdraws steps and adds others; of each `transition_id` the greatest revision holds.",
        ("transition",),
        ("send",),
    ),
    "deadletter": Channel(
        "Dead letters",
        "Values that could not be read, or not be applied: whole, with the reason and where they stood.",
        ("dead_letter",),
        ("send",),
    ),
    "status": Channel(
        "Status",
        "How far each partition is, each minute of the stream's time: what tells a quiet fleet from a dead worker.",
        ("status",),
        ("send",),
    ),
    "events": Channel(
        "Events as they were understood",
        "What was read, in the partition of its cluster, with ticks that carry the time and silences in between. All "
        "state follows from it.",
        ("event", "tick", "silence_news"),
        ("send", "receive"),
        internal=True,
    ),
    "alerts": Channel(
        "Open pages",
        "Which pages are open where: of `hyperpod-state alerts run` alone. One partition.",
        ("page",),
        ("send", "receive"),
        internal=True,
    ),
}
"""By the name that the settings have for the topic."""
REPLAY_OF = {
    "hyperpod-state-replay-of": {"type": "string", "description": "The dead letter that is fed again with this record."}
}
MESSAGES: Mapping[str, Message] = {
    "envelope": Message("An event of AWS", "As EventBridge sends it.", "Any.", "Envelope", (EVENT,), REPLAY_OF),
    "heartbeat": Message(
        "A heartbeat of the feed", "Every 5 minutes for each account and region.", "Any.", "Envelope", (HEARTBEAT,)
    ),
    "silence": Message("A silence", "The last one of an id holds.", "`silence_id`.", "Silence", (SILENCE,)),
    "anomaly": Message("An anomaly", "One state of it.", "`anomaly_id`.", "Anomaly", (ANOMALY,)),
    "transition": Message("A step", "Of one state machine.", "The cluster's ARN.", "Transition", (TRANSITION,)),
    "dead_letter": Message("A dead letter", "One value.", "Where it stood.", "DeadLetter", (LETTER,)),
    "status": Message("The status of a partition", "At a moment.", "The partition.", "Status", (STATUS,)),
    "event": Message("An event, understood", "With the event it was read from.", "The cluster's ARN.", "Forwarded"),
    "tick": Message(
        "A tick",
        "The clock of one raw partition.",
        "`tick`.",
        "Forwarded",
        ({"v": 1, "tick": {"partition": 0, "clock": 1791193800000}},),
    ),
    "silence_news": Message("News of a silence", "For every partition.", "`silence|` and its id.", "Forwarded"),
    "page": Message("A page", "Null once it is closed.", "Sink and page.", "Page"),
    "row": Message("A row of a table", "Null once it is gone.", "Of the row.", ""),
}
