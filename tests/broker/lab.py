"""A real worker process over a real Kafka, for tests: start it, kill it, read back what it wrote, audit it."""

from __future__ import annotations

import copy
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from streams.audit import Report, Window, audit
from streams.broker import free_port
from streams.settings import Settings
from tests import published

ACCOUNT = "arn:aws:sagemaker:us-west-2:111122223333:cluster"
DEADLINE = 240.0
START_MS = int(time.time() * 1000) - 600_000
"""Events are of a moment ago: what is a day old when it is read is history, and has no deadlines."""
LISTS = {
    "clusters": "clusters",
    "instance-groups": "instance_groups",
    "instances": "instances",
    "anomalies": "anomalies",
}
"""Lists of the API, by what the document of `replay` calls them."""


def arn(number: int) -> str:
    return f"{ACCOUNT}/lab{number:09d}"


def event(cluster: int, instance: int, step: int, *, name: str | None = None, text: str | None = None) -> bytes:
    """One EventBridge envelope of an instance, unique by its arguments."""
    group, instance_id = f"group-{instance % 3}", f"i-{cluster:04x}{instance:013x}"
    ended = "Failed" if instance % 7 == 0 else "Succeeded"
    texts = (
        f"EC2 instance {instance_id} successfully provisioned in Cluster lab-{cluster} and IG {group}",
        f"Instance lifecycle script execution for {instance_id} has Started",
        f"Instance lifecycle script execution for {instance_id} has {ended}",
    )
    moment = START_MS + step * 1000 + instance
    detail = {
        "EventDetails": {
            "EventId": name or f"e-{cluster}-{instance}-{step}",
            "ClusterArn": arn(cluster),
            "ClusterName": f"lab-{cluster}",
            "InstanceGroupName": group,
            "InstanceId": instance_id,
            "ResourceType": "Instance",
            "EventTime": moment,
            "Description": text or texts[step % 3],
        }
    }
    envelope = {
        "version": "0",
        "id": str(uuid.UUID(int=step)),
        "detail-type": "SageMaker HyperPod Cluster Event",
        "source": "aws.sagemaker",
        "account": "111122223333",
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment / 1000)),
        "region": "us-west-2",
        "resources": [arn(cluster)],
        "detail": detail,
    }
    return json.dumps(envelope).encode()


