"""What a contender is told, and what it answers.

Knows: the job, when time begins and ends, how figures are printed.
Must not know: Kafka, what is done with an event.

Time begins with an event, once those are done that warm up a just-in-time compiler and a connection, and ends when the
last one's effects are written and its offset is committed.  Starting, joining a group and reading tables back are told
apart from it.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any

MARK = "FIGURES "


@dataclass(frozen=True)
class Job:
    """One run of one contender.  `events` are in `topic` already; `options` are the contender's own."""

    bootstrap: str
    topic: str
    group: str
    folder: str
    partitions: int
    events: int
    warm: int = 0
    """So many of them go by before time begins."""
    checkpoint_seconds: float = 1.0
    options: dict[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """As a contender's argument."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Job:
        """From that."""
        return cls(**json.loads(text))


def told() -> Job:
    """The job on the command line."""
    return Job.read(sys.argv[1])


class Stopwatch:
    """Seconds and processor seconds of this process between the first event that counts and the end."""

    def __init__(self, job: Job) -> None:
        self._warm, self.wanted = job.warm, job.events
        self.seen = 0
        self._ready = time.monotonic()
        """When the contender began to start its client: the interpreter and its imports are not counted."""
        self._first = self._began = self._cpu = self._last = 0.0

    @property
    def full(self) -> bool:
        """Every event was seen."""
        return self.seen >= self.wanted

    def event(self) -> None:
        """Now comes an event."""
        if self.seen == 0:
            self._first = time.monotonic()
        if self.seen == self._warm:
            self._began, self._cpu = time.monotonic(), cpu_seconds()
        self.seen += 1
        if self.seen == self.wanted:
            self._last = time.monotonic()

    def end(self) -> None:
        """All of it is done: print the figures."""
        seconds, cpu = time.monotonic() - self._began, cpu_seconds() - self._cpu
        start, last = self._first - self._ready, self._last - self._ready
        report(self.seen - self._warm, seconds, cpu, start_seconds=round(start, 4), last_seconds=round(last, 4))


def report(events: int, seconds: float, cpu: float, **more: Any) -> None:
    """Print the figures of a run."""
    figures = {"events": events, "seconds": round(seconds, 4), "cpu_seconds": round(cpu, 4), **more}
    print(MARK + json.dumps(figures), flush=True)


def cpu_seconds() -> float:
    """Of this process and all its threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def leave() -> None:
    """End at once: what is slow about ending in order is nobody's business here."""
    sys.stdout.flush()
    os._exit(0)
