"""What a check finds.

Knows: the three words.
Must not know: what is checked.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class Status(StrEnum):
    """`fail` is what keeps the state from being right; `warn` is what somebody should look at."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Check:
    """One finding, and what to type next where it is not ok."""

    check: str
    status: Status
    message: str
    next: str | None = None

    def item(self) -> dict[str, str | None]:
        """For output."""
        return asdict(self)


def ok(check: str, message: str) -> Check:
    """Nothing to do."""
    return Check(check, Status.OK, message)


def warn(check: str, message: str, then: str) -> Check:
    """Somebody should look."""
    return Check(check, Status.WARN, message, then)


def fail(check: str, message: str, then: str) -> Check:
    """The state is not, or will not be, right."""
    return Check(check, Status.FAIL, message, then)


def span(ms: float) -> str:
    """A length of time for people."""
    seconds = round(ms / 1000)
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
