"""docs/scale.md, out of the figures and nothing else.

Knows: which table says what.
Must not know: how anything is measured; formulas (`estimate`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from textwrap import fill

from benchmarks.scale import estimate as reckon
from benchmarks.scale import words
from benchmarks.scale.estimate import Fleet
from benchmarks.scale.results import Point, Scale, Taken

DOCS = Path(__file__).resolve().parents[2] / "docs"
LOWEST = 19
FLEETS = (
    Fleet(1_000, 5, 1, 4),
    Fleet(10_000, 50, 1, 4),
    Fleet(100_000, 200, 2, 8),
    Fleet(300_000, 400, 4, 12),
    Fleet(1_000_000, 1_000, 10, 30),
)
SIZES = (200, 1_000, 5_000, 20_000)
"""Instances of one cluster."""
COMPACTED = ("hyperpod.anomalies", "hyperpod.status", "hyperpod.silences")
Show = Callable[[Point], str]
COLUMNS: tuple[tuple[str, Show], ...] = (
    ("rows", lambda point: f"{point.rows:,}"),
    ("bytes of rows, an instance", lambda point: f"{point.row_bytes / point.instances:,.0f}"),
    ("anomalies, open or of the last 30 days", lambda point: f"{point.anomalies:,}"),
    ("back, with an empty folder", lambda point: _back(point.cold_seconds, point.cold_cpu)),
    ("back, with its tables", lambda point: _back(point.warm_seconds, point.warm_cpu)),
    ("memory at rest", lambda point: size(point.resident_bytes)),
    ("memory once asked for everything", lambda point: size(point.asked_bytes)),
    ("local disk", lambda point: size(point.disk_bytes)),
    ("`/api/v1/fleet`, first and again", lambda point: _asked(point, "/api/v1/fleet")),
    ("a page of instances, after that", lambda point: _asked(point, "/api/v1/instances?limit=1")),
    ("`/metrics`, first and again", lambda point: _asked(point, "/metrics")),
)


def write(found: Scale, docs: Path = DOCS) -> None:
    """The page."""
    (docs / "scale.md").write_text(text(found), encoding="utf-8")


def text(found: Scale) -> str:
    """The same figures give the same bytes."""
    parts = (words.HEAD, words.POINTS, _points(found), words.ROWS, _rows(found), words.LARGER)
    more = (_larger(found), _formulas(), words.HOT, _hot(found), words.PARTITIONS + _partitions(found), words.KEPT)
    return "\n".join([*parts, *more, _kept(found), words.MONEY, words.ENDS.format(how=_how(found)), words.TAIL])


def size(count: float) -> str:
    """Bytes for people, in decimal units."""
    for unit, above in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= above:
            return f"{count / above:,.1f} {unit}" if count < 100 * above else f"{count / above:,.0f} {unit}"
    return f"{count:.0f} B"


def seconds(count: float) -> str:
    """For people."""
    return f"{count / 60:,.1f} min" if count >= 120 else f"{count:,.0f} s" if count >= 10 else f"{count:,.2g} s"


def _how(found: Scale) -> str:
    """Under which conditions."""
    taken = found.fleets.taken
    lowest = "at the lowest priority (nice 19), other work going on beside them"
    how = lowest if taken.nice >= LOWEST else "with nothing else to do"
    return f"{how}, on {taken.machine['cores']} cores that the worker shared with Kafka"


def _taken(taken: Taken) -> str:
    """Where, when and how a part was measured."""
    before, after = taken.load
    where = ", ".join(taken.machine[key] for key in ("processor", "memory", "system") if key in taken.machine)
    used = ", ".join(f"{name} {taken.versions[name]}" for name in ("python", "kafka", "rocksdict"))
    return _paragraph(
        f"Measured at {taken.at} of commit `{taken.commit}`, nice {taken.nice}; load average {before} before, {after}"
        f" after; {where}; {used}."
    )


def _points(found: Scale) -> str:
    head = [f"{point.instances:,} instances" for point in found.fleets.points]
    lines = [[name, *(show(point) for point in found.fleets.points)] for name, show in COLUMNS]
    empty, partitions = size(found.fleets.empty_bytes), found.fleets.partitions
    alone = f"Without a fleet a worker has {empty} of memory. There were {partitions} partitions.\n"
    return f"{_table(['', *head], lines)}\n{alone}\n{_taken(found.fleets.taken)}"


def _rows(found: Scale) -> str:
    each = [f"{row.events} events" for row in found.process.rows]
    table = _table(["", *each], [["bytes", *(f"{row.bytes:,}" for row in found.process.rows)]])
    return f"{table}\n{_taken(found.process.taken)}"


def _larger(found: Scale) -> str:
    lines = []
    for fleet in FLEETS:
        told = reckon.estimate(found, fleet)
        lines.append(
            [
                *(f"{number:,}" for number in (fleet.instances, fleet.clusters, fleet.workers, fleet.partitions)),
                *(size(each) for each in (told.row_bytes, told.changelog_bytes, told.resident_bytes, told.disk_bytes)),
                *(seconds(each) for each in (told.cold_cpu, told.warm_cpu)),
            ]
        )
    head = ["instances", "clusters", "workers", "partitions", "rows", "changelogs, a replica"]
    table = _table([*head, "memory, a worker", "disk, a worker", "back, empty", "back, with tables"], lines)
    return f"{table}\n{_paragraph(_beyond(found))}"


def _beyond(found: Scale) -> str:
    """Which of the fleets are further than anything that was measured."""
    most = max(point.instances for point in found.fleets.points)
    within = [f"{fleet.instances:,}" for fleet in FLEETS if fleet.instances <= most * fleet.workers]
    said = f"Measured was one worker with up to {most:,} instances"
    if len(within) == len(FLEETS):
        return f"{said}, and in none of these fleets has a worker more."
    return f"{said}, which covers the fleets of {', '.join(within)}. The others are reckoned: nobody has seen them."


def _hot(found: Scale) -> str:
    rate = reckon.events_a_second(found)
    told = [reckon.judging(found, count) for count in SIZES]
    lines = [
        ["judged once", *(seconds(each["judged"]) for each in told)],
        ["judged after a rest", *(seconds(each["opened"]) for each in told)],
        ["between two judgements while events keep coming", *(seconds(each["busy"]) for each in told)],
    ]
    table = _table(["instances of the cluster", *(f"{count:,}" for count in SIZES)], lines)
    largest = max(found.process.clusters, key=lambda cluster: cluster.instances)
    took = found.live.backlog.cpu_seconds / found.live.backlog.events * 1e6
    judged = (
        f"By {largest.judge_us:.0f} µs of a processor for each instance to judge it, {largest.open_us:.0f} to open it"
        f" from its row ({largest.instances:,} instances in one cluster)."
    )
    events = (
        f"A backlog of one cluster's events is worked off at {rate:,.0f} a second of a processor, {took:,.0f} µs an"
        " event with everything around it. For comparison: an update of all instances of a cluster of 20,000 within"
        " half an hour brings some 70 a second."
    )
    return f"{table}\n{_paragraph(judged)}\n{_paragraph(events)}\n{_taken(found.live.taken)}"


def _partitions(found: Scale) -> str:
    fleet = FLEETS[-1]
    square = reckon.ticks_a_day(found, fleet.partitions, fleet.partitions)
    few = reckon.ticks_a_day(found, fleet.partitions, reckon.RAW)
    most = reckon.most_of_a_worker(found, 300.0)
    ticks = (
        f"- With {fleet.partitions} partitions of both kinds a quiet fleet writes {size(square)} of ticks a day, with"
        f" {reckon.RAW} raw ones {size(few)}."
    )
    share = (
        f"- A worker may have some {most:,.0f} instances, if it is to be back within a quarter of"
        " `HYPERPOD_STATE_RESTORE_DEADLINE` (300 s) with an empty folder. Start so many that the others can take over"
        " what one of them had."
    )
    return _paragraph(ticks) + _paragraph(share)


def _kept(found: Scale) -> str:
    fleet, each = FLEETS[-1], found.live.single.bytes_each
    kept = reckon.kept(found, fleet)
    lines = [
        [f"`{name}`", f"{days} days", f"{each.get(name, 0.0):,.0f}", size(kept[name])]
        for name, days in reckon.DAYS.items()
        if name in each
    ]
    lines += [
        [f"`{name}`", "compacted", f"{each[name]:,.0f}", "the newest of each key"] for name in COMPACTED if name in each
    ]
    logs = sum(size_ for name, size_ in each.items() if name.endswith("-changelog"))
    lines.append(
        ["all `…-changelog`", "compacted", f"{logs:,.0f}", size(reckon.estimate(found, fleet).changelog_bytes)]
    )
    head = ["topic", "kept", "bytes an event", f"{fleet.instances:,} instances, an event a day each"]
    day = f"All together {size(reckon.written_a_day(found, fleet))} a day go in, each replica."
    ticks = f" Of that, and of `hyperpod.events`, ticks are reckoned with {reckon.RAW} raw partitions."
    return f"{_table(head, lines)}\n{_paragraph(day + ticks)}"


def _formulas() -> str:
    return _table(["", ""], words.FORMULAS)


def _paragraph(said: str) -> str:
    """Of the page's width; an item of a list keeps its indentation."""
    return fill(said, 118, subsequent_indent="  " if said.startswith("- ") else "", break_on_hyphens=False) + "\n"


def _back(wall: float, cpu: float) -> str:
    return f"{wall:,.1f} s ({cpu:,.1f} s of a processor)"


def _asked(point: Point, question: str) -> str:
    asked = point.asked[question]
    return f"{seconds(asked.first)}, {seconds(asked.again)}"


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [f"| {' | '.join(cells)} |" for cells in (head, *lines)]
    return "\n".join([rows[0], "|" + "---|" * len(head), *rows[1:], ""])
