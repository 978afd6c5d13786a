"""What is aimed at, as ratios of medians of the same run.

Knows: the targets, and whether runs meet them.
Must not know: how runs are made or shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from benchmarks.measure import Run, best_of, limit_of, ratio_of


@dataclass(frozen=True)
class Target:
    """`of` is to be `at_least` so many times the best of `against`; or `most` so many times what `of` needs."""

    name: str
    part: str
    of: str
    against: tuple[str, ...] = ()
    at_least: float = 1.0
    most: float = 0.0
    unit: str = "bytes"
    """Of `most`."""


class Verdict(msgspec.Struct, frozen=True):
    """One target, judged.  Where it was not measured, `ratio` and `met` are null and `why` says so."""

    name: str
    ratio: float | None
    at_least: float
    met: bool | None
    spread: tuple[float, float] | None
    of: str
    against: str
    part: str
    why: str = ""


STREAMS = ("kafka_streams", "kafka_streams_2")
QUIX = ("quix", "quix_tuned", "quix_rocksdb")
TARGETS = (
    Target("small step: worker ÷ Kafka Streams, at least once", "small", "worker", STREAMS, 1.3),
    Target("small step: worker ÷ Quix Streams", "small", "worker", QUIX, 1.4),
    Target("small step: worker ÷ bare checkpointed client", "small", "worker", ("bare",), 0.75),
    Target("small step: worker on RocksDB ÷ Quix Streams on RocksDB", "small", "worker_rocksdb", QUIX[::2], 1.1),
    Target("real fold: worker ÷ the same fold in Quix Streams", "real", "worker", ("quix", "quix_tuned"), 1.3),
    Target("real fold: worker ÷ the same fold on the bare client", "real", "worker", ("bare",), 0.8),
    Target("real fold in memory ÷ orjson parse alone", "process", "fold", ("parse",), 0.15),
    Target("rate at 200,000 instances ÷ at 1,000", "growth", "200k", ("1k",), 0.7),
    Target("rate at 1,000,000 instances ÷ at 1,000", "growth", "1m", ("1k",), 0.5),
    Target("rate at 30 % disorder ÷ in order", "process", "disorder_30", ("disorder_0",), 0.6),
    Target("restore, cold: Kafka Streams' time ÷ ours", "recovery", "worker_cold", ("kafka_streams_cold",), 1.0),
    Target("restore, warm: Kafka Streams' time ÷ ours", "recovery", "worker_warm", ("kafka_streams_warm",), 1.0),
    Target("single event: 250 ms ÷ p99 until the API has it", "latency", "single_api", (), 1.0, 250, "ms"),
    Target("single event: 250 ms ÷ p99 until its anomaly is told", "latency", "single_anomaly", (), 1.0, 250, "ms"),
    Target("10 % load: 250 ms ÷ p99 until a transition is told", "latency", "load_10", (), 1.0, 250, "ms"),
    Target("replay: memory ÷ that for ten times as many events", "replay", "memory_once", ("memory_ten_times",), 0.9),
    Target("memory: 2 KB ÷ resident bytes per further instance", "memory", "resident", most=2048),
    Target("memory: 2 KB ÷ the same of the first, with what a load leaves", "memory", "resident_first", most=2048),
    Target("disk: 3 KB ÷ bytes on disk per instance", "memory", "disk", most=3072),
)


def judge(runs: Mapping[str, Sequence[Run]], targets: Sequence[Target] = TARGETS) -> list[Verdict]:
    """Every target; `runs` by part."""
    return [_judged(target, runs.get(target.part, ())) for target in targets]


def _judged(target: Target, runs: Sequence[Run]) -> Verdict:
    if target.most:
        against, found = f"{target.most:g} {target.unit}", limit_of(runs, target.of, target.most)
    else:
        best = best_of(runs, target.against)
        against, found = best or "", None if best is None else ratio_of(runs, target.of, best)
    if found is None:
        place = (target.of, against or " or ".join(target.against), target.part)
        return Verdict(target.name, None, target.at_least, None, None, *place, why="not measured")
    ratio, (low, high) = round(found.ratio, 3), found.spread
    place = (target.of, against, target.part)
    return Verdict(
        target.name, ratio, target.at_least, ratio >= target.at_least, (round(low, 3), round(high, 3)), *place
    )
