"""How often one client may ask: a bucket of tokens for each, that fills again with time.

Knows: addresses, a clock.
Must not know: HTTP, what is asked.

Of libraries, `limits` keeps an entry for every address until it expires, so that whoever has many addresses decides how
much memory is taken.  Here the number of buckets is bounded; the one not seen for longest goes.
"""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable

CLIENTS = 10_000
IPV6_NETWORK = 64
"""Bits of an IPv6 address that stand for one client: the rest is its own to choose."""


class Rates:
    """`per_second` in the long run, `burst` at once."""

    def __init__(
        self, per_second: float, burst: float, clock: Callable[[], float] = time.monotonic, clients: int = CLIENTS
    ) -> None:
        self._per_second, self._burst, self._clock, self._clients = per_second, burst, clock, clients
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def wait(self, client: str) -> float:
        """Seconds until the client may ask again; 0 where it may now."""
        return max(0.0, (1 - self._level(client)) / self._per_second)

    def take(self, client: str) -> None:
        """The client has asked."""
        self._buckets[client] = (max(0.0, self._level(client) - 1), self._clock())
        self._buckets.move_to_end(client)
        if len(self._buckets) > self._clients:
            self._buckets.popitem(last=False)

    def _level(self, client: str) -> float:
        level, then = self._buckets.get(client, (self._burst, 0.0))
        return min(self._burst, level + (self._clock() - then) * self._per_second)


def client_of(address: tuple[str, int] | None) -> str:
    """Whom an address stands for; whatever has none is one client."""
    if address is None:
        return ""
    try:
        known = ipaddress.ip_address(address[0].partition("%")[0])
    except ValueError:
        return address[0]
    if known.version == 4:
        return str(known)
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(ipaddress.ip_network((int(known), IPV6_NETWORK), strict=False))
