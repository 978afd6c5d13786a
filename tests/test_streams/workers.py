"""Several workers in one process for tests: the real applications, which ask each other without a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from models import public
from streams.web.api import create_api
from streams.web.peers import Members, Reply, Unreachable
from tests.test_streams.serving import Held, anomaly, cluster, group, instance, minutes_ago

HEADER = "hyperpod-state-share"


def arn(number: int) -> str:
    return f"arn:aws:sagemaker:us-west-2:123456789012:cluster/c{number}"


def clusters(*numbers: int) -> public.Picture:
    """What is known of these clusters: of each a group, four instances and two anomalies."""
    instances = [instance(f"i-{n}{each}", arn=arn(n)) for n in numbers for each in "abc"]
    instances += [instance(f"i-{n}d", "Failed", slot=f"slot-{n}", arn=arn(n)) for n in numbers]
    anomalies = [
        anomaly(f"a{n}{each}", status=status).model_copy(
            update={"cluster_arn": arn(n), "opened_at": f"2026-0{9 - n}-01"}
        )
        for n in numbers
        for each, status in (("x", "open"), ("y", "retracted"))
    ]
    return public.Picture(
        clusters=public.sort_clusters(cluster(arn(n), f"name-{n}") for n in numbers),
        instance_groups=public.sort_groups(group(arn=arn(n)) for n in numbers),
        instances=public.sort_instances(instances),
        anomalies=public.sort_anomalies(anomalies),
        histories=tuple(history(n, name) for n in numbers for name in (None, "p5-train")),
    )


def history(number: int, name: str | None) -> public.History:
    """One change of a cluster, or of its group."""
    change = public.HistoryItem(time=minutes_ago(5), event_id=f"e-{number}", code="ClusterInService")
    return public.History(cluster_arn=arn(number), instance_group=name, items=(change,))


@dataclass
class Answer:
    status: int
    body: Any
    headers: dict[str, str]


class Workers:
    """Worker N is at `http://wN`; `of` says which partitions each owns; each has the cluster of its own number."""

    def __init__(self, *of: Collection[int]) -> None:
        self.count = sum(map(len, of))
        self.providers = [
            Held(held=dict.fromkeys(each, True), of={number: clusters(number) for number in each}) for each in of
        ]
        self.down: set[int] = set()
        self.asked: list[tuple[int, str]] = []
        self.owners = {number: frozenset(each) for number, each in enumerate(of)}
        self.instead: dict[int, Reply] = {}
        """What a worker answers to others, whatever is asked."""
        self._apps = [create_api(provider, peers=_Seen(self, number)) for number, provider in enumerate(self.providers)]

    def get(self, number: int, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Ask one of them, as a client does."""
        return asyncio.run(self.call(number, path, headers or {}))

    async def call(self, number: int, target: str, headers: Mapping[str, str]) -> Answer:
        path, _, query = target.partition("?")
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "root_path": "",
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._apps[number](scope, receive, send)
        told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], json.loads(b"".join(each.get("body", b"") for each in sent[1:])), told)

    def every(self, number: int, path: str, limit: int = 1000) -> list[dict[str, Any]]:
        """All pages of a list."""
        items: list[dict[str, Any]] = []
        token = ""
        while True:
            answer = self.get(number, f"/api/v1/{path}{'&' if '?' in path else '?'}limit={limit}{token}")
            assert answer.status == 200, answer.body
            assert len(answer.body["items"]) <= limit
            items += answer.body["items"]
            if answer.body["continue"] is None:
                return items
            token = f"&continue={answer.body['continue']}"


@dataclass
class _Seen:
    """The others as one of them sees them."""

    workers: Workers
    own: int
    kept: list[Any] = field(default_factory=list)

    def members(self) -> Members:
        others = {f"http://w{number}": parts for number, parts in self.workers.owners.items() if number != self.own}
        return Members(self.workers.count, others)

    async def ask(self, address: str, target: str, headers: Mapping[str, str], seconds: float) -> Reply:
        number = int(address.removeprefix("http://w"))
        self.workers.asked.append((number, target))
        if number in self.workers.down:
            raise Unreachable(f"no answer from {address}: connection refused")
        if number in self.workers.instead:
            return self.workers.instead[number]
        answer = await self.workers.call(number, target, headers)
        return Reply(answer.status, json.dumps(answer.body).encode())
