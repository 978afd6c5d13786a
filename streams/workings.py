"""What the metrics tell of the worker's own work, gathered from its lanes.

Knows: lanes, their progress rows.
Must not know: names of metrics.

Counts are those of the progress rows in the local tables, as the last checkpoint wrote them.  In memory they are ahead;
but a worker that is killed, or loses a transaction, counts again from there, and a counter that falls looks to
Prometheus as if everything had been counted once more.
"""

from __future__ import annotations

from collections.abc import Mapping

from streams import codecs
from streams.agents.events import EventsLane
from streams.agents.raw import RawLane
from streams.checkpoint import PROGRESS
from streams.codecs import Progress, RawCounts
from streams.lane import progress_of
from streams.lanes import Lanes
from streams.metrics.workings import Counted, Workings


def workings(lanes: Lanes) -> Workings:
    """Of the partitions that are here; cheap, asked at any time."""
    settings = lanes.settings
    raw = [(lane, _raw_counts(lane)) for lane in lanes.raw.values() if lane.open]
    events = [(lane, _progress(lane)) for lane in lanes.events.values() if lane.open]
    share = lanes.restorer.share
    return Workings(
        partitions={settings.raw_topic: settings.raw_partitions, settings.events_topic: settings.partitions},
        counts=[*(_of_raw(*each) for each in raw), *(_of_events(*each) for each in events)],
        watermarks={lane.partition: row.watermark for lane, row in events if row and row.watermark is not None},
        heartbeats=_heartbeats(lanes),
        checkpoints=lanes.checkpoints,
        topics={
            "raw": settings.raw_topic,
            "events": settings.events_topic,
            "transitions": settings.transitions_topic,
            "anomalies": settings.anomalies_topic,
            "deadletter": settings.deadletter_topic,
        },
        assignments=lanes.assignments,
        restored=1.0 if lanes.assigned else share or 0.0,
    )


def _raw_counts(lane: RawLane) -> RawCounts:
    stored = progress_of(lane, lane.table, codecs.RAW_PROGRESS)
    return RawCounts() if stored is None else stored.counts


def _progress(lane: EventsLane) -> Progress | None:
    stored: Progress | None = progress_of(lane, PROGRESS, codecs.PROGRESS)
    return stored


def _of_raw(lane: RawLane, counts: RawCounts) -> Counted:
    outcomes = {"ignored": sum(counts.ignored.values()), "dead_lettered": sum(counts.dead_lettered.values())}
    return Counted(lane.source, lane.partition, outcomes, counts.dead_lettered, read=counts.read)


def _of_events(lane: EventsLane, progress: Progress | None) -> Counted:
    counts = codecs.Counts() if progress is None else progress.counts
    outcomes = {"applied": counts.applied, "duplicate": counts.duplicate, "dead_lettered": counts.failed}
    letters = {"failed": counts.failed, "foreign": counts.foreign}
    return Counted(lane.source, lane.partition, outcomes, letters, late=counts.late, unrecognized=counts.unrecognized)


def _heartbeats(lanes: Lanes) -> Mapping[tuple[str, str], int]:
    """Every partition hears all of them; some may have heard more by now."""
    found: dict[tuple[str, str], int] = {}
    for lane in lanes.events.values():
        if lane.open:
            for feed, at in lane.fleet.heartbeats().items():
                found[feed] = max(at, found.get(feed, at))
    return found
