"""Asking the application as its server would, without a socket.

Knows: ASGI.  Must not know: what is asked.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from streams.settings import Settings
from streams.web.api import create_api
from streams.web.asgi import Asgi
from streams.web.doors import behind
from tests.test_streams.serving import Held

TOKEN = "a-token-of-enough-length"
BEARER = {"authorization": f"Bearer {TOKEN}"}


@dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["error"]["code"])


async def asked(
    app: Asgi,
    path: str,
    headers: dict[str, str] | None = None,
    *,
    method: str = "GET",
    query: str = "",
    body: list[bytes] | None = None,
    client: tuple[str, int] = ("127.0.0.1", 1),
) -> Answer:
    answer, parts = Answer(), list(body or [b""])

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
            assert len(answer.headers) == len(message["headers"]), "a header twice"
        else:
            answer.body += message.get("body", b"")

    async def receive() -> dict[str, Any]:
        if not parts:
            await asyncio.Event().wait()
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    given = {"host": "127.0.0.1:8780", **(headers or {})}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items()],
        "client": client,
        "server": ("127.0.0.1", 8780),
    }
    await app(scope, receive, send)
    return answer


def ask(app: Asgi, path: str, headers: dict[str, str] | None = None, **more: Any) -> Answer:
    return asyncio.run(asked(app, path, headers, **more))


def doors(**settings: Any) -> Asgi:
    return behind(Settings(**settings), create_api(Held()))


def json_of(app: Asgi, path: str, query: str = "") -> Any:
    answer = ask(app, path, query=query)
    assert answer.status == 200, answer.body
    return json.loads(answer.body)
