"""Events of clusters in a folder: one file a cluster, written as they are found, read in the order of their times.

Knows: files, what a run that was killed has left in them, how much of them is delivered.
Must not know: where events come from, Kafka.

A line is complete or it is not there: what a kill cut off is cut away when the file is opened again.  So whoever goes
on asks the folder what it has already.  Beside a file whose events were delivered is how much of it was, and to which
topic: what is found later is the rest.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from streams.backfill.items import Item, Tally, items
from streams.settings import PlainError

ARN = re.compile(r"arn:[a-z-]+:sagemaker:([a-z0-9-]+):([0-9]+):cluster/([A-Za-z0-9-]+)")


class SpoolError(PlainError):
    """The folder cannot be used; the message names it."""


class _Line(NamedTuple):
    order: tuple[int, int, str]
    begin: int
    end: int


class _File:
    """The events of one cluster."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[_Line] = []
        self.described: set[str] = set()
        self.kept = 0
        """Lines that were there already."""
        self._seen: set[tuple[str, int]] = set()
        self._end = self._load() if path.exists() else 0
        self._file = path.open("ab", buffering=0)

    def _load(self) -> int:
        """Note every whole line; returns where the last one ends, and lets the file end there."""
        end = 0
        with self.path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                for item in items(line, Tally()):
                    self._note(item, end, end + len(line) - 1)
                    self.kept += 1
                end += len(line)
        os.truncate(self.path, end)
        return end

    def add(self, item: Item) -> bool:
        """Whether it was not there yet."""
        if (item.event_id, hash(item.data)) in self._seen:
            return False
        self._file.write(item.data + b"\n")
        self._note(item, self._end, self._end + len(item.data))
        self._end += len(item.data) + 1
        return True

    def _note(self, item: Item, begin: int, end: int) -> None:
        self.lines.append(_Line(item.order, begin, end))
        if item.described:
            self.described.add(item.event_id)
        self._seen.add((item.event_id, hash(item.data)))

    def in_order(self, begin: int = 0) -> Iterator[bytes]:
        """The lines from that place of the file on."""
        with self.path.open("rb") as file:
            for line in sorted(line for line in self.lines if line.begin >= begin):
                file.seek(line.begin)
                yield file.read(line.end - line.begin)

    @property
    def beside(self) -> Path:
        """What was delivered, as `place topic`."""
        return self.path.with_suffix(".delivered")

    def delivered(self, topic: str) -> int:
        """Up to which place that topic has it; all else, and what does not fit the file, is from the beginning."""
        try:
            end, _, there = self.beside.read_text().partition(" ")
        except FileNotFoundError:
            return 0
        return int(end) if there == topic and end.isdecimal() and int(end) <= self._end else 0

    def note_delivered(self, topic: str) -> None:
        """That topic has all of it."""
        new = self.path.with_suffix(".tmp")
        new.write_text(f"{self._end} {topic}")
        new.replace(self.beside)

    def close(self) -> None:
        self._file.close()


class Spool:
    """Files are opened when their cluster is first named.  One at a time has a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[str, _File] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._hold = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(self._hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._hold)
            raise SpoolError(
                f"Another run works in {folder}. Wait for its end, or give this one another folder."
            ) from None
        except OSError as error:
            raise _unusable(folder, error) from error

    def add(self, item: Item) -> bool:
        """Keep an event; whether it was not there yet.  Raises SpoolError."""
        with self._using():
            return self._of(item.cluster_arn).add(item)

    def has_described(self, cluster_arn: str, event_id: str) -> bool:
        """Whether the control plane's own account of an event is there."""
        return event_id in self._of(cluster_arn).described

    def clusters(self) -> list[str]:
        """Those that were named."""
        return sorted(arn for arn, file in self._files.items() if file.lines)

    def kept(self, cluster_arn: str) -> int:
        """Events that an earlier run had left."""
        return self._of(cluster_arn).kept

    def count(self, cluster_arn: str) -> int:
        """How many lines are there."""
        return len(self._of(cluster_arn).lines)

    def span(self, cluster_arn: str) -> tuple[int, int] | None:
        """Times of the oldest and the newest event, epoch ms."""
        times = [line.order[0] for line in self._of(cluster_arn).lines]
        return (min(times), max(times)) if times else None

    def in_order(self, cluster_arn: str) -> Iterator[bytes]:
        """Every event, one JSON value each."""
        return self._of(cluster_arn).in_order()

    def delivered(self, cluster_arn: str, topic: str) -> int:
        """How many lines that topic has already."""
        file = self._of(cluster_arn)
        with self._using():
            end = file.delivered(topic)
        return sum(line.begin < end for line in file.lines)

    def undelivered(self, cluster_arn: str, topic: str) -> Iterator[bytes]:
        """The other ones, one JSON value each.  Raises SpoolError."""
        file = self._of(cluster_arn)
        with self._using():
            yield from file.in_order(file.delivered(topic))

    def note_delivered(self, cluster_arn: str, topic: str) -> None:
        """All of it is there: whoever goes on need not deliver it.  Raises SpoolError."""
        with self._using():
            self._of(cluster_arn).note_delivered(topic)

    def tidy(self, cluster_arn: str) -> Path:
        """Put the file into the order of time, at once or not at all.  Raises SpoolError."""
        file = self._of(cluster_arn)
        with self._using():
            if [line.order for line in file.lines] != sorted(line.order for line in file.lines):
                new = file.path.with_suffix(".tmp")
                with new.open("wb") as sorted_file:
                    for data in file.in_order():
                        sorted_file.write(data + b"\n")
                file.beside.unlink(missing_ok=True)
                new.replace(file.path)
            return self._close(cluster_arn).path

    def forget(self, cluster_arn: str) -> None:
        """Nobody has to go on with it.  Raises SpoolError."""
        with self._using():
            file = self._close(cluster_arn)
            file.beside.unlink(missing_ok=True)
            file.path.unlink()

    def close(self) -> None:
        """All files; somebody else may have the folder."""
        for file in self._files.values():
            file.close()
        os.close(self._hold)

    @contextmanager
    def _using(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise _unusable(self.folder, error) from error

    def _close(self, cluster_arn: str) -> _File:
        file = self._files.pop(cluster_arn)
        file.close()
        return file

    def _of(self, cluster_arn: str) -> _File:
        found = self._files.get(cluster_arn)
        if found is None:
            with self._using():
                found = self._files[cluster_arn] = _File(self.folder / file_name(cluster_arn))
        return found


def file_name(cluster_arn: str) -> str:
    """Of a cluster's events: readable, and another one for every cluster."""
    known = ARN.fullmatch(cluster_arn)
    return ("-".join(known.groups()) if known else quote(cluster_arn, safe="")[:200]) + ".jsonl"


def _unusable(folder: Path, error: OSError) -> SpoolError:
    return SpoolError(f"The folder {folder} cannot be used: {error.strerror or error}")
