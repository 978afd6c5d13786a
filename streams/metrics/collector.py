"""`/metrics`: all samples of a worker.

Knows: which modules have series, what is made once and kept.
Must not know: Faust, Kafka, HTTP routing.

What is told of the fleet depends on the picture alone, never on the clock, so it is made once for each picture, however
often and by however many it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from weakref import ref

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from models.public import Picture
from models.rows import FOLD_VERSION
from streams.metrics import figures, fleet, pipeline
from streams.metrics.series import Series, filled, table
from streams.version import installed
from streams.web.provider import Provider

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
OWN = table(
    Series("ready", "gauge", "1 once data may be asked for."),
    Series(
        "build_info",
        "gauge",
        "Always 1: which version this is, and of which version its rows are.",
        ("version", "rows"),
    ),
)
SERIES = {**OWN, **pipeline.SERIES, **fleet.SERIES, **figures.SERIES}
"""Every metric of a worker, but those that prometheus-client has of any process (`process_…`)."""


class Metrics(Collector):
    """A registry of its own, so that nothing else of the process shows; one per application."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._figures = figures.FigureMetrics()
        self._fleet: tuple[ref[Picture], list[Metric]] | None = None
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    async def scrape(self) -> bytes:
        """All samples in the text format."""
        await self._prepare()
        return generate_latest(self._registry)

    async def families(self) -> list[Metric]:
        """All samples, for whoever has a format of its own."""
        await self._prepare()
        return list(self._registry.collect())

    def describe(self) -> list[Metric]:
        """Nothing in advance: registering must not ask the provider for a picture."""
        return []

    def collect(self) -> Iterator[Metric]:
        """What prometheus-client asks for at each scrape; the fleet is left out until it is whole."""
        ready, workings = self._provider.ready().ready, self._provider.workings()
        yield filled(OWN["ready"], [((), ready)])
        yield filled(OWN["build_info"], [((installed() or "", str(FOLD_VERSION)), 1)])
        yield from pipeline.counts(workings.counts)
        yield from pipeline.progress(self._provider.freshness().partitions)
        yield from pipeline.work(workings)
        if ready:
            yield from self._of_fleet(self._provider.picture())
            yield from self._figures.collect()

    async def _prepare(self) -> None:
        if self._provider.ready().ready:
            await self._figures.prepare(self._provider.picture(), self._provider.freshness().as_of)

    def _of_fleet(self, picture: Picture) -> list[Metric]:
        if self._fleet is None or self._fleet[0]() is not picture:
            self._fleet = ref(picture), [*fleet.fleet(picture), *figures.rollouts(picture)]
        return self._fleet[1]
