"""Figures of reliability and of rollouts as Prometheus samples.

Knows: names, labels and meanings of the series; the table here is printed into the reference.
Must not know: how a figure is found, HTTP.

One picture's samples are made once, however often they are scraped.  The window is what is kept, 30 days at most.  A
figure that is null has no sample.  Labels hold clusters, groups and closed vocabularies, never instance ids.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from prometheus_client.core import GaugeMetricFamily, Metric

from models.explain.times import milliseconds
from models.public import Picture, Time
from models.public_rollout import UNDER_WAY
from models.report import KEEP_MS, Figures, Report, report
from models.report.lives import PHASE

PREFIX = "hyperpod_state"
GROUP = ("cluster_arn", "cluster", "group")
Sample = tuple[Sequence[str], float | None]


class Series(NamedTuple):
    """One metric."""

    name: str
    text: str
    labels: tuple[str, ...]


SERIES = (
    Series("failures", "Failures of groups and their instances of the last 30 days, by cause.", (*GROUP, "cause")),
    Series("failures_unrepaired", "Failures of the last 30 days that are not repaired.", GROUP),
    Series("mttr_seconds", "Mean time to repair of the last 30 days.", GROUP),
    Series("mtbf_seconds", "Mean time between unplanned failures of the last 30 days.", GROUP),
    Series("up_node_seconds", "Time in which places had an instance that served, last 30 days.", GROUP),
    Series("lost_node_seconds", "Time in which they had none, last 30 days.", (*GROUP, "planned")),
    Series("capacity_shortage_ratio", "Share of attempts that found no capacity, last 30 days.", GROUP),
    Series("capacity_longest_wait_seconds", "Longest wait for capacity of the last 30 days.", GROUP),
    Series("repeat_offenders", "Places that failed unplanned twice or more in the last 30 days.", GROUP),
    Series("phase_median_seconds", "Median stay of an instance in a phase, last 30 days.", (*GROUP, "phase")),
    Series("phase_p95_seconds", "95th percentile of the same; absent with fewer than 20 stays.", (*GROUP, "phase")),
    Series("rollout_under_way", "1 while the group's newest rollout is under way.", (*GROUP, "outcome")),
    Series("rollout_instances", "Instances of the group's newest rollout by what it did last.", (*GROUP, "result")),
    Series("rollout_batches", "Batches that the group's newest rollout has selected.", GROUP),
    Series("rollout_residue", "Members that the group's newest rollout left on another image.", GROUP),
    Series("rollout_expected_end_timestamp_seconds", "Estimated end of a rollout under way; absent if unknown.", GROUP),
)


class FigureMetrics:
    """Remembers the samples of the last picture."""

    def __init__(self) -> None:
        self._of: tuple[Picture, Time | None] | None = None
        self._made: list[Metric] = []

    async def prepare(self, picture: Picture, now: Time | None) -> None:
        """Make the samples of a picture, beside the event loop: a thousand instances take half a second."""
        if self._of is None or self._of[0] is not picture or self._of[1] != now:
            self._made = await asyncio.to_thread(lambda: list(_metrics(picture, now)))
            self._of = (picture, now)

    def collect(self) -> list[Metric]:
        """All of them, of the picture that was prepared last."""
        return self._made


def _metrics(picture: Picture, now: Time | None) -> Iterator[Metric]:
    found = report(picture, now, since_ms=None if now is None else milliseconds(now) - KEEP_MS)
    samples = dict([*_reliability(found), *_states(found), *_rollouts(picture)])
    for series in SERIES:
        family = GaugeMetricFamily(f"{PREFIX}_{series.name}", series.text, labels=series.labels)
        for labels, value in samples[series.name]:
            if value is not None:
                family.add_metric(labels, value)
        yield family


def _reliability(found: Report) -> Iterator[tuple[str, list[Sample]]]:
    groups = [(_labels(each), each) for each in found.figures if each.by == "instance_group"]
    causes = [each for each in found.figures if each.by == "cause" and each.cluster_arn is not None]
    offenders = Counter(_labels(each) for each in found.offenders)
    yield "failures", [((*_labels(each), str(each.cause)), each.failures) for each in causes]
    yield "failures_unrepaired", [(labels, each.failures_open) for labels, each in groups]
    yield "mttr_seconds", [(labels, each.mttr_seconds) for labels, each in groups]
    yield "mtbf_seconds", [(labels, _seconds(each.mtbf_hours)) for labels, each in groups]
    yield "up_node_seconds", [(labels, _seconds(each.up_hours)) for labels, each in groups]
    yield "lost_node_seconds", [sample for labels, each in groups for sample in _lost(labels, each)]
    yield "capacity_shortage_ratio", [(labels, each.capacity_shortage) for labels, each in groups]
    yield "capacity_longest_wait_seconds", [(labels, each.capacity_longest_wait_seconds) for labels, each in groups]
    yield "repeat_offenders", [(labels, offenders[labels]) for labels, _ in groups]


def _lost(labels: tuple[str, ...], each: Figures) -> Iterator[Sample]:
    yield (*labels, "true"), _seconds(each.lost_hours_planned)
    yield (*labels, "false"), _seconds(each.lost_hours_unplanned)


def _states(found: Report) -> Iterator[tuple[str, list[Sample]]]:
    phases = [each for each in found.states if each.by == "instance_group" and each.machine == PHASE]
    yield "phase_median_seconds", [((*_labels(each), each.state), each.median_seconds) for each in phases]
    yield "phase_p95_seconds", [((*_labels(each), each.state), each.p95_seconds) for each in phases]


def _rollouts(picture: Picture) -> Iterator[tuple[str, list[Sample]]]:
    newest = {_labels(each): each for each in reversed(picture.rollouts)}  # the newest of a group comes first
    going = [(labels, each) for labels, each in newest.items() if each.outcome in UNDER_WAY]
    yield "rollout_under_way", [((*labels, each.outcome), 1) for labels, each in going]
    yield (
        "rollout_instances",
        [
            ((*labels, name), len(ids))
            for labels, each in newest.items()
            for name, ids in each.instances.model_dump().items()
        ],
    )
    yield "rollout_batches", [(labels, each.batches) for labels, each in newest.items()]
    yield (
        "rollout_residue",
        [(labels, len(each.residue.instances)) for labels, each in newest.items() if each.residue is not None],
    )
    ends = [(labels, each.estimate.ends_at) for labels, each in going if each.estimate is not None]
    yield (
        "rollout_expected_end_timestamp_seconds",
        [(labels, milliseconds(end) / 1000) for labels, end in ends if end is not None],
    )


class _OfGroup(Protocol):
    """Anything of a group."""

    @property
    def cluster_arn(self) -> str | None: ...
    @property
    def cluster_name(self) -> str | None: ...
    @property
    def instance_group(self) -> str | None: ...


def _labels(each: _OfGroup) -> tuple[str, str, str]:
    return each.cluster_arn or "", each.cluster_name or "", each.instance_group or ""


def _seconds(hours: float | None) -> float | None:
    return None if hours is None else round(hours * 3600, 1)


def documented() -> Iterable[tuple[str, str, str]]:
    """Name, labels and meaning of every series."""
    return [(f"{PREFIX}_{each.name}", ", ".join(each.labels), each.text) for each in SERIES]
