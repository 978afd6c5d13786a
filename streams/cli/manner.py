"""How an answer is wanted: in which form, what of it, for which screen; and printing it so.

Knows: that every form prints one document.
Must not know: what is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from streams.cli import output
from streams.cli.errors import note
from streams.cli.output import Format, Screen
from streams.cli.query import Expression

TABLES = (Format.table, Format.wide)


@dataclass(frozen=True)
class Manner:
    """The options -o, --query and --no-color of one command."""

    form: Format
    query: Expression | None
    no_color: bool

    @property
    def tables(self) -> bool:
        """Whether people read it."""
        return self.form in TABLES and self.query is None

    @property
    def wide(self) -> bool:
        """Whether they want all columns."""
        return self.form is Format.wide

    @property
    def screen(self) -> Screen:
        """What they look at."""
        return output.screen(self.no_color)


def present(
    manner: Manner,
    document: dict[str, Any],
    text: Callable[[], str],
    lines: Iterable[dict[str, Any]] | None = None,
    none: Callable[[], str | None] | None = None,
) -> None:
    """The document, or for people `text`.  `lines` are what it has line by line, where that is not its items.

    `none` says for people what is true where there are no items: beside the data, as it is none.
    """
    if manner.query is not None:
        _picked(manner.form, manner.query.of(_plain(document)))
    elif manner.tables and none is not None and not document["items"]:
        if sentence := none():
            note(sentence)
    elif manner.tables:
        output.write(text())
    elif manner.form is Format.jsonl:
        output.write_lines(document["items"] if lines is None else lines)
    else:
        output.write_object(manner.form, document if manner.form is Format.json else _plain(document))


def _plain(document: dict[str, Any]) -> Any:
    """The document as JSON has it: an enumeration's member is a word, whatever reads it."""
    return orjson.loads(orjson.dumps(document))


def _picked(form: Format, found: Any) -> None:
    """A list line by line where lines are wanted: an expression means the same in every form."""
    if form is Format.jsonl:
        output.write_lines(found if isinstance(found, list) else [] if found is None else [found])
    else:
        output.write_object(form, found)
