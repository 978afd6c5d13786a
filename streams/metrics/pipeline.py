"""The worker as samples: what was read and what became of it, how far each partition is, how checkpoints go.

Knows: names, labels and meanings of the series.
Must not know: lanes, Kafka, HTTP.

Each worker tells of its own partitions.  Counters are told by partition, as they are committed: a partition that moves
to another worker takes its counts along, and a sum over all workers never falls or jumps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from prometheus_client.core import Metric

from streams.metrics.series import Sample, Series, filled, histogram, seconds, table
from streams.metrics.workings import Counted, Workings
from streams.web.provider import Partition

PLACE = ("topic", "partition")
COUNTS = table(
    Series("values_read", "counter", "Values read, after unwrapping.", PLACE),
    Series("values", "counter", "What became of them: the outcomes sum to what was read.", (*PLACE, "outcome")),
    Series("values_late", "counter", "Applied values older than the lateness bound.", PLACE),
    Series("values_unrecognized", "counter", "Applied values with a text outside the catalogue.", PLACE),
    Series("dead_letters", "counter", "Dead letters by reason; `foreign` ones are no values.", (*PLACE, "reason")),
)
PROGRESS = table(
    Series("lag_records", "gauge", "Records that wait.", PLACE),
    Series("folded_offset", "gauge", "Offset that is read next.", PLACE),
    Series("committed_offset", "gauge", "Offset up to which everything is written.", PLACE),
    Series("still_seconds", "gauge", "For how long nothing has moved although something waits.", PLACE),
    Series("stalled", "gauge", "1 where that is too long: the worker is not ready, and a restart may help.", PLACE),
    Series("as_of_timestamp_seconds", "gauge", "The moment that its part of the picture is of.", ("partition",)),
)
WORK = table(
    Series("partitions", "gauge", "Partitions that the topic has, whoever works them.", ("topic",)),
    Series("watermark_timestamp_seconds", "gauge", "The newest event time seen.", ("partition",)),
    Series(
        "feed_heartbeat_timestamp_seconds",
        "gauge",
        "The newest heartbeat of an account and region that has sent any.",
        ("account", "region"),
    ),
    Series("checkpoint_seconds", "histogram", "How long checkpoints took.", ("topic",)),
    Series("transactions_lost", "counter", "Checkpoints lost, after which partitions were claimed anew.", ("topic",)),
    Series("assignments", "counter", "How often this process has taken partitions over."),
    Series("restored_ratio", "gauge", "Share of the tables read back from Kafka; 1 when at work.", ()),
)
SERIES = {**COUNTS, **PROGRESS, **WORK}


def counts(counted: Sequence[Counted]) -> Iterator[Metric]:
    """What was read, and what became of it."""
    samples: dict[str, list[Sample]] = {name: [] for name in COUNTS}
    for each in counted:
        place = each.topic, str(each.partition)
        samples["values_read"].append((place, each.read))
        samples["values"] += [((*place, outcome), count) for outcome, count in each.outcomes.items()]
        samples["values_late"].append((place, each.late))
        samples["values_unrecognized"].append((place, each.unrecognized))
        samples["dead_letters"] += [((*place, reason), count) for reason, count in each.letters.items()]
    yield from _all(COUNTS, samples)


def progress(partitions: Sequence[Partition]) -> Iterator[Metric]:
    """What an alert needs to tell a worker that works from one that only lives."""
    rows = [((each.topic, str(part.partition)), each) for part in partitions for each in part.topics]
    samples: dict[str, list[Sample]] = {
        "lag_records": [(place, each.lag) for place, each in rows],
        "folded_offset": [(place, each.folded) for place, each in rows],
        "committed_offset": [(place, each.committed) for place, each in rows],
        "still_seconds": [(place, each.still_seconds) for place, each in rows],
        "stalled": [(place, each.stalled) for place, each in rows],
        "as_of_timestamp_seconds": [((str(each.partition),), seconds(each.as_of)) for each in partitions],
    }
    yield from _all(PROGRESS, samples)


def work(workings: Workings) -> Iterator[Metric]:
    """Everything else of the worker."""
    checkpoints = {(topic,): each for topic, each in workings.checkpoints.items()}
    samples: dict[str, list[Sample]] = {
        "partitions": [((topic,), count) for topic, count in workings.partitions.items()],
        "watermark_timestamp_seconds": [((str(part),), ms / 1000) for part, ms in workings.watermarks.items()],
        "feed_heartbeat_timestamp_seconds": [(feed, ms / 1000) for feed, ms in workings.heartbeats.items()],
        "transactions_lost": [(topic, each.lost) for topic, each in checkpoints.items()],
        "assignments": [((), workings.assignments)],
        "restored_ratio": [((), workings.restored)],
    }
    yield histogram(WORK["checkpoint_seconds"], [(topic, each.buckets) for topic, each in checkpoints.items()])
    yield from _all({name: WORK[name] for name in samples}, samples)


def _all(series: Mapping[str, Series], samples: Mapping[str, list[Sample]]) -> Iterator[Metric]:
    return (filled(each, samples[name]) for name, each in series.items())
