"""Steps of the story as the bytes that arrive: envelopes, and the wrappings in which feeds deliver them.

Knows: EventBridge's envelope, SQS, SNS, Kafka REST and array forms.
Must not know: the story, the clock, Kafka.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

ACCOUNT, REGION = "111122223333", "us-west-2"
CLUSTER_EVENT = "SageMaker HyperPod Cluster Event"
STATE_CHANGE = "SageMaker HyperPod Cluster State Change"
NODE_HEALTH = "SageMaker HyperPod Cluster Node Health Event"

Json = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One event.  `at`: seconds since the story began; `detail`: EventBridge's, without any time in it."""

    at: float
    detail_type: str
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class Delivery:
    """One Kafka record: the steps it carries, and the form in which it does."""

    steps: Sequence[Step]
    form: str = "plain"


@dataclass(frozen=True)
class Act:
    """A part of the story."""

    title: str
    deliveries: Sequence[Delivery]


@dataclass(frozen=True)
class Clock:
    """Turns seconds of the story into epoch milliseconds; `born_ms` is when the cluster was created."""

    born_ms: int

    def ms(self, at: float) -> int:
        """When the step at `at` happened."""
        return self.born_ms + round(at * 1000)


def envelope(step: Step, clock: Clock) -> Json:
    """The step as EventBridge sends it; EventTime and CreationTime follow the clock."""
    when, detail = clock.ms(step.at), dict(step.detail)
    if step.detail_type == CLUSTER_EVENT:
        detail["EventDetails"] = {**detail["EventDetails"], "EventTime": when}
    if step.detail_type == STATE_CHANGE:
        detail["CreationTime"] = clock.born_ms
    arn = detail.get("ClusterArn") or detail.get("EventDetails", {}).get("ClusterArn")
    return {
        "version": "0",
        "id": f"00000000-0000-4000-8000-{round(step.at * 1000):012d}",
        "detail-type": step.detail_type,
        "source": "aws.sagemaker",
        "account": ACCOUNT,
        "time": datetime.fromtimestamp(when // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [arn] if arn else [],
        "detail": detail,
    }


def encode(delivery: Delivery, clock: Clock) -> bytes:
    """The value of the Kafka record."""
    return wrap([envelope(step, clock) for step in delivery.steps], delivery.form)


def wrap(events: list[Json], form: str) -> bytes:
    """Envelopes as one value in a form of `FORMS` (KeyError for any other)."""
    return FORMS[form](events)


def _plain(events: list[Json]) -> bytes:
    (event,) = events
    return _dump(event)


def _array(events: list[Json]) -> bytes:
    """A batch of EventBridge Pipes."""
    return _dump(events)


def _sqs(events: list[Json]) -> bytes:
    """What a Lambda function behind a queue is given."""
    return _dump({"Records": [_message(event, json.dumps(event)) for event in events]})


def _sns(events: list[Json]) -> bytes:
    """A topic in front of the queue: the event is text within text."""
    notices = [{"Type": "Notification", "MessageId": event["id"], "Message": json.dumps(event)} for event in events]
    return _dump({"Records": [_message(notice, json.dumps(notice)) for notice in notices]})


def _rest(events: list[Json]) -> bytes:
    """An API destination in front of a Kafka REST proxy."""
    return _dump({"records": [{"value": event} for event in events]})


def _broken(events: list[Json]) -> bytes:
    """Cut off in the middle, as a size limit on the way does it."""
    whole = _plain(events)
    return whole[: len(whole) // 2]


FORMS: Mapping[str, Callable[[list[Json]], bytes]] = {
    "plain": _plain,
    "array": _array,
    "sqs": _sqs,
    "sns": _sns,
    "rest": _rest,
    "broken": _broken,
}


def _message(event: Json, body: str) -> Json:
    name = event.get("id") or event.get("MessageId")
    return {"messageId": name, "eventSource": "aws:sqs", "body": body}


def _dump(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
