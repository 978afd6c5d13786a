"""The thread that fills the store, as a service among the worker's others.

Knows: how services start and stop.  Must not know: what is filled.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from mode import Service

from streams.store.filler import Filler

STOP_SECONDS = 3.0


class StoreService(Service):
    """One thread from start to stop; a worker that has to end does not wait long for it."""

    mundane_level = "debug"

    def __init__(self, filler: Filler, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._filler = filler
        self._thread = threading.Thread(target=filler.run, name="store", daemon=True)

    async def on_start(self) -> None:
        """Fill from now on."""
        self._thread.start()

    async def on_stop(self) -> None:
        """What is not written yet is read again after the next start."""
        self._filler.stop()
        await asyncio.to_thread(self._thread.join, STOP_SECONDS)
