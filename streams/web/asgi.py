"""What the layers around the routes share: the shape of ASGI, and how a layer refuses.

Knows: ASGI.
Must not know: why anything is refused.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from streams.web.answers import Problem
from streams.web.errors import answer

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]


class Refusal(Exception):
    """Not passed on: what is answered instead."""

    def __init__(self, status: int, problem: Problem, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(problem.code)
        self.status, self.problem, self.headers = status, problem, dict(headers or {})


class Layer:
    """Looks at each request before `inner` sees it; `check` raises Refusal."""

    def __init__(self, inner: Asgi) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer in its place."""
        if scope["type"] == "http":
            try:
                self.check(scope)
            except Refusal as no:
                await refuse(no, scope, receive, send)
                return
        await self.pass_on(scope, receive, send)

    def check(self, scope: Scope) -> None:
        """Whether the request may pass."""

    async def pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What becomes of a request that may."""
        await self._inner(scope, receive, send)


async def refuse(no: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the refusal."""
    await answer(no.status, no.problem, no.headers)(scope, receive, send)


def header(scope: Scope, name: bytes) -> str | None:
    """A request's header; None where it has none."""
    found = next((value for key, value in scope["headers"] if key == name), None)
    return None if found is None else bytes(found).decode("latin-1")
