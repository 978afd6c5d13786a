"""Data on standard output, in the form that was asked for.

Knows: formats, terminals, colour, pipes that close.
Must not know: what the items are.
"""

from __future__ import annotations

import os
import select
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import orjson

from streams.cli.errors import CliError
from streams.cli.text import UNSAFE, json_for_terminal, printable

if TYPE_CHECKING:
    from streams.client import Listing


AT_ONCE = 1 << 18
"""Bytes: parts are written together up to about so many."""


class Format(StrEnum):
    """What `-o` takes on every command that prints data."""

    table = "table"
    wide = "wide"
    json = "json"
    yaml = "yaml"
    jsonl = "jsonl"


@dataclass(frozen=True)
class Screen:
    """What the reader at the other end can show; `columns` is None where lines may be as long as they like."""

    colour: bool
    unicode: bool
    columns: int | None


def screen(no_color: bool) -> Screen:
    """Colour only on a terminal, and not where NO_COLOR, TERM=dumb or `--no-color` ask for none."""
    terminal = _is_terminal()
    plain = no_color or bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    encoding = (getattr(sys.stdout, "encoding", None) or "ascii").lower()
    given = os.environ.get("COLUMNS", "")
    columns = shutil.get_terminal_size().columns if terminal or given.isdecimal() else None
    return Screen(terminal and not plain, encoding.startswith("utf"), columns or None)


def write(data: str | bytes) -> bool:
    """All of it to standard output, flushed.  A reader that has gone is no error: it had what it wanted.

    Says whether there still is one.
    """
    if sys.stdout is None:
        raise CliError("standard output is closed")
    try:
        if isinstance(data, bytes):
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        else:
            sys.stdout.write(data.encode(sys.stdout.encoding, "backslashreplace").decode(sys.stdout.encoding))
            sys.stdout.flush()
    except BrokenPipeError:
        abandon()
        return False
    except OSError as error:
        abandon()
        raise CliError(f"standard output: {error.strerror}") from None
    return True


def is_read() -> bool:
    """Whether anybody is left at the other end, as far as that can be told without writing."""
    poll = select.poll()
    poll.register(1, 0)
    return not any(what & (select.POLLERR | select.POLLNVAL) for _, what in poll.poll(0))


def abandon() -> None:
    """Sends what is still buffered nowhere, so that the interpreter's own flush at exit cannot fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def write_json(data: bytes) -> bool:
    """JSON as it is; on a terminal, with what a terminal would act on escaped.  See `write`."""
    return write(json_for_terminal(data.decode()).encode() if _is_terminal() else data)


def write_parts(parts: Iterable[bytes]) -> None:
    """JSON that need not be in memory whole: the same, part by part, until nobody reads it any more."""
    waiting, size = [], 0
    for part in parts:
        waiting.append(part)
        size += len(part)
        if size >= AT_ONCE:
            if not write_json(b"".join(waiting)):
                return
            waiting, size = [], 0
    write_json(b"".join(waiting))


def write_each(parts: Iterable[str | bytes]) -> None:
    """What need not be in memory whole, until nobody reads it any more."""
    for part in parts:
        if not write(part):
            return


def write_csv(text: str) -> None:
    """CSV as it is; on a terminal, with what a terminal would act on escaped."""
    write((printable(text, keep_newlines=True) if _is_terminal() else text).encode())


def write_object(form: Format, body: Any) -> None:
    """One value as YAML, else as JSON."""
    if form is Format.yaml:
        write(yaml_text(body).encode())
    else:
        write_json(orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def write_lines(items: Iterable[Any]) -> bool:
    """One item a line, as JSON.  See `write`."""
    return write_json(b"".join(orjson.dumps(item, option=orjson.OPT_APPEND_NEWLINE) for item in items))


def whole(found: Listing) -> dict[str, Any]:
    """A list and how fresh it is, as one document."""
    fresh = {"as_of": found.as_of, "lag": found.lag, "partial": found.partial}
    lacks = {"missing": list(found.missing), "stale": list(found.stale)}
    return {"items": found.items, **fresh, **lacks, "continue": None}


def yaml_text(body: Any) -> str:
    """YAML in the order of the fields; the C emitter where PyYAML has it.

    Where a terminal would act on a character, all that is not ASCII is escaped: YAML leaves no finer choice.
    """
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text = str(yaml.dump(body, Dumper=dumper, sort_keys=False, allow_unicode=True, width=120))
    if not UNSAFE.search(text):
        return text
    return str(yaml.dump(body, Dumper=dumper, sort_keys=False, allow_unicode=False, width=120))


def _is_terminal() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()
