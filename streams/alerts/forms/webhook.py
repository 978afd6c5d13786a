"""CloudEvents 1.0 as JSON, for whatever takes them.

Knows: attributes of events, what their data is.
Must not know: HTTP.

`id` is made of the page, the revision, the action and when the page began: what is sent again after a crash has the id
that it had, and what is said of a page that opens again has none of those before.  A revision is of one anomaly, so
a page that was handed over says of which.
"""

from __future__ import annotations

from streams.alerts import config
from streams.alerts.due import Action, Message
from streams.alerts.forms import Request, bearer, parts
from streams.alerts.words import Links, headline

TYPES = {
    Action.OPEN: "hyperpod-state.anomaly.opened",
    Action.UPDATE: "hyperpod-state.anomaly.updated",
    Action.CLOSE: "hyperpod-state.anomaly.closed",
}


class WebhookForm:
    """One receiver."""

    def __init__(self, sink: config.Webhook, links: Links) -> None:
        self._sink, self._links = sink, links

    def request(self, message: Message, now_ms: int) -> Request:
        """One event, whole in the body (structured mode)."""
        del now_ms
        anomaly = message.anomaly
        headers, secrets = bearer(self._sink)
        url = self._sink.target()
        of_heir = "" if anomaly.anomaly_id == message.key else f"{anomaly.anomaly_id}."
        event = {
            "specversion": "1.0",
            "id": f"{message.key}/{of_heir}{anomaly.revision}/{message.action}/{message.began_ms}",
            "source": self._sink.source,
            "type": TYPES[message.action],
            "subject": message.key,
            "time": anomaly.updated_at,
            "datacontenttype": "application/json",
            "data": {
                "page": message.key,
                "summary": headline(message),
                "why": message.why or None,
                "members": message.members,
                "link": self._links.anomaly(anomaly),
                "anomaly": anomaly.model_dump(mode="json"),
            },
        }
        hidden = (*secrets, *(() if self._sink.url else parts(url)))
        return Request(url, event, headers, hidden, "application/cloudevents+json; charset=utf-8")
