"""Raw events as AWS sends them, one by one and as whole lives.

Knows: wire forms, AWS's texts, in which order things happen.  Must not know: how any of it is read or judged.

Every builder returns envelopes as dictionaries.  Times are epoch milliseconds; ids are made of what the event says, so
the same call gives the same event.  `slot=None` gives events without metadata, as EventBridge often sends them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Event = dict[str, Any]

START = 1_780_000_000_000
"""2026-05-28: when stories begin."""
SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

EVENT = "SageMaker HyperPod Cluster Event"
STATE = "SageMaker HyperPod Cluster State Change"
HEALTH = "SageMaker HyperPod Cluster Node Health Event"


@dataclass(frozen=True)
class Site:
    """A cluster: its name, and how long after the fact its envelopes are stamped."""

    name: str = "train"
    delay: int = 3 * SECOND
    known_arn: str | None = None

    @property
    def arn(self) -> str:
        """The ARN; it ends in an id, not in the name."""
        return self.known_arn or f"arn:aws:sagemaker:us-west-2:111122223333:cluster/{digest(self.name)[:12]}"


def digest(*parts: Any) -> str:
    """A stable id."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def stamp(ms: int) -> str:
    """A time as envelopes have it, to the millisecond."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def raw(events: Iterable[Event]) -> list[bytes]:
    """Each event as its JSON text."""
    return [json.dumps(event).encode() for event in events]


def envelope(site: Site, detail_type: str, detail: Event, at: int) -> Event:
    """An EventBridge envelope; its id is one for many events, as in AWS's own samples."""
    return {
        "version": "0",
        "id": "0bd4a141-0a02-9d8a-f977-3924c3fb259c",
        "detail-type": detail_type,
        "source": "aws.sagemaker",
        "account": "111122223333",
        "time": stamp(at + site.delay),
        "region": "us-west-2",
        "resources": [site.arn],
        "detail": detail,
    }


def cluster_event(
    site: Site,
    description: str | None,
    at: int,
    *,
    group: str | None = None,
    instance: str | None = None,
    slot: str | None = None,
    level: str = "Info",
    metadata: Event | None = None,
    event_id: str | None = None,
) -> Event:
    """A cluster event; its metadata are of the instance where `slot` is given, else `metadata` as they stand."""
    kind = "Instance" if instance or slot else "InstanceGroup" if group else "Cluster"
    if slot:
        metadata = {"Instance": {"NodeLogicalId": slot, **((metadata or {}).get("Instance") or {})}}
    record: Event = {
        "EventId": event_id or digest(site.name, description, at, group, instance, slot),
        "ClusterArn": site.arn,
        "ClusterName": site.name,
        "InstanceGroupName": group,
        "InstanceId": instance,
        "ResourceType": kind,
        "EventTime": at,
        "EventLevel": level,
        "Description": description,
        "EventDetails": {"EventMetadata": metadata},
    }
    return envelope(site, EVENT, {"EventDetails": record}, at)


def group_entry(
    name: str, *, status: str = "InService", current: int = 1, target: int = 1, update: str | None = None
) -> Event:
    """A group as snapshots show it."""
    entry = {"InstanceGroupName": name, "Status": status, "CurrentCount": current, "TargetCount": target}
    return entry | ({"SoftwareUpdateStatus": update} if update else {})


def state_change(site: Site, at: int, *, status: str = "InService", groups: Sequence[Event] | None = None) -> Event:
    """A state change: the whole cluster as it is.  It has no EventId."""
    detail: Event = {"ClusterArn": site.arn, "ClusterName": site.name, "ClusterStatus": status}
    detail["InstanceGroups"] = None if groups is None else list(groups)
    return envelope(site, STATE, detail, at)


def node_health(
    site: Site, at: int, instance: str, *, status: str = "Unhealthy", action: str = "Replace", reason: str = "Xid 79"
) -> Event:
    """A node health event; synthetic ones have an empty EventId."""
    summary = {"HealthStatus": status, "HealthStatusReason": reason, "RepairAction": action}
    detail = {"EventId": "", "ClusterArn": site.arn, "InstanceId": instance, "HealthSummary": summary}
    return envelope(site, HEALTH, detail, at)


