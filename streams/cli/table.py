"""Rows of words as a table for people.

Knows: columns, widths, the glyph and colour of a word.
Must not know: where the rows come from.

A state is never shown by colour alone: each has its word and a glyph, so that it survives pipes, grep and eyes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streams.cli.output import Screen
from streams.cli.text import fit, printable, width

GAP = "  "
LEAST = 12
"""Columns that the last column keeps, however narrow the screen: past that, lines wrap."""
FINE, BAD, WARN, BUSY, ENDED, UNKNOWN, PLAIN = "fine", "bad", "warn", "busy", "ended", "unknown", ""
GLYPHS = {FINE: "✔", BAD: "✖", WARN: "▲", BUSY: "↻", ENDED: "·", UNKNOWN: "?"}
ASCII = {FINE: "+", BAD: "x", WARN: "!", BUSY: "~", ENDED: "-", UNKNOWN: "?"}
COLOURS = {FINE: "32", BAD: "31", WARN: "33", BUSY: "36", ENDED: "2", UNKNOWN: "2"}
TONES = {
    **dict.fromkeys(("InService", "resolved"), FINE),
    **dict.fromkeys(("Failed", "critical", "error"), BAD),
    **dict.fromkeys(("Degraded", "warning", "open"), WARN),
    **dict.fromkeys(("Terminated", "Deleted", "info", "retracted"), ENDED),
    "Unknown": UNKNOWN,
}


@dataclass(frozen=True)
class Cell:
    """A word, and how it is meant."""

    text: str
    tone: str = PLAIN


def phase(word: str) -> Cell:
    """A phase, status or severity; what is neither good nor bad is on its way."""
    return Cell(word, TONES.get(word, BUSY))


def text(value: object) -> Cell:
    """Any value; null is a dash."""
    return Cell("-" if value is None or value == "" else str(value))


def render(header: Sequence[str], rows: Sequence[Sequence[Cell]], screen: Screen) -> str:
    """Left-aligned columns; only the last one is cut, to what the screen leaves it."""
    return Growing(header, screen).add(rows)


class Growing:
    """A table whose rows come as time goes by: a column keeps the width of the widest that was in it."""

    def __init__(self, header: Sequence[str], screen: Screen, least: Mapping[str, int] | None = None) -> None:
        """`least` are widths of columns, by title, that wider words are expected in."""
        self._header, self._screen = [printable(word) for word in header], screen
        self._columns = [max(width(word), (least or {}).get(word, 0)) for word in self._header]
        self._begun = False

    def add(self, rows: Sequence[Sequence[Cell]]) -> str:
        """The rows, below the header where they are the first."""
        shown = [[_shown(cell, self._screen) for cell in row] for row in rows]
        for words in shown:
            self._columns = [max(known, width(word)) for known, word in zip(self._columns, words, strict=True)]
        room = _room(self._columns, self._screen)
        lines = [_line(row, words, self._columns, room, self._screen) for row, words in zip(rows, shown, strict=True)]
        if not self._begun:
            head = [Cell(word) for word in self._header]
            lines.insert(0, _line(head, self._header, self._columns, room, self._screen, bold=True))
            self._begun = True
        return "".join(lines)


def _room(columns: Sequence[int], screen: Screen) -> int:
    if screen.columns is None:
        return columns[-1]
    taken = sum(columns[:-1]) + len(GAP) * (len(columns) - 1)
    return max(LEAST, screen.columns - taken)


def _shown(cell: Cell, screen: Screen) -> str:
    word = printable(cell.text)
    glyphs = GLYPHS if screen.unicode else ASCII
    return f"{glyphs[cell.tone]} {word}" if cell.tone else word


def _line(
    row: Sequence[Cell], words: Sequence[str], columns: Sequence[int], room: int, screen: Screen, bold: bool = False
) -> str:
    parts = []
    for place, (cell, word) in enumerate(zip(row, words, strict=True)):
        last = place == len(words) - 1
        shown = fit(word, room) if last else word
        padding = "" if last else " " * (columns[place] - width(shown))
        parts.append(_coloured(shown, "1" if bold else COLOURS.get(cell.tone, ""), screen) + padding)
    return GAP.join(parts).rstrip() + "\n"


def coloured(word: str, tone: str, screen: Screen) -> str:
    """A word after the glyph of its tone."""
    glyph = (GLYPHS if screen.unicode else ASCII)[tone]
    return _coloured(f"{glyph} {word}", COLOURS[tone], screen)


def _coloured(word: str, code: str, screen: Screen) -> str:
    return f"\x1b[{code}m{word}\x1b[0m" if code and screen.colour else word
