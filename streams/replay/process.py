"""One process of a replay, as the one that started it sees it.

Knows: how it is started, spoken to and ended, and what to say of its end.
Must not know: what is done in it (`streams.replay.member`), clusters.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from typing import IO

from streams.replay import messages
from streams.replay.core import Terms
from streams.replay.messages import LENGTH, Event, Failed, FromMember, Raw, Timeless, ToMember, Written
from streams.replay.spool import Spool

COMMAND = (sys.executable, "-P", "-m", "streams.replay.member")  # not what lies in the folder where it is started
BATCH = 1 << 18
"""Bytes of values that are sent together."""
STOP_SECONDS = 5.0


class CrewError(Exception):
    """A process of the replay ended before its work was done; the message says how, and what to do."""


class Member:
    """One process, and what waits to be sent to it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._files = letters, items = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115
        numbers = letters.fileno(), items.fileno()
        self._process = subprocess.Popen(
            COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=numbers, bufsize=0
        )
        self._waiting: list[Raw | Timeless | Event] = []
        self._size = 0
        self.load = 0
        self.told: IO[bytes] = _pipe(self._process.stdout)

    def begin(self, terms: Terms) -> None:
        """The first thing that it is told."""
        self.say(_setup(terms, *(file.fileno() for file in self._files)))

    def send(self, value: Raw | Timeless | Event, size: int) -> None:
        """Soon; `size` is about how many bytes it is."""
        self._waiting.append(value)
        self._size += size
        self.load += size
        if self._size >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Everything that waits, now; waits itself while the process has enough to do."""
        waiting, self._waiting, self._size = self._waiting, [], 0
        self.say(messages.Batch(waiting))

    def say(self, message: ToMember) -> None:
        """Raises CrewError where the process is gone."""
        left, into = memoryview(messages.frame(message)), _pipe(self._process.stdin)
        try:
            while left:
                left = left[into.write(left) :]
        except BrokenPipeError:
            raise self._gone() from None

    def hear(self) -> FromMember:
        """The next message.  Raises CrewError where there is none."""
        size = int.from_bytes(self._read(LENGTH), "big")
        message: FromMember = messages.from_member(self._read(size))
        if isinstance(message, Failed):
            raise self._failed(message)
        return message

    def spools(self, written: Written) -> tuple[Spool, Spool]:
        """What it has written: dead letters, and the items of its clusters."""
        letters, items = (Spool(file) for file in self._files)
        letters.end, items.end = written.letters, written.items
        return letters, items

    def leave(self) -> None:
        """Tell it to end, by the end of its standard input."""
        for pipe in (self._process.stdin, self._process.stdout):
            _pipe(pipe).close()

    def stop(self) -> None:
        """Wait until it has ended, but not for long."""
        self.leave()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for file in self._files:
            file.close()

    def _read(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            if not (more := self.told.read(size - len(found))):
                raise self._gone()
            found += more
        return found

    def _gone(self) -> CrewError:
        """It ended by itself; where it still said why, that is the reason."""
        while head := self.told.read(LENGTH):
            message = messages.from_member(self._read(int.from_bytes(head, "big")))
            if isinstance(message, Failed):
                return self._failed(message)
        return CrewError(f"{self.name} of the replay {_end(self._process.wait())}")

    def _failed(self, failed: Failed) -> CrewError:
        return CrewError(f"{self.name} of the replay cannot go on: {failed.why}: try again, or with --jobs 1")


def _setup(terms: Terms, letters: int, items: int) -> messages.Setup:
    return messages.Setup(
        letters,
        items,
        terms.at_ms,
        None if terms.limits is None else terms.limits.model_dump_json().encode(),
        None if terms.thresholds is None else terms.thresholds.model_dump_json().encode(),
        [each.model_dump_json().encode() for each in terms.silences],
    )


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def _end(code: int) -> str:
    """How a process ended, and what to do."""
    if code == -signal.SIGKILL:
        return "was killed (SIGKILL), as the system does when memory runs out: see dmesg, and try fewer with --jobs"
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
    return f"{how} before its work was done: try again, or with --jobs 1"
