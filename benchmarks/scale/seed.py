"""A fleet's rows, folded here and written into the changelogs, as a worker that had lived through it had left them.

Knows: the workload, reading, the fold, the envelope of a row, how rows are shared out among partitions.
Must not know: what is measured.

A worker would take its time over a million events.  What is to be measured is what it does with the rows, so they are
made without it, by the functions that it has: each cluster is folded event by event.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from kafka import KafkaProducer

from benchmarks.contenders.real_fold import nothing
from benchmarks.workload import Shape, events
from models.observation import Observation
from models.placement import RowKey
from models.reading import read
from models.rows import FOLD_VERSION
from models.unwrap import Value, unwrap
from models.workspace import Workspace
from streams import codecs
from streams.settings import Settings
from streams.topics import changelog
from streams.transaction import partition_of

CLUSTER = 1000
"""Instances of a cluster: a thousand such clusters are a million."""
LIFE = 9
"""Events of an instance: its birth and one software update."""
AGE_MS = 3_600_000
LARGEST = 16 << 20


@dataclass
class Rows:
    """What was made so far."""

    rows: int = 0
    row_bytes: int = 0
    clusters: int = 0


def shape(cluster: int, instances: int = CLUSTER, each: int = LIFE, begin_ms: int = 0) -> Shape:
    """One cluster's life, an hour ago where no other time is told."""
    begin = begin_ms or round(time.time() * 1000) - AGE_MS
    return Shape(instances * each, 1, instances, partitions=1, begin_ms=begin, first_cluster=cluster)


def folded(life: Shape) -> Workspace:
    """The cluster after all of it, with nothing taken yet."""
    made: Workspace | None = None
    for event in events(life):
        for value in unwrap(event.value, observed_ms=life.begin_ms):
            observation = read(value, latest=nothing) if isinstance(value, Value) else None
            assert isinstance(observation, Observation)
            made = made or Workspace(observation.cluster_arn)
            made.apply(observation, observation.time)
    assert made is not None
    return made


def taken(workspace: Workspace) -> Iterator[tuple[RowKey, bytes]]:
    """Its rows as tables have them."""
    for key, row in workspace.take().rows.items():
        if row is not None:
            yield key, codecs.wrap(FOLD_VERSION, "", 0, row)


class Seeder:
    """Of the changelogs of one worker, which made them when it was started the first time."""

    def __init__(self, bootstrap: str, app_id: str, partitions: int) -> None:
        self._settings, self._partitions = Settings(app_id=app_id), partitions
        self._bootstrap, self._begin_ms = bootstrap, round(time.time() * 1000) - AGE_MS
        self.made = Rows()

    def grow(self, instances: int) -> Rows:
        """Until there are so many.  Returns what there is then."""
        producer = KafkaProducer(
            bootstrap_servers=self._bootstrap, acks=1, linger_ms=50, batch_size=1 << 20, max_request_size=LARGEST
        )
        try:
            while self.made.clusters * CLUSTER < instances:
                self._put(producer, folded(shape(self.made.clusters, begin_ms=self._begin_ms)))
                self.made.clusters += 1
            producer.flush(timeout=120)
        finally:
            producer.close()
        return self.made

    def _put(self, producer: KafkaProducer, workspace: Workspace) -> None:
        partition = partition_of(workspace.cluster_arn.encode(), self._partitions)
        for (table, key), value in taken(workspace):
            name = key.encode()
            producer.send(changelog(self._settings, table), partition=partition, key=name, value=value)
            self.made.rows += 1
            self.made.row_bytes += len(name) + len(value)
