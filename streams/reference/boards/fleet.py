"""The fleet: is anything wrong, where, and since when?

Knows: queries over metrics of the fleet.
Must not know: Grafana's model.
"""

from __future__ import annotations

from streams.reference.boards.panels import (
    GREEN,
    ORANGE,
    RED,
    YELLOW,
    Panel,
    Query,
    Row,
    Step,
    lines,
    listing,
    stat,
    variable,
)
from streams.reference.boards.panels import (
    board as whole,
)

OF = 'cluster=~"$cluster"'
IN = f'{OF}, group=~"$group"'
LOUD = 'planned="false", silenced="false"'
BAD = (Step(None, GREEN), Step(1, RED))
WAITING = 'phase!~"InService|Unknown"'


def board() -> str:
    """The dashboard."""
    variables = [
        variable("cluster", "Cluster", "label_values(hyperpod_state_clusters, cluster)"),
        variable("group", "Instance group", f"label_values(hyperpod_state_instances{{{OF}}}, group)"),
    ]
    rows = [
        Row("Now", _now()),
        Row("Instances", _instances()),
        Row("Anomalies", _anomalies()),
        Row("Reliability, last 30 days", _reliability()),
    ]
    about = (
        "Is anything wrong, where, and since when? Instances and their names are in the dashboard of hyperpod-state."
    )
    return whole("hyperpod-state-fleet", "HyperPod: fleet", about, variables, rows)


def _now() -> list[Panel]:
    opened = f"sum(hyperpod_state_open_anomalies{{{OF}, {LOUD}, severity=%s}}) or vector(0)"
    beat = "max(time() - max by (account, region) (hyperpod_state_feed_heartbeat_timestamp_seconds))"
    return [
        stat(
            "In service",
            "Instances in phase InService.",
            f'sum(hyperpod_state_instances{{{IN}, phase="InService"}}) or vector(0)',
        ),
        stat(
            "Target",
            "What groups should have, where that is known.",
            f"sum(hyperpod_state_group_target_instances{{{IN}}})",
        ),
        stat(
            "Critical",
            "Open critical anomalies that are neither planned nor silenced.",
            opened % '"critical"',
            steps=BAD,
        ),
        stat(
            "Errors",
            "Open errors that are neither planned nor silenced.",
            opened % '"error"',
            steps=[Step(None, GREEN), Step(1, ORANGE)],
        ),
        stat(
            "Heartbeat",
            "Age of the newest heartbeat of the feed that has been silent for longest; nothing where none sends any.",
            beat,
            unit="s",
            steps=[Step(None, GREEN), Step(600, YELLOW), Step(900, RED)],
        ),
        stat(
            "Picture",
            "How old is what this page shows.",
            "time() - min(hyperpod_state_as_of_timestamp_seconds)",
            unit="s",
            steps=[Step(None, GREEN), Step(60, YELLOW), Step(300, RED)],
        ),
    ]