class Lab:
    """One set of topics, and at most one worker process at a time per folder."""

    def __init__(self, bootstrap: str, folder: Path, partitions: int = 2, **settings: Any) -> None:
        self.bootstrap, self.folder, self.partitions = bootstrap, folder, partitions
        self.app_id = f"lab-{uuid.uuid4().hex[:8]}"
        self.port = free_port()
        self.settings = {
            "brokers": bootstrap,
            "app_id": self.app_id,
            "partitions": partitions,
            "raw_partitions": partitions,
            "http_port": self.port,
            "session_timeout": 10,
            "tick_seconds": 1,
            "store": "false",
            **{f"{kind}_topic": self.topic(kind) for kind in TOPICS},
            **settings,
        }
        self.process: subprocess.Popen[bytes] | None = None
        self._begin = 0
        self._ends: dict[str, dict[TopicPartition, tuple[int, int]]] = {}

    def beside(self, name: str) -> Lab:
        """Another worker on the same topics, with a folder, a port and a log of its own."""
        other = copy.copy(self)
        other.folder, other.process, other.port = self.folder / name, None, free_port()
        other.settings = {**self.settings, "http_port": other.port}
        other.folder.mkdir()
        return other

    def topic(self, kind: str) -> str:
        return f"{self.app_id}.{kind}"

    def env(self, **more: Any) -> dict[str, str]:
        chosen = {"data_dir": self.folder / "worker", **self.settings, **more}
        return {**os.environ, **{f"HYPERPOD_STATE_{name.upper()}": _text(value) for name, value in chosen.items()}}

    def start(self, **more: Any) -> subprocess.Popen[bytes]:
        """A worker process; its log is appended to worker.log in the folder."""
        command = "import sys\nfrom streams.settings import Settings\nfrom streams.worker import run\n"
        command += "sys.exit(run(Settings()))"
        self._begin = len(self.log()) if (self.folder / "worker.log").exists() else 0
        with (self.folder / "worker.log").open("ab") as log:
            self.process = subprocess.Popen([sys.executable, "-c", command], env=self.env(**more), stderr=log)
        return self.process

    def log(self) -> str:
        return (self.folder / "worker.log").read_text()

    def owned(self) -> list[int]:
        """The events partitions that the present process says it took over last."""
        _, found, last = self.log()[self._begin :].rpartition("partitions taken over")
        listed = re.search(r"events='?\[([\d, ]*)\]", last) if found else None  # the line may be half written
        return [int(number) for number in listed[1].split(",") if number.strip()] if listed else []

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Signal the worker and wait for its end; the exit code."""
        process, self.process = self.process, None
        if process is None:
            return 0
        if process.poll() is None:
            process.send_signal(how)
        try:
            return process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
            raise

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return json.loads(answer.read())

    def ready_again(self, **more: Any) -> float:
        """Start, and wait until ready; the seconds that it took."""
        began = time.monotonic()
        self.start(**more)
        self.wait_ready()
        return time.monotonic() - began

    def wait_ready(self) -> None:
        self.wait_for(self._ready, "the worker to be ready")

    def wait_done(self) -> None:
        """Until everything produced is worked and committed."""
        self.wait_for(lambda: self._ready() and self.behind() == 0, "lag 0")

    def wait_for(self, condition: Any, what: str) -> None:
        until = time.monotonic() + DEADLINE
        while time.monotonic() < until:
            if self.process is not None and self.process.poll() is not None:
                raise AssertionError(
                    f"the worker ended ({self.process.returncode}) before {what}:\n{self.log()[-4000:]}"
                )
            if condition():
                return
            time.sleep(0.1)
        raise AssertionError(f"waited in vain for {what}:\n{self.log()[-4000:]}")

    def _ready(self) -> bool:
        try:
            return bool(self.get("/readyz")["ready"])
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def behind(self) -> int:
        """Of the raw topic and the events topic, as an outsider sees it: committed offsets against what is there."""
        return self._behind("raw") + self._behind("events")

    def _behind(self, kind: str) -> int:
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, group_id=self.app_id, enable_auto_commit=False)
        try:
            parts = [TopicPartition(self.topic(kind), p) for p in range(self.partitions)]
            done = {part: consumer.committed(part) or 0 for part in parts}
        finally:
            consumer.close()
        # Ticks go on for ever; and what stands at a partition's end may be a marker that nobody ever reads.
        last = self._last(kind)
        return sum(max(0, last[part] + 1 - done[part]) for part in parts)

    def _last(self, kind: str) -> dict[TopicPartition, int]:
        """The offset of the last record that is no tick, by partition; what was read before is not read again."""
        parts = [TopicPartition(self.topic(kind), p) for p in range(self.partitions)]
        known = self._ends.setdefault(kind, dict.fromkeys(parts, (0, -1)))
        with self._reader() as consumer:
            consumer.assign(parts)
            ends = consumer.end_offsets(parts)
            for part in parts:
                if known[part][0] > ends[part]:  # the topic was made anew
                    known[part] = (0, -1)
                consumer.seek(part, known[part][0])
            while any(consumer.position(part) < ends[part] for part in parts):
                for part, batch in consumer.poll(timeout_ms=200).items():
                    told = [record.offset for record in batch if record.key != b"tick"]
                    known[part] = consumer.position(part), max([known[part][1], *told])
        return {part: last for part, (_, last) in known.items()}

    def committed(self, kind: str = "events") -> dict[int, int]:
        """The group's offsets, by partition."""
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, group_id=self.app_id, enable_auto_commit=False)
        try:
            return {p: consumer.committed(TopicPartition(self.topic(kind), p)) or 0 for p in range(self.partitions)}
        finally:
            consumer.close()

    def checkpoints(self) -> dict[str, list[float]]:
        """When each partition of both topics was written, in epoch seconds: its progress rows tell."""
        found: dict[str, list[float]] = {}
        for table in ("raw_progress", "progress"):
            for record in self.read_topic(f"{self.app_id}-{table}-changelog"):
                found.setdefault(f"{table}/{record.partition}", []).append(record.timestamp / 1000)
        return found

    def dark(self, since: float, until: float) -> float:
        """The longest that any partition went without a checkpoint, from outside, between two moments.

        Time is told each second (`tick_seconds`), so every partition that has an owner writes as often.
        """
        longest = 0.0
        for times in self.checkpoints().values():
            within = [since, *sorted(moment for moment in times if since < moment < until), until]
            longest = max(longest, *(after - before for before, after in itertools.pairwise(within)))
        return longest

    def produce(self, values: Iterable[bytes], partition: int | None = None) -> int:
        with self.producing() as produce:
            return produce(values, partition)

    @contextmanager
    def producing(self) -> Iterator[Callable[..., int]]:
        """`produce` for several times: connecting takes longer than a thousand records."""
        size = 8 << 20
        producer = KafkaProducer(bootstrap_servers=self.bootstrap, acks="all", linger_ms=5, max_request_size=size)

        def produce(values: Iterable[bytes], partition: int | None = None) -> int:
            count = 0
            for count, value in enumerate(values, 1):
                where = count % self.partitions if partition is None else partition
                producer.send(self.topic("raw"), value=value, partition=where)
            producer.flush(60)
            return count

        try:
            yield produce
        finally:
            producer.close()

    def read(self, kind: str) -> list[Any]:
        """All committed records of a topic, by partition and offset; what a worker wrote is as it was published."""
        found = self.read_topic(self.topic(kind))
        published.check(kind, found)
        return found

    def aborted(self) -> int:
        """Records that were written and taken back, in the topics that every transaction writes to.

        Asked for while no worker runs, so that no transaction is open.
        """
        names = [self.topic("events"), *(f"{self.app_id}-{table}-changelog" for table in ("progress", "raw_progress"))]
        return sum(len(self.read_topic(name, "read_uncommitted")) - len(self.read_topic(name)) for name in names)

    @contextmanager
    def _reader(self, isolation: str = "read_committed") -> Iterator[Any]:
        consumer = KafkaConsumer(
            bootstrap_servers=self.bootstrap,
            isolation_level=isolation,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        try:
            yield consumer
        finally:
            consumer.close()

    def read_topic(self, name: str, isolation: str = "read_committed") -> list[Any]:
        found: list[Any] = []
        with self._reader(isolation) as consumer:
            parts = [TopicPartition(name, number) for number in sorted(consumer.partitions_for_topic(name) or ())]
            consumer.assign(parts)
            consumer.seek_to_beginning(*parts)
            ends = consumer.end_offsets(parts)
            while any(consumer.position(part) < ends[part] for part in parts):
                for batch in consumer.poll(timeout_ms=200).values():
                    found.extend(batch)
        return sorted(found, key=lambda record: (record.partition, record.offset))

    def table(self, name: str) -> dict[bytes, dict[str, Any]]:
        """The rows that a changelog holds, by key."""
        rows: dict[bytes, dict[str, Any]] = {}
        for record in self.read_topic(f"{self.app_id}-{name}-changelog"):
            key = record.key if name not in OF_EACH else b"%d %s" % (record.partition, record.key)
            if record.value is None:
                rows.pop(key, None)
            else:
                rows[key] = json.loads(record.value)
        return rows

    def audit(self) -> Counter[str]:
        """The product's own audit finds nothing, and leaves nothing out; the counts of all partitions together."""
        report = self.look()
        for kind in published.KINDS:
            self.read(kind)
        assert report.exact, f"{report.found} differences, such as {report.differences}"
        left_out = {name: dict(tally.skipped) for name, tally in report.tallies.items() if tally.skipped}
        assert not left_out, left_out
        return report.counts

    def look(self, window: Window | None = None) -> Report:
        """The product's own audit, whatever it finds."""
        return audit(Settings(**self.settings), window)

    def audit_counts(self) -> Counter[str]:
        """The counts alone, of all partitions together."""
        return self._raw_counts() + self._event_counts()

    def _event_counts(self) -> Counter[str]:
        counts: Counter[str] = Counter()
        for row in self.table("progress").values():
            counts.update(row.get("counts", {}))
        return counts

    def _raw_counts(self) -> Counter[str]:
        counts: Counter[str] = Counter()
        for row in self.table("raw_progress").values():
            raw = row.get("counts", {})
            counts["read"] += raw.get("read", 0)
            counts["ignored"] += sum(raw.get("ignored", {}).values())
            counts["dead_lettered"] += sum(raw.get("dead_lettered", {}).values())
        return counts


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict) else str(value)


OF_EACH = ("progress", "raw_progress", "silences_progress", "broadcasts")
"""Tables that have the same keys in every partition."""
TOPICS = ("raw", "events", "transitions", "anomalies", "deadletter", "status", "silences", "alerts")
