"""A port that takes connections and says no word, as a frozen broker does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def silent() -> Iterator[str]:
    """Its address.  The system takes the connections: nobody has to."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(100)
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def ends(what: Callable[[], object], seconds: float) -> bool:
    """Whether it comes back.  Where it does not, the thread is left behind."""
    thread = threading.Thread(target=what, daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()
