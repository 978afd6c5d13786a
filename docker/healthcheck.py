"""Whether the worker of this container answers: exit code 0, else 1 with the reason.

Knows: the settings that say where the HTTP side listens.  Runs on the standard library alone, so that it is quick.
Must not know: whether the worker is ready.  Restoring takes minutes and is no reason to be killed; /readyz tells that.
"""

from __future__ import annotations

import os
import ssl
import sys
import urllib.request

SECONDS = 4.0
# Where a server that listens on all addresses can be asked.
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # nosec B104  # binds nothing


def address() -> str:
    """The URL of /healthz, from the worker's own environment variables."""
    host = os.environ.get("HYPERPOD_STATE_HTTP_HOST", "127.0.0.1")
    host = EVERYWHERE.get(host, host)
    port = os.environ.get("HYPERPOD_STATE_HTTP_PORT", "8780")
    scheme = "https" if os.environ.get("HYPERPOD_STATE_HTTP_TLS_CERTIFICATE_FILE") else "http"
    return f"{scheme}://[{host}]:{port}/healthz" if ":" in host else f"{scheme}://{host}:{port}/healthz"


def tls() -> ssl.SSLContext:
    """The certificate is of the name by which others know this worker, not of loopback; and nothing secret is sent."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def main() -> int:
    """0 where the answer is 200."""
    no_proxy = urllib.request.ProxyHandler({})  # HTTP_PROXY is for others, not for ourselves
    direct = urllib.request.build_opener(no_proxy, urllib.request.HTTPSHandler(context=tls()))
    try:
        with direct.open(address(), timeout=SECONDS):
            return 0
    except OSError as error:
        print(f"{address()}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
