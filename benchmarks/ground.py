"""What contenders stand on: one Kafka of this run, topics with the workload in them, processes started one at a time.

Knows: the two environments, Java, how a contender is started and its figures read.
Must not know: what is compared with what.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from benchmarks.contenders.job import MARK, Job
from benchmarks.workload import Shape
from streams.broker import EmbeddedKafka, free_port

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / ".bench" / "venv" / "bin" / "python"
JAVA_PROJECT = ROOT / "benchmarks" / "kafka-streams"
DEADLINE = 900.0
WARM = 4
"""The first of so many parts of the events does not count: connections, compilers and caches get warm."""
LARGE = {"max.message.bytes": str(16 << 20)}
Figures = dict[str, Any]


class Failed(Exception):
    """A contender did not end as it should; the message has its last words."""


def last_words(error: Exception) -> str:
    """The very last line of what went wrong, where a program's own complaint stands."""
    return next((line for line in reversed(str(error).splitlines()) if line.strip()), type(error).__name__)


@dataclass(frozen=True)
class Contender:
    """How one is started: `peers` and `product` name an environment of Python's, `java` the Maven project."""

    name: str
    kind: str
    module: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    share: float = 1.0
    """Of the events: the slow ones get fewer, their rate is what counts."""

    def command(self, job: Job) -> list[str]:
        """The command line."""
        if self.kind == "java":
            jars = f"{JAVA_PROJECT}/target/small-step-1.jar:{JAVA_PROJECT}/target/lib/*"
            return ["java", "-XX:+UseParallelGC", "-Xmx1g", "-cp", jars, "bench.Main", job.text()]
        python = str(PEERS) if self.kind == "peers" else sys.executable
        return [python, "-m", f"benchmarks.contenders.{self.module}", job.text()]

    @property
    def missing(self) -> str | None:
        """Why it cannot run here, as a sentence."""
        if self.kind == "peers" and not PEERS.exists():
            return "The peers' environment .bench/venv is missing; make bench makes it."
        if self.kind == "java" and shutil.which("java") is None:
            return "There is no Java here, so Kafka Streams was left out."
        if self.kind == "java" and not (JAVA_PROJECT / "target" / "small-step-1.jar").exists():
            return "There is no Maven here to build Kafka Streams' part, so it was left out."
        return None


class Ground:
    """One broker, and a folder that goes with it."""

    def __init__(self, kafka: EmbeddedKafka, folder: Path) -> None:
        self.bootstrap, self.folder, self.kafka = kafka.bootstrap, folder, kafka
        self._numbers = itertools.count()
        self.filled: set[str] = set()

    def fill(self, name: str, shape: Shape) -> str:
        """A topic with these events in it; one that is there already gets them behind the others."""
        if name not in self.filled:
            self.create([name], shape.partitions)
            self.filled.add(name)
        told = {"bootstrap": self.bootstrap, "topic": name, "shape": asdict(shape)}
        _run([str(PEERS), "-m", "benchmarks.contenders.produce", json.dumps(told)])
        return name

    def create(self, names: Sequence[str], partitions: int, compacted: bool = False) -> None:
        """Topics as the worker would make them."""
        config = {"cleanup.policy": "compact" if compacted else "delete", **LARGE}
        made = [NewTopic(name, partitions, 1, None, config) for name in names]
        self._admin(lambda admin: admin.create_topics(made, wait_for_metadata=True))

    def clean(self, group: str) -> None:
        """Delete what a contender made."""
        there = self._admin(lambda admin: admin.list_topics())
        if mine := of_group(there, group):
            self._admin(lambda admin: admin.delete_topics(mine))

    def group(self, contender: Contender, partitions: int) -> str:
        """A name of its own for this run, and the topics that peers do not make themselves."""
        group = f"{contender.name.replace('_', '-')}-{next(self._numbers)}"
        self.create([f"{group}-anomalies", f"{group}-transitions"], partitions)
        self.create([f"{group}-changelog", f"{group}-rows"], partitions, compacted=True)
        return group

    def run(self, contender: Contender, topic: str, events: int, partitions: int) -> Figures:
        """One contender, once, from the beginning of a topic."""
        group = self.group(contender, partitions)
        try:
            return self.drain(contender, topic, group, events, partitions)
        finally:
            self.clean(group)
            shutil.rmtree(self.folder / group, ignore_errors=True)

    def drain(
        self, contender: Contender, topic: str, group: str, events: int, partitions: int, warm: int | None = None
    ) -> Figures:
        """The same under a name that there may be already."""
        folder = self.folder / group
        folder.mkdir(exist_ok=True)
        count = round(events * contender.share)
        first = 0 if contender.options.get("whole") else count // WARM if warm is None else warm
        job = Job(self.bootstrap, topic, group, str(folder), partitions, count, first, options=contender.options)
        return _figures(contender, _run(contender.command(job)))

    def _admin(self, act: Any) -> Any:
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            return act(admin)
        finally:
            admin.close()


def compute(contender: Contender, events: int, deadline: float = DEADLINE) -> Figures:
    """One that needs no Kafka."""
    job = Job("", "", "", "", 1, events, options=contender.options)
    return _figures(contender, _run(contender.command(job), deadline))


def told(contender: Contender, order: dict[str, Any]) -> Figures:
    """One that is told something else than a job."""
    command = [str(PEERS), "-m", f"benchmarks.contenders.{contender.module}", json.dumps(order)]
    return _figures(contender, _run(command))


def of_group(topics: Iterable[str], group: str) -> list[str]:
    """The topics that a contender of that name made for itself."""
    own = re.compile(rf"(^|__){re.escape(group)}[-.]")  # Quix begins the names of changelogs with changelog__
    return [name for name in topics if own.search(name)]


@contextmanager
def ground() -> Iterator[Ground]:
    """A fresh Kafka on this machine, and no trace of it afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with EmbeddedKafka(folder / "kafka", port=free_port()) as kafka:
            yield Ground(kafka, folder)


def _run(command: list[str], deadline: float = DEADLINE) -> str:
    """A process of ours, to its end; what it printed."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    try:
        done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=deadline, check=False)
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{' '.join(command[1:3])} was not done within {deadline:.0f} s") from error
    if done.returncode:
        raise Failed(
            f"{' '.join(command[1:3])} ended with {done.returncode}:\n{done.stdout[-500:]}{done.stderr[-3000:]}"
        )
    return done.stdout + done.stderr


def _figures(contender: Contender, printed: str) -> Figures:
    for line in printed.splitlines():
        if MARK in line:  # Faust puts characters that hide the cursor before it
            figures: Figures = json.loads(line.partition(MARK)[2])
            return figures
    raise Failed(f"{contender.name} printed no figures:\n{printed[-3000:]}")
