"""A process of a replay: some of the clusters, from their values to the items of the document.

Knows: the core, how messages come in and go out.
Must not know: files of events, which clusters the others have.

It is there for exactly as long as the replay holds its standard input open: the kernel closes that however it ends.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress

from models.deadlines import Thresholds
from models.fold import Limits
from models.observation import Observation
from models.public_silence import Silence
from models.reading import ahead
from models.unwrap import Ignored, Unreadable, Value, unwrap
from models.unwrap.outcome import Place as Stood
from models.unwrap.outcome import Source
from streams import garbage
from streams.replay import messages
from streams.replay.core import Replay
from streams.replay.messages import LENGTH, Batch, Counted, Event, Failed, FromMember, Judging, Raw, Timeless, ToMember
from streams.replay.spool import Spool
from streams.replay.tally import Place
from streams.replay.told import write

Outcome = Observation | Ignored | Unreadable
AHEAD = 4
"""Batches that wait here while one is worked on, so that nobody waits for the other."""
TELL_SECONDS = 0.2
TRACE = "HYPERPOD_STATE_TRACE"


class Misrouted(Exception):
    """A value is of another cluster than it was sent for: that one may be another process's."""


def main() -> None:
    """One replay; standard output is for messages alone.  Does not return."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all: the replay says when
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def tell(message: FromMember) -> None:
        out.write(messages.frame(message))
        out.flush()

    try:
        _work(_incoming(), tell)
    except Exception as error:  # noqa: BLE001 - whatever it is, the replay tells people
        if os.environ.get(TRACE):
            traceback.print_exception(error)
        with suppress(BrokenPipeError):
            tell(Failed(_why(error)))
    os._exit(1)  # the thread that reads would be in the way of the interpreter's own exit


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        why = error.strerror or str(error)
        return f"{error.filename}: {why}" if error.filename else why
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _work(incoming: Callable[[], ToMember], tell: Callable[[FromMember], None]) -> None:
    garbage.look_rarely()
    setup = incoming()
    assert isinstance(setup, messages.Setup)
    letters, items = (Spool(os.fdopen(number, "r+b")) for number in (setup.letters, setup.items))
    job = _replay(setup, letters)
    while isinstance(batch := incoming(), Batch):
        for value, outcome in ahead((value, _read(job, value)) for value in batch.values):
            _take(job, value, outcome)
    tell(Counted(job.clusters(), job.tally))
    order = incoming()
    assert isinstance(order, messages.Judge)
    job.load_feeds(order.feeds)
    parts = write(job.pictures(order.clock), items, _now_and_then(tell))
    letters.flush()
    items.flush()
    tell(messages.Written(letters.end, items.end, parts))
    incoming()  # until the end of standard input, which does not come back


def _replay(setup: messages.Setup, letters: Spool) -> Replay:
    return Replay(
        at_ms=setup.at_ms,
        limits=None if setup.limits is None else Limits.model_validate_json(setup.limits),
        thresholds=None if setup.thresholds is None else Thresholds.model_validate_json(setup.thresholds),
        silences=[Silence.model_validate_json(each) for each in setup.silences],
        letters=letters,
    )


def _read(job: Replay, value: Raw | Timeless | Event) -> Outcome | None:
    """What it is; None where that hangs on what came before."""
    if isinstance(value, Timeless):
        return None
    if isinstance(value, Event):
        return value.observation
    outcome = job.read(next(iter(unwrap(value.raw))))
    if isinstance(outcome, Observation) and outcome.cluster_arn != value.arn:
        raise Misrouted(f"{value.origin} is of {outcome.cluster_arn}, not of {value.arn}")
    return outcome


def _take(job: Replay, value: Raw | Timeless | Event, outcome: Outcome | None) -> None:
    if not isinstance(value, Timeless):
        assert outcome is not None
        within = value.within if isinstance(value, Event) else 0
        job.count(Place(value.number, within, value.origin), outcome)
    else:
        answer = Value(value.form, value.body, None, Stood(Source(value.data)))
        job.take(Place(value.number, value.within, value.origin), answer)


def _now_and_then(tell: Callable[[FromMember], None]) -> Callable[[], None]:
    """What to call after each cluster that is judged."""
    done, due = 0, time.monotonic() + TELL_SECONDS

    def judged() -> None:
        nonlocal done, due
        done += 1
        if time.monotonic() >= due:
            due = time.monotonic() + TELL_SECONDS
            tell(Judging(done))

    return judged


def _incoming() -> Callable[[], ToMember]:
    """What gives one message after the other, read ahead."""
    waiting: queue.Queue[bytes] = queue.Queue(AHEAD)

    def receive() -> None:
        source = sys.stdin.buffer
        while head := source.read(LENGTH):
            size = int.from_bytes(head, "big")
            if len(message := source.read(size)) < size:
                break
            waiting.put(message)
        os._exit(0)  # the replay has all that it wants, or is gone

    threading.Thread(target=receive, name="incoming", daemon=True).start()
    return lambda: messages.to_member(waiting.get())


if __name__ == "__main__":
    main()
