"""The real `hyperpod-state worker`, as a process, and how far it is as its own topics tell.

Knows: its settings, its progress rows, its process in /proc.
Must not know: what is compared with what.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from benchmarks.ground import DEADLINE, ROOT, Failed, Ground
from streams.broker import free_port
from streams.codecs import PROGRESS

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
TOPICS = ("events", "transitions", "anomalies", "deadletter", "status", "silences")


class RealWorker:
    """One worker on a raw topic that is there already.  Everything else is by default, so that users have the same."""

    def __init__(self, ground: Ground, raw: str, group: str, partitions: int, **settings: Any) -> None:
        self.group, self.partitions, self.raw = group, partitions, raw
        self.folder, self.port = ground.folder / group, free_port()
        self.folder.mkdir(exist_ok=True)
        self._bootstrap = ground.bootstrap
        named = {f"{kind}_topic": f"{group}.{kind}" for kind in TOPICS}
        told = {"brokers": ground.bootstrap, "app_id": group, "raw_topic": raw, "partitions": partitions, **named}
        own = {"raw_partitions": partitions, "http_port": self.port, "data_dir": self.folder / "data", "store": "false"}
        chosen = {**told, **own, **settings}
        self._env = {**os.environ, **{f"HYPERPOD_STATE_{name.upper()}": str(value) for name, value in chosen.items()}}
        self.process: subprocess.Popen[bytes] | None = None

    def topic(self, kind: str) -> str:
        """One of its topics."""
        return f"{self.group}.{kind}"

    @contextmanager
    def running(self) -> Iterator[RealWorker]:
        """From start to SIGTERM."""
        with (self.folder / "worker.log").open("ab") as log:
            command = [sys.executable, "-m", "streams.cli", "worker"]
            self.process = subprocess.Popen(command, cwd=ROOT, env=self._env, stderr=log, stdout=log)
        try:
            yield self
        finally:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)

    def readiness(self) -> dict[str, Any]:
        """What /readyz says, ready or not; empty while nobody listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                return dict(json.loads(answer.read()))
        except urllib.error.HTTPError as error:
            return dict(json.loads(error.read()))
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return {}

    def wait_ready(self) -> None:
        """Until it may be asked."""
        self._wait(lambda: self.readiness().get("ready", False), 0.1, "ready")

    def wait_reading(self) -> None:
        """Until it has folded its first raw record."""
        self._wait(self._reading, 0.02, "reading")

    def wait_applied(self, count: int) -> None:
        """Until so many events are applied and in a committed checkpoint: its progress rows say so."""
        with self._progress() as rows:
            applied: dict[int, int] = {}

            def reached() -> bool:
                for batch in rows.poll(timeout_ms=50).values():
                    for record in batch:
                        counts = PROGRESS.decode(record.value).counts
                        applied[record.partition] = counts.applied + counts.duplicate + counts.failed
                return sum(applied.values()) >= count

            self._wait(reached, 0.0, f"{count} events applied")

    def cpu_seconds(self) -> float:
        """Of the process so far."""
        fields = self._stat().split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident_bytes(self) -> int:
        """Of the process now."""
        assert self.process is not None
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * PAGE

    def peak_bytes(self) -> int:
        """Of memory, the most that the process has had."""
        assert self.process is not None
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))

    def disk_bytes(self, table: str = "") -> int:
        """Of its local tables, all or one by name; blocks as the disk has them."""
        files = [path for path in (self.folder / "data").rglob("*") if path.is_file() and table in str(path)]
        return sum(path.stat().st_blocks * 512 for path in files)

    def _reading(self) -> bool:
        parts = self.readiness().get("partitions", ())
        return any(topic["folded"] > 0 for part in parts for topic in part["topics"] if topic["topic"] == self.raw)

    def _stat(self) -> str:
        assert self.process is not None
        return Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2]

    @contextmanager
    def _progress(self) -> Iterator[Any]:
        name = f"{self.group}-progress-changelog"
        consumer = KafkaConsumer(bootstrap_servers=self._bootstrap, isolation_level="read_committed", group_id=None)
        try:
            parts = [TopicPartition(name, number) for number in range(self.partitions)]
            consumer.assign(parts)
            consumer.seek_to_beginning(*parts)
            yield consumer
        finally:
            consumer.close()

    def _wait(self, condition: Any, pause: float, what: str) -> None:
        until = time.monotonic() + DEADLINE
        while time.monotonic() < until:
            if self.process is not None and self.process.poll() is not None:
                raise Failed(f"the worker ended before it was {what}:\n{self._log()}")
            if condition():
                return
            time.sleep(pause)
        raise Failed(f"waited in vain for the worker to be {what}:\n{self._log()}")

    def _log(self) -> str:
        return (self.folder / "worker.log").read_text()[-3000:]
