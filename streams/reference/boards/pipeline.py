"""The pipeline: can the other dashboards be believed?

Knows: queries over metrics of workers and of the alerts command.
Must not know: Grafana's model.
"""

from __future__ import annotations

from streams.reference.boards.panels import (
    GREEN,
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

OF = 'job=~"$job", fleet=~"$fleet"'
PLACE = "{{topic}} / {{partition}}"
RATE = "$__rate_interval"


def board() -> str:
    """The dashboard."""
    variables = [
        variable("job", "Job", "label_values(hyperpod_state_ready, job)"),
        variable("fleet", "Fleet of workers", "label_values(hyperpod_state_ready, fleet)"),
    ]
    rows = [
        Row("Now", _now()),
        Row("What came, and what became of it", _counts()),
        Row("How far it is", _progress()),
        Row("Checkpoints", _checkpoints()),
        Row("Processes", _processes()),
        Row("Alerts", _alerts()),
    ]
    about = "Can the other dashboards be believed? What was read, what became of it, and how far behind it is."
    return whole("hyperpod-state-pipeline", "HyperPod: pipeline", about, variables, rows)


def _now() -> list[Panel]:
    there = f"sum(max by (job, fleet, topic) (hyperpod_state_partitions{{{OF}}}))"
    owned = f"count(hyperpod_state_committed_offset{{{OF}}}) / {there}"
    open_ = f"sum(hyperpod_state_values_read_total{{{OF}}}) - sum(hyperpod_state_values_total{{{OF}}})"
    dead = f'sum(increase(hyperpod_state_values_total{{{OF}, outcome="dead_lettered"}}[$__range]))'
    return [
        stat("Workers ready", "Of those that are scraped.", f"sum(hyperpod_state_ready{{{OF}}})", steps=_at_least(1)),
        stat("Partitions worked", "All of them, when at rest.", owned, unit="percentunit", steps=_at_least(1)),
        stat("Records waiting", "In both topics.", f"sum(hyperpod_state_lag_records{{{OF}}})"),
        stat(
            "Picture",
            "How old is what is shown, of the partition that is furthest behind.",
            f"time() - min(hyperpod_state_as_of_timestamp_seconds{{{OF}}})",
            unit="s",
            steps=[Step(None, GREEN), Step(60, YELLOW), Step(300, RED)],
        ),
        stat("Without an outcome", "Read, and not judged yet: 0 when nothing waits.", open_),
        stat("Dead letters", "In the time that is shown.", dead, steps=[Step(None, GREEN), Step(1, YELLOW)]),
    ]


def _at_least(value: float) -> list[Step]:
    return [Step(None, RED), Step(value, GREEN)]


def _counts() -> list[Panel]:
    letters = f"sum by (topic, reason) (hyperpod_state_dead_letters_total{{{OF}}}) > 0"
    return [
        lines(
            "Values by outcome",
            "Each value that is read has exactly one.",
            Query(f"sum by (outcome) (rate(hyperpod_state_values_total{{{OF}}}[{RATE}]))", "{{outcome}}"),
            unit="cps",
            stacked=True,
        ),
        lines(
            "Values read",
            "By partition of the raw topic.",
            Query(f"sum by (partition) (rate(hyperpod_state_values_read_total{{{OF}}}[{RATE}]))", "{{partition}}"),
            unit="cps",
        ),
        lines(
            "Late and unrecognised",
            "Older than the bound; with a text that is not in the catalogue.",
            Query(f"sum(increase(hyperpod_state_values_late_total{{{OF}}}[{RATE}]))", "late"),
            Query(f"sum(increase(hyperpod_state_values_unrecognized_total{{{OF}}}[{RATE}]))", "unrecognised"),
        ),
        listing(
            "Dead letters",
            "All that there ever were, by reason: hyperpod-state deadletter list.",
            letters,
            [("topic", "Topic"), ("reason", "Reason")],
            value="Letters",
        ),
        listing(
            "Heartbeats",
            "Age of the newest heartbeat of each feed.",
            f"time() - max by (account, region) (hyperpod_state_feed_heartbeat_timestamp_seconds{{{OF}}})",
            [("account", "Account"), ("region", "Region")],
            value="Age",
            unit="s",
        ),
    ]


def _progress() -> list[Panel]:
    return [
        lines(
            "Records waiting",
            "By partition.",
            Query(f"sum by (topic, partition) (hyperpod_state_lag_records{{{OF}}})", PLACE),
        ),
        lines(
            "Age of the picture",
            "By partition: what is shown of its clusters is so old.",
            Query(f"time() - min by (partition) (hyperpod_state_as_of_timestamp_seconds{{{OF}}})", "{{partition}}"),
            unit="s",
        ),
        lines(
            "Age of the newest event",
            "By partition. It grows while nothing happens.",
            Query(f"time() - max by (partition) (hyperpod_state_watermark_timestamp_seconds{{{OF}}})", "{{partition}}"),
            unit="s",
        ),
        lines(
            "Records worked",
            "Offsets that are written for good.",
            Query(f"sum by (topic) (rate(hyperpod_state_committed_offset{{{OF}}}[{RATE}]))", "{{topic}}"),
            unit="cps",
        ),
        lines(
            "Standing still",
            "For how long nothing has moved although something waits.",
            Query(f"max by (topic, partition) (hyperpod_state_still_seconds{{{OF}}}) > 0", PLACE),
            unit="s",
        ),
        lines(
            "Tables read back",
            "After a start, or when partitions were taken over.",
            Query(f"hyperpod_state_restored_ratio{{{OF}}}", "{{instance}}"),
            unit="percentunit",
        ),
    ]


def _checkpoints() -> list[Panel]:
    buckets = f"sum by (topic, le) (rate(hyperpod_state_checkpoint_seconds_bucket{{{OF}}}[{RATE}]))"
    return [
        lines(
            "Duration",
            "Median and 95th percentile.",
            Query(f"histogram_quantile(0.5, {buckets})", "{{topic}}, median"),
            Query(f"histogram_quantile(0.95, {buckets})", "{{topic}}, 95 %"),
            unit="s",
        ),
        lines(
            "Checkpoints",
            "By topic.",
            Query(f"sum by (topic) (rate(hyperpod_state_checkpoint_seconds_count{{{OF}}}[{RATE}]))", "{{topic}}"),
            unit="cps",
        ),
        lines(
            "Lost, and taken over",
            "Transactions that were lost, and how often partitions were taken over.",
            Query(
                f"sum by (topic) (increase(hyperpod_state_transactions_lost_total{{{OF}}}[{RATE}]))", "lost: {{topic}}"
            ),
            Query(
                f"sum by (instance) (increase(hyperpod_state_assignments_total{{{OF}}}[{RATE}]))",
                "taken over: {{instance}}",
            ),
        ),
    ]


def _processes() -> list[Panel]:
    return [
        lines("Memory", "Resident.", Query(f"process_resident_memory_bytes{{{OF}}}", "{{instance}}"), unit="bytes"),
        lines("Processor", "Cores.", Query(f"rate(process_cpu_seconds_total{{{OF}}}[{RATE}])", "{{instance}}")),
        lines(
            "Up for",
            "A saw is a loop of restarts.",
            Query(f"time() - process_start_time_seconds{{{OF}}}", "{{instance}}"),
            unit="s",
        ),
        listing(
            "Versions",
            "Of the program, and of its rows.",
            f"count by (version, rows) (hyperpod_state_build_info{{{OF}}})",
            [("version", "Version"), ("rows", "Rows")],
            value="Workers",
        ),
    ]


def _alerts() -> list[Panel]:
    sent = f"sum by (sink, action) (increase(hyperpod_state_alerts_sent_total[{RATE}]))"
    failed = "sum by (sink) (increase(hyperpod_state_alerts_%s_total[" + RATE + "]))"
    return [
        lines("Sent", "By sink: opened, updated, closed.", Query(sent, "{{sink}}: {{action}}")),
        lines(
            "Waiting",
            "Messages that a sink has not taken yet, and pages that are open.",
            Query("sum by (sink) (hyperpod_state_alerts_pending)", "{{sink}}: waiting"),
            Query("sum by (sink) (hyperpod_state_alerts_open_pages)", "{{sink}}: open"),
        ),
        lines(
            "Failed and refused",
            "Failed ones are tried again, refused ones are not.",
            Query(failed % "failed", "{{sink}}: failed"),
            Query(failed % "refused", "{{sink}}: refused"),
        ),
    ]
