"""How text from events is shown: nothing in it may act on the terminal, and how much room it takes.

Knows: characters.
Must not know: tables, commands, what the text is about.
"""

from __future__ import annotations

import re
import unicodedata

UNSAFE = re.compile("[\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""What JSON and YAML let through raw although a terminal acts on it, or shows nothing: DEL, C1 controls, separators of
lines, direction marks, characters without width."""


def printable(text: str, *, keep_newlines: bool = False) -> str:
    """The text with control, format and surrogate characters written as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or (keep_newlines and c == "\n") else _escape(c) for c in text)


def json_for_terminal(text: str) -> str:
    """JSON text that means the same and is harmless on a terminal."""
    return UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def width(text: str) -> int:
    """Terminal columns that printable text takes."""
    if text.isascii():
        return len(text)
    return sum(_columns(c) for c in text)


def fit(text: str, columns: int) -> str:
    """The text cut to `columns`, an ellipsis in place of the rest."""
    if width(text) <= columns:
        return text
    kept, used = [], 0
    for c in text:
        used += _columns(c)
        if used > columns - 1:
            break
        kept.append(c)
    return "".join(kept) + "…"


def _columns(c: str) -> int:
    if unicodedata.combining(c):
        return 0
    return 2 if unicodedata.east_asian_width(c) in "WF" else 1


def _escape(c: str) -> str:
    code = ord(c)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
