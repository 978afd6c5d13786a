"""The beginning of a window as people type it: a moment, or how long before the end it lies.

Knows: `24h`, `7d`, and the times that every command takes.
Must not know: what the window is for.
"""

from __future__ import annotations

import re

from streams import times

DURATION = re.compile(r"\d{1,9}(?:\.\d{1,3})?[smhdw]")
FORMS = "a length of time such as 90m, 24h or 7d, an ISO 8601 time, or epoch seconds or milliseconds"


def since(text: str, now_ms: int) -> int:
    """Epoch milliseconds; a length of time lies before `now_ms`.  ValueError says what is allowed."""
    words = text.strip()
    try:
        return times.parse(f"-{words}" if DURATION.fullmatch(words) else words, now_ms / 1000)
    except ValueError:
        raise ValueError(f"{text!r} is neither a length of time nor a time: give {FORMS}") from None
