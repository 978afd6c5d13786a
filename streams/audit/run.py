"""An audit from start to end: which partition is read when, and what is compared with what.

Knows: the order of reading that makes the three checks agree about one moment.
Must not know: how a difference is found or shown.

The raw partitions' positions are read first, each events partition is then read up to ends that were settled later: so
whatever was forwarded by those positions is seen.  One partition's rows are in memory at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import msgspec
from kafka.errors import KafkaError

from streams import topics
from streams.audit import cuts, published
from streams.audit.cuts import Cut
from streams.audit.findings import Report
from streams.audit.log import Log, Part
from streams.audit.partition import Events, Standing, Window
from streams.audit.refold import Rows
from streams.audit.values import Copies, Values, counted
from streams.connection import NoKafka, admin_client
from streams.settings import Settings
from streams.topics import RAW_TABLE, TABLES, TopicError, changelog

Progress = Callable[[int, int | None], None]
MADE_ANEW = "raw partitions whose topic was made anew and has no worker yet"
SHOWN = 20


def audit(
    settings: Settings,
    window: Window | None = None,
    *,
    keep: int = SHOWN,
    progress: Progress = lambda done, total: None,
) -> Report:
    """Compare everything; `keep` differences are named.  Raises NoKafka, TopicError, AuditError."""
    with opened(settings, progress) as (log, found):
        return _Audit(settings, window or Window(), log, found, Report(keep)).run()


@contextmanager
def opened(settings: Settings, progress: Progress) -> Iterator[tuple[Log, dict[str, Standing]]]:
    """The topics that are there, ready to be read; what Kafka refuses within becomes NoKafka."""
    logs = [changelog(settings, name) for name in (*TABLES, RAW_TABLE)]
    named = (settings.raw_topic, settings.events_topic, settings.deadletter_topic, settings.anomalies_topic)
    found = _present(settings, [*named, *logs])
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        progress(done, max(total, done))

    try:
        with Log(settings, advance) as log:
            parts = [(name, number) for name, topic in found.items() for number in range(topic.partitions)]
            begins, ends = log.begins(parts), log.ends(parts)
            total = sum(ends[part] - begins[part] for part in parts)
            yield log, found
    except KafkaError as error:
        raise NoKafka(f"Kafka at {settings.brokers} could not be read: {error}") from error


def _present(settings: Settings, names: Sequence[str]) -> dict[str, Standing]:
    """The topics that have to be there already.  Raises NoKafka, TopicError."""
    with admin_client(settings) as admin:
        standing = [each for each in topics.survey(admin, topics.wanted(settings)) if each.topic.name in names]
    missing = [each.topic.name for each in standing if not each.exists]
    if missing:
        raise TopicError(
            f"There is no topic {', '.join(missing)} at {settings.brokers}. "
            "Has a worker run with these HYPERPOD_STATE_ settings?"
        )
    return {each.topic.name: Standing(each.partitions or 0, str(each.topic_id)) for each in standing}


class _Audit:
    """One run."""

    def __init__(
        self, settings: Settings, window: Window, log: Log, found: Mapping[str, Standing], report: Report
    ) -> None:
        self._settings, self._window, self._log, self._found, self._report = settings, window, log, found, report
        self._partitions = found[settings.events_topic].partitions
        self._shortened: set[int] = set()

    def run(self) -> Report:
        raw = range(self._found[self._settings.raw_topic].partitions)
        self._copies = {number: self._copies_of(number) for number in raw}
        for number in range(self._partitions):
            self._events(number)
        for number in raw:
            self._values(number)
        return self._report

    def _copies_of(self, number: int) -> Copies:
        progress = cuts.raw_progress(self._log, self._settings, number)
        self._report.counts.update(counted(progress))
        return Copies(progress.incarnation, progress)

    def _events(self, number: int) -> None:
        """One events partition: its rows, its anomalies, and where raw values went."""
        cut = cuts.take(self._log, self._settings, number)
        self._report.counts.update(msgspec.to_builtins(cut.progress.counts))
        self._note_time(cut.progress.now)
        events = Events(self._settings, self._found, self._log, self._report, self._copies)
        compared = events.compare(cut, self._window)
        self._shortened |= events.shortened
        self._anomalies(cut, compared.found)

    def _note_time(self, now: int | None) -> None:
        report = self._report
        if now is not None:
            report.as_of = now if report.as_of is None else min(now, report.as_of)

    def _anomalies(self, cut: Cut, found: Rows) -> None:
        settings, report = self._settings, self._report
        table = published.ledger_rows(cut.table(self._log, settings, "anomalies"), report)
        topic = published.Topic((cut.progress.generation << 44) + cut.progress.next, report)
        for record in cut.records(self._log, settings.anomalies_topic):
            topic.feed(record.key, record.value)
        topic.compare(table)
        now = cut.progress.judged
        if now is None:
            report.skip("anomalies", published.NOT_JUDGED, int(cut.progress.next > 0))
            return
        settle = round(settings.settle_seconds * 1000)
        judge = published.Stored(found, settings.limits, settings.thresholds, now, settle)
        published.compare_judgement(table, judge, report)

    def _values(self, number: int) -> None:
        """One raw partition, value by value."""
        settings, copies = self._settings, self._copies[number]
        if not copies.progress.next:
            return
        if self._found[settings.raw_topic].incarnation != copies.incarnation:
            self._report.skip("values", MADE_ANEW)
            return
        part = (settings.raw_topic, number)
        oldest = self._log.begins([part])[part]
        begin, end = self._within(part, oldest, copies.progress.next)
        check = Values(settings.raw_topic, number, copies, frozenset(self._shortened), self._partitions, self._report)
        check.check(self._log.records(part, begin, end), begin, end, whole=begin == 0 and end == copies.progress.next)

    def _within(self, part: Part, begin: int, end: int) -> tuple[int, int]:
        """The stretch of offsets that the window leaves."""
        since, until = self._window.since, self._window.until
        if since is not None:
            at = self._log.at_time(part, since)
            begin = end if at is None else max(begin, at)
        if until is not None:
            at = self._log.at_time(part, until)
            end = end if at is None else min(end, at)
        return begin, max(begin, end)
