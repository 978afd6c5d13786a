"""What services say of the bodies they take, written down from their published descriptions.

Alertmanager: api/v2/openapi.yaml, `postableAlerts`. PagerDuty: the OpenAPI document of the Events API v2, and its page
on the size of fields. CloudEvents: formats/cloudevents.json of version 1.0. Slack: its reference of blocks and
attachments.
"""

from __future__ import annotations

from typing import Any

LABELS = {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}}
ALERTMANAGER: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["labels"],
        "properties": {
            "labels": {**LABELS, "propertyNames": {"pattern": "^[a-zA-Z_][a-zA-Z0-9_]*$"}, "required": ["alertname"]},
            "annotations": {**LABELS, "propertyNames": {"pattern": "^[a-zA-Z_][a-zA-Z0-9_]*$"}},
            "startsAt": {"type": "string", "format": "date-time"},
            "endsAt": {"type": "string", "format": "date-time"},
            "generatorURL": {"type": "string", "format": "uri"},
        },
        "additionalProperties": False,
    },
}
LINK = {"type": "object", "required": ["href"], "properties": {"href": {"format": "uri"}, "text": {"type": "string"}}}
PAYLOAD = {
    "type": "object",
    "required": ["summary", "severity", "source"],
    "properties": {
        "summary": {"type": "string", "minLength": 1, "maxLength": 1024},
        "timestamp": {"type": "string", "format": "date-time"},
        "severity": {"enum": ["critical", "warning", "error", "info"]},
        "source": {"type": "string", "minLength": 1},
        "component": {"type": "string"},
        "group": {"type": "string"},
        "class": {"type": "string"},
        "custom_details": {"type": "object"},
    },
    "additionalProperties": False,
}
PAGERDUTY: dict[str, Any] = {
    "type": "object",
    "required": ["routing_key", "event_action", "dedup_key", "payload"],
    "properties": {
        "routing_key": {"type": "string"},
        "event_action": {"enum": ["trigger", "acknowledge", "resolve"]},
        "dedup_key": {"type": "string", "minLength": 1, "maxLength": 255},
        "client": {"type": "string"},
        "client_url": {"type": "string", "format": "uri"},
        "links": {"type": "array", "items": LINK},
        "payload": PAYLOAD,
    },
    "additionalProperties": False,
}
CLOUDEVENT: dict[str, Any] = {
    "type": "object",
    "required": ["id", "source", "specversion", "type"],
    "properties": {
        "id": {"type": "string", "minLength": 1},
        "source": {"type": "string", "minLength": 1, "format": "uri-reference"},
        "specversion": {"const": "1.0"},
        "type": {"type": "string", "minLength": 1},
        "datacontenttype": {"type": "string", "minLength": 1},
        "dataschema": {"type": "string", "minLength": 1, "format": "uri"},
        "subject": {"type": "string", "minLength": 1},
        "time": {"type": "string", "format": "date-time"},
        "data": {},
    },
    "propertyNames": {"pattern": "^[a-z0-9]+$"},
}


def _text(most: int) -> dict[str, Any]:
    text = {"type": "string", "minLength": 1, "maxLength": most}
    named = {"type": {"const": "mrkdwn"}, "text": text, "verbatim": {"type": "boolean"}}
    return {"type": "object", "required": ["type", "text"], "properties": named, "additionalProperties": False}


SECTION = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"const": "section"},
        "text": _text(3000),
        "fields": {"type": "array", "minItems": 1, "maxItems": 10, "items": _text(2000)},
    },
    "additionalProperties": False,
}
ATTACHMENT = {
    "type": "object",
    "required": ["blocks"],
    "properties": {
        "color": {"type": "string", "pattern": "^#[0-9a-f]{6}$"},
        "blocks": {"type": "array", "maxItems": 50, "items": SECTION},
    },
    "additionalProperties": False,
}
SLACK: dict[str, Any] = {
    "type": "object",
    "required": ["text", "attachments"],
    "properties": {
        "text": {"type": "string", "minLength": 1, "maxLength": 40_000},
        "parse": {"enum": ["none", "full"]},
        "attachments": {"type": "array", "maxItems": 20, "items": ATTACHMENT},
    },
    "additionalProperties": False,
}
