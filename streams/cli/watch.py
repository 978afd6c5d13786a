"""`--watch`: a list, and then a row for each change of it, through restarts of the worker, until somebody has enough.

Knows: what makes a change, how one is printed.
Must not know: what is listed, how a worker says that something changed (`streams.follow`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import typer

from streams.cli import output
from streams.cli.errors import PROBLEMS, UNAVAILABLE, CliError, aside, usage
from streams.cli.manner import Manner
from streams.cli.output import Format
from streams.cli.table import Cell, Growing, text
from streams.cli.views import Column, Item
from streams.client import Client, Listing
from streams.follow import Signal, signals

Key = tuple[Any, ...]
AGES = frozenset({"SINCE", "AGE", "TOOK", "ENDS", "TOLD"})
"""Columns that move with the clock alone."""
STATES = ("PHASE", "STATUS", "OUTCOME", "SEVERITY", "READY")
"""Columns whose last value is worth a word, the first that changed."""
ROOM = {"TIME": 8, "CHANGE": 15, "INSTANCE": 19, "ENTITY": 19, "PHASE": 13, "OUTCOME": 13, "STATUS": 10, "SINCE": 5}
"""Columns that are as wide from the beginning as most of what comes later."""
REST, LEAST_REST = 4, 1.0
"""Between two looks so many times as much goes by as one takes, and never less than so many seconds."""
PATIENCE_SECONDS = 60.0
"""A worker that came back may be behind what it told before: so long it is given to catch up."""


class Word(StrEnum):
    """What became of an item."""

    LISTED = "listed"
    NEW = "new"
    CHANGED = "changed"
    LEFT = "left"
    """It is there, but no longer as the filters want it."""
    GONE = "gone"


@dataclass(frozen=True)
class Subject:
    """What is watched."""

    ask: Callable[[], Listing]
    columns: Callable[[Listing], list[Column]]
    key: Callable[[Item], Key]
    still: Callable[[list[Item]], list[Item]] = lambda _: []
    """Those of the items that are there all the same."""
    before: Callable[[Item], Key | None] = lambda _: None
    """The key that an item had before, where that can change."""
    gone: Callable[[list[Item], Sequence[Item], Sequence[Item]], list[Item]] = lambda lost, *_: lost
    """Of those that were in the list before and are not now, who is gone, and not only no longer told of."""
    bare: bool = False
    """Whether its rows say themselves when and what."""


@dataclass(frozen=True)
class Change:
    """One row: what became of an item, and how it was."""

    word: Word
    item: Item
    was: Item | None = None


def check(manner: Manner, at: str | None) -> None:
    """Ends the command where it makes no sense to go on."""
    if at is not None:
        raise usage("--watch follows the present, and --at is the past", "leave one of them out")
    if manner.query is None and manner.form in (Format.json, Format.yaml):
        raise usage(f"--watch prints change after change, and -o {manner.form} is one document", "-o jsonl is meant")


def watch(
    client: Client,
    subject: Subject,
    found: Listing,
    manner: Manner,
    enough: Callable[[Iterable[Item]], bool] | None = None,
) -> None:
    """Prints what was found, and what changes, until nobody reads it any more; ends with 1 where that is `enough`."""
    seen = _Seen(found, [Change(Word.LISTED, item) for item in found.items], subject, manner)
    printer, look = _Printer(subject, manner), _Look(subject, manner, seen)
    there, news = printer.show(seen), iter(signals(client))
    while there:
        if enough is not None and enough(seen.known.values()):
            raise typer.Exit(PROBLEMS)
        now = look.after(next(news))
        if now is not None:
            seen, there = now, printer.show(now)
        there = there and output.is_read()


class _Seen:
    """One look: the list, what changed in it, and the columns of that moment, which only tables need."""

    def __init__(self, found: Listing, changes: list[Change], subject: Subject, manner: Manner) -> None:
        self.as_of, self.changes = found.as_of, changes
        self.columns = subject.columns(found) if manner.tables else []
        self.known = {subject.key(each.item): each.item for each in changes if each.word not in (Word.GONE, Word.LEFT)}


@dataclass
class _Look:
    """Looks when something may have changed, not too often, and never back."""

    subject: Subject
    manner: Manner
    last: _Seen
    dirty: bool = False
    away: bool = False
    rested: float = 0.0
    behind: float | None = None

    def after(self, signal: Signal) -> _Seen | None:
        """What is there now, where that may be news."""
        self.dirty |= signal is not Signal.SAME
        if not self.dirty:
            return None
        time.sleep(max(0.0, self.rested - time.monotonic()))
        began = time.monotonic()
        try:
            seen = self._look()
        except CliError as error:
            if error.code != UNAVAILABLE:
                raise
            self._say(str(error))
            return None
        self.rested = time.monotonic() + max(LEAST_REST, REST * (time.monotonic() - began))
        self._say(None)
        if seen is not None:
            self.dirty, self.last, self.behind = False, seen, None
        return seen

    def _look(self) -> _Seen | None:
        found = self.subject.ask()
        if self._older(found.as_of):
            return None
        return _Seen(found, _compare(self.subject, self.last.known, found), self.subject, self.manner)

    def _older(self, as_of: str | None) -> bool:
        if self.last.as_of is None or as_of is None or as_of >= self.last.as_of:
            return False
        self.behind = self.behind or time.monotonic()
        return time.monotonic() - self.behind < PATIENCE_SECONDS

    def _say(self, trouble: str | None) -> None:
        """Once that it does not answer, once that it does again."""
        if trouble is not None and not self.away:
            aside(f"{trouble}; asking again until it answers")
        elif trouble is None and self.away:
            aside("it answers again; what changed meanwhile follows")
        self.away = trouble is not None


def _compare(subject: Subject, known: dict[Key, Item], found: Listing) -> list[Change]:
    """Every item in the order of the list, changed or not; those that are no longer in it last."""
    now = {subject.key(item): item for item in found.items}
    old = dict(known)
    changes = []
    for key, item in now.items():
        heir = subject.before(item) if key not in old else None
        was = old.pop(key, None) or (old.pop(heir, None) if heir is not None and heir not in now else None)
        changes.append(Change(Word.NEW if was is None else Word.CHANGED, item, was))
    if found.missing:  # what a part of the fleet had may still be there
        return [*changes, *(Change(Word.CHANGED, item, item) for item in old.values())]
    lost = subject.gone([*old.values()], [*known.values()], found.items)
    left = _left(subject, known, lost) if lost else {}
    for item in lost:
        there = left.get(subject.key(item))
        changes.append(Change(Word.GONE, item, item) if there is None else Change(Word.LEFT, there, item))
    return changes


def _left(subject: Subject, known: dict[Key, Item], lost: list[Item]) -> dict[Key, Item]:
    """Who of the lost is there all the same, by the key that was known, and as what."""
    there = {subject.key(item): item for item in subject.still(lost)}
    heirs = {before: item for key, item in there.items() if key not in known and (before := subject.before(item))}
    return {**heirs, **there}


@dataclass
class _Printer:
    """Prints changes, and leaves out those that a reader would not see."""

    subject: Subject
    manner: Manner
    growing: Growing | None = None
    cells: dict[Key, list[Cell]] = field(default_factory=dict)
    """What was printed last."""

    def show(self, seen: _Seen) -> bool:
        """Whether anybody is left to read more."""
        if not self.manner.tables:
            return self._lines(seen)
        rows = [row for each in seen.changes if (row := self._row(each, seen)) is not None]
        if self.growing is not None:
            return output.write(self.growing.add(rows)) if rows else True
        titles = [title for title, _ in seen.columns]
        header = titles if self.subject.bare else ["TIME", "CHANGE", *titles]
        self.growing = Growing(header, self.manner.screen, ROOM)
        return output.write(self.growing.add(rows))

    def _lines(self, seen: _Seen) -> bool:
        told = (each for each in seen.changes if each.word is not Word.CHANGED or each.item != each.was)
        bodies: Iterable[Any] = ({"change": str(each.word), "as_of": seen.as_of, **each.item} for each in told)
        if self.manner.query is not None:
            bodies = (part for body in bodies if (part := self.manner.query.of(body)) is not None)
        return output.write_lines(bodies)

    def _row(self, change: Change, seen: _Seen) -> list[Cell] | None:
        titles, cells = [title for title, _ in seen.columns], [cell(change.item) for _, cell in seen.columns]
        before = self.cells.pop(self.subject.key(change.was), None) if change.was is not None else None
        if change.word not in (Word.GONE, Word.LEFT):
            self.cells[self.subject.key(change.item)] = cells
        word = _told(change, titles, before, cells)
        if word is None:
            return None
        if self.subject.bare:
            return [*cells[:-1], Cell(f"withdrawn: {cells[-1].text}")] if change.word is Word.GONE else cells
        return [text(seen.as_of and seen.as_of[11:19]), Cell(word), *cells]


def _told(change: Change, titles: list[str], before: list[Cell] | None, now: list[Cell]) -> str | None:
    """What the column CHANGE says; None where nothing that is shown has changed."""
    if change.word in (Word.LISTED, Word.NEW, Word.GONE) or before is None:
        return str(change.word)
    was = {title: cell.text for title, cell, new in zip(titles, before, now, strict=True) if cell.text != new.text}
    was = {title: word for title, word in was.items() if title not in AGES}
    for title in STATES:
        if title in was:
            return f"was {was[title]}"
    if was:
        return ", ".join(title.lower() for title in was)
    again = change.was is not None and change.item.get("since") != change.was.get("since")
    return "again" if again else str(change.word) if change.word is Word.LEFT else None
