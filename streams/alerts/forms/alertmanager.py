"""Alertmanager's API v2: alerts are known by all their labels, and end at `endsAt`.

Knows: labels, annotations, when an alert has to be sent again.
Must not know: HTTP.

Labels are what stays the same while a page is open.  Only a change of severity makes another alert of it, which people
route by: then one request ends the one and begins the other.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from models.public_anomaly import Anomaly
from models.timestamps import iso
from streams.alerts import config
from streams.alerts.due import Action, Message
from streams.alerts.forms import Request, bearer
from streams.alerts.words import Links, facts, headline

CLOCKS_MS = 60_000
"""How far its clock may be behind ours.  An end that is not over there yet does not count against the later one that it
was told before: the alert would stay for `hold_seconds`."""


class AlertmanagerForm:
    """One Alertmanager."""

    def __init__(self, sink: config.Alertmanager, links: Links) -> None:
        self._sink, self._links = sink, links
        self.refresh_seconds = sink.resend_seconds

    def request(self, message: Message, now_ms: int) -> Request:
        """Begins, changes or ends the alert."""
        ends = message.action is Action.CLOSE
        told = message.before.anomaly if ends and message.before else message.anomaly
        alerts = [self._alert(message, self._labels(message.key, told), now_ms, ends)]
        if not ends and message.before is not None:
            before = self._labels(message.key, message.before.anomaly)
            if before != alerts[0]["labels"]:
                alerts.insert(0, self._alert(message, before, now_ms, ends=True))
        return self._post(alerts)

    def refresh(self, messages: Sequence[Message], now_ms: int) -> Request:
        """All that are open, for as long again."""
        return self._post([self._alert(each, self._labels(each.key, each.anomaly), now_ms, False) for each in messages])

    def _labels(self, key: str, anomaly: Anomaly) -> dict[str, str]:
        words = anomaly.kind.value.split("_")
        labels = {
            **self._sink.labels,
            "alertname": "Hyperpod" + "".join(word.capitalize() for word in words),
            "severity": anomaly.severity.value,
            "kind": anomaly.kind.value,
            "anomaly_id": key,
            "cluster": anomaly.cluster_name or anomaly.cluster_arn,
            "cluster_arn": anomaly.cluster_arn,
            "instance_group": anomaly.instance_group,
            "instance_id": anomaly.instance_id,
            "node_logical_id": anomaly.node_logical_id,
        }
        return {name: value for name, value in labels.items() if value}

    def _alert(self, message: Message, labels: dict[str, str], now_ms: int, ends: bool) -> dict[str, Any]:
        annotations = {name.replace(" ", "_"): value for name, value in facts(message)}
        annotations["summary"] = headline(message)
        log = self._links.log(message.anomaly)
        urls = {"runbook_url": self._links.runbook(message.anomaly) or log, "log_url": log}
        annotations |= {name: url for name, url in urls.items() if url}
        until = now_ms - CLOCKS_MS if ends else now_ms + round(self._sink.hold_seconds * 1000)
        alert = {
            "labels": labels,
            "annotations": annotations,
            "startsAt": min(message.anomaly.opened_at, iso(until)),
            "endsAt": iso(until),
        }
        link = self._links.anomaly(message.anomaly)
        return {**alert, "generatorURL": link} if link else alert

    def _post(self, alerts: list[dict[str, Any]]) -> Request:
        headers, secrets = bearer(self._sink)
        if (password := self._sink.secret("password")) is not None:
            login = b64encode(f"{self._sink.username}:{password}".encode()).decode()
            headers, secrets = {"Authorization": f"Basic {login}"}, (password, login)
        return Request(f"{self._sink.target()}/api/v2/alerts", alerts, headers, secrets)
