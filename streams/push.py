"""Metrics pushed over OTLP, where the standard OTEL_ variables ask for it.

Knows: those variables that say whether and how often.
Must not know: metrics, what OTLP looks like.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mode import Service

from streams import logs
from streams.metrics.collector import Metrics

if TYPE_CHECKING:
    from streams.metrics.otlp import Otlp

log = logs.get(__name__)
ENDPOINTS = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
INTERVAL = "OTEL_METRIC_EXPORT_INTERVAL"
INTERVAL_MS = 60_000
LEAST_MS = 100


def wanted(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether somebody asks for metrics over OTLP."""
    off = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    exporters = environ.get("OTEL_METRICS_EXPORTER", "otlp").lower().split(",")
    asked = "otlp" in [name.strip() for name in exporters]
    return asked and not off and any(environ.get(name, "").strip() for name in ENDPOINTS)


def pusher(metrics: Metrics, instance: str, environ: Mapping[str, str] = os.environ) -> Pusher | None:
    """A service that pushes; None where nobody asks for it, or where it cannot be done, which is logged.

    The variables are often set for everything on a machine: they are no reason for a worker not to start.
    """
    if not wanted(environ):
        return None
    protocol = next((environ[name] for name in PROTOCOLS if environ.get(name)), "http/protobuf")
    if protocol != "http/protobuf":
        log.warning("metrics are not pushed: OTLP is spoken over http/protobuf only", protocol=protocol)
        return None
    try:
        from streams.metrics.otlp import Otlp

        otlp = Otlp({"service.name": "hyperpod-state", "service.instance.id": instance})
        return Pusher(metrics, otlp, _interval(environ))
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("opentelemetry"):
            raise
        log.warning("metrics are not pushed: pip install 'hyperpod-state[otel]', or unset OTEL_EXPORTER_OTLP_ENDPOINT")
    except ValueError as error:
        log.warning("metrics are not pushed: an OTEL_ variable is not to be understood", error=str(error))
    return None


def _interval(environ: Mapping[str, str]) -> float:
    """Seconds between two pushes.  ValueError where the variable is no number."""
    return max(LEAST_MS, float(environ.get(INTERVAL) or INTERVAL_MS)) / 1000


class Pusher(Service):
    """Asks for all metrics on the worker's own loop, and sends them beside it."""

    mundane_level = "debug"

    def __init__(self, metrics: Metrics, otlp: Otlp, interval: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._metrics, self._otlp, self._interval = metrics, otlp, interval
        self._well = True

    @Service.task
    async def _push(self) -> None:
        log.info("metrics are pushed over OTLP", every=self._interval)
        while not self.should_stop:
            families = await self._metrics.families()
            well = await asyncio.to_thread(self._otlp.push, families)
            if well != self._well:
                log.warning("metrics are pushed again" if well else "metrics cannot be pushed over OTLP")
                self._well = well
            await self.sleep(self._interval)

    async def on_stop(self) -> None:
        """Wait for nobody."""
        await asyncio.to_thread(self._otlp.close)
