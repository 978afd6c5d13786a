"""Times of the wire to epoch milliseconds (UTC), and back to text.

Knows: every spelling of a time that the contract names.
Must not know: which field a time came from, or what "now" is.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MIN_MS: Final = -62_135_596_800_000
"""The first millisecond of year 1: nothing earlier has a four-digit year."""
MAX_MS: Final = 253_402_300_799_999
"""The last millisecond of year 9999."""
DAY_MS: Final = 86_400_000

# As seconds this is the year 5138, as milliseconds March 1973: below it a number means seconds.
_SECONDS_BELOW: Final = 100_000_000_000
_MS: Final = timedelta(milliseconds=1)
_NUMERIC: Final = frozenset("0123456789+-.eE")

# How AWS writes nearly every time: its minute, its second and its fraction are looked up, not parsed again and again.
_MINUTE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:")
_SECOND: Final = {f"{second:02d}Z": second * 1000 for second in range(60)}
_FRACTION: Final = {f".{ms:03d}Z": ms for ms in range(1000)}
_TWO_DIGITS: Final = [f"{number:02d}" for number in range(60)]
_THREE_DIGITS: Final = [f"{number:03d}" for number in range(1000)]
_USUAL_LENGTH: Final = len("2026-05-04T09:00:00Z")
_TOO_LONG: Final = 20
"""Digits of an integer that may have more than 64 bits."""


def parse_ms(value: Any) -> int | None:
    """Epoch milliseconds of an epoch number (ms or s), a numeric string or an ISO 8601 text; None if unreadable.

    A time without a zone is UTC.  Fractions of a millisecond are cut off.  Never raises.
    """
    if type(value) is int and _SECONDS_BELOW <= value <= MAX_MS:
        return value
    if isinstance(value, str):
        return _to_the_second(value) if len(value) == _USUAL_LENGTH else _of_any_text(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return _of_scalar(value)


def _of_any_text(text: str) -> int | None:
    after = _SECOND.get(text[17:])
    if after is None:
        after = _with_fraction(text)
    if after is not None and (minute := _minute(text[:17])) is not None:
        return minute + after
    return _of_text(text.strip())


_to_the_second: Final = lru_cache(maxsize=4096)(_of_any_text)
"""Of "2026-05-04T09:00:00Z" and what is as long: many events are of one second."""


def parse_http_ms(value: Any) -> int | None:
    """Epoch milliseconds of an HTTP date ("Mon, 04 May 2026 09:00:00 GMT"), or of anything `parse_ms` reads."""
    if not isinstance(value, str):
        return parse_ms(value)
    try:
        return _within(_since_epoch(parsedate_to_datetime(value)))
    except (ValueError, TypeError, IndexError, OverflowError):
        return parse_ms(value)


def iso(ms: int) -> str:
    """`YYYY-MM-DDTHH:MM:SS.mmmZ`; a time outside the years 1 to 9999 is shown as the nearest end of them.

    Sums of a real time and a told duration may lie there: a bake of 31 years that began in 9999 is no reason to stop.
    """
    if not MIN_MS <= ms <= MAX_MS:
        ms = min(max(ms, MIN_MS), MAX_MS)
    minute, rest = divmod(ms, 60_000)
    return f"{_to_the_minute(minute)}:{_TWO_DIGITS[rest // 1000]}.{_THREE_DIGITS[rest % 1000]}Z"


@lru_cache(maxsize=4096)  # events come in bursts, and every judgement writes the same times again
def _to_the_minute(minute: int) -> str:
    return (EPOCH + timedelta(minutes=minute)).replace(tzinfo=None).isoformat(timespec="minutes")


@lru_cache(maxsize=4096)
def _minute(text: str) -> int | None:
    """The beginning of a minute, "2026-05-04T09:00:"."""
    return _of_iso(f"{text}00Z") if _MINUTE.fullmatch(text) else None


def _with_fraction(text: str) -> int | None:
    """Milliseconds of a usual minute, "01.234Z" at the end of the text."""
    second, fraction = _SECOND.get(f"{text[17:19]}Z"), _FRACTION.get(text[19:])
    return None if second is None or fraction is None else second + fraction


def _of_text(text: str) -> int | None:
    if text.isdigit() and text.isascii() and len(text) < _TOO_LONG:
        return _of_scalar(int(text))
    return _of_number(text) if text and _NUMERIC.issuperset(text) else _of_iso(text)


def _of_number(text: str) -> int | None:
    try:
        return _of_scalar(float(text))
    except ValueError:
        return _of_iso(text)  # "2026-06-01" has only characters that numbers have too


def _of_scalar(number: float) -> int | None:
    # The size first: an integer beyond any double cannot even be asked whether it is finite.
    if abs(number) > MAX_MS or not math.isfinite(number):
        return None
    if abs(number) >= _SECONDS_BELOW:
        return _within(math.floor(number))
    # Rounded first: 1748794825.35 s has no exact float and would lose its last millisecond.
    return _within(math.floor(round(number * 1000, 3)))


def _of_iso(text: str) -> int | None:
    try:
        return _within(_since_epoch(datetime.fromisoformat(text.upper())))
    except ValueError:
        return None


def _since_epoch(when: datetime) -> int:
    return ((when if when.tzinfo else when.replace(tzinfo=UTC)) - EPOCH) // _MS


def _within(ms: int) -> int | None:
    return ms if MIN_MS <= ms <= MAX_MS else None
