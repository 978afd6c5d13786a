"""The store's own process: it fills the file and answers questions, so that no fault of DuckDB's can end the worker.

Knows: lines of JSON on standard input and output, the filler.
Must not know: HTTP, lanes.

It is there for exactly as long as the worker holds its standard input open: the kernel closes that however the worker
ends.  The first line is the order (`streams.store.service`), each one after that is a question.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import orjson

from streams import logs
from streams.settings import Settings
from streams.store import service
from streams.store.filler import Filler
from streams.web.sql import NotYet, Refused

NICENESS = 10
"""Whoever works the events goes first."""


def main() -> int:
    """Until standard input ends; standard output is for answers alone."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # sent to the whole group by a terminal: the worker says when
    os.nice(NICENESS)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    asked = orjson.loads(sys.stdin.buffer.readline())
    settings = Settings(**asked["settings"])
    logs.setup(settings.log_level, settings.log_format)
    filler = Filler(settings)
    filling = threading.Thread(target=filler.run, name="store", daemon=True)
    filling.start()
    with suppress(BrokenPipeError):
        for line in sys.stdin.buffer:
            answers.write(_line(filler, orjson.loads(line)))
            answers.flush()
    filler.stop()
    filling.join(service.STOP_SECONDS / 2)
    return 0


def _line(filler: Filler, asked: Mapping[str, Any]) -> bytes:
    """An answer that the worker has room for."""
    line = orjson.dumps(_answer(filler, asked)) + b"\n"
    if len(line) < service.LONGEST_LINE:
        return line
    return orjson.dumps({"number": asked["number"], "refused": service.TOO_LARGE}) + b"\n"


def _answer(filler: Filler, asked: Mapping[str, Any]) -> dict[str, Any]:
    """With the question's number; `refused` and `not_yet` say why there is none."""
    number = {"number": asked["number"]}
    try:
        return {**number, "answer": filler.sql(asked["query"]).model_dump(mode="json")}
    except Refused as error:
        return {**number, "refused": str(error)}
    except NotYet as error:
        return {**number, "not_yet": str(error)}


if __name__ == "__main__":
    sys.exit(main())
