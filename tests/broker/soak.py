"""T14: a worker under load for long, killed each minute, its broker bounced: `make soak` runs this.

Prints a line a minute, ends with the audit, and writes its part of docs/reliability.md.  Exit code 1: not exact, or
memory or file handles did not stay level.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from kafka.errors import KafkaError

from streams.broker import EmbeddedKafka, free_port
from tests.broker.figures import circumstances, write
from tests.broker.lab import Lab
from tests.broker.load import stream

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
ROUND_SECONDS = 60
PER_SECOND = 50
BOUNCE_EVERY = 3
GROWTH = 1.25
"""Level: the last third of the samples is at most so many times the third before."""
BOUND = {"lateness_ms": 60_000, "lateness_events": 16}
"""Rows keep little, so that they are soon as large as they get."""


@dataclass
class Sample:
    """One worker process at the end of its round."""

    megabytes: float
    handles: int


@dataclass
class Soak:
    """One run."""

    lab: Lab
    broker: EmbeddedKafka
    samples: list[Sample] = field(default_factory=list)
    ready: list[float] = field(default_factory=list)
    bounces: int = 0
    sent: int = 0

    def run(self, seconds: int) -> bool:
        """True where the audit is exact and everything stayed level."""
        over, chance = threading.Event(), random.Random(14)
        feeding = threading.Thread(target=self._feed, args=(over,))
        self.ready.append(self.lab.ready_again())
        feeding.start()
        try:
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                self._round(chance, min(ROUND_SECONDS, until - time.monotonic()))
        finally:
            over.set()
            feeding.join()
        self.lab.wait_done()
        report = self.lab.look()
        applied = report.counts["applied"]
        print(f"audit: {report.found} differences; {applied} of {self.sent} events applied", flush=True)
        return report.exact and applied == self.sent and self.level("megabytes") and self.level("handles")

    def _round(self, chance: random.Random, seconds: float) -> None:
        time.sleep(seconds * chance.uniform(0.6, 1.0))
        assert self.lab.process is not None
        self.samples.append(sample(self.lab.process.pid))
        if len(self.samples) % BOUNCE_EVERY == 0:
            self._bounce()
        else:
            self.lab.stop(signal.SIGKILL)
            self.ready.append(self.lab.ready_again())
        last = self.samples[-1]
        what = f"{last.megabytes:.0f} MB, {last.handles} handles, {self.sent} events sent"
        print(f"{len(self.samples)}: {what}, ready again after {self.ready[-1]:.1f} s", flush=True)

    def _bounce(self) -> None:
        """The broker is killed, and started after a while; the worker sits it out."""
        self.bounces += 1
        assert self.broker.pid is not None
        os.kill(self.broker.pid, signal.SIGKILL)
        time.sleep(5)
        self.broker.stop()
        self.broker.start()
        self.lab.wait_ready()

    def _feed(self, over: threading.Event) -> None:
        """So many events a second, each until Kafka has it."""
        number = 0
        while not over.is_set():
            values = stream(PER_SECOND, number)
            while not self._delivered(values):
                time.sleep(1)
            number += len(values)
            self.sent = number
            over.wait(1)

    def _delivered(self, values: list[bytes]) -> bool:
        """Sent again whole where it is not known whether all arrived: copies count as duplicates."""
        try:
            self.lab.produce(values)
        except KafkaError:
            return False
        return True

    def level(self, name: str) -> bool:
        """Whether it did not grow over the second half, with three samples in each third at least; else not judged."""
        values, third = [getattr(each, name) for each in self.samples], len(self.samples) // 3
        return third < 3 or median(values[-third:]) <= GROWTH * median(values[-2 * third : -third])

    def text(self, seconds: float, good: bool) -> str:
        """The part of the page."""
        megabytes, handles = [s.megabytes for s in self.samples], [s.handles for s in self.samples]
        kills = len(self.samples) - self.bounces
        judged = "memory and file handles level"
        if len(self.samples) < 9:
            judged = "too short a run to say whether memory and file handles stay level"
        return (
            f"## Soak (T14)\n\n{circumstances()}, load {os.getloadavg()[0]:.1f}: {seconds / 60:.0f} minutes, "
            f"{self.sent} events, {kills} kills of the worker and {self.bounces} of the broker.\n\n"
            "| figure | first | middle | last |\n|---|---|---|---|\n"
            f"{_row('memory before a kill, MB', megabytes)}{_row('file handles before a kill', handles)}"
            f"{_row('ready again, s', self.ready)}\n"
            f"Result: {f'exact; {judged}' if good else 'FAILED'}.\n"
        )


def _row(name: str, values: list[float] | list[int]) -> str:
    return f"| {name} | {values[0]:.1f} | {median(values):.1f} | {values[-1]:.1f} |\n"


def sample(pid: int) -> Sample:
    """Resident memory and open handles of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    megabytes = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    return Sample(megabytes, len(os.listdir(f"/proc/{pid}/fd")))


def main() -> int:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=3600)
    seconds, began = parser.parse_args().seconds, time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedKafka(Path(folder) / "kafka", port=free_port()) as broker,
    ):
        lab = Lab(broker.bootstrap, Path(folder), **BOUND)
        soak = Soak(lab, broker)
        try:
            good = soak.run(seconds)
        finally:
            lab.stop(signal.SIGKILL)
    write(PAGE, "soak", soak.text(time.monotonic() - began, good))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
