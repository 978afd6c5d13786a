"""All that stands between the network and the routes, in its order.

Knows: which layer is around which, and why.
Must not know: what a layer does inside.
"""

from __future__ import annotations

from streams.settings import Settings
from streams.web.asgi import Asgi
from streams.web.auth import CertificateRequired, TokenRequired
from streams.web.bounds import FewAtOnce, FewGuesses, NotTooOften, ShortTarget, SmallBody
from streams.web.headers import SecurityHeaders
from streams.web.hosts import KnownHosts, OwnPages
from streams.web.rates import Rates

BURST_SECONDS = 2.0
"""A client may use that much of its rate at once."""
CLIENTS_OF_A_WORKER = 50.0
"""A worker may ask another one as often as so many clients: for each of its own clients' questions twice."""


def behind(settings: Settings, api: Asgi) -> Asgi:
    """The application as the network may see it.

    Cheap questions come first; nothing is read of a body, and no slot taken, before it is known who asks.
    """
    inner: Asgi = FewAtOnce(SmallBody(api))
    if settings.http_rate:
        inner = NotTooOften(inner, _rates(settings.http_rate), _rates(CLIENTS_OF_A_WORKER * settings.http_rate))
    if settings.http_tls_client_ca_file is not None:
        inner = CertificateRequired(inner)
    if settings.http_token is not None:
        inner = FewGuesses(TokenRequired(inner, settings.http_token.get_secret_value()))
    return SecurityHeaders(ShortTarget(OwnPages(KnownHosts(inner, settings.http_host, settings.http_names))))


def _rates(per_second: float) -> Rates:
    return Rates(per_second, max(1.0, BURST_SECONDS * per_second))
