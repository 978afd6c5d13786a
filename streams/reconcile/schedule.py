"""When a cluster is asked next.

Knows: intervals, failures in a row, names.
Must not know: clocks (`now` is an argument), what is asked.

Each cluster has a place of its own within the interval, by its ARN: clusters are spread over it, and they are the same
way in every process, so that neither many clusters nor many processes ask in step.
"""

from __future__ import annotations

from hashlib import sha256

LONGEST = 900.0
"""Seconds between two polls of a cluster that goes on to fail, at most."""
_MOST_DOUBLED = 16


def place(arn: str) -> float:
    """Where in an interval a cluster is asked, from 0 up to 1."""
    return int.from_bytes(sha256(arn.encode()).digest()[:6]) / 2**48


def next_due(arn: str, now: float, interval: float, failures: int = 0) -> float:
    """The next time after `now` (epoch seconds) at the cluster's place; after failures in a row later and later."""
    patience: float = min(interval * 2 ** min(failures, _MOST_DOUBLED), max(interval, LONGEST))
    earliest = now + patience - interval
    return earliest + interval - (earliest - place(arn) * interval) % interval
