"""Answers of the HTTP API for its description: the real routes over the incident that the package ships.

Knows: which question is asked of each operation, how an answer is shortened.
Must not know: what the routes answer.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping
from importlib.resources import as_file, files
from typing import Any
from urllib.parse import unquote

from models.explain.times import milliseconds
from models.public import Picture, Summary
from streams.metrics.workings import Workings
from streams.replay import fed
from streams.web.api import create_api
from streams.web.provider import Freshness, Holding, Holdings, Partition, Readiness, TopicProgress

AS_OF = "2026-10-05T09:55:00.000Z"
"""In the middle of the incident: i-0a300000000000002 runs its script in place of i-0a300000000000001."""
NEW = "i-0a300000000000002"
QUESTIONS: Mapping[str, str] = {
    "index": "/",
    "healthz": "/healthz",
    "readyz": "/readyz",
    "clusters": "/api/v1/clusters",
    "instance_groups": "/api/v1/instance-groups",
    "instances": "/api/v1/instances?phase=Replacing",
    "anomalies": "/api/v1/anomalies?status=open",
    "rollouts": "/api/v1/rollouts",
    "instance": f"/api/v1/instances/{NEW}",
    "instance_history": f"/api/v1/instances/{NEW}/history",
    "instance_story": f"/api/v1/instances/{NEW}/story",
    "lineage": f"/api/v1/lineage/{NEW}",
    "cluster_history": "/api/v1/clusters/demo-eks/history",
    "cluster_story": "/api/v1/clusters/demo-eks/story",
    "group_history": "/api/v1/instance-groups/workers/history",
    "group_story": "/api/v1/instance-groups/workers/story",
    "fleet": "/api/v1/fleet",
    "summary": "/api/v1/summary",
    "pipeline": "/api/v1/pipeline",
    "report": "/api/v1/report",
    "machines": "/api/v1/machines",
    "states": "/api/v1/states",
    "members": "/api/v1/states/instance/replace/Replacing",
    "cluster_timeline": "/api/v1/clusters/demo-eks/timeline",
    "group_timeline": "/api/v1/instance-groups/workers/timeline",
    "search": "/api/v1/search?q=workers",
    "explain": "/api/v1/explain/replace/replacing",
}
SQL = {
    "columns": [{"name": "kind", "type": "VARCHAR"}, {"name": "n", "type": "BIGINT"}],
    "items": [{"kind": "unhealthy_node", "n": 1}],
    "cut": False,
    "oldest": "2026-10-05T09:00:50.000Z",
    "as_of": AS_OF,
    "lag": 0,
}
MOST = 2
"""Items of a list that are shown."""


def examples() -> str:
    """One answer for each operation, as JSON."""
    found = asyncio.run(_answers())
    return json.dumps({**found, "sql": SQL}, indent=1, ensure_ascii=False) + "\n"


async def _answers() -> dict[str, Any]:
    api = create_api(_Incident())
    return {name: _short(await _ask(api, question)) for name, question in QUESTIONS.items()}


async def _ask(api: Any, question: str) -> Any:
    """What the application answers, asked without a socket."""
    path, _, query = question.partition("?")
    scope = {"type": "http", "method": "GET", "path": unquote(path), "raw_path": path.encode(), "headers": []}
    parts: list[bytes] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Mapping[str, Any]) -> None:
        parts.append(message.get("body", b""))

    await api({**scope, "query_string": query.encode()}, receive, send)
    return json.loads(b"".join(parts))


def _short(value: Any) -> Any:
    """Lists cut, so that an example can be read."""
    if isinstance(value, dict):
        return {name: _short(each) for name, each in value.items()}
    if isinstance(value, list):
        whole = all(isinstance(each, int) for each in value)  # a span is one thing
        return [_short(each) for each in (value if whole else value[:MOST])]
    return value


class _Incident:
    """A provider that has read the incident up to `AS_OF`."""

    def __init__(self) -> None:
        with as_file(files("streams.demo").joinpath("data", "incident.jsonl")) as path:
            replay = fed([str(path)], at_ms=milliseconds(AS_OF))
            self._picture, self._summary = replay.picture(), replay.summary()

    def ready(self) -> Readiness:
        return Readiness(ready=True, message="ready", partitions=self.freshness().partitions)

    def picture(self) -> Picture:
        return self._picture

    def holdings(self) -> Holdings:
        held = (Holding(partition=0, as_of=AS_OF, fresh=True),)
        return Holdings(fleet="", generation=1, ready=True, message="ready", lag=0, partitions=held)

    def last(self, partitions: Collection[int]) -> Picture:
        return self._picture

    def summary(self) -> Summary:
        return self._summary

    def dead_letters(self) -> Mapping[str, int]:
        return {}

    def freshness(self) -> Freshness:
        done = {"folded": 61, "committed": 61, "lag": 0, "still_seconds": 0.0, "stalled": False}
        topics = (TopicProgress(topic="hyperpod.events", **done),)
        part = Partition(partition=0, state="running", lag=0, as_of=AS_OF, topics=topics)
        return Freshness(as_of=AS_OF, lag=0, partitions=(part,))

    def workings(self) -> Workings:
        topics = {"raw": "hyperpod.events.raw", "events": "hyperpod.events"}
        return Workings(partitions=dict.fromkeys(topics.values(), 1), topics=topics)

    async def past(self, at: int, clusters: Collection[str] | None) -> Picture:
        return self._picture
