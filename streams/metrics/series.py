"""One metric: its name, kind, meaning and labels; and its samples as prometheus-client wants them.

Knows: how Prometheus names things.
Must not know: any metric.

Labels hold names of clusters, groups, topics and closed vocabularies, never instance ids: so the number of series is
bounded by the fleet's shape, not by its churn.  What happened at a moment is told as that moment, not as an age: the
sample is then right however old it is, and need not be made anew because a second has passed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from models.explain.times import milliseconds
from models.public import Time

PREFIX = "hyperpod_state"
Kind = Literal["gauge", "counter", "histogram"]
Sample = tuple[Sequence[str], float | None]
"""Values of the labels, and the value; what is not known has no sample."""


Named = tuple[str, Iterable[Sample]]
"""A metric's name and its samples."""


class Series(NamedTuple):
    """One metric; counters are named without the `_total` that they are exposed with."""

    name: str
    kind: Kind
    text: str
    labels: tuple[str, ...] = ()

    @property
    def full(self) -> str:
        """The name that is asked for."""
        return f"{PREFIX}_{self.name}" + ("_total" if self.kind == "counter" else "")


class Buckets(NamedTuple):
    """What a histogram has counted: cumulative counts by upper bound, the last one `+Inf`, and the sum."""

    counts: Sequence[tuple[str, float]]
    sum: float


def table(*series: Series) -> Mapping[str, Series]:
    """By name."""
    return {each.name: each for each in series}


def filled(series: Series, samples: Iterable[Sample]) -> Metric:
    """A gauge or a counter with its samples."""
    make = CounterMetricFamily if series.kind == "counter" else GaugeMetricFamily
    family = make(f"{PREFIX}_{series.name}", series.text, labels=series.labels)
    for labels, value in samples:
        if value is not None:
            family.add_metric(labels, value)
    return family


def histogram(series: Series, samples: Iterable[tuple[Sequence[str], Buckets]]) -> Metric:
    """A histogram with its buckets."""
    family = HistogramMetricFamily(f"{PREFIX}_{series.name}", series.text, labels=series.labels)
    for labels, found in samples:
        family.add_metric(labels, buckets=found.counts, sum_value=found.sum)
    return family


def seconds(moment: Time | None) -> float | None:
    """A public time in epoch seconds."""
    return None if moment is None else milliseconds(moment) / 1000
