"""Messages in the form that each service wants: one module a service, all of them pure.

Knows: which module speaks for which configuration.
Must not know: HTTP.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable
from urllib.parse import unquote, urlsplit

from streams.alerts import config
from streams.alerts.due import Message
from streams.alerts.words import Links

LONG = re.compile(r"[^/?&=]{16,}")
"""What of a URL may be a secret by itself, quoted without the rest."""


@dataclass(frozen=True)
class Request:
    """One POST of JSON; `secrets` are what must be shown nowhere, not even if the other side quotes it."""

    url: str
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    content_type: str = "application/json"


class Form(Protocol):
    """How one sink is spoken to.  BadSecret where a secret cannot be had."""

    def request(self, message: Message, now_ms: int) -> Request:
        """Says it."""
        ...


@runtime_checkable
class Refreshed(Form, Protocol):
    """Of a service that forgets what it is not told again."""

    refresh_seconds: float

    def refresh(self, messages: Sequence[Message], now_ms: int) -> Request:
        """Says again what is open."""
        ...


def form(sink: config.SinkConfig, links: Links) -> Form:
    """The form of a sink."""
    from streams.alerts.forms import alertmanager, pagerduty, slack, webhook

    if isinstance(sink, config.Alertmanager):
        return alertmanager.AlertmanagerForm(sink, links)
    if isinstance(sink, config.PagerDuty):
        return pagerduty.PagerDutyForm(sink, links)
    if isinstance(sink, config.Slack):
        return slack.SlackForm(sink, links)
    assert isinstance(sink, config.Webhook)
    return webhook.WebhookForm(sink, links)


def parts(url: str) -> tuple[str, ...]:
    """A URL that is secret, and what of it another side quotes: as it was sent or decoded, plainly or in HTML."""
    found = urlsplit(url)
    path, query = found.path.rstrip("/"), found.query
    told = [url, f"{path}?{query}" if query else path, path, query, *LONG.findall(f"{path}?{query}")]
    known = {way for each in told for way in (each, unquote(each))}
    return tuple(sorted(each for each in known | {html.escape(each) for each in known} if len(each) > 2))


def hidden(text: str, secrets: Sequence[str]) -> str:
    """The text without secrets, whoever quoted one."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "…")
    return text


def bearer(sink: config.SinkConfig) -> tuple[dict[str, str], tuple[str, ...]]:
    """The header of a token, where there is one, and what in it is secret."""
    token = sink.secret("token")
    return ({"Authorization": f"Bearer {token}"}, (token,)) if token else ({}, ())
