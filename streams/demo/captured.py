"""Payloads that real clusters sent and AWS's documentation shows, moved so that the newest happened just now.

Knows: `data/captured.jsonl` (four state changes of one Slurm cluster, in the order a blog post shows them: one late,
one twice; and AWS's own three examples, of which one says two times that are a year apart).
Must not know: the incident, Kafka.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.resources import files

from streams.demo.records import Json, wrap

EXAMPLES = "cluster/sample-cluster"
"""AWS's examples are years apart and have nothing to do with each other: each is moved by itself."""
APART_S = 60


def values(now_ms: int) -> list[bytes]:
    """Kafka values: the captured cluster as one SQS batch, then each example as it is."""
    events = [json.loads(line) for line in _text().splitlines()]
    together = [event for event in events if EXAMPLES not in event["resources"][0]]
    alone = [event for event in events if EXAMPLES in event["resources"][0]]
    newest = max(map(_seconds, together))
    batch = [_moved(event, now_ms // 1000 - newest) for event in together]
    ends = [now_ms // 1000 - APART_S * (len(alone) - 1 - place) for place in range(len(alone))]
    examples = [_moved(event, end - _seconds(event)) for event, end in zip(alone, ends, strict=True)]
    return [wrap(batch, "sqs"), *(wrap([event], "plain") for event in examples)]


def _text() -> str:
    return files("streams.demo").joinpath("data/captured.jsonl").read_text()


def _seconds(event: Json) -> int:
    return int(datetime.fromisoformat(event["time"]).timestamp())


def _moved(event: Json, seconds: int) -> Json:
    """The event, all its times later by so many seconds: what was apart stays as far apart."""
    time = datetime.fromtimestamp(_seconds(event) + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    detail = dict(event["detail"])
    if "CreationTime" in detail:
        detail["CreationTime"] += seconds * 1000
    if "EventDetails" in detail:
        inner = detail["EventDetails"]
        detail["EventDetails"] = {**inner, "EventTime": inner["EventTime"] + seconds * 1000}
    return {**event, "time": time, "detail": detail}
