"""Times as tables show them.

Knows: public times and distances between them.
Must not know: what a time is for.
"""

from __future__ import annotations

from datetime import datetime


def stamp(time: str | None) -> str:
    """A public time to the second, in UTC as it says: `2026-10-05T09:43:00Z`; `-` where there is none."""
    return "-" if time is None else f"{time[:19]}Z"


def age(since: str | None, now: str | None) -> str:
    """How long before `now` a public time was: `45s`, `14m`, `3h20m`, `2d4h`; `-` where unknown."""
    if since is None or now is None:
        return "-"
    seconds = int((datetime.fromisoformat(now) - datetime.fromisoformat(since)).total_seconds())
    if seconds < 0:
        return "0s"
    if seconds < 120:
        return f"{seconds}s"
    minutes = seconds // 60
    if minutes < 120:
        return f"{minutes}m"
    hours = minutes // 60
    if hours < 48:
        return f"{hours}h{minutes % 60:02d}m"
    return f"{hours // 24}d{hours % 24}h" if hours < 240 else f"{hours // 24}d"
