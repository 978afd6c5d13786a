"""The page about running it: settings and topics.

Knows: the settings model, the topics that follow from it.
Must not know: what a setting does.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from streams import config_file
from streams.reference.markdown import block, code, page, table
from streams.reference.setting_examples import example
from streams.settings import Settings

EXAMPLE = """brokers = "kafka-1.example.com:9092,kafka-2.example.com:9092"
replication_factor = 3
lateness_ms = 86_400_000

[thresholds]
repair_minutes = 10
storm_starts = 5

[thresholds.deadlines.lifecycle_script]
slow = 15
stuck = 45

[[thresholds.overrides]]
cluster = "research-*"
group = "p5-*"
deadlines.replacing = { slow = 60, stuck = 120 }

[[thresholds.overrides]]
instance_type = "ml.p6*"
deadlines.terminating = { slow = 30, stuck = 120 }
"""
# The unit is the last word of a name, or seconds where a number is a duration.
UNITS = {"ms": "ms", "bytes": "bytes", "seconds": "s", "interval": "s", "timeout": "s", "deadline": "s"}


def settings() -> str:
    """Every setting of the worker, and the topics they name."""
    intro = (
        "What `hyperpod-state worker` can be told: by environment variables, and by name in a TOML file that"
        f" `--config FILE` or `{config_file.VARIABLE}` names. Variables win over the file; a few settings have options"
        " of the command as well, which win over both. Commands that ask Kafka themselves read the same."
    )
    header = ("name", "environment variable", "default", "unit", "allowed", "example", "meaning")
    rows = [_setting(name, field) for name, field in Settings.model_fields.items()]
    example = (
        "## A file\n\nDeadlines may differ by cluster, group and instance type (patterns as in a shell; the last that"
        " fits wins); [their names](anomalies.md). `hyperpod-state replay --config` takes the same file."
    )
    return page("Settings", intro, table(header, rows), example, block("toml", EXAMPLE), "## Topics", *_topics())


def _setting(name: str, field: FieldInfo) -> tuple[str, ...]:
    prefix = str(Settings.model_config.get("env_prefix", ""))
    variable, shown = code(f"{prefix}{name}".upper()), code(example(name, field))
    return (code(name), variable, _default(field), _unit(name), _allowed(field), shown, _meaning(field))


def _default(field: FieldInfo) -> str:
    if field.default in (PydanticUndefined, None, ""):
        return ""
    value: Any = field.default
    return code(str(value).lower() if isinstance(value, bool) else _number(value))


def _unit(name: str) -> str:
    return UNITS.get(name.rsplit("_", 1)[-1], "")


def _allowed(field: FieldInfo) -> str:
    choices = getattr(field.annotation, "__args__", ())
    if choices and all(isinstance(choice, str) for choice in choices):
        return ", ".join(code(choice) for choice in choices if choice)
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "pattern": ""}
    found = [(sign, getattr(limit, name, None)) for limit in field.metadata for name, sign in signs.items()]
    limits = [f"{sign} {_number(value)}" if sign else code(str(value)) for sign, value in found if value is not None]
    return ", ".join(limits)


def _number(value: Any) -> str:
    """Anything in words; a float that is whole without its zero."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _meaning(field: FieldInfo) -> str:
    return field.description or ""


def standard() -> Settings:
    """Every setting as it is where nobody says anything, whatever the environment says."""
    return Settings.model_construct()


def _topics() -> Iterator[str]:
    """As they are created with the defaults."""
    from streams.topics import beside, wanted

    every = (*wanted(standard()), *beside(standard()))
    rows = [(code(topic.name), str(topic.partitions), topic.policy) for topic in every]
    yield "Created where missing and verified at every start; those that end in `-changelog` are the tables' own."
    yield "The last one is that of `hyperpod-state alerts`, which makes it; no worker needs it."
    yield table(("topic", "partitions", "cleanup.policy"), rows)


def write(path: Path, text: str) -> None:
    """Writes a page, and its folder where missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
