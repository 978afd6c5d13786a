"""The part of the Helm chart's schema that follows from the settings, so that no value is misspelt unnoticed.

Knows: which settings the chart makes of values of its own.
Must not know: templates, the rest of the schema, which is written by hand in the same file.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from streams.settings import Settings

SCHEMA = "deploy/helm/hyperpod-state/values.schema.json"
OWN = re.compile(
    "brokers|kafka_.*|http_(?!rate).*|instance_id|data_dir|partitions|raw_partitions|replication_factor|create_topics"
    "|restore_deadline|stop_seconds|thresholds|log_format"
)
"""Set from other values, from secrets or from the pod; thresholds are no single value, and go into `config`."""
KEPT = ("type", "enum", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")


def schema() -> str:
    """The file as it is, with the settings as they are."""
    found: dict[str, Any] = json.loads(Path(SCHEMA).read_text("utf-8"))
    found["properties"]["settings"] = {
        "description": "Any other setting of docs/reference/settings.md, by its name",
        "type": "object",
        "additionalProperties": False,
        "properties": settings(),
    }
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def settings() -> dict[str, dict[str, Any]]:
    """What `settings` of the chart may hold, by name."""
    known = Settings.model_json_schema()["properties"]
    return {name: _one(told) for name, told in known.items() if not OWN.fullmatch(name)}


def _one(told: dict[str, Any]) -> dict[str, Any]:
    return {"description": told["description"]} | {key: told[key] for key in KEPT if key in told}
