"""What is wrong now, as the anomalies topic says it: the last record of each id, and how ids hang together.

Knows: records, parents, successors.
Must not know: Kafka's clients, who is told of what.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import ValidationError

from models.public_anomaly import Anomaly, AnomalyStatus


@dataclass(frozen=True, slots=True)
class Taken:
    """A record of the topic: a null value deletes; `written_ms` is when Kafka got it."""

    key: str
    value: bytes | None
    written_ms: int = 0


class Picture:
    """The topic's present state; `version` grows with every change."""

    def __init__(self) -> None:
        self.version = 0
        self._all: dict[str, Anomaly] = {}
        self._open: dict[str, Anomaly] = {}
        self._written: dict[str, int] = {}

    def take(self, record: Taken) -> bool:
        """Takes a record over; False where it is none that can be understood: then what was known before stays."""
        found: Anomaly | None = None
        if record.value is not None:
            try:
                found = Anomaly.model_validate_json(record.value)
            except ValidationError:
                return False
            if found.anomaly_id != record.key:
                return False
        self.version += 1
        for known in (self._all, self._open, self._written):
            known.pop(record.key, None)
        if found is not None:
            self._all[record.key], self._written[record.key] = found, record.written_ms
            if found.status is AnomalyStatus.OPEN:
                self._open[record.key] = found
        return True

    def get(self, anomaly_id: str) -> Anomaly | None:
        """The last record of an id, whatever its status."""
        return self._all.get(anomaly_id)

    def opened(self) -> Iterator[Anomaly]:
        """All that are open."""
        return iter(self._open.values())

    def ancestors(self, anomaly: Anomaly) -> list[Anomaly]:
        """The open anomalies that explain this one, the nearest first; none of one that would explain itself."""
        found: list[Anomaly] = []
        above = anomaly.parent_id
        while above is not None and above in self._open and self._open[above] not in found:
            found.append(self._open[above])
            above = found[-1].parent_id
        return [] if anomaly in found else found

    def heir(self, anomaly_id: str) -> str | None:
        """The id that took the place of a superseded one, at the end of the chain; None where nothing did."""
        seen, last = {anomaly_id}, None
        found = self._all.get(anomaly_id)
        while (
            found is not None and found.status is AnomalyStatus.RETRACTED and found.superseded_by not in (None, *seen)
        ):
            last = found.superseded_by
            assert last is not None
            seen.add(last)
            found = self._all.get(last)
        return last

    def written_ms(self, anomaly_id: str) -> int:
        """When Kafka got the last record of an id."""
        return self._written.get(anomaly_id, 0)
