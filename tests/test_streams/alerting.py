"""Anomalies as the topic has them, and a courier whose service, book and clock a test holds in its hands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.public_anomaly import Anomaly
from streams.alerts.book import Notes
from streams.alerts.courier import Courier, Sink
from streams.alerts.due import Action, Message, Page
from streams.alerts.filters import Filter
from streams.alerts.forms import Form, Request
from streams.alerts.picture import Picture, Taken
from streams.alerts.tally import Tally

ARN = "arn:aws:sagemaker:us-west-2:111122223333:cluster/abc123def456"


def anomaly(name: str = "a", revision: int = 1, **fields: Any) -> Anomaly:
    given = {
        "anomaly_id": name,
        "revision": revision,
        "kind": "unhealthy_node",
        "severity": "error",
        "status": "open",
        "cluster_arn": ARN,
        "cluster_name": "train-1",
        "instance_group": "workers",
        "instance_id": f"i-{name}",
        "resource_type": "Instance",
        "machine": "health",
        "state": "Unhealthy",
        "cause": "unknown",
        "title": f"Node {name} is Unhealthy",
        "expected": "the node is healthy again",
        "evidence": ["event-1"],
        "opened_at": "2026-10-05T09:42:00.000Z",
        "updated_at": "2026-10-05T09:42:00.000Z",
        "runbook": "docs/runbooks/unhealthy_node.md",
    }
    return Anomaly.model_validate(given | fields)


def resolved(name: str = "a", revision: int = 2, **fields: Any) -> Anomaly:
    return anomaly(name, revision, status="resolved", resolved_at="2026-10-05T10:00:00.000Z", **fields)


def retracted(name: str, heir: str | None, revision: int = 2) -> Anomaly:
    return anomaly(name, revision, status="retracted", superseded_by=heir)


def taken(record: Anomaly, written_ms: int = 0) -> Taken:
    return Taken(record.anomaly_id, record.model_dump_json().encode(), written_ms)


@dataclass
class Service:
    """What people see: the pages that are open, each for its anomaly, and everything that was ever said."""

    open: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def hear(self, message: Message) -> None:
        self.said.append(f"{message.action} {message.key}")
        if message.action is Action.CLOSE:
            self.open.pop(message.key, None)
        else:
            assert message.action is Action.OPEN or message.key in self.open, f"{message.key} is new here"
            self.open[message.key] = message.anomaly.anomaly_id
        assert len(set(self.open.values())) == len(self.open), f"two pages of one anomaly: {self.open}"


class Plain:
    """A form whose body is the message itself."""

    def request(self, message: Message, now_ms: int) -> Request:
        return Request("http://127.0.0.1/", message)


class Forgetful(Plain):
    """The form of a service that has to be told again."""

    refresh_seconds = 60.0

    def refresh(self, messages: Sequence[Message], now_ms: int) -> Request:
        return Request("http://127.0.0.1/", list(messages))


@dataclass
class Mouth:
    """A post that hands over what it gets, after or before whatever `fault` does."""

    service: Service
    before: Callable[[Message], None] = lambda message: None
    after: Callable[[Message], None] = lambda message: None
    again: Callable[[list[Message]], None] = lambda messages: None

    async def send(self, request: Request) -> None:
        if isinstance(request.body, list):
            self.again(request.body)
            return
        self.before(request.body)
        self.service.hear(request.body)
        self.after(request.body)

    async def close(self) -> None:
        pass


class Log:
    """Stands for a module's logger: keeps its lines, however logging is set up."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __getattr__(self, level: str) -> Callable[..., None]:
        return lambda event, **more: self.lines.append(f"{level} {event} {more}")


class Hasty(Courier):
    """Never sleeps; remembers how long it would have."""

    async def _pause(self, seconds: float, until: asyncio.Event | None = None) -> None:
        self.naps = [*getattr(self, "naps", []), seconds]
        await asyncio.sleep(0)


class Desk:
    """A service, and the process that talks to it, which can end at any time and begin anew."""

    def __init__(
        self, rule: Filter | None = None, patience_ms: int = 0, now: float = 2_000_000_000.0, form: Form | None = None
    ) -> None:
        self.rule, self.patience_ms, self.now = rule or Filter(), patience_ms, now
        self.form = form or Plain()
        self.service, self.records = Service(), list[Taken]()
        self.kept: dict[str, dict[str, Page]] = {}
        self.mouth = Mouth(self.service)
        self.restart()

    def restart(self) -> None:
        """Nothing stays but the topic and the book."""
        self.picture = Picture()
        for record in self.records:
            assert self.picture.take(record)
        self.book = Notes(self.kept)
        sink = Sink("oncall", self.rule, self.form, self.mouth)
        self.tally = Tally(["oncall"])
        self.courier = Hasty(sink, self.picture, self.book, self.tally, self.patience_ms, lambda: self.now)

    def write(self, *records: Anomaly, written_ms: int = 0) -> None:
        self.put(taken(each, written_ms) for each in records)

    def delete(self, name: str) -> None:
        self.put([Taken(name, None)])

    def put(self, records: Iterable[Taken]) -> None:
        for record in records:
            self.records.append(record)
            assert self.picture.take(record)

    def fails_with(self, *errors: Exception) -> None:
        """Each message fails as the next of them says; with the last one the process is told to stop."""
        left = list(errors)

        def ill(message: Message) -> None:
            if len(left) == 1:
                self.courier.stop()
            raise left.pop(0)

        self.mouth.before = ill

    def deliver(self) -> list[str]:
        """What is said of all that is due."""
        count = len(self.service.said)
        asyncio.run(self.courier.drain())
        return self.service.said[count:]
