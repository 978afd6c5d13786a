"""Which anomaly records the topic has, and what to write so that it agrees with the judgement.

Knows: publication: revisions, holding back, retracting, leaving.
Must not know: how anomalies are found, Kafka, when a cluster rests.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from models.public import Anomaly, AnomalyKind, AnomalyStatus
from streams import codecs
from streams.codecs import AnomalyRow

TENTATIVE = frozenset({AnomalyKind.MISSING_EVENT, AnomalyKind.UNEXPECTED_TRANSITION})
"""What only a missing or late event would explain."""
KEEP_MS = 30 * 86_400_000
SLACK_MS = 86_400_000
PLACE = ("kind", "cluster_arn", "instance_group", "machine")
NAMES = ("instance_id", "node_logical_id")


@dataclass(frozen=True)
class Entry:
    """One change: `row` goes to the table (None deletes), `record` to the topic where `publish` is set."""

    anomaly_id: str
    row: AnomalyRow | None
    publish: bool

    @property
    def record(self) -> dict[str, Any] | None:
        """What the topic gets; None deletes."""
        return None if self.row is None else self.row.record


class _Kept(msgspec.Struct, frozen=True, gc=False):
    """A row as the ledger keeps it: its record is bytes until somebody asks, as most have ended and never change."""

    cluster: str
    data: bytes
    revision: int
    held_since: int | None

    @property
    def record(self) -> dict[str, Any]:
        """As it is published."""
        return _RECORD.decode(self.data)

    @classmethod
    def of(cls, row: AnomalyRow, cluster: str) -> _Kept:
        """A row; all of a cluster share its name."""
        return cls(cluster, codecs.encode(row.record), row.record.get("revision", 0), row.held_since)


_RECORD = msgspec.json.Decoder(dict[str, Any])
_Rows = dict[str, _Kept]
_Plain = list[tuple[str, bytes, int, int | None]]
_PACK = msgspec.msgpack.Encoder().encode
_UNPACK = msgspec.msgpack.Decoder(_Plain).decode
_LEVEL = 1


class _Packed(msgspec.Struct, frozen=True, gc=False):
    """All rows of one cluster: its records say much the same, so together they take a tenth."""

    data: bytes
    open: tuple[tuple[str, int], ...]
    """Those that are open, by severity: it is asked for once a minute."""

    @classmethod
    def of(cls, rows: _Rows) -> _Packed:
        """The rows, packed."""
        plain = [(name, row.data, row.revision, row.held_since) for name, row in rows.items()]
        return cls(zlib.compress(_PACK(plain), _LEVEL), tuple(_open_of(rows).items()))

    def rows(self, cluster: str) -> _Rows:
        """As they were."""
        plain = _UNPACK(zlib.decompress(self.data))
        return {name: _Kept(cluster, data, revision, held) for name, data, revision, held in plain}


class Ledger:
    """The records of one partition, by id and by cluster."""

    def __init__(self, rows: Iterable[tuple[str, AnomalyRow]], settle_ms: int) -> None:
        self._settle_ms = settle_ms
        self._by_cluster: dict[str, _Rows | _Packed] = {}
        self._turns: dict[str, int | None] = {}
        for anomaly_id, row in rows:
            self._opened(row.cluster)[anomaly_id] = _Kept.of(row, row.cluster)

    def clusters(self) -> set[str]:
        """Clusters that have records."""
        return set(self._by_cluster)

    def records(self) -> Iterator[dict[str, Any]]:
        """Every record that is held or published."""
        for cluster, known in self._by_cluster.items():
            rows = known.rows(cluster) if isinstance(known, _Packed) else known
            for row in rows.values():
                yield row.record

    def open_counts(self) -> dict[str, int]:
        """Open anomalies by severity."""
        counts: Counter[str] = Counter()
        for known in self._by_cluster.values():
            counts.update(dict(known.open) if isinstance(known, _Packed) else _open_of(known))
        return dict(sorted(counts.items()))

    def rest(self, cluster: str) -> None:
        """Nobody needs the cluster for now: keep its rows packed."""
        rows = self._by_cluster.get(cluster)
        if isinstance(rows, dict):
            if rows:
                self._by_cluster[cluster] = _Packed.of(rows)
            else:
                del self._by_cluster[cluster]

    def _opened(self, cluster: str) -> _Rows:
        known = self._by_cluster.get(cluster)
        if not isinstance(known, dict):
            known = self._by_cluster[cluster] = {} if known is None else known.rows(cluster)
        return known

    def revise(self, cluster: str, found: Iterable[Anomaly], now: int, revision: int) -> list[Entry]:
        """Take over a new judgement of a cluster; returns what changed, in the order of ids."""
        rows = self._opened(cluster)
        current = {each.anomaly_id: each for each in found}
        waiting = _tentative(current)
        entries = [self._keep(rows, each, each.anomaly_id in waiting, now, revision) for each in current.values()]
        gone = [row for anomaly_id, row in rows.items() if anomaly_id not in current]
        entries += [self._leave(row, current, rows, now, revision) for row in gone]
        changes = sorted((entry for entry in entries if entry is not None), key=lambda entry: entry.anomaly_id)
        for entry in changes:
            if entry.row is None:
                rows.pop(entry.anomaly_id, None)
            else:
                rows[entry.anomaly_id] = _Kept.of(entry.row, cluster)
        turns = (self._turn(row, anomaly_id in current) for anomaly_id, row in rows.items())
        self._turns[cluster] = min((at for at in turns if at is not None), default=None)
        return changes

    def until(self, cluster: str) -> int | None:
        """From when on the same judgement of a cluster may make other records; None: never."""
        return self._turns.get(cluster)

    def _turn(self, row: _Kept, found: bool) -> int | None:
        """When time alone changes what is to be told of a record."""
        if row.held_since is not None:
            return row.held_since + self._settle_ms
        return None if found else _ended_at(row.record) + KEEP_MS - SLACK_MS + 1

    def _keep(
        self, rows: Mapping[str, _Kept], found: Anomaly, tentative: bool, now: int, revision: int
    ) -> Entry | None:
        """The entry of an anomaly that is there."""
        old = rows.get(found.anomaly_id)
        record = found.model_dump(mode="json")
        same = old is not None and _same(old, record)
        record["revision"] = old.revision if old is not None and same else revision
        since = now if old is None else old.held_since
        held = tentative and since is not None and now - since < self._settle_ms
        if same and old is not None and (old.held_since is None) == (not held):
            return None
        row = AnomalyRow(found.cluster_arn, record, since if held else None)
        return Entry(found.anomaly_id, row, publish=not held)

    def _leave(
        self,
        row: _Kept,
        current: Mapping[str, Anomaly],
        rows: Mapping[str, _Kept],
        now: int,
        revision: int,
    ) -> Entry | None:
        """The entry of an anomaly that the judgement no longer has."""
        record = row.record
        if row.held_since is not None:
            return Entry(record["anomaly_id"], None, publish=False)
        ended = record["status"] != AnomalyStatus.OPEN
        if ended and now - _ended_at(record) > KEEP_MS - SLACK_MS:
            return Entry(record["anomaly_id"], None, publish=True)
        if record["status"] == AnomalyStatus.RETRACTED:
            return None
        changed = {"status": "retracted", "revision": revision, "superseded_by": _successor(record, current, rows)}
        return Entry(record["anomaly_id"], AnomalyRow(row.cluster, {**record, **changed}), publish=True)


def _open_of(rows: _Rows) -> Counter[str]:
    records = (row.record for row in rows.values())
    return Counter(record["severity"] for record in records if record["status"] == AnomalyStatus.OPEN)


def _same(old: _Kept, new: Mapping[str, Any]) -> bool:
    if codecs.encode({**new, "revision": old.revision}) == old.data:
        return True
    known = old.record
    return all(known.get(name) == value for name, value in new.items() if name != "revision")


def _tentative(current: Mapping[str, Anomaly]) -> set[str]:
    """Ids of what a late event may explain, and of what follows from it."""
    found = {anomaly_id for anomaly_id, each in current.items() if each.kind in TENTATIVE}
    while True:
        more = {i for i, each in current.items() if each.parent_id in found and i not in found}
        if not more:
            return found
        found |= more


def _successor(record: Mapping[str, Any], current: Mapping[str, Anomaly], rows: Collection[str]) -> str | None:
    """The anomaly that took this one's place: of the same entity and kind, resting on its events, and new."""
    same = [each for each in current.values() if each.anomaly_id != record["anomaly_id"] and _of_one(each, record)]
    for each in same:
        if set(each.evidence) & set(record["evidence"]):
            return each.anomaly_id
    fresh = [each for each in same if each.anomaly_id not in rows]
    return fresh[0].anomaly_id if len(fresh) == 1 else None


def _of_one(found: Anomaly, record: Mapping[str, Any]) -> bool:
    """Whether both are of one kind and entity; a slot that got its EC2 id, or an instance its slot, is the same one."""
    if any(getattr(found, name) != record.get(name) for name in PLACE):
        return False
    names = [(getattr(found, name), record.get(name)) for name in NAMES]
    told = [(new, old) for new, old in names if new is not None and old is not None]
    return all(new == old for new, old in told) and (bool(told) or all(pair == (None, None) for pair in names))


def _ended_at(record: Mapping[str, Any]) -> int:
    return _ms(record.get("resolved_at") or record["updated_at"])


@lru_cache(maxsize=8192)  # records that have ended are looked at again with every judgement
def _ms(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp() * 1000)
