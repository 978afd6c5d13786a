"""A dry run: what would be sent, shown instead, without secrets.

Knows: how a request is shown.
Must not know: services.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from streams.alerts.courier import Sink
from streams.alerts.due import Message
from streams.alerts.forms import Form, Request, hidden

Show = Callable[[dict[str, Any]], None]


def dry(sink: Sink, show: Show) -> Sink:
    """The sink with its mouth shut."""
    form = _Form(sink.name, sink.form)
    return replace(sink, form=form, post=_Post(show, sink.post))


@dataclass
class _Form:
    """The same requests, and which message each comes of."""

    name: str
    form: Form

    def request(self, message: Message, now_ms: int) -> Request:
        """The body is the line to show.  What is only said again (`Refreshed`) is not shown."""
        made = self.form.request(message, now_ms)
        told = {"sink": self.name, "action": message.action.value, "page": message.key, "why": message.why or None}
        sent = {"method": "POST", "url": made.url, "content_type": made.content_type, "headers": made.headers}
        return replace(made, body=_hidden({**told, "request": {**sent, "body": made.body}}, made.secrets))


@dataclass
class _Post:
    show: Show
    real: Any

    async def send(self, request: Request) -> None:
        """Shows it."""
        self.show(request.body)

    async def close(self) -> None:
        """Nothing was opened."""
        await self.real.close()


def _hidden(value: Any, secrets: Sequence[str]) -> Any:
    """The same with every secret blotted out, wherever it is."""
    if isinstance(value, dict):
        return {name: _hidden(each, secrets) for name, each in value.items()}
    if isinstance(value, list):
        return [_hidden(each, secrets) for each in value]
    return hidden(value, secrets) if isinstance(value, str) else value
