"""A worker's HTTP side for tests: the real application on a loopback port, in front of a picture made by hand."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from models import public
from streams.metrics.workings import Checkpoints, Counted, Workings
from streams.patience import Patient
from streams.web.api import create_api
from streams.web.peers import Peers
from streams.web.provider import Freshness, Gone, Holding, Holdings, Partition, Readiness, TopicProgress
from streams.web.sql import Asked

ARN = "arn:aws:sagemaker:us-west-2:123456789012:cluster/abc123"
OTHER = "arn:aws:sagemaker:us-west-2:123456789012:cluster/def456"
NOW_MS = 1_764_000_000_000
NOW = public.iso(NOW_MS)
START_SECONDS = 20.0


def minutes_ago(minutes: float) -> str:
    return public.iso(NOW_MS - int(minutes * 60_000))


def cluster(arn: str = ARN, name: str | None = "ml-prod", phase: str = "InService") -> public.ClusterItem:
    return public.ClusterItem(
        cluster_arn=arn,
        cluster_name=name,
        phase=phase,
        machines={"operation": "None", "access": "Unknown", "autoscaling": "Unknown", "slurm_config": "Unknown"},
        origin="observed",
        since=minutes_ago(90),
        last_event_time=minutes_ago(5),
    )


def group(name: str = "p5-train", arn: str = ARN, phase: str = "Degraded") -> public.GroupItem:
    machines = {"operation": "None", "network": "Configured", "fsx": "None", "patch": "None", "rollback": "None"}
    return public.GroupItem(
        cluster_arn=arn,
        instance_group=name,
        phase=phase,
        machines=machines,
        origin="observed",
        current_count=3,
        target_count=4,
        min_count=None,
        members={"InService": 2, "Failed": 1},
        since=minutes_ago(20),
        last_event_time=minutes_ago(5),
    )


def instance(
    instance_id: str | None, phase: str = "InService", slot: str | None = None, arn: str = ARN
) -> public.InstanceItem:
    machines = dict.fromkeys(("lifecycle_script", "replace", "patch", "rollback", "reboot"), "None")
    changed = public.HistoryItem(
        time=minutes_ago(5),
        event_id="e-1",
        code="InstanceProvisioned",
        machine="provision",
        from_="Requested",
        to="Provisioned",
    )
    return public.InstanceItem(
        cluster_arn=arn,
        instance_group="p5-train",
        instance_id=instance_id,
        node_logical_id=slot,
        phase=phase,
        machines={"provision": "InService", "health": "Healthy", **machines},
        origin="observed",
        schedulable=True,
        since=minutes_ago(5),
        last_event_time=minutes_ago(5),
        history=(changed,),
    )


def anomaly(
    anomaly_id: str, severity: str = "error", status: str = "open", instance_id: str | None = None
) -> public.Anomaly:
    return public.Anomaly.model_validate(
        {
            "anomaly_id": anomaly_id,
            "revision": 1,
            "kind": "lifecycle_script_failed",
            "severity": severity,
            "status": status,
            "cluster_arn": ARN,
            "cluster_name": "ml-prod",
            "instance_group": "p5-train",
            "instance_id": instance_id,
            "resource_type": "Instance" if instance_id else "InstanceGroup",
            "cause": "lifecycle_script",
            "title": "The lifecycle script failed",
            "evidence": ["e-2"],
            "opened_at": minutes_ago(4),
            "updated_at": minutes_ago(4),
            "resolved_at": None if status == "open" else minutes_ago(1),
        }
    )


def picture() -> public.Picture:
    instances = [instance(f"i-{number:03d}", arn=ARN) for number in range(5)]
    instances += [instance("i-bad", "Failed"), instance(None, "Provisioning", "slot-9"), instance("i-far", arn=OTHER)]
    anomalies = [
        anomaly("a1", "critical", instance_id="i-bad"),
        anomaly("a2", status="resolved"),
        anomaly("a3", "warning"),
    ]
    return public.Picture(
        clusters=public.sort_clusters([cluster(), cluster(OTHER, "ml-dev", "Updating")]),
        instance_groups=public.sort_groups([group(), group("cpu", phase="InService"), group(arn=OTHER)]),
        instances=public.sort_instances(instances),
        anomalies=public.sort_anomalies(anomalies),
    )


@dataclass
class Held:
    """A provider whose answers a test sets."""

    shown: public.Picture = field(default_factory=picture)
    state: Readiness = field(default_factory=lambda: Readiness(ready=True, message="serving"))
    counts: public.Summary = field(
        default_factory=lambda: public.Summary(
            read=10, applied=6, duplicate=2, ignored={"x": 1}, dead_lettered=1, watermark=minutes_ago(1)
        )
    )

    def ready(self) -> Readiness:
        return self.state

    def picture(self) -> public.Picture:
        return self.last([number for number, fresh in self.held.items() if fresh]) if self.of else self.shown

    held: dict[int, bool] = field(default_factory=lambda: {0: True})
    """The partitions that it can tell of, and whether it owns them."""
    of: dict[int, public.Picture] = field(default_factory=dict)
    """What is in each, where that matters."""
    as_of: str = NOW
    generation: int = 1
    fleet: str = "fleet"

    def holdings(self) -> Holdings:
        now = self.freshness()
        partitions = tuple(
            Holding(partition=number, as_of=now.as_of, fresh=fresh and self.state.ready)
            for number, fresh in self.held.items()
        )
        return Holdings(
            fleet=self.fleet,
            generation=self.generation,
            ready=self.state.ready,
            message=self.state.message,
            lag=now.lag,
            partitions=partitions,
        )

    def last(self, partitions: Collection[int]) -> public.Picture:
        return public.join(self.of.get(number, self.shown) for number in partitions)

    def summary(self) -> public.Summary:
        return self.counts

    letters: dict[str, int] = field(default_factory=lambda: {"not_json": 1})

    def dead_letters(self) -> Mapping[str, int]:
        return self.letters

    earlier: dict[int, public.Picture | Exception] = field(default_factory=dict)
    """What was to be seen at some moments; before the oldest of them nothing is known."""
    asked: list[tuple[int, frozenset[str] | None]] = field(default_factory=list)

    async def past(self, at: int, clusters: Collection[str] | None) -> public.Picture:
        self.asked.append((at, None if clusters is None else frozenset(clusters)))
        known = [moment for moment in self.earlier if moment <= at]
        if not known:
            raise Gone(public.iso(min(self.earlier)) if self.earlier else None)
        found = self.earlier[max(known)]
        if isinstance(found, Exception):
            raise found
        return found

    worked: Workings = field(
        default_factory=lambda: Workings(
            partitions={"raw": 1, "events": 1},
            counts=[
                Counted("raw", 0, {"ignored": 1, "dead_lettered": 1}, {"not_json": 1}, read=10),
                Counted("events", 0, {"applied": 6, "duplicate": 2, "dead_lettered": 0}, {}, late=0, unrecognized=0),
            ],
            watermarks={0: NOW_MS - 60_000},
            heartbeats={("123456789012", "us-west-2"): NOW_MS - 120_000},
            checkpoints={"events": Checkpoints()},
            topics={role: role for role in ("raw", "events", "transitions", "anomalies", "deadletter")},
            assignments=1,
        )
    )

    def workings(self) -> Workings:
        return self.worked

    def freshness(self) -> Freshness:
        topic = TopicProgress(topic="events", folded=9, committed=8, lag=3, still_seconds=0, stalled=False)
        part = Partition(partition=0, state="running", lag=3, as_of=self.as_of, topics=(topic,))
        return Freshness(as_of=self.as_of, lag=3, partitions=(part,))


@contextmanager
def served(provider: Held, store: Asked | None = None, peers: Peers | None = None) -> Iterator[str]:
    """The address of the real application in front of `provider`, on a port of its own."""
    with listening(create_api(provider, store=store, peers=peers)) as address:
        yield address


@contextmanager
def listening(api: Any, port: int = 0) -> Iterator[str]:
    """The address of an ASGI application on a loopback port of its own, or on this one."""
    listener = socket.create_server(("127.0.0.1", port))
    config = uvicorn.Config(api, log_level="critical", lifespan="off", http=Patient)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + START_SECONDS
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(START_SECONDS)
        listener.close()
