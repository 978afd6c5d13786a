"""A worker from start to end.

Knows: the order of starting, the data folder's lock and identity, exit codes.
Must not know: what the app does.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any

from streams import garbage, known_faust, logs, topics
from streams.settings import PlainError, Settings, StartError

OK, FAILED, UNAVAILABLE = 0, 1, 3
END_SECONDS = 15.0
"""After the last checkpoints: libraries that lose Kafka while they end may wait for it for ever."""
log = logs.get(__name__)


class WorkerError(StartError):
    """The data folder cannot be used."""


def run(settings: Settings) -> int:
    """Work until SIGTERM or Ctrl-C (0), or until something breaks that only a restart can mend (1).

    Raises StartError (its subclasses say what of) before anything is started.
    """
    logs.setup(settings.log_level, settings.log_format)
    with early_signals(), data_folder(settings) as own:
        prepared = topics.prepare(own)
        settings = _fitted(own, prepared.record_bytes)
        log.info("starting", settings=settings.public())
        with garbage.nobody_looks():
            from streams.app import create_app  # Faust takes its time to import; refusals above should not

            known_faust.check()
            built = create_app(settings, prepared.incarnations)
            garbage.look_rarely()
        garbage.keep_little()
        built.app.ending = partial(_end_by, settings.stop_seconds + END_SECONDS)
        return _execute(built.app)


def _fitted(settings: Settings, record_bytes: int) -> Settings:
    """No record larger than the topics take: one that Kafka refuses would be tried for ever."""
    if record_bytes < settings.max_record_bytes:
        advice = "raise max.message.bytes of the topics to it, or lower it"
        names = {"setting": settings.max_record_bytes, "topics_take": record_bytes}
        log.warning("HYPERPOD_STATE_MAX_RECORD_BYTES is above what some topic takes", **names, advice=advice)
    return settings.model_copy(update={"max_record_bytes": record_bytes})


@contextmanager
def early_signals() -> Iterator[None]:
    """Until Faust listens for signals there is nothing to end in order, and libraries that wait would not notice."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _leave) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave(number: int, frame: FrameType | None) -> None:
    del number, frame
    os._exit(OK)


@contextmanager
def data_folder(settings: Settings) -> Iterator[Settings]:
    """The folder, locked for this process, and settings that name the instance which it belongs to."""
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise WorkerError(f"The data folder {folder} cannot be used: {error.strerror}.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise WorkerError(f"Another worker uses {folder}. Give each one a folder of its own.") from error
        identity = settings.instance_id or _identity(settings)
        yield settings.model_copy(update={"instance_id": identity, "data_dir": folder.absolute()})


def _end_by(seconds: float) -> None:
    """End this process, if it has not ended in order by then: what is committed is whole, the rest is read again."""

    def leave() -> None:
        log.error("did not end in order, and ends now", seconds=seconds)
        os._exit(FAILED)

    timer = threading.Timer(seconds, leave)
    timer.daemon = True
    timer.start()


def _identity(settings: Settings) -> str:
    """The same after every restart: Kafka then hands the partitions back at once, instead of after the session."""
    path = settings.data_dir / "instance-id"
    if path.exists() and (known := path.read_text().strip()):
        return known
    fresh = f"worker-{uuid.uuid4().hex[:12]}"
    path.write_text(fresh + "\n")
    return fresh


def _execute(app: Any) -> int:
    """Faust's own worker, with its exits made plain."""
    worker = app.Worker(loglevel="WARN", quiet=True, override_logging=False, redirect_stdouts=False, stdout=sys.stderr)
    worker.spinner = None
    try:
        worker.execute_from_commandline()
    except SystemExit as stop:
        failure = app.failure or (stop if stop.code else None)
    except BaseException as error:  # noqa: BLE001 - Faust raises again whatever made it stop
        failure = app.failure or error
    else:
        failure = app.failure
    if failure is None:
        return OK
    log.error("worker failed", error=str(failure) if isinstance(failure, PlainError) else logs.place(failure))
    return FAILED
