"""What was sent, what failed and what waits, by sink: for `/metrics` and for the log.

Knows: names of metrics.
Must not know: what was sent.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, start_http_server

from streams import logs
from streams.metrics.series import PREFIX, Series, table
from streams.settings import StartError

Made = TypeVar("Made", Counter, Gauge)
SINK = ("sink",)
SERIES = table(
    Series("alerts_sent", "counter", "Messages that a sink has taken.", (*SINK, "action")),
    Series("alerts_failed", "counter", "Tries that failed; they are repeated.", SINK),
    Series("alerts_refused", "counter", "Messages that a sink will not have.", SINK),
    Series("alerts_pending", "gauge", "Messages that wait to be sent.", SINK),
    Series("alerts_open_pages", "gauge", "Pages that are open.", SINK),
    Series("alerts_read_timestamp_seconds", "gauge", "When the topic was last read to its end."),
)
log = logs.get(__name__)


class Tally:
    """The counts of one process."""

    def __init__(self, sinks: list[str]) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.sent, self.failed, self.refused = (
            self._made(Counter, name) for name in ("alerts_sent", "alerts_failed", "alerts_refused")
        )
        self.pending, self.open, self.last = (
            self._made(Gauge, name) for name in ("alerts_pending", "alerts_open_pages", "alerts_read_timestamp_seconds")
        )
        self._sinks = sinks
        for name in sinks:
            for each in (self.failed, self.refused, self.pending, self.open):
                each.labels(name)

    def _made(self, kind: type[Made], name: str) -> Made:
        series = SERIES[name]
        return kind(f"{PREFIX}_{name}", series.text, series.labels, registry=self.registry)

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
