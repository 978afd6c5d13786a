"""The rows of one cluster: which there are, where each event is, what has changed, and what they cannot tell.

Knows: taking rows over, what falls behind the bound, node lists that rows hear of.
Must not know: how an event comes in (`models.workspace`), whose a slot's events are (`models.tenancy`).
"""

from __future__ import annotations

from collections.abc import Mapping

from models import fold
from models.doubts import BEFORE_ALL, horizon_of, newest_time, note_doubt, oldest_history
from models.fold import Limits
from models.held import told
from models.listing import NODE_LIST, absorb, hear, hear_again, observations
from models.observation import Observation
from models.placement import (
    RowKey,
    cluster_key,
    is_of_cluster,
    level_of,
)
from models.rows import Observed, Row
from models.slots import Slots


class ClusterRows:
    """What a workspace is made of; nothing here decides where an event belongs."""

    def __init__(self, cluster_arn: str, limits: Limits | None = None) -> None:
        self.cluster_arn = cluster_arn
        self._limits = limits = limits or Limits()
        # Events, and bytes of them, that a row has room for before anything may leave it.
        self._room = min(limits.keep, limits.ceiling_events), limits.ceiling_bytes
        self._rows: dict[RowKey, Row] = {}
        self._held: dict[str, RowKey] = {}
        self._slots = Slots()
        self._changed: set[RowKey] = set()
        self._drained: set[RowKey] = set()
        self.newest = self._horizon = BEFORE_ALL

    @property
    def rows(self) -> Mapping[RowKey, Row]:
        """What there is now; nobody else may change it."""
        return self._rows

    def hold(self, row_key: RowKey, row: Row) -> None:
        """Take a row over."""
        self._rows[row_key] = row
        for held in row.retained:
            if row_key.table == "clusters" or not is_of_cluster(held):  # else a snapshot as its group heard it
                self._held[held.event_id] = row_key
        if level_of(row_key) == "instance":
            self._slots.look(row_key.key.removeprefix(self.cluster_arn + "|"), row)
        self.newest = max(self.newest, newest_time(row))
        self._horizon = max(self._horizon, horizon_of(row))

    def _row(self, key: RowKey) -> Row:
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = fold.begin(level_of(key))
        return row

    def _renew(self) -> None:
        """What has lost all it had begins again, as it would after a checkpoint, which keeps no empty rows."""
        for key in self._drained:
            if fold.is_empty(self._rows[key]):
                self._rows[key] = fold.begin(level_of(key), self._rows[key].unsure)
        self._drained = set()

    def _doubt(self, begin: int, end: int | None = None) -> None:
        """Note that the rows cannot tell what was between, up to the newest event unless told otherwise: from then on
        everything was there that decided.
        """
        end = self.newest if end is None else end
        key = cluster_key(self.cluster_arn)
        if begin < end and note_doubt(self._row(key), begin, end):
            self._changed.add(key)

    def _doubt_reading(self, giver: Row) -> None:
        """When events were read does not go with them where they turn out to be about somebody else."""
        self._doubt(oldest_history(giver, self.newest))

    def _drain(self, key: RowKey) -> None:
        self._changed.add(key)
        self._drained.add(key)

    def _absorb(self, key: RowKey, row: Row) -> None:
        self._changed.add(key)
        events, size = self._room
        if len(row.retained) <= events and row.size <= size:
            return
        absorbed = fold.absorb(row, self._limits)
        for held in absorbed:
            if self._held.get(held.event_id) == key:  # else a snapshot that the cluster still has
                del self._held[held.event_id]
                if held.code == NODE_LIST:
                    obs = told(held)
                    self._observe(obs)
                    self._changed |= absorb(self.cluster_arn, self._rows, [obs])
        if absorbed:
            self._horizon = max(self._horizon, horizon_of(row))

    def _observe(self, obs: Observation) -> None:
        for key, said in observations(self.cluster_arn, obs):
            row = self._row(key)
            row.observed = said if row.observed is None else max(row.observed, said, key=Observed.order)
            row.observed_from = said.time if row.observed_from is None else min(row.observed_from, said.time)
            self._changed.add(key)

    def _hear(self, obs: Observation | None) -> None:
        """Let instances hear a node list; all that are kept where it is not the newest, or one is gone."""
        lists = [held for held in self._row(cluster_key(self.cluster_arn)).retained if held.code == NODE_LIST]
        if obs is not None and lists and lists[-1].event_id == obs.event_id:
            self._changed |= hear(self.cluster_arn, self._rows, [obs])
        else:
            self._changed |= hear_again(self.cluster_arn, self._rows, map(told, lists))

    def _hide(self, cluster: Row, obs: Observation) -> None:
        """Forget what a node list said; what older ones that are kept said holds again."""
        for key, said in observations(self.cluster_arn, obs):
            if self._row(key).observed == said:
                self._row(key).observed = None
                self._drain(key)
        for kept in cluster.retained:
            if kept.code == NODE_LIST:
                self._observe(told(kept))
        self._hear(None)
