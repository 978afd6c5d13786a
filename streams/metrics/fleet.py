"""The fleet as samples: instances by phase, groups beside their targets, open anomalies, the newest events.

Knows: names, labels and meanings of the series.
Must not know: how a picture is made, HTTP.

Everything is counted per set of labels: names are not unique (one name in two regions), and Prometheus refuses a scrape
with the same series twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import Metric

from models.public import AnomalyStatus, ClusterItem, GroupItem, InstanceItem, Picture, Time
from models.states import GroupPhase, InstancePhase
from streams.metrics.series import Named, Series, filled, seconds, table

CLUSTER = ("cluster_arn", "cluster")
GROUP = (*CLUSTER, "group")
GONE = InstancePhase.TERMINATED
SERIES = table(
    Series("clusters", "gauge", "Clusters by phase.", (*CLUSTER, "phase")),
    Series("groups", "gauge", "Instance groups by phase.", (*GROUP, "phase")),
    Series("group_target_instances", "gauge", "How many instances the group should have, where that is known.", GROUP),
    Series("group_current_instances", "gauge", "How many AWS says that it has, where it has said so.", GROUP),
    Series(
        "group_in_service_instances",
        "gauge",
        "Members in phase InService, 0 where all are lost; absent where the group is not known to have had any.",
        GROUP,
    ),
    Series("instances", "gauge", "Instances and slots by phase.", (*GROUP, "phase")),
    Series("instances_health", "gauge", "Instances by health, terminated ones left out.", (*GROUP, "health")),
    Series("instances_unschedulable", "gauge", "Instances that a rollout has cordoned.", GROUP),
    Series(
        "phase_oldest_timestamp_seconds",
        "gauge",
        "Since when the instance is in the phase that has been in it for longest; none for Terminated.",
        (*GROUP, "phase"),
    ),
    Series("newest_event_timestamp_seconds", "gauge", "Time of the cluster's newest event.", CLUSTER),
    Series(
        "open_anomalies",
        "gauge",
        "Open anomalies; `cause` is empty where none is known, `group` where it is the cluster's.",
        (*GROUP, "kind", "severity", "cause", "planned", "silenced"),
    ),
)
Key = tuple[str, ...]


def fleet(picture: Picture) -> Iterator[Metric]:
    """All series of one picture."""
    samples = dict([*_clusters(picture), *_groups(picture), *_instances(picture), *_anomalies(picture)])
    yield from (filled(series, samples[name]) for name, series in SERIES.items())


def _clusters(picture: Picture) -> Iterator[Named]:
    yield "clusters", [((item.cluster_arn, item.cluster_name or "", item.phase), 1) for item in picture.clusters]
    newest: dict[str, Time] = {}
    items: list[ClusterItem | GroupItem | InstanceItem] = [*picture.clusters, *picture.instance_groups]
    for item in (*items, *picture.instances):
        if item.last_event_time is not None:
            newest[item.cluster_arn] = max(newest.get(item.cluster_arn, ""), item.last_event_time)
    names = _names(picture)
    yield (
        "newest_event_timestamp_seconds",
        [((arn, names.get(arn, "")), seconds(moment)) for arn, moment in newest.items()],
    )


def _groups(picture: Picture) -> Iterator[Named]:
    names = _names(picture)
    groups = [(_labels(item, names), item) for item in picture.instance_groups]
    there = [(labels, item) for labels, item in groups if item.phase != GroupPhase.DELETED]
    yield "groups", [((*labels, item.phase), 1) for labels, item in groups]
    yield "group_target_instances", [(labels, item.target_count) for labels, item in there]
    yield "group_current_instances", [(labels, item.current_count) for labels, item in there]
    # Members leave terminated ones out, and a series that ended with the last member could not be told from its target.
    had = {(item.cluster_arn, item.instance_group) for item in picture.instances}
    yield (
        "group_in_service_instances",
        [
            (labels, item.members.get(InstancePhase.IN_SERVICE, 0))
            for labels, item in there
            if item.members or item.phase == GroupPhase.DEGRADED or (item.cluster_arn, item.instance_group) in had
        ],
    )


def _instances(picture: Picture) -> Iterator[Named]:
    names = _names(picture)
    phases: Counter[Key] = Counter()
    health: Counter[Key] = Counter()
    cordoned: Counter[Key] = Counter()
    oldest: dict[Key, Time] = {}
    for item in picture.instances:
        labels = _labels(item, names)
        key = (*labels, item.phase)
        phases[key] += 1
        if item.phase == GONE:
            continue
        if item.instance_id is not None:
            health[(*labels, item.machines.get("health", "Unknown"))] += 1
        cordoned[labels] += not item.schedulable
        if item.since is not None:
            oldest[key] = min(oldest.get(key, item.since), item.since)
    yield "instances", list(phases.items())
    yield "instances_health", list(health.items())
    yield "instances_unschedulable", list(cordoned.items())
    yield "phase_oldest_timestamp_seconds", [(key, seconds(moment)) for key, moment in oldest.items()]


def _anomalies(picture: Picture) -> Iterator[Named]:
    names = _names(picture)
    found = Counter(
        (
            *(item.cluster_arn, names.get(item.cluster_arn) or item.cluster_name or "", item.instance_group or ""),
            *(str(item.kind), str(item.severity), str(item.cause or "")),
            *(_word(item.planned), _word(item.silenced_by is not None)),
        )
        for item in picture.anomalies
        if item.status is AnomalyStatus.OPEN
    )
    yield "open_anomalies", list(found.items())


def _names(picture: Picture) -> dict[str, str]:
    return {item.cluster_arn: item.cluster_name or "" for item in picture.clusters}


def _labels(item: GroupItem | InstanceItem, names: dict[str, str]) -> tuple[str, str, str]:
    return item.cluster_arn, names.get(item.cluster_arn, ""), item.instance_group or ""


def _word(yes: bool) -> str:
    return "true" if yes else "false"
