"""What was sent, what failed and what waits, by sink: for `/metrics` and for the log.

Knows: names of metrics.
Must not know: what was sent.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from streams import logs
from streams.settings import StartError

PREFIX = "hyperpod_state_alerts"
log = logs.get(__name__)


class Tally:
    """The counts of one process."""

    def __init__(self, sinks: list[str]) -> None:
        self.registry = CollectorRegistry()
        own, made = self.registry, ["sink"]
        self.sent = Counter(f"{PREFIX}_sent", "Messages that a sink has taken.", [*made, "action"], registry=own)
        self.failed = Counter(f"{PREFIX}_failed", "Tries that failed; they are repeated.", made, registry=own)
        self.refused = Counter(f"{PREFIX}_refused", "Messages that a sink will not have.", made, registry=own)
        self.pending = Gauge(f"{PREFIX}_pending", "Messages that wait to be sent.", made, registry=own)
        self.open = Gauge(f"{PREFIX}_open_pages", "Pages that are open.", made, registry=own)
        self.last = Gauge(f"{PREFIX}_read_timestamp_seconds", "When the topic was last read to its end.", registry=own)
        self._sinks = sinks
        for name in sinks:
            for each in (self.failed, self.refused, self.pending, self.open):
                each.labels(name)

    def lines(self) -> Iterator[dict[str, Any]]:
        """The figures of each sink."""
        for name in self._sinks:
            sent = sum(
                sample.value
                for sample in next(iter(self.sent.collect())).samples
                if sample.labels.get("sink") == name and sample.name.endswith("_total")
            )
            figures = {
                "sent": int(sent),
                "failed": int(self.failed.labels(name)._value.get()),
                "refused": int(self.refused.labels(name)._value.get()),
                "pending": int(self.pending.labels(name)._value.get()),
                "open": int(self.open.labels(name)._value.get()),
            }
            yield {"sink": name, **figures}

    def log(self) -> None:
        """A line a sink."""
        for line in self.lines():
            log.info("alerts", **line)

    def serve(self, host: str, port: int) -> threading.Thread:
        """`/metrics` at this address, in a thread of its own.  StartError where it is taken."""
        try:
            server, thread = start_http_server(port, host, self.registry)
        except OSError as error:
            raise StartError(f"Port {port} of {host} cannot be used: {error.strerror}.") from error
        log.info("metrics", host=host, port=server.server_port)
        return thread
