"""Times as people type them.

Knows: ISO 8601, epochs, distances from now.
Must not know: what a time is for.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
RELATIVE = re.compile(r"([+-])(\d{1,9}(?:\.\d{1,3})?)([smhdw])")
FORMS = "an ISO 8601 time, epoch seconds or milliseconds, now, or a distance from now such as -10m, -2h, -1d"
EPOCH_MS_FROM = 100_000_000_000
"""A number from here on is milliseconds: as seconds it would be past the year 5000."""
OLDEST_MS, NEWEST_MS = -62_135_596_800_000, 253_402_300_799_999


def parse(text: str, now: float) -> int:
    """Epoch milliseconds; relative times start from `now`, in epoch seconds.  ValueError says what is allowed."""
    ms = _parse(text.strip(), now)
    if ms is None or not OLDEST_MS <= ms <= NEWEST_MS:
        raise ValueError(f"{text!r} is not a time: give {FORMS}")
    return ms


def _parse(text: str, now: float) -> int | None:
    if text.lower() == "now":
        return int(now * 1000)
    if found := RELATIVE.fullmatch(text):
        sign = -1 if found[1] == "-" else 1
        return int(now * 1000) + sign * int(float(found[2]) * SECONDS[found[3]] * 1000)
    if re.fullmatch(r"-?\d{9,15}(\.\d+)?", text):
        number = float(text)
        return int(number) if abs(number) >= EPOCH_MS_FROM else round(number * 1000)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)
