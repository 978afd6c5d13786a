"""What every answer tells browsers: nothing here may be framed, sniffed, cached, or read by a page of elsewhere.

Knows: headers.
Must not know: routes.

There are no CORS headers: no page but one that this worker serves itself can read an answer.
"""

from __future__ import annotations

from streams.web.asgi import Asgi, Message, Receive, Scope, Send

DATA = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""For HTML: what this worker serves itself and nothing else, and no script within the page."""
ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)


class SecurityHeaders:
    """An ASGI application whose answers have them; what an answer says itself stays."""

    def __init__(self, inner: Asgi) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = with_security(message.get("headers", []))
            await send(message)

        await self._inner(scope, receive, sending)


def with_security(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers of an answer, and those that it lacks."""
    said = {name.lower(): value for name, value in headers}
    policy = PAGE if said.get(b"content-type", b"").startswith(b"text/html") else DATA
    wanted = [*ALWAYS, (b"content-security-policy", policy.encode())]
    return [*headers, *(each for each in wanted if each[0] not in said)]