def node_list(site: Site, at: int, nodes: Iterable[tuple[str, str, str | None, str]], *, more: bool = False) -> Event:
    """A ListClusterNodes answer: group, instance, slot and status of each node; `more`: another page follows."""
    summaries = [
        {"InstanceGroupName": group, "InstanceId": name, "NodeLogicalId": slot, "InstanceStatus": {"Status": status}}
        for group, name, slot, status in nodes
    ]
    page = {"ClusterArn": site.arn, "ObservedAt": stamp(at), "ClusterNodeSummaries": summaries}
    return page | ({"NextToken": "page-2"} if more else {})


@dataclass(frozen=True)
class Node:
    """An instance of a group; without a slot its events have no metadata."""

    site: Site
    group: str
    instance: str
    slot: str | None = None

    @property
    def where(self) -> str:
        """How texts name the place."""
        return f"Cluster {self.site.name} and IG {self.group}"

    def says(self, at: int, text: str, *, level: str = "Info", named: bool = True) -> Event:
        """An event of this instance; one that is not `named` has no EC2 id, as before there is one."""
        name = self.instance if named else None
        return cluster_event(self.site, text, at, group=self.group, instance=name, slot=self.slot, level=level)

    def script(self, at: int, status: str) -> Event:
        """The lifecycle script's news."""
        level = "Error" if status == "Failed" else "Info"
        return self.says(at, f"Instance lifecycle script execution for {self.instance} has {status}", level=level)


def provisioned(
    node: Node, at: int, *, step: int = MINUTE, script_failures: int = 0, begin: bool = True
) -> list[Event]:
    """From the request to service; the steps before there is an EC2 id name the slot only."""
    where = node.where
    texts = [f"Instance creation started successfully in {where}"] if begin else []
    texts.append(f"Successfully created Customer ENI for instance in {where}")
    events = [node.says(at + step * place, text, named=False) for place, text in enumerate(texts)]
    at += step * len(texts)
    events.append(node.says(at, f"EC2 instance {node.instance} successfully provisioned in {where}"))
    for _ in range(script_failures):
        events += [node.script(at + step, "Started"), node.script(at + 2 * step, "Failed")]
        at += 2 * step
    events += [node.script(at + step, "Started"), node.script(at + 2 * step, "Succeeded")]
    text = f"Instance creation {node.instance} in {where} completed successfully"
    return [*events, node.says(at + 3 * step, text)]


def terminated(node: Node, at: int, *, step: int = MINUTE, zombie: bool = False) -> list[Event]:
    """To the end, and perhaps a word from beyond it."""
    name, where = node.instance, node.where
    events = [
        node.says(at, f"Termination of EC2 Instance {name} is currently in progress in {where}"),
        node.says(at + step, f"Customer ENI successfully deleted for EC2InstanceId {name} in {where}"),
    ]
    return [*events, node.script(at + 2 * step, "Started")] if zombie else events


def replaced(old: Node, new: Node, at: int, *, step: int = MINUTE, fails: bool = False) -> list[Event]:
    """The agent's finding, the old instance's end, the new one's birth in the same slot."""
    start = "Instance {} is starting as part of instance replacement in " + old.where
    end = f"Instance {new.instance} creation {{}} as part of instance replacement in {new.where}"
    events = [
        node_health(old.site, at, old.instance),
        old.says(at + step, start.format("deletion")),
        new.says(at + 2 * step, start.format("creation"), named=False),
        *terminated(old, at + 3 * step, step=step),
        *provisioned(new, at + 4 * step, step=step, begin=False)[:-1],
    ]
    last = end.format("failed" if fails else "completed successfully")
    return [*events, new.says(at + 9 * step, last, level="Error" if fails else "Info")]


def rebooted(node: Node, at: int, *, step: int = MINUTE) -> list[Event]:
    """An unhealthy node that a reboot mends."""
    text = f"Reboot of EC2 Instance {node.instance} is currently in progress on {node.where}"
    done = f"Instance reboot {node.instance} in {node.where} completed successfully"
    return [
        node_health(node.site, at, node.instance, action="Reboot"),
        node.says(at + step, text),
        node.says(at + 2 * step, done),
        node_health(node.site, at + 3 * step, node.instance, status="Healthy", action="None", reason=""),
    ]


def _group(site: Site, group: str, text: str, at: int, *, level: str = "Info", metadata: Event | None = None) -> Event:
    place = f"IG {group} in Cluster {site.name}"
    return cluster_event(site, text.format(place), at, group=group, level=level, metadata=metadata)


