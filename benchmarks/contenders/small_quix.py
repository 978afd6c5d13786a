"""The small step in Quix Streams, as its documentation has it and with what it can be tuned by.

Knows: Quix Streams.
Must not know: how its figures are used.

Options: `store` is `memory` or `rocksdb`; `tuned` turns on larger fetches, rows as bytes and a checkpoint each second
in place of every five.
"""

from __future__ import annotations

from typing import Any

from quixstreams import Application, State
from quixstreams.state.memory import MemoryStore
from quixstreams.state.rocksdb import RocksDBStore

from benchmarks import small_step as small
from benchmarks.contenders.job import Job, Stopwatch, leave, told

STORES = {"memory": MemoryStore, "rocksdb": RocksDBStore}
FETCH = {"fetch.wait.max.ms": 50, "queued.max.messages.kbytes": 65_536, "fetch.message.max.bytes": 4 << 20}
SEND = {"linger.ms": 5, "queue.buffering.max.messages": 1_000_000}


class Timed(Application):  # type: ignore[misc] # in the peers' environment alone
    """Tells when the last checkpoint is committed, before everything is closed."""

    finished: Any = None

    def _run_dataframe(self, sink: Any = None) -> None:
        super()._run_dataframe(sink)
        self.finished()


def application(job: Job) -> Timed:
    """An app for the job, tuned if it says so."""
    more: dict[str, Any] = {}
    if job.options.get("tuned"):
        more = {"consumer_extra_config": FETCH, "producer_extra_config": SEND, "broker_availability_timeout": 0}
        more["commit_interval"] = job.checkpoint_seconds
    where = {"consumer_group": job.group, "auto_offset_reset": "earliest", "state_dir": job.folder}
    return Timed(job.bootstrap, loglevel="WARNING", **where, **more)


def main(job: Job) -> None:
    """Drain the topic."""
    watch = Stopwatch(job)
    app = application(job)
    topic = app.topic(job.topic, value_deserializer="bytes", key_deserializer="bytes")
    out = app.topic(f"{job.group}-anomalies", value_serializer="bytes", key_serializer="bytes")
    take = _bytes if job.options.get("tuned") else _plain

    def act(value: bytes, state: State) -> bytes | None:
        watch.event()
        if watch.full:
            app.stop()
        return take(value, state)

    frame = app.dataframe(topic)
    frame.register_store(store_type=STORES[job.options.get("store", "rocksdb")])
    frame = frame.apply(act, stateful=True)
    frame[frame.apply(lambda found: found is not None)].to_topic(out)
    app.finished = watch.end
    app.run()
    leave()


def _bytes(value: bytes, state: State) -> bytes | None:
    record = small.parse(value)
    key = record.InstanceId.encode()
    held = state.get_bytes(key)
    row, anomaly = small.step(None if held is None else small.decode(held), record)
    state.set_bytes(key, small.encode(row))
    return anomaly


def _plain(value: bytes, state: State) -> bytes | None:
    """Rows as plain JSON values, as Quix's documentation has states."""
    record = small.parse(value)
    held = state.get(record.InstanceId)
    row, anomaly = small.step(None if held is None else small.revive(held), record)
    state.set(record.InstanceId, small.plain(row))
    return anomaly


if __name__ == "__main__":
    main(told())
