"""The demo from curtain to curtain: start, tell the tale, stay until interrupted, leave nothing behind.

Knows: the order of things, what is said to people.
Must not know: what happens to the fleet (`fleet`, `telling`), how processes are held (`stage`).
"""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from kafka import KafkaProducer
from kafka.errors import KafkaError
from kafka.producer.future import FutureRecordMetadata

from streams.broker import EmbeddedKafka
from streams.demo import fleet, stage, telling
from streams.interrupt import ended_by_signals
from streams.producers import let_go
from streams.settings import Settings

DEFAULT_URL = f"http://{stage.HOST}:{Settings.model_fields['http_port'].default}"
LOOK_SECONDS = 1.0
SEND_SECONDS = 30.0


@dataclass(frozen=True)
class Options:
    """`speed`: times as fast as it happens; a taken port is exchanged for a free one."""

    data: Path
    http_port: int
    kafka_port: int
    speed: float


def play(options: Options) -> int:
    """Runs until SIGINT or SIGTERM (0).  Raises StageError or BrokerError.  Main thread only."""
    with ended_by_signals():
        try:
            with ExitStack() as held:
                _play(options, held)
        except KeyboardInterrupt:
            say("Stopped: worker and Kafka have ended.")
    return 0


def _play(options: Options, held: ExitStack) -> None:
    began = time.monotonic()
    data = held.enter_context(stage.folder(options.data))
    kafka = stage.kafka(data, stage.port_or_other(options.kafka_port))
    say("Kafka is starting (a real one, of this process alone)")
    held.enter_context(kafka)
    tick(f"Kafka at {kafka.bootstrap}{_instead(kafka.port, options.kafka_port)}, data in {data}", began)
    tale = fleet.tale(_now())
    teller = held.enter_context(Teller(kafka.bootstrap, began))
    teller.tell_past(tale)
    worker = stage.Worker(data / "worker", kafka.bootstrap, stage.port_or_other(options.http_port))
    held.enter_context(worker)
    tick(f"Worker ready, topics created, log in {worker.log}", began)
    worker.await_read(len(tale.truth["clusters"]))
    tick(f"{_fleet(tale)}, {fleet.PAST // fleet.HOUR} hours of their past read", began)
    say(f"  Dashboard   {worker.url}/{_instead(worker.port, options.http_port)}")
    say(f"  API         {worker.url}/openapi.json      Metrics  {worker.url}/metrics")
    _invite(worker.url, options.speed)
    teller.tell_live(tale, options.speed, worker)
    say("  Nothing more is going to happen. Ctrl-C stops all of it.")
    _stay(kafka, worker)


def _fleet(tale: fleet.Tale) -> str:
    clusters, groups = len(tale.truth["clusters"]), len(tale.truth["instance_groups"])
    return f"{clusters} clusters, {groups} groups, {tale.instances} instances"


def _invite(url: str, speed: float) -> None:
    if url != DEFAULT_URL:
        say(f"  First, as the port is another one:  export HYPERPOD_STATE_SERVER={url}")
    say(f"  From here on it goes {speed:g} times as fast as it would. Try, in another shell")
    say("  (source .venv/bin/activate):")
    for line in INVITATIONS:
        say(f"    {line}")
    say("  Ctrl-C stops worker and Kafka.")


def _instead(port: int, wanted: int) -> str:
    return f" (port {wanted} is taken)" if wanted not in (0, port) else ""


def _stay(kafka: EmbeddedKafka, worker: stage.Worker) -> None:
    while not kafka.wait(LOOK_SECONDS):
        worker.check()
    raise stage.StageError(f"Kafka has ended by itself. Its log: {kafka.log}")


@dataclass
class Teller:
    """Produces the tale to the raw topic."""

    bootstrap: str
    began: float
    _producer: KafkaProducer = field(init=False)
    _topic: str = field(init=False)

    def __enter__(self) -> Self:
        self._topic = stage.raw_topic(self.bootstrap)
        self._producer = KafkaProducer(bootstrap_servers=self.bootstrap, acks="all", linger_ms=20)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        let_go(self._producer)

    def tell_past(self, tale: fleet.Tale) -> None:
        """All of it at once, before the worker is there: it finds a backlog, and takes no time from the wall clock."""
        for future in [self._send(value) for value in telling.past(tale)]:
            _arrived(future)

    def tell_live(self, tale: fleet.Tale, speed: float, worker: stage.Worker) -> None:
        """The rest, each thing when it is due."""
        for at_ms, each in telling.live(tale, _now(), speed):
            while (left := at_ms - _now()) > 0:
                time.sleep(min(left / 1000, LOOK_SECONDS))
                worker.check()
            if isinstance(each, fleet.Mark):
                tick(each.text, self.began, mark="✔" if each.done else "▸")
            else:
                _arrived(self._send(each))

    def _send(self, value: bytes) -> FutureRecordMetadata:
        try:
            return self._producer.send(self._topic, value=value)
        except KafkaError as error:
            raise stage.StageError(f"Kafka does not take events any more: {error}") from error


def _arrived(future: FutureRecordMetadata) -> None:
    try:
        future.get(timeout=SEND_SECONDS)
    except KafkaError as error:
        raise stage.StageError(f"Kafka does not take events any more: {error}") from error


INVITATIONS = (
    "hyperpod-state get anomalies",
    "hyperpod-state get instances --cluster ml-prod --group p5-train",
    "hyperpod-state explain correlated_failure",
)


def _now() -> int:
    return time.time_ns() // 1_000_000


def tick(text: str, began: float, mark: str = "✔") -> None:
    """One line of progress, with the seconds since the start."""
    say(f"  {mark} {time.monotonic() - began:3.0f} s  {text}")


def say(text: str) -> None:
    """One line on standard output, if anybody still reads it; characters that it cannot show are replaced."""
    encoding = sys.stdout.encoding or "utf-8"
    with suppress(BrokenPipeError):
        print(text.encode(encoding, "replace").decode(encoding), flush=True)
