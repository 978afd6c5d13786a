"""PagerDuty's Events API v2: trigger and resolve, by `dedup_key`.

Knows: fields and their longest values.
Must not know: HTTP.
"""

from __future__ import annotations

from typing import Any

from streams.alerts import config
from streams.alerts.due import Action, Message
from streams.alerts.forms import Request
from streams.alerts.words import Links, cut, facts, headline

LONGEST_SUMMARY, LONGEST_KEY = 1024, 255


class PagerDutyForm:
    """One integration of one service."""

    def __init__(self, sink: config.PagerDuty, links: Links) -> None:
        self._sink, self._links = sink, links

    def request(self, message: Message, now_ms: int) -> Request:
        """A trigger of a key that is open changes its alert, and pages nobody again."""
        del now_ms
        routing_key = self._sink.secret("routing_key") or ""
        event: dict[str, Any] = {
            "routing_key": routing_key,
            "event_action": "resolve" if message.action is Action.CLOSE else "trigger",
            "dedup_key": cut(message.key, LONGEST_KEY),
            "payload": self._payload(message),
        }
        if message.action is not Action.CLOSE:
            event |= {"client": "hyperpod-state", "links": self._told_links(message)}
            if link := self._links.anomaly(message.anomaly):
                event["client_url"] = link
        return Request(self._sink.target(), event, secrets=(routing_key,))

    def _payload(self, message: Message) -> dict[str, Any]:
        anomaly = message.anomaly
        payload = {
            "summary": cut(headline(message), LONGEST_SUMMARY),
            "source": anomaly.cluster_name or anomaly.cluster_arn,
            "severity": anomaly.severity.value,
            "timestamp": anomaly.opened_at,
            "component": anomaly.instance_id or anomaly.node_logical_id,
            "group": anomaly.instance_group,
            "class": anomaly.kind.value,
            "custom_details": dict(facts(message)),
        }
        return {name: value for name, value in payload.items() if value is not None}

    def _told_links(self, message: Message) -> list[dict[str, str]]:
        return [{"href": link, "text": text} for text, link in self._links.named(message.anomaly)]
