"""The page of all metrics.

Knows: the tables of series.
Must not know: how a sample is found.
"""

from __future__ import annotations

from collections.abc import Iterable

from streams.alerts import tally
from streams.metrics import collector, figures, fleet, pipeline
from streams.metrics.series import Series
from streams.reference.markdown import code, page, table

LABELS = (
    "Labels hold names of clusters, groups, partitions and closed vocabularies, never instance ids: the number of"
    " series is bounded by the fleet's shape. `cluster` is the name, which two regions may share; `cluster_arn` is"
    " unique. Which instances they are is told by `hyperpod-state get`, the API and the dashboard."
)
MOMENTS = (
    "What happened at a moment is told as that moment (`…_timestamp_seconds`, epoch seconds): its age is"
    " `time() - hyperpod_state_…`."
)
WORKERS = (
    "Each worker tells of the partitions that it works, so scrape all of them, and sum. Counters are told by partition,"
    " as checkpoints write them: they go on where they were after a restart, a kill, or a move to another worker."
)
READY = "Absent until the worker is ready, for half a fleet would look like a disaster."
KEPT = (
    "What is told of the fleet is made once for each picture, however many ask. Figures of 30 days take longer (half a"
    f" second for 1,500 instances) and are made anew at most one part in {figures.SHARE} of the time:"
    " `hyperpod_state_figures_timestamp_seconds` says of which moment they are; a scrape waits for them for"
    f" {figures.PATIENCE_SECONDS:g} seconds at most. A figure that is null has no sample;"
    " all are gauges, for they fall when something leaves the window."
)


def metrics() -> str:
    """Every metric, by what it is of."""
    return page(
        "Metrics",
        "What `GET /metrics` of a worker tells, and `hyperpod-state alerts run --metrics`. How to plug it in, with"
        " rules and dashboards: [monitoring](../monitoring.md).",
        LABELS,
        MOMENTS,
        "## The fleet",
        READY,
        _table(fleet.SERIES.values()),
        "## Rollouts",
        _table(figures.ROLLOUTS.values()),
        "## Figures of reliability",
        "What they mean is in [figures](report.md).",
        KEPT,
        _table(figures.RELIABILITY.values()),
        "## The pipeline",
        WORKERS,
        _table([*collector.OWN.values(), *pipeline.SERIES.values()]),
        "## Alerts",
        "Of the command `alerts run`, by sink.",
        _table(tally.SERIES.values()),
        "## Both processes",
        "Those that prometheus-client has of any process on Linux: `process_start_time_seconds` tells"
        " restarts, `process_resident_memory_bytes` memory, `process_cpu_seconds_total` processor time,"
        " `process_open_fds` files.",
    )


def _table(series: Iterable[Series]) -> str:
    rows = [(code(each.full), each.kind, code(", ".join(each.labels)), each.text) for each in series]
    return table(("metric", "kind", "labels", "meaning"), rows)
