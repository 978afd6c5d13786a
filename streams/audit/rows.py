"""Check `rows`: the tables of a partition equal a replay of its events, row by row and field by field.

Knows: rows as bytes and as fields, which of them can be judged where the oldest events are gone.
Must not know: Kafka, how rows are folded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from models import feeds, fold
from models.rows import FOLD_VERSION, Row
from models.stored import RowVersionError, decode, encode
from streams import codecs
from streams.audit.cuts import Cut
from streams.audit.findings import Report, changed_fields
from streams.audit.refold import Refold, Rows
from streams.codecs import Progress
from streams.topics import BROADCASTS

DAY_MS = 86_400_000
"""How far the clock that dates an event may be ahead of Kafka's."""
TOO_OLD, TOO_NEW = "began before the first event that can be read", "went on after --to"
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, RowVersionError, feeds.FeedVersionError)
Key = tuple[str, bytes]


@dataclass(frozen=True)
class Stretch:
    """What the events that are read can tell: all (`since` is None), or only of what began after a time."""

    since: int | None = None
    until: int | None = None


def stored(tables: Mapping[str, Mapping[bytes, bytes]], report: Report) -> tuple[Rows, dict[Key, tuple[str, int]]]:
    """The rows in the tables' values, and their guards; a value that is none of ours is a difference."""
    rows: Rows = {}
    guards: dict[Key, tuple[str, int]] = {}
    for table, values in tables.items():
        for key, value in values.items():
            try:
                rows[table, key] = codecs.unwrap_row(value, FOLD_VERSION)
                guards[table, key] = codecs.guard_of(value)
            except codecs.DecodeError as error:
                report.differ("rows", name_of((table, key)), "cannot be read", str(error))
    return rows, guards


def compare(
    found: Rows, expected: Rows, stretch: Stretch, report: Report, still: Callable[[Key], bool]
) -> dict[Key, str]:
    """Every row against its replay; returns those that could not be compared, and why.

    `still` is asked of a row that differs: whether its changelog has not been overwritten, and so compacted, meanwhile.
    """
    left_out = dict(_left_out(found, stretch)) if stretch.since is not None or stretch.until is not None else {}
    for reason in left_out.values():
        report.skip("rows", reason)
    left_out |= {key: TOO_OLD for key in expected if key not in found and _is_fragment(expected[key], stretch)}
    for key in sorted({*found, *expected} - {*left_out}):
        problem, detail = _difference(key, found.get(key), expected.get(key))
        if problem and not still(key):
            report.skip("rows", "changed while it was read")
            continue
        report.checked("rows")
        if problem:
            report.differ("rows", name_of(key), problem, detail)
    return left_out


def check_guards(guards: Mapping[Key, tuple[str, int]], cut: Cut, report: Report) -> None:
    """No row can be ahead of the progress row that was written with it."""
    for key, (incarnation, offset) in guards.items():
        if incarnation == cut.progress.incarnation and offset >= cut.progress.next:
            detail = f"offset {offset}, the partition is at {cut.progress.next}"
            report.differ("rows", name_of(key), "is ahead of its partition", detail)


def check_progress(cut: Cut, expected: Refold, report: Report) -> None:
    """Counts, clocks and origins of the partition."""
    progress = cut.progress
    wanted = Progress(progress.incarnation, now=expected.now, watermark=expected.watermark)
    wanted.clocks, wanted.origins, wanted.counts = expected.clocks, expected.origins, expected.counts
    names = ("now", "clocks", "origins", "watermark", "counts")
    one, other = (
        {name: msgspec.to_builtins(getattr(side, name), str_keys=True) for name in names} for side in (wanted, progress)
    )
    report.checked("rows")
    if one != other:
        report.differ("rows", f"progress of partition {cut.partition}", "differs", changed_fields(one, other))


def name_of(key: Key) -> str:
    """A row as a person would call it."""
    return f"{key[0]} {key[1].decode(errors='backslashreplace')}"


def _difference(key: Key, found: bytes | None, expected: bytes | None) -> tuple[str, str]:
    if found == expected:
        return "", ""
    if found is None:
        return "is missing", "the events make a row of it"
    if expected is None:
        return "should not be there", "no event makes such a row"
    try:
        one, other = (msgspec.json.decode(_as_now(key, row)) for row in (expected, found))
    except UNREADABLE as error:
        return "cannot be read", str(error)
    return ("differs", changed_fields(one, other)) if one != other else ("", "")


def _as_now(key: Key, row: bytes) -> bytes:
    """A row as this program would write it: an earlier one may have left out what is new."""
    if key[0] == BROADCASTS:
        return feeds.encode(feeds.decode(row)) if key[1].startswith(b"feed|") else row
    return encode(decode(row))


def _left_out(found: Rows, stretch: Stretch) -> Iterator[tuple[Key, str]]:
    """Rows that the events at hand cannot explain whole, and those that share a slot with one."""
    feed_rows = [key for key in found if key[0] == BROADCASTS] if stretch.since is not None else []
    yield from ((key, TOO_OLD) for key in feed_rows)  # they do not say when they began
    here = {key: data for key, data in found.items() if key[0] != BROADCASTS}
    rows = {key: row for key, data in here.items() if (row := _decoded(data)) is not None}
    old = {key for key, row in rows.items() if _began_before(row, stretch.since)}
    slots = {key: {(_cluster(key), slot) for slot in _slots(key, row)} for key, row in rows.items()}
    while True:
        tainted = {slot for key in old for slot in slots[key]}
        more = {key for key, own in slots.items() if own & tainted} - old
        if not more:
            break
        old |= more
    for key, row in rows.items():
        if key in old:
            yield key, TOO_OLD
        elif stretch.until is not None and (row.state.newest or 0) > stretch.until:
            yield key, TOO_NEW


def _decoded(data: bytes) -> Row | None:
    try:
        return decode(data)
    except UNREADABLE:
        return None


def _is_fragment(expected: bytes, stretch: Stretch) -> bool:
    """Whether the replay alone has the row, and may have made it of an entity's last events."""
    if stretch.since is None:
        return False
    row = _decoded(expected)
    return row is None or _began_before(row, stretch.since)


def _began_before(row: Row, since: int | None) -> bool:
    """Whether the row may know an event of before then, or of less than a day after it."""
    return since is not None and (oldest := _oldest(row)) is not None and oldest < since + DAY_MS


def _oldest(row: Row) -> int | None:
    """The first thing that the row knows of; long ago where it has forgotten its beginning."""
    first = row.state.oldest
    if first is None and row.horizon is not None:
        return -(2**63)
    times: list[Any] = [] if first is None else [first]
    times += [note.first.time for note in row.late.values()]
    times += [change.time for change in row.late_history]
    times += [row.observed.time] if row.observed else []
    return min(times, default=None)


def _slots(key: Key, row: Row) -> set[str]:
    name = key[1].decode(errors="replace").rpartition("|")[2]
    own = {name.removeprefix("slot:")} if key[0] == "instances" and name.startswith("slot:") else set()
    return own | (fold.slots_of(row) if key[0] == "instances" else set())


def _cluster(key: Key) -> bytes:
    return key[1].split(b"|", 1)[0]
