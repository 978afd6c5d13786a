"""TLS handshakes that end: kafka-python bounds every step of a connection but this one.

Knows: how kafka-python asks a context for a socket (`wrap_socket`), and makes the handshake afterwards, bit by bit.
Must not know: settings, Kafka.  It is zipped with the feed's function (`deploy/package.py`).

A broker that is frozen, or a port behind which nobody is, takes a connection and says no word.  The library would wait
for one for ever, whatever its own settings say, and with it whoever made the client.  Here the handshake is made at
once, in the library's own thread, where a good one takes a hundredth of a second; later its own finds nothing to do.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Bounded:
    """A context for kafka-python's `ssl_context`."""

    context: ssl.SSLContext
    seconds: float

    def wrap_socket(self, plain: socket.socket, *, server_hostname: str | None, **_: Any) -> ssl.SSLSocket:
        """The socket, with TLS.  Raises OSError, and closes it, where the other side is not done in time."""
        plain.settimeout(self.seconds)
        made = self.context.wrap_socket(plain, server_hostname=server_hostname)
        made.setblocking(False)
        return made
