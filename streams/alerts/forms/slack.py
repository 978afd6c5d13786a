"""Slack's incoming webhooks: a message a change, with a bar of colour.

Knows: blocks, their longest texts, what has to be escaped.
Must not know: HTTP.

A webhook cannot change what it posted before: the end of a page is a message of its own.
"""

from __future__ import annotations

from typing import Any

from models.public_anomaly import Severity
from streams.alerts import config
from streams.alerts.due import Action, Message
from streams.alerts.forms import Request, parts
from streams.alerts.words import Links, facts, headline

LONGEST = 2000
"""Of a field's text; of a section's it is 3,000."""
MOST_FIELDS = 10
COLOURS = {
    Severity.CRITICAL: "#b3001b",
    Severity.ERROR: "#e5484d",
    Severity.WARNING: "#f5a623",
    Severity.INFO: "#6b7280",
}
ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
GREEN = "#2e7d32"
LEFT_OUT = ("severity", "note", "cluster arn")
"""Facts that are in the head of the message, or help nobody in a chat."""


class SlackForm:
    """One channel."""

    def __init__(self, sink: config.Slack, links: Links) -> None:
        self._sink, self._links = sink, links

    def request(self, message: Message, now_ms: int) -> Request:
        """`text` is the message and its notification; the attachment, which has the colour, is seen below it."""
        del now_ms
        url = self._sink.target()
        closed = message.action is Action.CLOSE
        text = f"{_word(message)}: {escaped(headline(message), LONGEST)}"
        note = [_section(f"_{escaped(message.why, LONGEST)}_")] if message.why not in ("", "resolved") else []
        blocks = [*note, *self._details(message)]
        colour = GREEN if closed else COLOURS[message.anomaly.severity]
        body = {"text": text, "parse": "none", "attachments": [{"color": colour, "blocks": blocks}]}
        return Request(url, body, secrets=parts(url))

    def _details(self, message: Message) -> list[dict[str, Any]]:
        fields = [(name, value) for name, value in facts(message) if name not in LEFT_OUT][:MOST_FIELDS]
        texts = [f"*{name}*\n{escaped(value, LONGEST // 2)}" for name, value in fields]
        blocks: list[dict[str, Any]] = [{"type": "section", "fields": [_text(text) for text in texts]}]
        named = self._links.named(message.anomaly)
        links = " · ".join(f"<{escaped(link, LONGEST // 2)}|{text}>" for text, link in named)
        return [*blocks, _section(links)] if links else blocks


def escaped(text: str, most: int) -> str:
    """Without the three characters that Slack acts on: nobody can be mentioned, no link be made.  Cut between them."""
    kept, left = [], most - 1
    for sign in text:
        kept.append(ESCAPES.get(sign, sign))
        left -= len(kept[-1])
        if left < 0:
            return "".join(kept[:-1]) + "…"
    return "".join(kept)


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _text(text)}


def _text(text: str) -> dict[str, Any]:
    """What looks like an address, a channel or a name stays text."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _word(message: Message) -> str:
    if message.action is Action.CLOSE:
        return "✔ RESOLVED" if message.why == "resolved" else "✔ CLOSED"
    severity = message.anomaly.severity.value.upper()
    return f"▲ {severity}, changed" if message.action is Action.UPDATE else f"▲ {severity}"