def scaled(site: Site, group: str, at: int, *, current: int, target: int, step: int = MINUTE) -> list[Event]:
    """A group's scaling, with its counts where metadata are sent."""
    counts = {"InstanceGroupScaling": {"InstanceCount": current, "TargetCount": target, "MinCount": 0}}
    done = {"InstanceGroupScaling": {"InstanceCount": target, "TargetCount": target, "MinCount": 0}}
    start = f"InstanceGroup {group} scaling started successfully in Cluster {site.name}"
    end = f"InstanceGroup {group} scaling in Cluster {site.name} completed successfully"
    return [
        cluster_event(site, start, at, group=group, metadata=counts),
        cluster_event(site, end, at + step, group=group, metadata=done),
    ]


def patched(nodes: Sequence[Node], at: int, *, step: int = MINUTE, alarm: bool = False) -> list[Event]:
    """A rolling update of a group: every node in its turn, then the baking; an alarm rolls all of them back."""
    site, group = nodes[0].site, nodes[0].group
    texts = [
        "{} has been scheduled for UpdateClusterSoftware to latest.",
        "UpdateClusterSoftware initiated for {} using RollingUpdate strategy.",
        "Next update batch selected for {}.",
    ]
    events = [_group(site, group, text, at + step * place) for place, text in enumerate(texts)]
    for place, node in enumerate(nodes):
        events += _update(node, at + step * (3 + 5 * place), step)
    at += step * (3 + 5 * len(nodes))
    bake = "Baking period {} for {{}}. {}"
    events.append(_group(site, group, bake.format("started", "Monitoring alarms [a1] for 600 seconds."), at))
    if alarm:
        return events + _alarmed(nodes, at + step, step)
    quiet = "No alarms triggered during the 600-second baking period."
    done = "UpdateClusterSoftware completed successfully for {}."
    return [
        *events,
        _group(site, group, bake.format("completed", quiet), at + step),
        _group(site, group, done, at + 2 * step),
    ]


def _update(node: Node, at: int, step: int) -> list[Event]:
    place = f"{node.instance} in IG {node.group}"
    return [
        node.says(at, f"Instance {place} cordoned and pods evicted."),
        node.says(at + step, f"Root volume replacement started for Instance {place}."),
        node.script(at + 2 * step, "Started"),
        node.script(at + 3 * step, "Succeeded"),
        node.says(at + 4 * step, f"Instance {place} updated successfully."),
        node.says(at + 4 * step, f"Instance {place} restored to schedulable state."),
    ]


def _alarmed(nodes: Sequence[Node], at: int, step: int) -> list[Event]:
    alarm = "Baking period failed for {}. Alarms [a1] entered ALARM state. Initiating auto-rollback."
    events = [
        _group(nodes[0].site, nodes[0].group, alarm, at, level="Error"),
        _group(nodes[0].site, nodes[0].group, "UpdateClusterSoftware failed for {}. Initiating rollback.", at + step),
    ]
    for place, node in enumerate(nodes):
        name, when = f"{node.instance} in IG {node.group}", at + step * (2 + 2 * place)
        events.append(node.says(when, f"Instance {name} failed to update. Rollback initiated."))
        events.append(node.says(when + step, f"Instance {name} rolled back successfully to previous AMI."))
    return events


def capacity_error(node: Node, at: int, *, named: bool = False) -> list[Event]:
    """One fault as AWS tells it: twice, a second apart."""
    meta = {"Instance": {"FailureMessage": "We currently do not have sufficient capacity"}}
    first, second = f"Failed to provision EC2 Instance in {node.where}", f"Instance creation in {node.where} failed"
    name = node.instance if named else None
    return [
        cluster_event(
            node.site, text, at + place * SECOND, group=node.group, instance=name, slot=node.slot, level="Error",
            metadata=meta,
        )
        for place, text in enumerate((first, second))
    ]  # fmt: skip


def heartbeat(at: int, *, account: str = "111122223333", region: str = "us-west-2") -> Event:
    """A feed's sign of life, stamped when it is sent."""
    kind, source = "HyperPod State Heartbeat", "hyperpod-state"
    sender = {"source": source, "account": account, "region": region, "resources": []}
    return {**envelope(Site(delay=0), kind, {}, at), **sender}
