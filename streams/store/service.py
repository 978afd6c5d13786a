"""The store's process as a service of the worker: started, asked, and started again where it ended.

Knows: a child process, lines, how services start and stop.
Must not know: DuckDB, what is filled.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import time
from contextlib import suppress
from typing import Any

import orjson
from mode import Service
from pydantic import SecretStr

from streams import logs
from streams.settings import Settings
from streams.web.sql import LARGEST, SECONDS, NotYet, Refused, SqlAnswer

log = logs.get(__name__)
COMMAND = (sys.executable, "-P", "-m", "streams.store.process")
PREFIX = "HYPERPOD_STATE_"
STOP_SECONDS = 2.0
PATIENCE_SECONDS = SECONDS + 10.0
"""A process that has not answered by then is ended: its own limits have failed."""
AGAIN_SECONDS = (1.0, 5.0, 30.0)
LASTED_SECONDS = 300.0
"""A process that ran for so long did not end for want of something that is still wanting."""
LONGEST_LINE = 4 * LARGEST
TOO_LARGE = "the answer is too large: ask for fewer or smaller values"


class StoreService(Service):
    """One process from start to stop; the worker neither waits for it nor ends with it."""

    mundane_level = "debug"

    def __init__(self, settings: Settings, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._order = _order(settings)
        self._process: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._numbers = itertools.count()
        self._open = 0
        """Questions that are being answered."""

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
        self._open += 1
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                found = await self._ask(process, query)
        except TimeoutError:
            _kill(process)
            raise NotYet("the store did not answer, and is started again") from None
        except (ValueError, asyncio.LimitOverrunError) as error:
            _kill(process)  # what is left of an answer would be taken for the next one
            raise _unanswered(error) from None
        except (OSError, asyncio.IncompleteReadError) as error:
            await _ended(process)
            raise _unanswered(error) from None
        finally:
            self._open -= 1
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
        attempt = 0
        while True:
            began = time.monotonic()
            try:
                why = f"ended with code {await self._run_one()}"
            except OSError as error:  # no memory, or no process number, is left
                why = f"cannot be started: {error.strerror}"
            attempt = 0 if time.monotonic() - began >= LASTED_SECONDS else attempt
            wait = AGAIN_SECONDS[min(attempt, len(AGAIN_SECONDS) - 1)]
            log.warning("store's process is started again", why=why, retry_in=wait)
            await asyncio.sleep(wait)
            attempt += 1

    async def _run_one(self) -> int:
        """From the start of a process to its end; its exit code.  Raises OSError where none can be started."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *COMMAND, stdin=pipe, stdout=pipe, limit=LONGEST_LINE, env=_surroundings()
        )
        try:
            _ends(process)[0].write(self._order)
            self._process = process
            return await process.wait()
        finally:
            self._process = None
            if self._open:
                _kill(process)  # it would see the end of its input only once it has answered
            await _ended(process)


def _ends(process: asyncio.subprocess.Process) -> tuple[asyncio.StreamWriter, asyncio.StreamReader]:
    """Where questions go in and answers come out."""
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


def _unanswered(error: Exception) -> NotYet:
    log.warning("store does not answer", error=type(error).__name__)
    return NotYet("the store ended while it answered, and is started again")


async def _ended(process: asyncio.subprocess.Process) -> None:
    """The end of its standard input is its sign; the worker does not wait long, as what is half written is none."""
    _ends(process)[0].close()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        _kill(process)


def _kill(process: asyncio.subprocess.Process) -> None:
    """Only one that seems to live: of one that is just ending, asyncio loses the exit code here."""
    with suppress(ProcessLookupError):
        process.kill()


def _surroundings() -> dict[str, str]:
    """The environment without our own settings: the order has all of them that count, checked by the worker."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(PREFIX)}


def _order(settings: Settings) -> bytes:
    """The first line: the settings, with their secrets, as the process has no other way to them."""
    told = {name: _revealed(value) for name, value in settings.model_dump().items() if not name.startswith("http_")}
    return orjson.dumps({"settings": told}, default=str) + b"\n"


def _revealed(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
