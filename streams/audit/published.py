"""Check `anomalies`: the published records are those of the judgement of the rows, at the moment they were judged at.

Knows: records in the table and on the topic, revisions.
Must not know: how anomalies are found, how rows came about.

Judging the stored rows again must change nothing: the same ledger that publishes is asked what it would write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from models.broadcasts import Broadcasts
from models.deadlines import Thresholds
from models.fold import Limits
from models.public import Anomaly
from models.workspace import Workspace
from streams import codecs
from streams.audit.findings import Report, changed_fields
from streams.audit.refold import Rows
from streams.codecs import AnomalyRow
from streams.ledger import Entry, Ledger
from streams.topics import BROADCASTS

NOT_JUDGED = "partitions whose rows are not judged yet (the worker was catching up)"
Record = dict[str, Any]


class Stored:
    """The rows as they are stored, judged cluster by cluster."""

    def __init__(self, rows: Rows, limits: Limits, thresholds: Thresholds, now: int, settle_ms: int) -> None:
        self.now, self._settle_ms = now, settle_ms
        self._rows, self._limits, self._thresholds = rows, limits, thresholds
        self._shared = Broadcasts(limits, thresholds)
        self._keys: dict[str, list[tuple[str, bytes]]] = {}
        for table, key in sorted(rows):
            if table == BROADCASTS:
                self._shared.load(key.decode(), rows[table, key])
            else:
                self._keys.setdefault(key.split(b"|", 1)[0].decode(), []).append((table, key))

    def clusters(self) -> set[str]:
        """Every cluster that has a row."""
        return set(self._keys)

    def anomalies(self, arn: str) -> Sequence[Anomaly]:
        """Of one cluster."""
        space = Workspace(arn, self._limits)
        for table, key in self._keys.get(arn, ()):
            space.load(table, key.decode(), self._rows[table, key])
        feed, silences = self._shared.feed(arn), self._shared.silences()
        return space.judgement(self.now, self._thresholds, feed, silences, self._settle_ms).picture.anomalies

    def ledger(self, rows: Mapping[str, AnomalyRow]) -> Ledger:
        """What publishes, with the records of the table."""
        return Ledger(rows.items(), self._settle_ms)


def ledger_rows(table: Mapping[bytes, bytes], report: Report) -> dict[str, AnomalyRow]:
    """The table `anomalies`; a value that is none of ours is a difference."""
    found = {}
    for key, value in table.items():
        name = key.decode(errors="backslashreplace")
        try:
            found[name] = codecs.decode(codecs.ANOMALY, codecs.unwrap_row(value, codecs.VERSION))
        except codecs.DecodeError as error:
            report.differ("anomalies", f"{name} in the table", "cannot be read", str(error))
    return found


def compare_judgement(rows: Mapping[str, AnomalyRow], stored: Stored, report: Report) -> None:
    """The table against the judgement of the stored rows."""
    ledger = stored.ledger(rows)
    for arn in sorted(stored.clusters() | ledger.clusters()):
        try:
            found = stored.anomalies(arn)
        except Exception as error:  # noqa: BLE001 - any fault of the judge's is a finding: the worker has it too
            report.differ("anomalies", arn, "cannot be judged", f"{type(error).__name__}: {error}")
            continue
        report.checked("anomalies", len(found))
        for entry in ledger.revise(arn, found, stored.now, 0):
            problem, detail = _says(rows.get(entry.anomaly_id), entry)
            report.differ("anomalies", _name(entry.anomaly_id, _known(entry, rows)), problem, detail)


class Topic:
    """The anomalies topic's records of one partition, fed in their order."""

    def __init__(self, revision: int, report: Report) -> None:
        self._most, self._report = revision, report
        self._last: dict[str, Record] = {}
        self._told: dict[str, tuple[int, int]] = {}

    def feed(self, key: bytes | None, value: bytes | None) -> None:
        """One record: a revision never falls, and has one content."""
        name = (key or b"").decode(errors="backslashreplace")
        if value is None:
            self._last.pop(name, None)
            return
        record = _read(value)
        if record is None or record.get("anomaly_id") != name or not isinstance(record.get("revision"), int):
            self._report.differ("anomalies", f"{name} on the topic", "cannot be read")
            return
        self._last[name] = record
        revision, content = record["revision"], hash(value)
        before = self._told.get(name)
        self._told[name] = revision, content
        if before is not None and revision < before[0]:
            self._differ(name, "a revision fell", f"{before[0]}, then {revision}")
        elif before is not None and revision == before[0] and content != before[1]:
            self._differ(name, "one revision has two contents", f"revision {revision}")
        if revision > self._most:
            self._differ(name, "a revision is ahead of its partition", f"{revision}, the partition is at {self._most}")

    def compare(self, rows: Mapping[str, AnomalyRow]) -> None:
        """The last record of each key against the table."""
        wanted = {name: row.record for name, row in rows.items() if row.held_since is None}
        for name in sorted({*wanted, *self._last}):
            expected, found = wanted.get(name), self._last.get(name)
            self._report.checked("anomalies")
            if found is None:
                self._differ(name, "is missing on the topic", _words(expected))
            elif expected is None:
                held = name in rows
                self._differ(name, "is on the topic" + (" before it settled" if held else ", unknown to the table"))
            elif found != expected:
                self._differ(name, "differs on the topic", changed_fields(expected, found))

    def _differ(self, name: str, problem: str, detail: str = "") -> None:
        self._report.differ("anomalies", _name(name, self._last.get(name)), problem, detail)


def _says(row: AnomalyRow | None, entry: Entry) -> tuple[str, str]:
    """What the ledger's wish to write something means."""
    if row is None:
        return "is judged, but not in the table", _words(entry.record)
    if entry.row is None:
        return "is in the table, but should have left it", _words(row.record)
    if entry.row.record["status"] == "retracted":
        return "is in the table, but not judged", _words(row.record)
    before, after = {**row.record, "revision": 0}, {**entry.row.record, "revision": 0}
    if before == after:
        return "is held back wrongly" if row.held_since is not None else "is published too early", ""
    return "differs in the table", changed_fields(after, before)


def _known(entry: Entry, rows: Mapping[str, AnomalyRow]) -> Record | None:
    row = entry.row or rows.get(entry.anomaly_id)
    return None if row is None else row.record


def _name(anomaly_id: str, record: Record | None) -> str:
    """The id with what it is about."""
    named = ("kind", "cluster_name", "instance_group", "instance_id")
    words = [str(record[name]) for name in named if record and record.get(name)]
    return " ".join([anomaly_id, *([f"({' '.join(words)})"] if words else [])])


def _words(record: Record | None) -> str:
    return f"{record.get('status')}: {record.get('title')}" if record else ""


def _read(value: bytes) -> Record | None:
    try:
        record = codecs.decode(codecs.ANY, value)
    except codecs.DecodeError:
        return None
    return record if isinstance(record, dict) else None
