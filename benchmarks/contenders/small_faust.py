"""The small step in Faust as its documentation has it: an agent, a table, `table[key] = value`.

Knows: Faust.
Must not know: how its figures are used; this project's worker.

Rows are plain JSON values in the memory store.  Time ends when the last event's row is in the changelog: Faust's
commits may fall behind for ever (docs/upstream/faust-commit-crawl.md), so they are not waited for.
"""

from __future__ import annotations

from typing import Any

import faust

from benchmarks import small_step as small
from benchmarks.contenders.job import Job, Stopwatch, leave, told


def main(job: Job) -> None:
    """Drain the topic."""
    watch = Stopwatch(job)
    app = faust.App(
        job.group,
        broker=f"kafka://{job.bootstrap}",
        datadir=job.folder,
        store="memory://",
        topic_partitions=job.partitions,
        consumer_auto_offset_reset="earliest",
        broker_commit_interval=job.checkpoint_seconds,
        web_enabled=False,
        worker_redirect_stdouts=False,
    )
    source = app.topic(job.topic, key_type=bytes, value_type=bytes, value_serializer="raw", key_serializer="raw")
    found = app.topic(f"{job.group}-anomalies", value_serializer="raw", key_serializer="raw")
    rows: Any = app.Table("rows", key_type=str, value_type=dict, partitions=job.partitions)

    async def agent(stream: Any) -> None:
        async for value in stream:
            watch.event()
            record = small.parse(value)
            key = small.key_of(record).decode()
            held = rows.get(key)
            row, anomaly = small.step(None if held is None else small.revive(held), record)
            rows[key] = small.plain(row)
            if anomaly is not None:
                await found.send(key=key.encode(), value=anomaly)
            if watch.full:
                await app.producer.flush()
                watch.end()
                leave()

    app.agent(source)(agent)
    app.Worker(loglevel="ERROR", quiet=True).execute_from_commandline()


if __name__ == "__main__":
    main(told())
