"""A rollout: how far is it, should it be stopped, and when will it be over?

Knows: queries over metrics of rollouts.
Must not know: Grafana's model.
"""

from __future__ import annotations

from streams.reference.boards.panels import (
    GREEN,
    ORANGE,
    RED,
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

IN = 'cluster=~"$cluster", group=~"$group"'
NAMED = "{{cluster}} / {{group}}"
WHERE = [("cluster", "Cluster"), ("group", "Group")]
MOVING = 'phase=~"Patching|RollingBack|Replacing|LifecycleScript"'
KINDS = 'kind=~"patch_failed|patch_skipped|bake_alarm|rollback_started|rollback_failed"'


def board() -> str:
    """The dashboard."""
    variables = [
        variable("cluster", "Cluster", "label_values(hyperpod_state_groups, cluster)"),
        variable("group", "Instance group", 'label_values(hyperpod_state_groups{cluster=~"$cluster"}, group)'),
    ]
    rows = [
        Row("Now", _now()),
        Row("Progress", _progress()),
        Row("Trouble", _trouble()),
        Row("How long it takes", _pace()),
    ]
    about = "How far are rollouts, should one be stopped, and when will it be over? Of each group its newest one."
    return whole("hyperpod-state-rollout", "HyperPod: rollout", about, variables, rows)


def _now() -> list[Panel]:
    result = f"sum(hyperpod_state_rollout_instances{{{IN}, result=%s}}) or vector(0)"
    end = f"min(hyperpod_state_rollout_expected_end_timestamp_seconds{{{IN}}}) - time()"
    return [
        stat("Under way", "Groups with a rollout.", f"sum(hyperpod_state_rollout_under_way{{{IN}}}) or vector(0)"),
        stat("Updated", "Instances of the newest rollouts.", result % '"updated"'),
        stat("Skipped", "Left out because of a PodDisruptionBudget.", result % '"skipped"', steps=_from(ORANGE)),
        stat("Failed", "Instances whose update failed.", result % '"failed"', steps=_from(RED)),
        stat(
            "Rolled back", "Instances that are back on the image before.", result % '"rolled_back"', steps=_from(ORANGE)
        ),
        stat(
            "Ends in", "By the seconds per instance of the group's earlier rollouts; nothing if unknown.", end, unit="s"
        ),
    ]


def _from(color: str) -> list[Step]:
    return [Step(None, GREEN), Step(1, color)]


def _progress() -> list[Panel]:
    return [
        lines(
            "Instances by what the rollout did last",
            "Of the newest rollout of the groups that are chosen.",
            Query(f"sum by (result) (hyperpod_state_rollout_instances{{{IN}}})", "{{result}}"),
            width=12,
            stacked=True,
        ),
        lines(
            "Instances that are being worked on",
            "By phase: patching, rolling back, replacing, running the lifecycle script.",
            Query(f"sum by (phase) (hyperpod_state_instances{{{IN}, {MOVING}}})", "{{phase}}"),
            width=12,
            stacked=True,
        ),
        listing(
            "Under way",
            "What the newest rollout of each group is doing.",
            f"max by (cluster, group, outcome) (hyperpod_state_rollout_under_way{{{IN}}}) > 0",
            [*WHERE, ("outcome", "It is")],
            value="Rollouts",
            width=8,
        ),
        listing(
            "Begun",
            "How long ago the newest rollout of each group began.",
            f"time() - max by (cluster, group) (hyperpod_state_rollout_begun_timestamp_seconds{{{IN}}})",
            WHERE,
            value="Ago",
            unit="s",
            width=8,
        ),
        lines(
            "Batches",
            "Selected so far.",
            Query(f"max by (cluster, group) (hyperpod_state_rollout_batches{{{IN}}})", NAMED),
        ),
    ]


def _trouble() -> list[Panel]:
    return [
        lines(
            "Open anomalies of rollouts",
            "Those that are planned count too: a rollout is.",
            Query(f"sum by (kind) (hyperpod_state_open_anomalies{{{IN}, {KINDS}}})", "{{kind}}"),
            stacked=True,
        ),
        lines(
            "Cordoned",
            "Instances that are unschedulable. After a rollout none should be.",
            Query(f"sum by (cluster, group) (hyperpod_state_instances_unschedulable{{{IN}}}) > 0", NAMED),
        ),
        lines(
            "Left behind",
            "Members that a rollout which is over left on another image.",
            Query(f"max by (cluster, group) (hyperpod_state_rollout_residue{{{IN}}}) > 0", NAMED),
        ),
    ]


def _pace() -> list[Panel]:
    def stay(title: str, metric: str, about: str) -> Panel:
        query = f'max by (cluster, group, phase) (hyperpod_state_{metric}{{{IN}, phase=~"Patching|RollingBack"}})'
        return listing(title, about, query, [*WHERE, ("phase", "Phase")], value="Stay", unit="s")

    oldest = (
        f"time() - min by (cluster, group, phase) (hyperpod_state_phase_oldest_timestamp_seconds{{{IN}, {MOVING}}})"
    )
    return [
        lines(
            "Longest in a phase",
            "For how long the slowest instance has been in its phase.",
            Query(oldest, "{{group}}: {{phase}}"),
            unit="s",
            width=24,
        ),
        stay("Median stay", "phase_median_seconds", "Of the last 30 days."),
        stay("95th percentile", "phase_p95_seconds", "Of the last 30 days; absent with fewer than 20 stays."),
    ]
