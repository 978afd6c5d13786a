"""The small step in this project's worker: its transport, hand-over, lanes, tables and transactional checkpoint.

Knows: which parts of the worker stay as they are, and the one that is another: what a lane of events folds.
Must not know: how its figures are used.

`Lanes` makes its lanes by methods of its own, so one of those is replaced on the instance; the rest is `create_app`
as `hyperpod-state worker` calls it, HTTP server and ticks included. Options: `store` is `memory` (rows stay decoded
between checkpoints, as the worker's own do) or `rocksdb` (nothing is kept after a checkpoint; rows are read back when
needed).
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast
from zlib import crc32

from benchmarks import small_step as small
from benchmarks.contenders.job import Job, Stopwatch, leave, told
from streams import codecs, garbage, known_faust, logs, topics
from streams.app import Built, create_app
from streams.checkpoint import PROGRESS
from streams.codecs import Progress
from streams.lane import Batch, Cadence, Lane, progress_of
from streams.message import Message
from streams.settings import Settings
from streams.topics import changelog
from streams.transaction import Record, Transactions
from streams.worker import data_folder

ROWS = "instances"
TICK = b"tick"


class SmallLane(Lane):
    """One partition of events, folded by the small step; shaped as `streams.lanes` expects one of events."""

    kind = "events"
    goal = 0
    judged = True
    judged_at = 0
    watch: Stopwatch
    keeps: bool

    def load(self) -> None:
        """From the tables, as far as progress goes; rows come when they are asked for."""
        self.progress: Progress = progress_of(self, PROGRESS, codecs.PROGRESS) or Progress(self.incarnation)
        self.fresh, self.next = not self.progress.next, self.progress.next
        self._rows: dict[bytes, small.Row] = {}
        self._changed: set[bytes] = set()
        self._anomalies: list[tuple[bytes, bytes]] = []

    def fold(self, message: Message) -> None:
        """One event; ticks of the clock, which the worker sends itself, are nothing to this step."""
        if message.key == TICK:
            return
        self.watch.event()
        record = small.parse(message.value or b"")
        key = small.key_of(record)
        row, anomaly = small.step(self._rows.get(key) or self._stored(key), record)
        self._rows[key] = row
        self._changed.add(key)
        if anomaly is not None:
            self._anomalies.append((key, anomaly))

    def cut(self) -> Batch:
        """Rows, anomalies and progress, as the worker's own checkpoint has them."""
        self.progress.next = self.next
        batch, guard = Batch(self.next, self.covered), (self.incarnation, self.next - 1)
        topic = changelog(self.settings, ROWS)
        for key in self._changed:
            row = codecs.wrap(1, *guard, small.encode(self._rows[key]))
            batch.add(Record(topic, self.partition, key, row), ROWS)
        for key, value in self._anomalies:
            batch.add(Record(self.settings.anomalies_topic, self.partition, key, value))
        row = codecs.encode(self.progress)
        batch.add(Record(changelog(self.settings, PROGRESS), self.partition, codecs.PROGRESS_KEY, row), PROGRESS)
        batch.done = self._forget(self._changed)
        self._changed, self._anomalies = set(), []
        return batch

    def _stored(self, key: bytes) -> small.Row | None:
        data = self.tables.get(ROWS, self.partition, key)
        return None if data is None else small.decode(codecs.unwrap_row(data, 1))

    def _forget(self, written: set[bytes]) -> Any:
        """Once rows are in RocksDB, those that were not changed again meanwhile are let go."""

        def done() -> None:
            if not self.keeps:
                for key in written - self._changed:
                    self._rows.pop(key, None)

        return done


def built(job: Job, watch: Stopwatch) -> tuple[Settings, Built]:
    """The worker's app, with that lane."""
    with data_folder(settings_of(job)) as settings:
        prepared = topics.prepare(settings)
        app = create_app(settings, prepared.incarnations)
    lanes = app.lanes

    def small_lane(partition: int) -> SmallLane:
        cadence = Cadence(settings.checkpoint_interval, settings.checkpoint_events, settings.quiet_seconds)
        writer = Transactions(settings, f"{settings.app_id}-{settings.events_topic}-{partition}", SmallLane.kind)
        lane = SmallLane(settings.events_topic, partition, app.tables, writer, cadence, lanes._recover)
        lane.settings, lane.incarnation = settings, prepared.incarnations[settings.events_topic]
        lane.watch, lane.keeps = watch, job.options.get("store", "memory") == "memory"
        return lane

    cast(Any, lanes)._events_lane = small_lane
    lanes.given_up = lambda lane: None
    return settings, app


def settings_of(job: Job) -> Settings:
    """Everything by default but what the job says; a checkpoint each second, however many events that is."""
    names: Any = {
        f"{kind}_topic": f"{job.group}.{kind}"
        for kind in ("raw", "transitions", "anomalies", "deadletter", "status", "silences")
    }
    return Settings(
        brokers=job.bootstrap,
        app_id=job.group,
        events_topic=job.topic,
        partitions=job.partitions,
        data_dir=Path(job.folder),
        http_port=20_000 + crc32(job.group.encode()) % 10_000,  # the same after a restart, so the group knows it again
        session_timeout=10,
        instance_id="bench",
        store=False,
        log_level="warning",
        checkpoint_interval=job.checkpoint_seconds,
        checkpoint_events=1_000_000,
        transport=job.options.get("transport", "committed"),
        **names,
    )


async def _until_done(app: Built, watch: Stopwatch) -> None:
    """All events folded, and everything that was folded committed."""
    while True:
        lanes = [cast(SmallLane, lane) for lane in app.lanes.events.values()]
        if watch.full and all(not lane.busy for lane in lanes):
            break
        await asyncio.sleep(0.01)
    watch.end()
    await app.lanes.restorer.settled()  # what another start finds
    leave()


def main(job: Job) -> None:
    """Drain the topic; started as `streams.worker` starts."""
    logs.setup("warning", "text")
    known_faust.check()
    watch = Stopwatch(job)
    with garbage.nobody_looks():
        _, app = built(job, watch)
        garbage.look_rarely()
    garbage.keep_little()
    worker = app.app.Worker(loglevel="WARN", quiet=True, override_logging=False, redirect_stdouts=False)
    worker.spinner = None
    app.app.add_future(_until_done(app, watch))
    worker.execute_from_commandline()


if __name__ == "__main__":
    main(told())
