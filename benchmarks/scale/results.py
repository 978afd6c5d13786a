"""The figures of docs/scale.md, as they are kept.

Knows: their form and their file.
Must not know: how anything is measured, what follows from it.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

PATH = Path(__file__).resolve().parent.parent / "scale.json"


class Asked(msgspec.Struct, frozen=True):
    """One question to a worker at rest: at first, and again."""

    first: float
    again: float


class Point(msgspec.Struct, frozen=True):
    """One worker that has the whole fleet.  Seconds are of the wall, from its process' start until it is ready."""

    instances: int
    clusters: int
    rows: int
    row_bytes: int
    """Keys and values of the tables' rows, each once."""
    anomalies: int
    anomaly_bytes: int
    changelog_bytes: int
    """What Kafka has of all changelogs on its disk, uncompacted."""
    cold_seconds: float
    """With an empty folder."""
    cold_cpu: float
    warm_seconds: float
    """With its tables as it left them."""
    warm_cpu: float
    resident_bytes: int
    """At rest, after the cold start."""
    asked_bytes: int
    """The same, once it was asked for the whole fleet."""
    disk_bytes: int
    asked: dict[str, Asked]


class Events(msgspec.Struct, frozen=True):
    """What single events cost, all of one cluster."""

    events: int
    seconds: float
    cpu_seconds: float
    bytes_each: dict[str, float]
    """By topic: records, and what Kafka adds to each."""


class Cluster(msgspec.Struct, frozen=True):
    """One cluster in one process, without Kafka: processor time, of an instance."""

    instances: int
    judge_us: float
    open_us: float
    """From the bytes of its rows."""


class Row(msgspec.Struct, frozen=True):
    """What an instance's row takes after so many events."""

    events: int
    bytes: int


class Taken(msgspec.Struct, frozen=True):
    """How a part was measured."""

    commit: str
    at: str
    nice: int
    load: tuple[float, float]
    """The machine's load average before and after."""
    machine: dict[str, str]
    versions: dict[str, str]


class InProcess(msgspec.Struct, frozen=True):
    """Without Kafka."""

    taken: Taken
    clusters: list[Cluster]
    rows: list[Row]


class Live(msgspec.Struct, frozen=True):
    """One cluster's events."""

    taken: Taken
    backlog: Events
    """Worked off as fast as it goes."""
    single: Events
    """One at a time, each with a checkpoint of its own."""
    tick_bytes: float
    """Of one record that tells the time, with what Kafka adds."""


class Fleets(msgspec.Struct, frozen=True):
    """One worker with the whole fleet."""

    taken: Taken
    cluster_size: int
    events_each: int
    partitions: int
    empty_bytes: int
    """Resident, of a worker without a fleet."""
    points: list[Point]


class Scale(msgspec.Struct):
    """Everything, part by part; a part that is measured again takes the place of the old one."""

    process: InProcess
    live: Live
    fleets: Fleets


def read(path: Path = PATH) -> Scale:
    """What was measured last."""
    return msgspec.json.decode(path.read_bytes(), type=Scale)


def write(found: Scale, path: Path = PATH) -> None:
    """For people and diffs: indented, in a fixed order."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
