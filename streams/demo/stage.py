"""The processes that the demo is played on: a broker and a worker of its own, which never outlive it.

Knows: folders, ports, how the worker is started, awaited and ended.
Must not know: what is produced.

Nothing of the user's environment is used: whatever HYPERPOD_STATE_* says, the demo's events go to the demo's broker.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from streams import leash
from streams.broker import DEFAULT_HOST as HOST
from streams.broker import BrokerError, EmbeddedKafka, free_port
from streams.connection import admin_client
from streams.settings import Settings
from streams.topics import create_missing, wanted

READY_SECONDS = 120.0
FEW = 20
"""Records that may wait, of which ticks are some, where all that was told is read."""
FORMER_SECONDS = leash.GRACE_SECONDS + 10.0
STOP_SECONDS = leash.GRACE_SECONDS + 10.0
LOG_LINES = 15
PREFIX = "HYPERPOD_STATE_"


class StageError(Exception):
    """The demo cannot start or go on; the message says why and what to do."""


def port_or_other(wanted: int) -> int:
    """The wanted port where it is free, else (and for 0) any free one."""
    try:
        with socket.create_server((HOST, wanted)) as server:
            return int(server.getsockname()[1])
    except OSError:
        return free_port()


@dataclass
class Worker:
    """`hyperpod-state worker` as a child process on a leash; its log goes to a file."""

    data: Path
    brokers: str
    port: int
    _leash: subprocess.Popen[str] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{HOST}:{self.port}"

    @property
    def log(self) -> Path:
        """What it logs."""
        return self.data.with_name("worker.log")

    def __enter__(self) -> Self:
        with self.log.open("wb") as log:
            self._leash = subprocess.Popen(
                [sys.executable, "-I", leash.__file__, sys.executable, "-P", "-m", "streams.cli", "worker"],
                env=self._environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                text=True, start_new_session=True,
            )  # fmt: skip
        try:
            self._await_ready()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def check(self) -> None:
        """Raises StageError where it has ended by itself."""
        if self._leash is None or self._leash.poll() is not None:
            raise StageError(f"The worker has ended by itself. The end of {self.log}:\n{self._last_words()}")

    def await_read(self, clusters: int) -> None:
        """Until it knows so many clusters and hardly anything waits; goes on where that takes too long."""
        deadline = time.monotonic() + READY_SECONDS
        while not self._has_read(clusters) and time.monotonic() < deadline:
            self.check()
            time.sleep(0.2)

    def _has_read(self, clusters: int) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/clusters", timeout=5) as answer:  # nosec B310  # as below
                told = json.loads(answer.read())
        except (urllib.error.URLError, http.client.HTTPException, OSError):
            return False
        return len(told["items"]) >= clusters and told["lag"] < FEW

    def _environment(self) -> dict[str, str]:
        told = {"BROKERS": self.brokers, "DATA_DIR": self.data, "HTTP_HOST": HOST, "HTTP_PORT": self.port}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        return {**inherited, **{f"{PREFIX}{name}": str(value) for name, value in told.items()}}

    def _await_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self._ready():
            self.check()
            if time.monotonic() > deadline:
                raise StageError(f"The worker was not ready within {READY_SECONDS:.0f} s. Its log: {self.log}")
            time.sleep(0.1)

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:  # nosec B310  # the address of our own worker
                return bool(answer.status == 200)
        except (urllib.error.URLError, http.client.HTTPException, OSError):
            return False

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-LOG_LINES:])

    def _end(self) -> None:
        if self._leash is not None:
            running, self._leash = self._leash, None
            running.communicate(timeout=STOP_SECONDS)  # closes the pipe, which is the order to end


@contextmanager
def folder(data: Path) -> Iterator[Path]:
    """The demo's folder, held and emptied of what a former demo left.  Raises StageError."""
    with ExitStack() as stack:
        try:
            _claim(stack, data)
        except OSError as error:
            raise StageError(f"The folder {data} cannot be used: {error.strerror or error}") from error
        yield data


def _claim(stack: ExitStack, data: Path) -> None:
    lock = data / "demo.lock"
    if data.is_dir() and any(data.iterdir()) and not lock.exists():
        raise StageError(f"{data} holds something else. The demo empties its folder at each start: name another one.")
    data.mkdir(parents=True, exist_ok=True)
    if not _locked(stack, lock, 0):
        raise StageError(f"Another demo is playing in {data}. Stop it, or name another folder with --data.")
    for part in (data / "kafka", data / "worker"):
        _clear(part)


def _clear(part: Path) -> None:
    """Removes a folder that a broker or worker of a former demo may be about to leave: it holds a lock meanwhile."""
    with ExitStack() as stack:
        if (part / "lock").exists() and not _locked(stack, part / "lock", FORMER_SECONDS):
            raise StageError(f"A process of a former demo still uses {part}.")
        if part.exists():
            shutil.rmtree(part)


def _locked(stack: ExitStack, path: Path, seconds: float) -> bool:
    """Takes the lock for as long as the stack lasts; False where it cannot be had within so many seconds."""
    file = stack.enter_context(path.open("ab"))
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.2)
        else:
            return True


def raw_topic(brokers: str) -> str:
    """The raw topic, created as the worker wants it, so that it may be filled before there is one."""
    settings = Settings.model_construct(brokers=brokers)  # the defaults, whatever the user's environment says
    raw = wanted(settings)[:1]
    with admin_client(settings) as admin:
        create_missing(admin, settings, raw)
    return raw[0].name


def kafka(data: Path, port: int) -> EmbeddedKafka:
    """A broker for this demo, not started yet."""
    return EmbeddedKafka(data / "kafka", HOST, port)


__all__ = ["HOST", "BrokerError", "StageError", "Worker", "folder", "kafka", "port_or_other", "raw_topic"]
