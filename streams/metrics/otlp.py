"""The same samples as OpenTelemetry's data, sent by OpenTelemetry's exporter.

Knows: OpenTelemetry's model of metrics, the exporter of the extra `hyperpod-state[otel]`.
Must not know: what is told, who asks for it, when.

The SDK's own instruments would be a second table of every metric, called back from a thread of theirs, where nothing
may ask a worker anything.  So what Prometheus is told is translated, and only the exporter is used: endpoint, headers,
TLS, compression, time limits and repetition are its business, by the standard variables.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client import Metric as Family

UNKNOWN = 0
"""When counting began: counts of the tables are older than this process, and go on in the next one."""
CUMULATIVE = AggregationTemporality.CUMULATIVE


class Otlp:
    """One exporter; raises ValueError where a variable is not to be understood."""

    def __init__(self, resource: Mapping[str, str]) -> None:
        """`resource`: what is told of the process where OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say nothing."""
        self._exporter = OTLPMetricExporter()
        said = OTELResourceDetector().detect().attributes
        own = Resource({name: value for name, value in resource.items() if name not in said})
        self._resource = Resource.create().merge(own)

    def push(self, families: Iterable[Family]) -> bool:
        """Send them; blocks for as long as the exporter tries.  False where it was in vain, which the exporter logs."""
        scope = ScopeMetrics(InstrumentationScope("hyperpod-state"), list(translated(families, time.time_ns())), "")
        data = MetricsData([ResourceMetrics(self._resource, [scope], "")])
        return self._exporter.export(data) is MetricExportResult.SUCCESS

    def close(self) -> None:
        """Ends also what is being tried."""
        self._exporter.shutdown()


def translated(families: Iterable[Family], now: int) -> Iterator[Metric]:
    """Families of prometheus-client as metrics; `now` as `time.time_ns` has it.  Those without samples are left out."""
    for family in families:
        if family.samples:
            yield Metric(family.name, family.documentation, "", _data(family, now))


def _data(family: Family, now: int) -> Any:
    if family.type == "histogram":
        return Histogram(list(_histogram(family, now)), CUMULATIVE)
    points = [NumberDataPoint(dict(each.labels), UNKNOWN, now, float(each.value)) for each in family.samples]
    if family.type == "counter":
        return Sum(points, CUMULATIVE, is_monotonic=True)
    return Gauge(points)


def _histogram(family: Family, now: int) -> Iterator[HistogramDataPoint]:
    """Prometheus's buckets hold all that lies below them, OpenTelemetry's what lies between two."""
    found: dict[tuple[tuple[str, str], ...], tuple[list[tuple[float, int]], list[float]]] = {}
    for sample in family.samples:
        labels = tuple((name, value) for name, value in sample.labels.items() if name != "le")
        buckets, sums = found.setdefault(labels, ([], []))
        if sample.name.endswith("_bucket"):
            buckets.append((float(sample.labels["le"]), int(sample.value)))
        elif sample.name.endswith("_sum"):
            sums.append(sample.value)
    for labels, (buckets, sums) in found.items():
        counts = [count for _, count in buckets]
        between = [after - before for before, after in zip([0, *counts[:-1]], counts, strict=True)]
        bounds = [bound for bound, _ in buckets[:-1]]
        yield HistogramDataPoint(
            dict(labels), UNKNOWN, now, counts[-1], sums[0], between, bounds, float("inf"), float("-inf")
        )
