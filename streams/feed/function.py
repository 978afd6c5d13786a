"""The Lambda function behind the pipe: a batch of SQS messages in; out, which of them are to come again.

Knows: what EventBridge Pipes hands to a function (an array of messages, also for one) and what it takes for an answer.
Must not know: Kafka, what events mean.  Every body goes on as it came, also one that is no event: the worker keeps what
it cannot read, and says why.

Pipes deletes from the queue whatever the answer does not name, so a message is left out of it only once Kafka has its
record.  An identifier that is none of the batch's would bring the whole batch again, the delivered part too.
"""

from __future__ import annotations

import json
import os
from typing import Any

from streams.feed.sender import Access, Record, Sender

SPARE_MS = 5_000
"""What is kept of the function's time for the answer itself."""
LEAST_SECONDS = 1.0

_kept: list[Sender] = []


class NotABatch(ValueError):
    """This function was not called by a pipe that reads a queue."""


def handler(batch: Any, context: Any) -> dict[str, list[dict[str, str]]]:
    """What Lambda calls.  The connection is kept for the next batch, as making one takes longer than a batch."""
    messages = _messages(batch)
    if not _kept:
        _kept.append(Sender(Access.of(os.environ)))
    seconds = (context.get_remaining_time_in_millis() - SPARE_MS) / 1000
    records = [Record(cluster_of(body), body.encode("utf-8", "surrogatepass")) for _, body in messages]
    faults = _kept[0].send(records, max(LEAST_SECONDS, seconds))
    failed = [(name, fault) for (name, _), fault in zip(messages, faults, strict=True) if fault]
    _tell(len(messages), failed)
    return {"batchItemFailures": [{"itemIdentifier": name} for name, _ in failed]}


def _messages(batch: Any) -> list[tuple[str, str]]:
    """Id and body of each."""
    if not isinstance(batch, list):
        raise NotABatch(f"expected an array of SQS messages, as EventBridge Pipes sends it, not {type(batch).__name__}")
    try:
        return [(str(message["messageId"]), _text(message["body"])) for message in batch]
    except (TypeError, KeyError):
        raise NotABatch("expected SQS messages with messageId and body: is the pipe's source a queue?") from None


def _text(body: Any) -> str:
    """JSON again where the pipe has parsed the body, as an input template of its target makes it do."""
    return body if isinstance(body, str) else json.dumps(body)


def cluster_of(body: str) -> bytes | None:
    """The ARN of the cluster that an event is about; None where there is none, as in heartbeats."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return None
    detail = _inner(event, "detail")
    resources = event.get("resources") if isinstance(event, dict) else None
    first = resources[0] if isinstance(resources, list) and resources else None
    for found in (_inner(detail, "EventDetails").get("ClusterArn"), detail.get("ClusterArn"), first):
        if isinstance(found, str) and found:
            return found.encode("utf-8", "surrogatepass")
    return None


def _inner(value: Any, name: str) -> dict[str, Any]:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _tell(read: int, failed: list[tuple[str, str]]) -> None:
    """One line for each batch in the function's log; reasons are few where failures are many."""
    line: dict[str, Any] = {"read": read, "sent": read - len(failed), "failed": len(failed)}
    if failed:
        line["why"] = sorted({fault for _, fault in failed})
    print(json.dumps(line), flush=True)
