"""Control characters and broken Unicode made visible, so that a text may go to any terminal, file or topic.

Knows: what can be printed.  Must not know: what the text is about.
"""

from __future__ import annotations


def visible(text: str) -> str:
    """The text with every character that cannot be printed written as its escape; half surrogates are among them."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escape(ord(char)) for char in text)


def _escape(number: int) -> str:
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"
