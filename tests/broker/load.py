"""What the fault tests put on the raw topic, at a pace that leaves time for faults in the middle of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from threading import Event, Thread
from typing import Any

from tests.broker.lab import Lab, event

CHUNK = 100


def stream(count: int, begin: int = 0) -> list[bytes]:
    """Events of 12 clusters with 20 instances each, all different."""
    return [event(number % 12, number // 12 % 20, number // 240) for number in range(begin, begin + count)]


class Feed:
    """Produces values in the background, so many a second; `with` waits for the last of them."""

    def __init__(self, lab: Lab, values: Sequence[bytes], per_second: int = 500) -> None:
        self._lab, self._values, self._pause = lab, values, CHUNK / per_second
        self._hurry = Event()
        self.flowing = Event()
        """The first of them is on its way."""
        self._thread = Thread(target=self._run)

    def __enter__(self) -> Feed:
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._hurry.set()
        self._thread.join()

    def _run(self) -> None:
        with self._lab.producing() as produce:
            self.flowing.set()
            for start in range(0, len(self._values), CHUNK):
                produce(self._values[start : start + CHUNK])
                self._hurry.wait(self._pause)


def instances(lab: Lab) -> list[dict[str, Any]]:
    """All of them, page by page."""
    token, found = "", list[dict[str, Any]]()
    while True:
        page = lab.get(f"/api/v1/instances?limit=500{token}")
        found += page["items"]
        if page["continue"] is None:
            return found
        token = f"&continue={page['continue']}"


def seconds_until(lab: Lab, condition: Any, what: str, since: float) -> float:
    """Wait for it; the seconds since a moment of `time.monotonic`."""
    lab.wait_for(condition, what)
    return time.monotonic() - since


def busiest_second(log: str) -> int:
    """The most lines of a worker's log within one second; lines without a time belong to the one before."""
    lines, second = Counter[str](), ""
    for line in log.splitlines():
        second = line[:19] if line[:2] == "20" else second
        lines[second] += 1
    return max(lines.values(), default=0)
