"""Files to one document: the reconstruction with no broker.

Knows: files, reading, workspaces; the very rows and the very bound that the worker has.
Must not know: Kafka, Faust, how a document is shown.

Values are taken in the order read, never sorted, never deduplicated beforehand.
"""

from __future__ import annotations

import base64
import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence

from models.broadcasts import Broadcasts, is_heartbeat
from models.deadlines import Thresholds
from models.fold import Limits
from models.observation import Observation
from models.public import DeadLetterItem, Document, Picture, Summary, iso, join
from models.public_silence import Silence
from models.reading import read
from models.unwrap import Ignored, Unreadable, unwrap
from models.workspace import Outcome, Workspace
from streams.files import values

Progress = Callable[[int, int | None], None]


class _Known:
    """What is known of some of the values: clusters, and what concerns many of them."""

    def __init__(self, limits: Limits | None, thresholds: Thresholds | None) -> None:
        self._limits, self._thresholds = limits, thresholds
        self._clusters: dict[str, Workspace] = {}
        self._shared = Broadcasts(limits, thresholds)

    def apply(self, obs: Observation) -> Outcome:
        if is_heartbeat(obs):
            return self._shared.hear(obs)
        if obs.cluster_arn not in self._clusters:
            self._clusters[obs.cluster_arn] = Workspace(obs.cluster_arn, self._limits)
        return self._clusters[obs.cluster_arn].apply(obs)

    def pictures(self, now: int, silences: Sequence[Silence]) -> list[Picture]:
        feed, by = self._shared.feed, self._thresholds
        return [cluster.picture(now, by, feed(arn), silences) for arn, cluster in sorted(self._clusters.items())]


class Replay:
    """Counts and clusters while values come in."""

    def __init__(
        self,
        *,
        at_ms: int | None = None,
        limits: Limits | None = None,
        thresholds: Thresholds | None = None,
        silences: Sequence[Silence] = (),
    ) -> None:
        self._at, self._silences = at_ms, silences
        self._counted = _Known(limits, thresholds)
        self._asked = self._counted if at_ms is None else _Known(limits, thresholds)
        self._latest: dict[str, int] = {}
        self._ignored: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()
        self._letters: list[DeadLetterItem] = []
        self._watermark: int | None = None

    def feed(self, origin: str, raw: bytes) -> None:
        """One raw value: a line, a document, a Kafka record.  Never raises on data."""
        for value in unwrap(raw):
            self._counts["read"] += 1
            outcome = value if isinstance(value, Ignored | Unreadable) else read(value, latest=self._latest.get)
            if isinstance(outcome, Ignored):
                self._ignored[outcome.type] += 1
            elif isinstance(outcome, Unreadable):
                self._bury(origin, outcome)
            else:
                self._apply(outcome)

    def document(self, now_ms: int | None = None) -> Document:
        """Everything so far, judged at the moment asked for, else at `now_ms`, else at the watermark."""
        shown = self.picture(now_ms)
        return Document(
            summary=self.summary(),
            clusters=shown.clusters,
            instance_groups=shown.instance_groups,
            instances=shown.instances,
            anomalies=shown.anomalies,
            dead_letters=tuple(self._letters),
        )

    def picture(self, now_ms: int | None = None) -> Picture:
        """What the worker would show at that moment: the document's lists and those beside it."""
        now = self.clock(now_ms)
        return join(self._asked.pictures(now, self._silences))

    def clock(self, now_ms: int | None = None) -> int:
        """The moment that everything is judged at."""
        return next((ms for ms in (self._at, now_ms, self._watermark) if ms is not None), 0)

    def _bury(self, origin: str, letter: Unreadable) -> None:
        data = base64.b64encode(letter.data).decode("ascii")
        self._letters.append(DeadLetterItem(reason=letter.reason, origin=origin, data=data))

    def _apply(self, obs: Observation) -> None:
        arn = obs.cluster_arn
        outcome = self._counted.apply(obs)
        if self._asked is not self._counted and self._at is not None and obs.time <= self._at:
            self._asked.apply(obs)
        self._counts["duplicate" if outcome.duplicate else "applied"] += 1
        self._counts["late"] += outcome.late
        self._counts["unrecognized"] += outcome.unrecognized
        self._latest[arn] = max(obs.time, self._latest.get(arn, obs.time))
        self._watermark = obs.time if self._watermark is None else max(self._watermark, obs.time)

    def summary(self) -> Summary:
        """How every value so far was counted."""
        return Summary(
            read=self._counts["read"],
            applied=self._counts["applied"],
            duplicate=self._counts["duplicate"],
            ignored=dict(self._ignored),
            dead_lettered=len(self._letters),
            late=self._counts["late"],
            unrecognized=self._counts["unrecognized"],
            watermark=None if self._watermark is None else iso(self._watermark),
        )


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
    """Reconstruct from files (`-` is standard input); see `fed`.

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
    total, done = _size(paths), 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done, total)

    for origin, raw in values(paths, stdin=sys.stdin.buffer, progress=advance):
        job.feed(origin, raw)
    return job


def _size(paths: Sequence[str]) -> int | None:
    """Bytes of all files together, None where one has no size to know beforehand."""
    try:
        return sum(os.path.getsize(path) for path in paths)
    except OSError:
        return None
