"""The real fold in Quix Streams: workspaces in memory, their changed rows into Quix's state with each event.

Knows: Quix Streams.
Must not know: how its figures are used, how a row moves.

Quix has no step that runs once a checkpoint, so what an event changed is put into its state at once; Quix itself
writes a key once a checkpoint. Reading rows back from the state instead of keeping workspaces would cost more.
"""

from __future__ import annotations

from typing import Any

from quixstreams import State

from benchmarks.contenders.job import Job, Stopwatch, leave, told
from benchmarks.contenders.real_fold import Clusters
from benchmarks.contenders.small_quix import STORES, application


def main(job: Job) -> None:
    """Drain the topic."""
    watch = Stopwatch(job)
    app, clusters = application(job), Clusters()
    topic = app.topic(job.topic, value_deserializer="bytes", key_deserializer="bytes")
    out = app.topic(f"{job.group}-transitions", value_serializer="bytes", key_serializer="bytes")

    def act(value: bytes, key: Any, time_ms: int, headers: Any, state: State) -> list[bytes]:
        watch.event()
        if watch.full:
            app.stop()
        clusters.apply(value, time_ms, 0)
        return list(_stored(clusters, state))

    frame = app.dataframe(topic)
    frame.register_store(store_type=STORES[job.options.get("store", "rocksdb")])
    frame.apply(act, stateful=True, expand=True, metadata=True).to_topic(out)
    app.finished = watch.end
    app.run()
    leave()


def _stored(clusters: Clusters, state: State) -> Any:
    """Rows go into the state, transitions out."""
    for _, kind, key, value in clusters.take():
        if kind == "transitions":
            yield value
        elif value is None:
            state.delete(key)
        else:
            state.set_bytes(key, value)


if __name__ == "__main__":
    main(told())
