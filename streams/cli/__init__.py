"""The console script `hyperpod-state`.

Knows: that every command ends with an exit code and never with a traceback.
Must not know: the commands (`streams.cli.app`).
"""

from __future__ import annotations

import os
import signal
import sys

PROGRAM = "hyperpod-state"
INTERRUPTED = 130
FIRST = 1
"""The process of a container: Linux gives it no signal that it has not asked for, so that SIGTERM would not end it."""


def main() -> int:
    """Runs one command line; returns its exit code: 0 ok, 1 problems found, 2 usage, 3 unavailable, 130 interrupted."""
    if os.getpid() == FIRST:
        signal.signal(signal.SIGTERM, lambda number, _: os._exit(128 + number))
    try:
        from streams.cli.app import app
        from streams.cli.errors import readable
        from streams.cli.shells import LINE, offer

        if (line := os.environ.get(LINE)) is not None:
            offer(app, line)
        else:
            app(readable(sys.argv[1:]), prog_name=PROGRAM)
    except SystemExit as end:
        return 0 if _help_is_unread() else _code(end.code)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last stop: whatever it is, people get a message
        from streams.cli.errors import report

        return report(error)
    return 0


def _help_is_unread() -> bool:
    """Typer puts this in the place of standard output where whoever read the help has gone, and would end with 1."""
    return type(sys.stdout).__name__ == "PacifyFlushWrapper"


def _code(code: object) -> int:
    return code if isinstance(code, int) else int(code is not None)
