"""Public times as numbers, and lengths of time in words.

Knows: ISO 8601 as the contract writes it.  Must not know: what a time is for, now.
"""

from __future__ import annotations

from datetime import datetime

from models.public import Time

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000


def milliseconds(time: Time) -> int:
    """A public time as epoch milliseconds."""
    return round(datetime.fromisoformat(time).timestamp() * 1000)


def span(ms: int) -> str:
    """A length of time for people: `45 s`, `14 min`, `3 h 20 min`, `2 d 4 h`."""
    if ms < 2 * MINUTE_MS:
        return f"{ms // 1000} s"
    if ms < 2 * HOUR_MS:
        return f"{ms // MINUTE_MS} min"
    if ms < 2 * DAY_MS:
        return f"{ms // HOUR_MS} h {ms % HOUR_MS // MINUTE_MS} min"
    return f"{ms // DAY_MS} d {ms % DAY_MS // HOUR_MS} h"
