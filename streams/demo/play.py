"""The demo from curtain to curtain: start, tell the story, stay until interrupted, leave nothing behind.

Knows: the order of things, what is said to people.
Must not know: what the events are (`incident`, `captured`), how processes are held (`stage`).
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from kafka import KafkaProducer
from kafka.errors import KafkaError

from streams.broker import EmbeddedKafka
from streams.demo import captured, incident, stage
from streams.demo.records import NODE_HEALTH, STATE_CHANGE, Act, Clock, Delivery, encode
from streams.settings import Settings

RAW_TOPIC = str(Settings.model_fields["raw_topic"].default)
DEFAULT_URL = f"http://{stage.HOST}:{Settings.model_fields['http_port'].default}"
WHOLE_SECONDS = (STATE_CHANGE, NODE_HEALTH)
"""These have no time but the envelope's, which is one of whole seconds."""
PAST_SCALE = 0.4
"""The history is told shorter than any deadline: half of it read would look like nodes that are stuck."""
LOOK_SECONDS = 1.0
SEND_SECONDS = 30.0


@dataclass(frozen=True)
class Options:
    """`pace`: seconds between live steps; a taken port is exchanged for a free one."""

    data: Path
    http_port: int
    kafka_port: int
    pace: float


def play(options: Options) -> int:
    """Runs until SIGINT or SIGTERM (0).  Raises StageError or BrokerError.  Main thread only."""
    with _interruptible():
        try:
            with ExitStack() as held:
                _play(options, held)
        except KeyboardInterrupt:
            say("Stopped: worker and Kafka have ended.")
    return 0


@contextmanager
def _interruptible() -> Iterator[None]:
    """The first signal ends the demo; further ones do not disturb its ending."""
    numbers = (signal.SIGINT, signal.SIGTERM)

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = [(number, signal.signal(number, interrupt)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _play(options: Options, held: ExitStack) -> None:
    began = time.monotonic()
    data = held.enter_context(stage.folder(options.data))
    kafka = stage.kafka(data, stage.port_or_other(options.kafka_port))
    say("Kafka is starting (a real one, of this process alone)")
    held.enter_context(kafka)
    tick(f"Kafka at {kafka.bootstrap}{_instead(kafka.port, options.kafka_port)}, data in {data}", began)
    worker = stage.Worker(data / "worker", kafka.bootstrap, stage.port_or_other(options.http_port))
    held.enter_context(worker)
    tick(
        f"Worker ready at {worker.url}{_instead(worker.port, options.http_port)}, topics created, log in {worker.log}",
        began,
    )
    teller = Teller(kafka.bootstrap, options.pace, worker)
    try:
        teller.tell(began, worker.url)
    finally:
        teller.close()
    _stay(kafka, worker)


def _instead(port: int, wanted: int) -> str:
    return f" (port {wanted} is taken)" if wanted not in (0, port) else ""


def _stay(kafka: EmbeddedKafka, worker: stage.Worker) -> None:
    while not kafka.wait(LOOK_SECONDS):
        worker.check()
    raise stage.StageError(f"Kafka has ended by itself. Its log: {kafka.log}")


@dataclass
class Teller:
    """Produces the story to the raw topic; live steps happen when they are sent."""

    bootstrap: str
    pace: float
    worker: stage.Worker
    _moments: dict[float, int] = field(default_factory=dict)
    _newest: int = 0

    def __post_init__(self) -> None:
        self._producer = KafkaProducer(bootstrap_servers=self.bootstrap, acks="all")
        self._clock = Clock(_now() - round(_past_seconds() * 1000 * PAST_SCALE), self._moments, PAST_SCALE)

    def close(self) -> None:
        """Gives the connections back."""
        self._producer.close(timeout=5)

    def tell(self, began: float, url: str) -> None:
        """Everything, from the captured payloads to the incident's end."""
        for value in captured.values(_now()):
            self._send(value)
        tick("Captured payloads of other clusters, moved to now", began)
        past = [act for act in incident.ACTS if not act.live]
        for act in past:
            self._act(act)
            tick(act.title, began)
        self._invite(url)
        for act in incident.ACTS[len(past) :]:
            self._pause()
            tick(act.title, began, mark="▸")
            self._act(act)
        tick(f"The incident is over: everything of {incident.NAME} is in service. Ctrl-C stops all of it.", began)

    def _invite(self, url: str) -> None:
        if url != DEFAULT_URL:
            say(f"  First, as the port is another one:  export HYPERPOD_STATE_SERVER={url}")
        say("  Try, in another shell (source .venv/bin/activate):")
        for line in INVITATIONS:
            say(f"    {line.format(url=url)}")
        say(f"  In the next {_live_count() * self.pace:.0f} s an incident happens to {incident.NAME}.")

    def _act(self, act: Act) -> None:
        for delivery in act.deliveries:
            if act.live:
                self._happens_now(delivery)
            self._send(encode(delivery, self._clock))
            if act.live:
                self._pause()

    def _happens_now(self, delivery: Delivery) -> None:
        """Gives each step its time; one that is delivered again keeps the one it had."""
        for step in delivery.steps:
            if step.at not in self._moments:
                when = max(_now(), self._newest + 1)
                if step.detail_type in WHOLE_SECONDS:
                    when = -(-when // 1000) * 1000
                self._moments[step.at] = self._newest = when
        time.sleep(max(0, self._newest - _now()) / 1000)

    def _send(self, value: bytes) -> None:
        try:
            self._producer.send(RAW_TOPIC, value=value).get(timeout=SEND_SECONDS)
        except KafkaError as error:
            raise stage.StageError(f"Kafka does not take events any more: {error}") from error

    def _pause(self) -> None:
        time.sleep(self.pace)
        self.worker.check()


INVITATIONS = (
    "hyperpod-state get instances --cluster demo-eks",
    "hyperpod-state get anomalies --cluster demo-eks --status all",
    "curl {url}/api/v1/instance-groups",
)


def _past_seconds() -> float:
    return max(step.at for act in incident.ACTS if not act.live for one in act.deliveries for step in one.steps) + 60


def _live_count() -> int:
    return sum(len(act.deliveries) + 1 for act in incident.ACTS if act.live)


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
