"""Times as users read them.

Knows: ISO 8601.  Must not know: what happens at a time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso(ms: int) -> str:
    """Epoch milliseconds as a public time.  OverflowError outside the years 1 to 9999."""
    minute, rest = divmod(ms, 60_000)
    return f"{_to_the_minute(minute)}:{_SECONDS[rest // 1000]}.{_THOUSANDTHS[rest % 1000]}Z"


_SECONDS = [f"{number:02d}" for number in range(60)]
_THOUSANDTHS = [f"{number:03d}" for number in range(1000)]


@lru_cache(maxsize=4096)  # events come in bursts, and every judgement writes the same times again
def _to_the_minute(minute: int) -> str:
    return (_EPOCH + timedelta(minutes=minute)).replace(tzinfo=None).isoformat(timespec="minutes")
