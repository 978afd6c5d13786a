"""The store's process as a service of the worker: started, asked, and started again where it ended.

Knows: a child process, lines, how services start and stop.
Must not know: DuckDB, what is filled.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import orjson
from mode import Service
from pydantic import SecretStr

from streams import logs
from streams.settings import Settings
from streams.web.sql import LARGEST, SECONDS, NotYet, Refused, SqlAnswer

log = logs.get(__name__)
COMMAND = (sys.executable, "-m", "streams.store.process")
STOP_SECONDS = 2.0
PATIENCE_SECONDS = SECONDS + 10.0
"""A process that has not answered by then is ended: its own limits have failed."""
AGAIN_SECONDS = (1.0, 5.0, 30.0)
LONGEST_LINE = 4 * LARGEST


class StoreService(Service):
    """One process from start to stop; the worker neither waits for it nor ends with it."""

    mundane_level = "debug"

    def __init__(self, settings: Settings, incarnations: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._order = _order(settings, incarnations)
        self._process: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._numbers = itertools.count()

    async def on_start(self) -> None:
        """Fill from now on."""
        self._keeping = asyncio.create_task(self._keep(), name="store")

    async def on_stop(self) -> None:
        """What is not written yet is read again after the next start."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])

    async def sql(self, query: str) -> SqlAnswer:
        """One question at a time.  Raises Refused or NotYet."""
        process = self._process
        if process is None:
            raise NotYet("the store is being started")
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                found = await self._ask(process, query)
        except TimeoutError:
            process.kill()
            raise NotYet("the store did not answer, and is started again") from None
        except asyncio.LimitOverrunError:
            process.kill()  # what is left of the answer would be taken for the next one
            raise Refused("the answer is too large: ask for fewer or smaller values") from None
        except (OSError, ValueError, asyncio.IncompleteReadError) as error:
            log.warning("store does not answer", error=type(error).__name__)
            raise NotYet("the store ended while it answered, and is started again") from None
        if "answer" in found:
            return SqlAnswer.model_validate(found["answer"])
        if "refused" in found:
            raise Refused(found["refused"])
        raise NotYet(found["not_yet"])

    async def _ask(self, process: asyncio.subprocess.Process, query: str) -> dict[str, Any]:
        """An answer to an earlier question, which nobody waits for any more, is passed over."""
        number, (asking, answers) = next(self._numbers), _ends(process)
        asking.write(orjson.dumps({"number": number, "query": query}) + b"\n")
        await asking.drain()
        while True:
            found: dict[str, Any] = orjson.loads(await answers.readuntil(b"\n"))
            if found["number"] == number:
                return found

    async def _keep(self) -> None:
        for attempt in itertools.count():
            process = await asyncio.create_subprocess_exec(
                *COMMAND, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LONGEST_LINE
            )
            try:
                asking, _ = _ends(process)
                asking.write(self._order)
                self._process = process
                code = await process.wait()
            finally:
                self._process = None
                await _ended(process)
            wait = AGAIN_SECONDS[min(attempt, len(AGAIN_SECONDS) - 1)]
            log.warning("store ended by itself and is started again", code=code, retry_in=wait)
            await asyncio.sleep(wait)


def _ends(process: asyncio.subprocess.Process) -> tuple[asyncio.StreamWriter, asyncio.StreamReader]:
    """Where questions go in and answers come out."""
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


async def _ended(process: asyncio.subprocess.Process) -> None:
    """The end of its standard input is its sign; the worker does not wait long, as what is half written is none."""
    _ends(process)[0].close()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()


def _order(settings: Settings, incarnations: Mapping[str, str]) -> bytes:
    """The first line: the settings, with their secrets, as the process has no other way to them."""
    told = {name: _revealed(value) for name, value in settings.model_dump().items() if not name.startswith("http_")}
    return orjson.dumps({"settings": told, "incarnations": dict(incarnations)}, default=str) + b"\n"


def _revealed(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
