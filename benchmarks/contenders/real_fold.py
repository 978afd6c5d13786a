"""The reconstruction as peers call it: `models` alone, one workspace a cluster, kept in memory.

Knows: reading, workspaces, what a checkpoint has to write.
Must not know: Kafka, any framework, this project's worker.

It does less than the worker, in a peer's favour: no anomalies, no counts, no second topic, no ticks, no protection from
what comes twice.  It judges only where `judge_if_due` is called, as seldom as the worker does, and tells nobody.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from pydantic import BaseModel

from models.fold import Limits, settle
from models.observation import Observation
from models.reading import read
from models.unwrap import Value, unwrap
from models.workspace import Workspace

LIMITS = Limits()
JUDGE_SHARE = 2.0
"""As in `streams.agents.events`."""


class Clusters:
    """Workspaces by ARN."""

    def __init__(self) -> None:
        self._open: dict[str, Workspace] = {}
        self._touched: dict[str, int] = {}
        self._unjudged: set[str] = set()
        self._newest, self._next_judgement = 0, 0.0

    def apply(self, raw: bytes, observed_ms: int, partition: int) -> None:
        """One raw record, whatever it holds."""
        for obs in observations((raw,), observed_ms):
            self.take_in(obs, observed_ms, partition)

    def take_in(self, obs: Observation, observed_ms: int, partition: int) -> None:
        """One event that was read."""
        arn = obs.cluster_arn
        workspace = self._open.get(arn)
        if workspace is None:
            workspace = self._open[arn] = Workspace(arn, LIMITS)
        workspace.apply(obs, observed_ms)
        self._touched[arn] = partition
        if obs.time > self._newest:
            self._newest = obs.time

    def settle(self) -> None:
        """Fold what disorder has put off, and write nothing."""
        for arn in self._touched:
            for row in self._open[arn].rows.values():
                settle(row)
        self._touched.clear()

    def judge_if_due(self) -> None:
        """The clusters that changed, if the last judgement is `JUDGE_SHARE` times as long ago as it took."""
        self._unjudged.update(self._touched)
        began = time.monotonic()
        if began < self._next_judgement:
            return
        for arn in self._unjudged:
            self._open[arn].picture(self._newest)
        self._unjudged.clear()
        ended = time.monotonic()
        self._next_judgement = ended + JUDGE_SHARE * (ended - began)

    def take(self) -> Iterator[tuple[int, str, bytes, bytes | None]]:
        """What changed since the last take: partition, what it is (`rows`, `transitions`), key, value."""
        for arn, partition in self._touched.items():
            changes = self._open[arn].take()
            for (_, key), row in changes.rows.items():
                yield partition, "rows", key.encode(), row
            for transition in changes.transitions:
                yield partition, "transitions", arn.encode(), _json(transition)
        self._touched.clear()


def observations(records: Iterable[bytes], observed_ms: int) -> Iterator[Observation]:
    """The events of raw records."""
    for raw in records:
        for value in unwrap(raw, observed_ms=observed_ms):
            obs = read(value, latest=nothing) if isinstance(value, Value) else None
            if isinstance(obs, Observation):
                yield obs


def _json(transition: Any) -> bytes:
    """As the worker writes it, whichever sort of record it is."""
    if isinstance(transition, BaseModel):
        return transition.model_dump_json().encode()
    return msgspec.json.encode(transition)


def nothing(cluster_arn: str) -> int | None:
    """No cluster's newest time is needed: every record has one of its own."""
    del cluster_arn
    return None