def _instances() -> list[Panel]:
    oldest = (
        f"time() - min by (cluster, group, phase) (hyperpod_state_phase_oldest_timestamp_seconds{{{IN}, {WAITING}}})"
    )
    by_group = "sum by (cluster, group) (%s{" + IN + "})"
    lacking = by_group % "hyperpod_state_group_target_instances"
    lacking += " - " + by_group % "hyperpod_state_group_in_service_instances"
    return [
        lines(
            "Instances by phase",
            "Instances and slots; terminated ones left out.",
            Query(f'sum by (phase) (hyperpod_state_instances{{{IN}, phase!="Terminated"}})', "{{phase}}"),
            width=12,
            stacked=True,
        ),
        lines(
            "Fewer than the target",
            "Target less instances in service, by group. Below 0 while a group shrinks.",
            Query(lacking, "{{cluster}} / {{group}}"),
            width=12,
        ),
        listing(
            "Longest in a phase",
            "For how long the instance that has been longest in a phase is in it. Where it should not wait for ever.",
            oldest,
            [("cluster", "Cluster"), ("group", "Group"), ("phase", "Phase")],
            value="For",
            unit="s",
        ),
        listing(
            "Clusters",
            "AWS's status of each cluster.",
            f"sum by (cluster, cluster_arn, phase) (hyperpod_state_clusters{{{OF}}})",
            [("cluster", "Cluster"), ("phase", "Phase"), ("cluster_arn", "ARN")],
            value="Clusters",
        ),
        lines(
            "Health",
            "What health agents said last; terminated instances left out.",
            Query(f"sum by (health) (hyperpod_state_instances_health{{{IN}}})", "{{health}}"),
            stacked=True,
        ),
        lines(
            "Cordoned",
            "Instances that a rollout has made unschedulable.",
            Query(
                f"sum by (cluster, group) (hyperpod_state_instances_unschedulable{{{IN}}}) > 0",
                "{{cluster}} / {{group}}",
            ),
        ),
        lines(
            "Newest event",
            "Age of the newest event of each cluster. A cluster in which nothing happens is quiet for days.",
            Query(
                f"time() - max by (cluster) (hyperpod_state_newest_event_timestamp_seconds{{{OF}}})",
                "{{cluster}}",
            ),
            unit="s",
        ),
    ]


def _anomalies() -> list[Panel]:
    return [
        lines(
            "Open by severity",
            "Planned and silenced ones left out.",
            Query(f"sum by (severity) (hyperpod_state_open_anomalies{{{OF}, {LOUD}}})", "{{severity}}"),
            stacked=True,
        ),
        lines(
            "Open by kind",
            "Planned and silenced ones left out.",
            Query(f"sum by (kind) (hyperpod_state_open_anomalies{{{OF}, {LOUD}}})", "{{kind}}"),
            stacked=True,
        ),
        lines(
            "Planned and silenced",
            "What nobody is told of.",
            Query(f'sum(hyperpod_state_open_anomalies{{{OF}, planned="true"}})', "planned"),
            Query(f'sum(hyperpod_state_open_anomalies{{{OF}, silenced="true"}})', "silenced"),
        ),
        listing(
            "Open now",
            "By cluster, group, kind and cause. Which instances: hyperpod-state get anomalies.",
            f"sum by (cluster, group, severity, kind, cause) (hyperpod_state_open_anomalies{{{OF}, {LOUD}}}) > 0",
            [
                ("cluster", "Cluster"),
                ("group", "Group"),
                ("severity", "Severity"),
                ("kind", "Kind"),
                ("cause", "Cause"),
            ],
            value="Open",
            width=24,
        ),
    ]


def _reliability() -> list[Panel]:
    def by_group(title: str, about: str, metric: str, unit: str) -> Panel:
        query = f"max by (cluster, group) (hyperpod_state_{metric}{{{IN}}})"
        return listing(
            title, about, query, [("cluster", "Cluster"), ("group", "Group")], value=title, unit=unit, width=8
        )

    return [
        by_group("Time to repair", "Mean of the failures that are repaired.", "mttr_seconds", "s"),
        by_group("Time between failures", "Mean between unplanned failures.", "mtbf_seconds", "s"),
        by_group("No capacity", "Share of attempts that found no capacity.", "capacity_shortage_ratio", "percentunit"),
        listing(
            "Failures",
            "Of groups and their instances, by cause.",
            f"max by (cluster, group, cause) (hyperpod_state_failures{{{IN}}})",
            [("cluster", "Cluster"), ("group", "Group"), ("cause", "Cause")],
            value="Failures",
        ),
        listing(
            "Lost node time",
            "Time in which places had no instance that served.",
            f"max by (cluster, group, planned) (hyperpod_state_lost_node_seconds{{{IN}}}) > 0",
            [("cluster", "Cluster"), ("group", "Group"), ("planned", "Planned")],
            value="Lost",
            unit="s",
        ),
    ]
