"""Files to one document: the reconstruction with no broker.

Knows: files, when several processes are worth it.
Must not know: how values become clusters (`core`), how they are dealt out (`crew`), how a document is shown.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, TypeAlias

from models.deadlines import Thresholds
from models.fold import Limits
from models.public import Document
from models.public_silence import Silence
from streams.files import values
from streams.replay.core import Replay, Terms
from streams.replay.crew import Crew
from streams.replay.process import CrewError
from streams.replay.spool import Spool
from streams.replay.told import LISTS, Told, write

__all__ = ["LISTS", "MOST_JOBS", "CrewError", "Replay", "Terms", "Told", "fed", "reconstruct", "replay"]

Progress = Callable[[int, int | None], None]
Origins: TypeAlias = Iterator[tuple[str, bytes]]
Held: TypeAlias = deque[tuple[str, bytes]]
WORTH_IT: Final = 16 << 20
"""Bytes of values: what is smaller is done before other processes have begun."""
PACKED: Final = 10
"""How many times larger a gzipped file may be."""
MOST_JOBS: Final = 16
"""One process deals out, and can keep about so many busy."""


def replay(
    paths: Sequence[str],
    *,
    now_ms: int | None = None,
    at_ms: int | None = None,
    progress: Progress | None = None,
    limits: Limits | None = None,
    thresholds: Thresholds | None = None,
    silences: Sequence[Silence] = (),
) -> Document:
    """Reconstruct from files (`-` is standard input), in this process; see `fed`.

    `now_ms` is the clock for deadlines, `at_ms` answers as of then from the values with time ≤ `at_ms`.
    """
    job = fed(paths, at_ms=at_ms, progress=progress, limits=limits, thresholds=thresholds, silences=silences)
    return job.document(now_ms)


def fed(
    paths: Sequence[str],
    *,
    at_ms: int | None = None,
    progress: Progress | None = None,
    limits: Limits | None = None,
    thresholds: Thresholds | None = None,
    silences: Sequence[Silence] = (),
) -> Replay:
    """Everything in the files, read.

    `progress` is told the bytes read and, where it is known, their total.  Raises `streams.files.FilesError`.
    """
    job = Replay(at_ms=at_ms, limits=limits, thresholds=thresholds, silences=silences)
    for origin, raw in _values(paths, progress):
        job.feed(origin, raw)
    return job


@contextmanager
def reconstruct(
    paths: Sequence[str],
    terms: Terms,
    *,
    now_ms: int | None = None,
    jobs: int | None = None,
    reading: Progress | None = None,
    judging: Progress | None = None,
) -> Iterator[Told]:
    """The same by up to `jobs` processes (None: as many as there are cores), and with no list of it in memory.

    `judging` is told the clusters that are judged and how many there are.  Raises CrewError too.
    """
    found, held = _values(paths, reading), deque[tuple[str, bytes]]()
    count = min(_cores(), MOST_JOBS) if jobs is None else jobs
    if count > 1 and _is_worth_it(paths, found, held):
        with Crew(count, terms) as crew:
            for origin, raw in _each(held, found):
                crew.feed(origin, raw)
            yield crew.tell(now_ms, judging)
    else:
        job = Replay(at_ms=terms.at_ms, limits=terms.limits, thresholds=terms.thresholds, silences=terms.silences)
        for origin, raw in _each(held, found):
            job.feed(origin, raw)
        yield _alone(job, now_ms, judging)


def _alone(job: Replay, now_ms: int | None, judging: Progress | None) -> Told:
    spool, done = Spool(), 0

    def judged() -> None:
        nonlocal done
        done += 1
        if judging is not None:
            judging(done, job.clusters())

    parts = write(job.pictures(job.clock(now_ms)), spool, judged)
    return Told(job.summary(), [(spool, parts)], [job.letters])


def _is_worth_it(paths: Sequence[str], found: Origins, held: Held) -> bool:
    """Whether other processes are; `held` gets the values that had to be read to know."""
    size = _size(paths)
    if size is not None:
        return size * (PACKED if any(path.endswith(".gz") for path in paths) else 1) >= WORTH_IT
    left = WORTH_IT
    for each in found:
        held.append(each)
        left -= len(each[1])
        if left <= 0:
            return True
    return False


def _each(held: Held, found: Origins) -> Origins:
    while held:
        yield held.popleft()
    yield from found


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _values(paths: Sequence[str], progress: Progress | None) -> Origins:
    total, done = _size(paths), 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done, total)

    return values(paths, stdin=sys.stdin.buffer, progress=advance)


def _size(paths: Sequence[str]) -> int | None:
    """Bytes of all files together, None where one has no size to know beforehand."""
    try:
        return sum(os.path.getsize(path) for path in paths) if all(map(os.path.isfile, paths)) else None
    except OSError:
        return None
