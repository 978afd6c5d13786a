"""Runs one command for exactly as long as the starter holds this process's standard input open.

Knows nothing of Kafka. It is started by file path, so it must import only the standard library.
The kernel closes the pipe however the starter ends, SIGKILL included: that is why the end of standard input is the
signal to stop, and not a clean-up hook, which a killed process never runs. Where this process itself is killed, Linux
sends the command SIGTERM; elsewhere the command stays until somebody ends it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from functools import partial

GRACE_SECONDS = 20.0  # for the command to end after SIGTERM, before SIGKILL
_PR_SET_PDEATHSIG = 1  # prctl(2)


def _follows(parent: int) -> None:
    """In the command's process, before it is the command: ends with its parent, also where that is gone by now."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ends the child: politely, then not."""
    child.terminate()
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()


def _hold(child: subprocess.Popen[bytes]) -> None:
    """Ends the child at the end of standard input."""
    while os.read(0, 1024):  # not sys.stdin: a reader blocked in it would make the interpreter's own exit fail
        pass
    _end(child)


def main(command: list[str]) -> int:
    """Runs `command`, prints its process id as one line, returns its exit code (128 + n: it ended by signal n).

    The command's own output goes to standard error.
    """
    follows = partial(_follows, os.getpid()) if sys.platform == "linux" else None
    # By the main thread, as the kernel's signal comes when the starting thread ends, and before there is another one.
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, preexec_fn=follows)  # noqa: PLW1509
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_hold, args=(child,), daemon=True).start()
    print(child.pid, flush=True)
    code = child.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
