"""Figures of reliability and of rollouts as samples.

Knows: names, labels and meanings of the series.
Must not know: how a figure is found, HTTP.

The window is what is kept, 30 days at most.  A figure that is null has no sample.  Figures of reliability are of all
that is remembered of every instance, so they take a while to make, and change little from one minute to the next: they
are made anew at most one part in `SHARE` of the time.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Protocol
from weakref import ref

from prometheus_client.core import Metric

from models.explain.times import milliseconds
from models.public import Picture, Time
from models.public_rollout import UNDER_WAY
from models.report import KEEP_MS, Figures, Report, report
from models.report.lives import PHASE
from streams import logs
from streams.metrics.series import Named, Sample, Series, filled, seconds, table

SHARE = 20
PATIENCE_SECONDS = 2.0
"""For figures that are being made: Prometheus gives up a scrape after ten seconds, and then has nothing at all."""
log = logs.get(__name__)
GROUP = ("cluster_arn", "cluster", "group")
RELIABILITY = table(
    Series("failures", "gauge", "Failures of groups and instances of the last 30 days, by cause.", (*GROUP, "cause")),
    Series("failures_unrepaired", "gauge", "Failures of the last 30 days that are not repaired.", GROUP),
    Series("mttr_seconds", "gauge", "Mean time to repair of the last 30 days.", GROUP),
    Series("mtbf_seconds", "gauge", "Mean time between unplanned failures of the last 30 days.", GROUP),
    Series("up_node_seconds", "gauge", "Time in which places had an instance that served, last 30 days.", GROUP),
    Series("lost_node_seconds", "gauge", "Time in which they had none, last 30 days.", (*GROUP, "planned")),
    Series("capacity_shortage_ratio", "gauge", "Share of attempts that found no capacity, last 30 days.", GROUP),
    Series("capacity_longest_wait_seconds", "gauge", "Longest wait for capacity of the last 30 days.", GROUP),
    Series("repeat_offenders", "gauge", "Places that failed unplanned twice or more in the last 30 days.", GROUP),
    Series("phase_median_seconds", "gauge", "Median stay of an instance in a phase, last 30 days.", (*GROUP, "phase")),
    Series(
        "phase_p95_seconds", "gauge", "95th percentile of the same; absent with fewer than 20 stays.", (*GROUP, "phase")
    ),
    Series("figures_timestamp_seconds", "gauge", "The moment that the figures of the last 30 days are of."),
)
ROLLOUTS = table(
    Series("rollout_under_way", "gauge", "1 while the group's newest rollout is under way.", (*GROUP, "outcome")),
    Series(
        "rollout_instances", "gauge", "Instances of the group's newest rollout by what it did last.", (*GROUP, "result")
    ),
    Series("rollout_batches", "gauge", "Batches that the group's newest rollout has selected.", GROUP),
    Series("rollout_residue", "gauge", "Members that the group's newest rollout left on another image.", GROUP),
    Series("rollout_begun_timestamp_seconds", "gauge", "When the group's newest rollout began.", GROUP),
    Series(
        "rollout_expected_end_timestamp_seconds",
        "gauge",
        "Estimated end of a rollout under way; absent if unknown.",
        GROUP,
    ),
)
SERIES = {**RELIABILITY, **ROLLOUTS}


class FigureMetrics:
    """Remembers the samples of reliability that were made last."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, patience: float = PATIENCE_SECONDS) -> None:
        self._clock, self._patience = clock, patience
        self._of: tuple[ref[Picture], Time | None] | None = None
        self._due = 0.0
        self._made: list[Metric] = []
        self._making: asyncio.Task[None] | None = None

    async def prepare(self, picture: Picture, now: Time | None) -> None:
        """Have them made of this picture, unless that was done a moment ago; wait for it, but not for long."""
        known = self._of is not None and self._of[0]() is picture and self._of[1] == now
        if self._making is None and not known and self._clock() >= self._due:
            self._making = asyncio.create_task(self._make(picture, now))
        if self._making is not None:
            await asyncio.wait([self._making], timeout=self._patience)

    async def _make(self, picture: Picture, now: Time | None) -> None:
        """Beside the event loop.  A fault in a figure costs no other metric."""
        began = self._clock()
        try:
            self._made = await asyncio.to_thread(lambda: list(_metrics(picture, now)))
        except Exception as error:  # noqa: BLE001 - any fault of the report's
            log.error("figures cannot be made", error=logs.place(error))
        finally:
            self._of, self._making, ended = (ref(picture), now), None, self._clock()
            self._due = ended + SHARE * (ended - began)

    def collect(self) -> list[Metric]:
        """All of them, as they were made last."""
        return self._made


def _metrics(picture: Picture, now: Time | None) -> Iterator[Metric]:
    found = report(picture, now, since_ms=None if now is None else milliseconds(now) - KEEP_MS)
    moment: Named = "figures_timestamp_seconds", [((), seconds(now))]
    samples = dict([*_reliability(found), *_states(found), moment])
    yield from (filled(series, samples[name]) for name, series in RELIABILITY.items())


def rollouts(picture: Picture) -> Iterator[Metric]:
    """The newest rollout of every group."""
    samples = dict(_rollouts(picture))
    yield from (filled(series, samples[name]) for name, series in ROLLOUTS.items())


def _reliability(found: Report) -> Iterator[Named]:
    groups = [(_labels(each), each) for each in found.figures if each.by == "instance_group"]
    causes = [each for each in found.figures if each.by == "cause" and each.cluster_arn is not None]
    offenders = Counter(_labels(each) for each in found.offenders)
    yield "failures", [((*_labels(each), str(each.cause)), each.failures) for each in causes]
    yield "failures_unrepaired", [(labels, each.failures_open) for labels, each in groups]
    yield "mttr_seconds", [(labels, each.mttr_seconds) for labels, each in groups]
    yield "mtbf_seconds", [(labels, _of_hours(each.mtbf_hours)) for labels, each in groups]
    yield "up_node_seconds", [(labels, _of_hours(each.up_hours)) for labels, each in groups]
    yield "lost_node_seconds", [sample for labels, each in groups for sample in _lost(labels, each)]
    yield "capacity_shortage_ratio", [(labels, each.capacity_shortage) for labels, each in groups]
    yield "capacity_longest_wait_seconds", [(labels, each.capacity_longest_wait_seconds) for labels, each in groups]
    yield "repeat_offenders", [(labels, offenders[labels]) for labels, _ in groups]


def _lost(labels: tuple[str, ...], each: Figures) -> Iterator[Sample]:
    yield (*labels, "true"), _of_hours(each.lost_hours_planned)
    yield (*labels, "false"), _of_hours(each.lost_hours_unplanned)


def _states(found: Report) -> Iterator[Named]:
    phases = [each for each in found.states if each.by == "instance_group" and each.machine == PHASE]
    yield "phase_median_seconds", [((*_labels(each), each.state), each.median_seconds) for each in phases]
    yield "phase_p95_seconds", [((*_labels(each), each.state), each.p95_seconds) for each in phases]


def _rollouts(picture: Picture) -> Iterator[Named]:
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
    yield "rollout_begun_timestamp_seconds", [(labels, seconds(each.begun)) for labels, each in newest.items()]
    ends = [(labels, each.estimate.ends_at) for labels, each in going if each.estimate is not None]
    yield "rollout_expected_end_timestamp_seconds", [(labels, seconds(end)) for labels, end in ends]


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


def _of_hours(hours: float | None) -> float | None:
    return None if hours is None else round(hours * 3600, 1)
