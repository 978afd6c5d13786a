"""`/metrics`: the picture and the counts as Prometheus samples, made at scrape time.

Knows: metric names and labels.
Must not know: Faust, Kafka, HTTP routing.

Labels hold names of clusters, groups and closed vocabularies only, never instance ids: so the number of series is
bounded by the fleet's shape, not by its churn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from models.public import AnomalyStatus, Picture, Summary
from streams.web.figures import FigureMetrics
from streams.web.provider import Partition, Provider

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
PREFIX = "hyperpod_state"
Labels = tuple[str, ...]
Values = Iterable[tuple[Sequence[str], float]]
PROGRESS = (
    ("folded_offset", "Offset that is read next.", "folded"),
    ("committed_offset", "Offset up to which everything is written.", "committed"),
    ("still_seconds", "For how long nothing has moved although something waits.", "still_seconds"),
    ("stalled", "1 where that is too long: the worker is not ready, and a restart may help.", "stalled"),
)


class Metrics(Collector):
    """A registry of its own, so that nothing else of the process shows; one per application."""

    def __init__(self, provider: Provider, clock: Callable[[], float]) -> None:
        self._provider = provider
        self._clock = clock
        self._figures = FigureMetrics()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    async def scrape(self) -> bytes:
        """All samples in the text format."""
        if self._provider.ready().ready:
            await self._figures.prepare(self._provider.picture(), self._provider.freshness().as_of)
        return generate_latest(self._registry)

    def describe(self) -> list[Metric]:
        """Nothing in advance: registering must not ask the provider for a picture."""
        return []

    def collect(self) -> Iterator[Metric]:
        """What prometheus-client asks for at each scrape; the fleet is left out until it is whole."""
        ready = self._provider.ready().ready
        yield _gauge("ready", "1 once data may be asked for.", (), _one(int(ready)))
        yield from _counts(self._provider.summary())
        yield from self._progress()
        if ready:
            yield from _fleet(self._provider.picture())
            yield from self._figures.collect()

    def _progress(self) -> Iterator[Metric]:
        fresh = self._provider.freshness()
        lag = {(str(each.partition),): each.lag for each in fresh.partitions}
        yield _gauge("lag_records", "Records that wait in the raw topic.", ("partition",), lag.items())
        yield from self._partitions(fresh.partitions)
        watermark = self._provider.summary().watermark
        if watermark is not None:
            yield _gauge("watermark_age_seconds", "Age of the newest event time seen.", (), _one(self._age(watermark)))

    def _partitions(self, partitions: Sequence[Partition]) -> Iterator[Metric]:
        """What an alert needs to tell a worker that works from one that only lives."""
        ages = [((str(each.partition),), self._age(each.as_of)) for each in partitions if each.as_of is not None]
        yield _gauge("as_of_age_seconds", "Age of the moment that the picture is of.", ("partition",), ages)
        rows = [((each.topic, str(part.partition)), each) for part in partitions for each in part.topics]
        for name, text, value in PROGRESS:
            values = [(labels, float(getattr(each, value))) for labels, each in rows]
            yield _gauge(name, text, ("topic", "partition"), values)

    def _age(self, moment: str) -> float:
        return self._clock() - datetime.fromisoformat(moment).timestamp()


def _counts(summary: Summary) -> Iterator[Metric]:
    yield _counter("values_read", "Values read, after unwrapping.", (), _one(summary.read))
    outcomes = {
        ("applied",): summary.applied,
        ("duplicate",): summary.duplicate,
        ("ignored",): sum(summary.ignored.values()),
        ("dead_lettered",): summary.dead_lettered,
    }
    yield _counter("values", "What became of them: the outcomes sum to values_read.", ("outcome",), outcomes.items())
    yield _counter("values_late", "Applied values older than the lateness bound.", (), _one(summary.late))
    yield _counter("values_unrecognized", "Applied values outside the catalogue.", (), _one(summary.unrecognized))


def _fleet(picture: Picture) -> Iterator[Metric]:
    """Counted per label set: names are not unique (one name in two regions), duplicate series fail a scrape."""
    names = {item.cluster_arn: item.cluster_name or "" for item in picture.clusters}
    members = Counter(
        (item.cluster_arn, names.get(item.cluster_arn, ""), item.instance_group or "", item.phase)
        for item in picture.instances
    )
    yield _gauge(
        "instances", "Instances and slots by phase.", ("cluster_arn", "cluster", "group", "phase"), members.items()
    )
    found = Counter(
        (item.cluster_arn, names.get(item.cluster_arn, ""), str(item.kind), str(item.severity))
        for item in picture.anomalies
        if item.status is AnomalyStatus.OPEN
    )
    yield _gauge("open_anomalies", "Open anomalies.", ("cluster_arn", "cluster", "kind", "severity"), found.items())


def _one(value: float) -> Values:
    return [((), value)]


def _gauge(name: str, text: str, labels: Labels, values: Values) -> Metric:
    return _filled(GaugeMetricFamily(f"{PREFIX}_{name}", text, labels=labels), values)


def _counter(name: str, text: str, labels: Labels, values: Values) -> Metric:
    return _filled(CounterMetricFamily(f"{PREFIX}_{name}", text, labels=labels), values)


def _filled(family: GaugeMetricFamily | CounterMetricFamily, values: Values) -> Metric:
    for labels, value in values:
        family.add_metric(labels, value)
    return family
