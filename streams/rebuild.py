"""Tables made anew from `hyperpod.events`, beside those that are in use.

Knows: which rows the events make, which are carried over, how a generation of tables is written at once.
Must not know: how rows are folded or compared (`streams.audit`), Faust.

What is made stands at the very offset at which the present tables stood when they were looked at, so that both can be
compared row by row.  A worker that is started with the new tables goes on from there.  What the anomalies topic was
told is a table of its own that all generations share: nobody is told anything again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
from kafka.errors import KafkaError

from models.rows import FOLD_VERSION
from streams import codecs, topics
from streams.audit import cuts
from streams.audit.cuts import Cut
from streams.audit.findings import Report
from streams.audit.log import Log
from streams.audit.partition import Compared, Events, Window
from streams.audit.refold import Rows
from streams.audit.run import opened
from streams.codecs import Progress
from streams.connection import admin_client
from streams.settings import PlainError, Settings
from streams.topics import REBUILT, ROW_TABLES, changelog
from streams.transaction import Record, TransactionLost, Transactions

Stored = dict[str, dict[bytes, bytes]]
"""Tables of one partition by name, as their changelogs have them."""


class RebuildError(PlainError):
    """The tables cannot be made; nothing was written, or nothing of this partition."""


@dataclass
class Rebuilt:
    """What was made; `report` holds how it differs from the present tables."""

    tables: str
    report: Report
    rows: int = 0
    carried: Counter[str] = field(default_factory=Counter)
    """Rows taken from the present tables, by reason."""


def rebuild(
    settings: Settings,
    tables: str,
    *,
    replace: bool = False,
    keep: int = 20,
    progress: Callable[[int, int | None], None] = lambda done, total: None,
) -> Rebuilt:
    """Make the tables `tables` from the events.  Raises RebuildError, NoKafka, TopicError, AuditError."""
    target = settings.model_copy(update={"tables": tables})
    refuse_in_use(settings, tables)
    with opened(settings, progress) as (log, found):
        target = target.model_copy(update={"max_record_bytes": topics.prepare(target).record_bytes})
        numbers = range(found[settings.events_topic].partitions)
        there = {number: _stored(log, target, number) for number in numbers}
        if any(each["progress"] for each in there.values()) and not replace:
            raise RebuildError(f"There are tables {tables!r} already: choose another name, or give --replace.")
        made = Rebuilt(tables, Report(keep))
        for number in numbers:
            cut = cuts.take(log, settings, number)
            compared = Events(settings, found, log, made.report).compare(cut, Window())
            wanted = _values(cut, compared, _rows(compared, made), found[settings.events_topic].incarnation)
            asyncio.run(_write(target, number, wanted, there[number]))
            if _stored(log, target, number) != wanted:
                raise RebuildError(f"Partition {number} of the tables {tables!r} is not as written: do not use them.")
        return made


def refuse_in_use(settings: Settings, tables: str) -> None:
    """Tables that a worker works with are never written to, and the present ones must be the ones that are read."""
    if tables == settings.tables:
        raise RebuildError(f"The tables {tables!r} are those in use: choose another name.")
    with admin_client(settings) as admin:
        try:
            found = admin.list_group_offsets({settings.app_id: None})[settings.app_id]
        except KeyError:
            found = {}
    used = {at.metadata or "" for part, at in found.items() if part.topic == settings.events_topic and at.offset >= 0}
    if tables in used:
        raise RebuildError(f"A worker has worked with the tables {tables!r} last: choose another name.")
    if used and used != {settings.tables}:
        raise RebuildError(
            f"The workers have worked with the tables {sorted(used)} last, HYPERPOD_STATE_TABLES is "
            f"{settings.tables!r}: set it to what they have."
        )


def _rows(compared: Compared, made: Rebuilt) -> Rows:
    """What the events make, and of what they cannot tell whole, what is there."""
    rows = {key: row for key, row in compared.expected.items() if key not in compared.left_out}
    for key, reason in compared.left_out.items():
        if key in compared.found:
            rows[key] = compared.found[key]
            made.carried[reason] += 1
    made.rows += len(rows)
    return rows


def _values(cut: Cut, compared: Compared, rows: Rows, incarnation: str) -> Stored:
    """The rows as table values, and the progress row that they go with."""
    at = msgspec.structs.replace(cut.progress, incarnation=cut.progress.incarnation or incarnation, judged=None)
    if compared.whole:
        again = compared.refold
        at.now, at.watermark, at.clocks, at.origins, at.counts = (
            again.now,
            again.watermark,
            again.clocks,
            again.origins,
            again.counts,
        )
    values: Stored = {name: {} for name in REBUILT}
    for (table, key), row in rows.items():
        values[table][key] = codecs.wrap(FOLD_VERSION, at.incarnation, at.next - 1, row)
    values["progress"][codecs.PROGRESS_KEY] = codecs.encode(at)
    return values


async def _write(target: Settings, number: int, values: Stored, there: Stored) -> None:
    """All of a partition in one transaction; what was there and is not wanted is deleted."""
    records = [
        Record(changelog(target, table), number, key, values[table].get(key))
        for table in (*ROW_TABLES, "progress")
        for key in {**there[table], **values[table]}
    ]
    writer = Transactions(target, f"{target.app_id}-rebuild-{target.tables}-{number}")
    try:
        await writer.claim()
        await writer.write(records, {})
    except (TransactionLost, KafkaError) as error:
        raise RebuildError(f"Partition {number} could not be written: {error}") from error
    finally:
        await writer.close()


def _stored(log: Log, settings: Settings, number: int) -> Stored:
    parts = [(changelog(settings, name), number) for name in REBUILT]
    cut = Cut(number, Progress(""), log.settled(parts))
    return {name: cut.table(log, settings, name) for name in REBUILT}
