"""Markdown: headings, tables, code.

Knows: what has to be escaped in a cell.
Must not know: what is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

NOTICE = "<!-- Printed by `python -m streams.reference`: change the tables it is printed from, not this page. -->"


def page(title: str, *parts: str) -> str:
    """A whole page; parts are separated by blank lines."""
    return "\n\n".join([f"# {title}", NOTICE, *(part.strip("\n") for part in parts)]) + "\n"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells may hold inline Markdown."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join([*lines, *("| " + " | ".join(_cell(text) for text in row) + " |" for row in rows)])


def code(text: str) -> str:
    """Inline code; empty text stays empty."""
    return f"`{text}`" if text else ""


def block(language: str, text: str) -> str:
    """A fenced block."""
    return f"```{language}\n{text.rstrip()}\n```"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
