"""The page about the table `[alerts]`.

Knows: the models of the table.
Must not know: what a setting does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from streams.alerts.config import Alertmanager, Config, PagerDuty, SinkConfig, Slack, Webhook
from streams.reference.markdown import code, page, table

HEADER = ("name", "default", "allowed", "meaning")
SINKS = (Alertmanager, PagerDuty, Slack, Webhook)


def alerts() -> str:
    """Every setting of every sink."""
    intro = (
        "The table `[alerts]` of the settings file, which `hyperpod-state alerts` reads; how to set it up is in"
        " [Alerts](../alerts.md). Each sink is a table `[[alerts.sinks]]`."
    )
    parts = ["## [alerts]", _table({name: field for name, field in Config.model_fields.items() if name != "sinks"})]
    parts += ["## Every sink", _table(SinkConfig.model_fields)]
    for sink in SINKS:
        own = {
            name: field for name, field in sink.model_fields.items() if name not in (*SinkConfig.model_fields, "type")
        }
        kind = sink.model_fields["type"].annotation.__args__[0]  # type: ignore[union-attr]  # a Literal of one word
        parts += [f'## type = "{kind}"', str(sink.__doc__), _table(own)]
    return page("Settings of alerts", intro, *parts)


def _table(fields: Mapping[str, FieldInfo]) -> str:
    return table(HEADER, [_row(name, field) for name, field in fields.items()])


def _row(name: str, field: FieldInfo) -> tuple[str, ...]:
    return code(name), _default(field), _allowed(field), field.description or ""


def _default(field: FieldInfo) -> str:
    value: Any = field.default
    if value in (PydanticUndefined, None, "") or value == [] or value == {}:
        return ""
    return code(str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else value)


def _allowed(field: FieldInfo) -> str:
    words = getattr(field.annotation, "__members__", None)
    if words:
        return ", ".join(code(each.value) for each in words.values())
    signs = {"gt": ">", "ge": "≥", "le": "≤", "pattern": ""}
    found = [(sign, getattr(limit, name, None)) for limit in field.metadata for name, sign in signs.items()]
    return ", ".join(f"{sign} {value:g}" if sign else code(str(value)) for sign, value in found if value is not None)
