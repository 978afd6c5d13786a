"""Items as a picture has them, said briefly: what explanations are told of.

Knows: the public records.  Must not know: rows, events, how anything is explained.
"""

from __future__ import annotations

from models.machines import graph, instance
from models.public import Anomaly, ClusterItem, GroupItem, HistoryItem, InstanceItem, iso

ARN = "arn:aws:sagemaker:us-west-2:123456789012:cluster/abc"
BEGIN = 1_780_000_000_000


def at(minutes: float) -> str:
    return iso(BEGIN + round(minutes * 60_000))


def step(minutes: float, machine: str | None, before: str | None, to: str | None, code: str) -> HistoryItem:
    return HistoryItem(time=at(minutes), event_id=f"e-{minutes:g}", code=code, machine=machine, from_=before, to=to)


def node(
    name: str | None, *history: HistoryItem, slot: str | None = None, old: str | None = None, new: str | None = None
) -> InstanceItem:
    machines = dict(instance.START)
    for change in history:
        if change.machine and change.to:
            machines[change.machine] = change.to
    return InstanceItem(
        cluster_arn=ARN,
        instance_group="gpu",
        instance_id=name,
        node_logical_id=slot,
        phase=instance.phase(machines),
        machines=machines,
        origin="observed",
        schedulable=True,
        replaces=old,
        replaced_by=new,
        lineage="inferred" if old else None,
        since=history[-1].time if history else None,
        last_event_time=history[-1].time if history else None,
        history=history,
    )


def group(phase: str = "InService", **machines: str) -> GroupItem:
    start = {name: next(iter(table)) for name, table in graph.LEVELS["group"].items()}
    return GroupItem(
        cluster_arn=ARN,
        instance_group="gpu",
        phase=phase,
        machines={**start, **machines},
        origin="observed",
        target_count=3,
        members={"InService": 2},
        since=at(0),
        last_event_time=at(5),
    )


def cluster(phase: str = "InService", **machines: str) -> ClusterItem:
    return ClusterItem(
        cluster_arn=ARN,
        cluster_name="train",
        phase=phase,
        machines={"operation": "None", **machines},
        origin="observed",
        since=at(0),
        last_event_time=at(5),
    )


def fault(name: str | None, kind: str = "unhealthy_node", status: str = "open", **more: object) -> Anomaly:
    given = {"anomaly_id": f"{kind}-{name}", "revision": 1, "kind": kind, "severity": "error", "status": status}
    given |= {"cluster_arn": ARN, "instance_group": "gpu", "instance_id": name, "resource_type": "Instance"}
    given |= {"title": "Node is Unhealthy", "opened_at": at(1), "updated_at": at(1), "cause": "unknown", **more}
    return Anomaly.model_validate(given)
