"""EventBridge, its queue and its pipe without AWS: what the templates say, done by moto and by a small pipe of our own.

moto's EventBridge matches the rule and puts what matches into moto's SQS, as the service does.  It has no pipes that
run, so `Pipe` does what AWS documents of one with a queue for its source and a function for its target: batches from
the queue, the filter (what it refuses is deleted), an array of messages for the function, and its answer's meaning.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from moto import mock_aws
from moto.events.models import EventPattern

from tests.test_deploy.templates import Template

Function = Callable[[Any, Any], Any]
REGION, ACCOUNT = "us-west-2", "123456789012"
MILLISECONDS = 120_000
"""More than the template gives: a test's machine may be busy."""


class Context:
    """What Lambda gives a function beside the batch, as far as ours looks at it."""

    def __init__(self, milliseconds: int = MILLISECONDS) -> None:
        self._milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self._milliseconds


def message(name: str, body: Any) -> dict[str, Any]:
    """One message as a pipe hands it to its target, with all that AWS documents of it; a body may be parsed."""
    return {
        "messageId": name,
        "receiptHandle": f"AQEB{name}",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1545082649183",
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": "1545082649185",
        },
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:hyperpod-state",
        "awsRegion": REGION,
    }


def passes(pattern: dict[str, Any], event: Any) -> bool:
    """Whether EventBridge's pattern lets an event through."""
    return EventPattern(json.dumps(pattern), pattern).matches_event(event)


def failed_of(answer: Any, batch: list[dict[str, Any]]) -> set[str]:
    """The messages that a pipe gives back to the queue after this answer of its target."""
    everything = {each["messageId"] for each in batch}
    named = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    if not named:
        return set()
    names = {item.get("itemIdentifier") if isinstance(item, dict) else None for item in named}
    return names if names <= everything else everything


@dataclass
class Pipe:
    """Reads a queue of moto's, in steps that a test takes."""

    sqs: Any
    queue: str
    filters: list[dict[str, Any]]
    size: int
    answers: list[Any] = field(default_factory=list)

    def step(self, function: Function) -> int:
        """One batch, however small; how many messages were taken from the queue for good."""
        found = self.sqs.receive_message(
            QueueUrl=self.queue, MaxNumberOfMessages=min(10, self.size), VisibilityTimeout=0
        )
        batch, handles = [], {}
        for each in found.get("Messages", []):
            handles[each["MessageId"]] = each["ReceiptHandle"]
            body = _whole(each["Body"])
            if any(passes(pattern, {"body": _parsed(body)}) for pattern in self.filters):
                batch.append(message(each["MessageId"], body))
        kept: set[str] = set()
        if batch:
            self.answers.append(json.loads(json.dumps(function(json.loads(json.dumps(batch)), Context()))))
            kept = failed_of(self.answers[-1], batch)
        gone = [name for name in handles if name not in kept]
        for name in gone:
            self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=handles[name])
        return len(gone)

    def drain(self, function: Function) -> int:
        """Until nothing more passes."""
        total = 0
        while count := self.step(function):
            total += count
        return total


def _whole(body: str) -> str:
    """With the account, which EventBridge always says and moto does not."""
    event = _parsed(body)
    return json.dumps({**event, "account": ACCOUNT}) if isinstance(event, dict) and "detail-type" in event else body


def _parsed(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body


@dataclass
class Account:
    """One account and region with the templates' rule, queue and pipe."""

    events: Any
    pipe: Pipe
    schedule: dict[str, Any]

    def happens(self, event: dict[str, Any]) -> None:
        """A service of AWS tells EventBridge of an event."""
        entry = {"Source": event["source"], "DetailType": event["detail-type"], "Detail": json.dumps(event["detail"])}
        told = {**entry, "Resources": event["resources"], "Time": event["time"]}
        assert self.events.put_events(Entries=[told])["FailedEntryCount"] == 0

    def beats(self) -> None:
        """The schedule's time has come: Scheduler puts the event that its target describes."""
        parameters, text = self.schedule["EventBridgeParameters"], self.schedule["Input"]
        entry = {"Source": parameters["Source"], "DetailType": parameters["DetailType"], "Detail": text}
        assert self.events.put_events(Entries=[entry])["FailedEntryCount"] == 0


@contextmanager
def account(monkeypatch: Any) -> Iterator[Account]:
    """Everything that the templates make of rule, queue and pipe, in memory."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    feed, target = Template.load("feed"), Template.load("to-kafka")
    with mock_aws():
        sqs, events = (boto3.client(name, region_name=REGION) for name in ("sqs", "events"))
        queue = sqs.create_queue(QueueName="hyperpod-state")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        rule = feed.properties("Rule")
        events.put_rule(Name="hyperpod-state", EventPattern=json.dumps(rule["EventPattern"]))
        targets = [{"Id": each["Id"], "Arn": arn} for each in rule["Targets"]]
        assert events.put_targets(Rule="hyperpod-state", Targets=targets)["FailedEntryCount"] == 0
        source = target.properties("Pipe")["SourceParameters"]
        filters = [json.loads(each["Pattern"]) for each in source["FilterCriteria"]["Filters"]]
        pipe = Pipe(sqs, queue, filters, target.value(source["SqsQueueParameters"]["BatchSize"]))
        yield Account(events, pipe, feed.properties("Heartbeat")["Target"])
