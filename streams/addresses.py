"""Which addresses are this machine's own.

Knows: names and IP addresses.
Must not know: settings, servers; so that whoever reads settings loads no web server.
"""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
