"""The topics as AsyncAPI 3 describes them: what is on each, who writes it, by which key.

Knows: topics and their records.
Must not know: Kafka clients, how a record comes about.

Made from the models and from the settings, so a worker describes its own topics (`/asyncapi.json`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from models.events import Cluster, ClusterEventAnswer, NodeHealth
from models.observation import Observation
from models.schemas import ADDED, RECORDS, WRITTEN_BY_USERS
from streams import codecs
from streams.asyncapi_texts import CHANNELS, ENVELOPE, FORWARDED, INTRO, MESSAGES, PAGE, Channel, Message
from streams.settings import Settings
from streams.topics import CLUSTER_TABLES, TABLES, Topic, beside, changelog, faust_name, wanted

VERSION = "3.0.0"
REF = "#/components/schemas/{model}"
BINDING = "0.5.0"
WIRE = (ClusterEventAnswer, Cluster, NodeHealth)
STRUCTS = (codecs.Origin, codecs.Tick, Observation)


def asyncapi(settings: Settings) -> dict[str, Any]:
    """The document for topics of these names."""
    topics = {topic.name: topic for topic in (*wanted(settings), *beside(settings))}
    channels = {name: _channel(each, topics[getattr(settings, f"{name}_topic")]) for name, each in CHANNELS.items()}
    return {
        "asyncapi": VERSION,
        "info": {
            "title": "hyperpod-state",
            "version": "v1",
            "description": INTRO,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"kafka": _server(settings)},
        "channels": {**channels, "changelogs": _changelogs(settings, topics)},
        "operations": dict(_operations()),
        "components": {
            "messages": {name: _message(name, each) for name, each in MESSAGES.items()},
            "schemas": _schemas(),
        },
    }


def _server(settings: Settings) -> dict[str, Any]:
    secure = settings.kafka_tls
    return {
        "host": settings.bootstrap[0],
        "protocol": "kafka-secure" if secure else "kafka",
        "description": "Read with `isolation.level=read_committed`.",
    }


def _channel(channel: Channel, topic: Topic) -> dict[str, Any]:
    return {
        "address": topic.name,
        "title": channel.title,
        "description": channel.text,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in channel.messages},
        "bindings": {"kafka": _kafka(topic)},
        "x-internal": channel.internal,
    }


def _kafka(topic: Topic) -> dict[str, Any]:
    config: dict[str, Any] = {"cleanup.policy": [topic.policy]}
    config |= {name: int(value) for name, value in topic.config.items()}
    return {"partitions": topic.partitions, "topicConfiguration": config, "bindingVersion": BINDING}


def _changelogs(settings: Settings, topics: Mapping[str, Topic]) -> dict[str, Any]:
    return {
        "address": changelog(settings, "{table}"),
        "title": "The tables",
        "description": "Rows of the worker's tables, which it restores from here. Their form changes with the "
        "program; ask over HTTP instead.",
        "parameters": {"table": {"enum": [faust_name(settings, name) for name in TABLES], "description": "The table."}},
        "messages": {"row": {"$ref": "#/components/messages/row"}},
        "bindings": {"kafka": _kafka(topics[changelog(settings, CLUSTER_TABLES[0])])},
        "x-internal": True,
    }


def _operations() -> Iterator[tuple[str, dict[str, Any]]]:
    """What the worker does; whoever reads the document does the other half."""
    for name, channel in CHANNELS.items():
        for action in channel.actions:
            verb = "read" if action == "receive" else "write"
            told = {"action": action, "channel": {"$ref": f"#/channels/{name}"}, "summary": f"{channel.title}: {verb}"}
            yield f"{verb}_{name}", told


def _message(name: str, message: Message) -> dict[str, Any]:
    key = {"type": "string", "description": message.key}
    told: dict[str, Any] = {
        "name": name,
        "title": message.title,
        "summary": message.text,
        "payload": {"$ref": f"#/components/schemas/{message.schema}"} if message.schema else {},
        "bindings": {"kafka": {"key": key, "bindingVersion": BINDING}},
    }
    if message.headers:
        told["headers"] = {"type": "object", "properties": message.headers}
    if message.examples:
        told["examples"] = [{"payload": each} for each in message.examples]
    return told


def _schemas() -> dict[str, Any]:
    """Every record's schema, as draft 7 reads it: that is what AsyncAPI's own schemas build on."""
    mode: Any
    models: list[tuple[type[BaseModel], Any]] = []
    for name, (model, _) in RECORDS.items():
        mode = "validation" if name in WRITTEN_BY_USERS else "serialization"
        models.append((model, mode))
    models += [(model, "validation") for model in WIRE]
    _, told = models_json_schema(models, ref_template=REF)
    _, structs = msgspec.json.schema_components(STRUCTS, ref_template=REF.replace("model", "name"))
    found: dict[str, Any] = {**told["$defs"], **structs, "Envelope": ENVELOPE, "Forwarded": FORWARDED, "Page": PAGE}
    for name, added in ADDED.items():
        schema = found[RECORDS[name][0].__name__]
        schema["required"] = [field for field in schema["required"] if field not in added]
    return {name: _plain(schema) for name, schema in sorted(found.items())}


def _plain(schema: Any) -> Any:
    """Draft 7 looks at nothing beside a reference."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema and len(schema) > 1:
        beside = {key: _plain(value) for key, value in schema.items() if key != "$ref"}
        return {"allOf": [{"$ref": schema["$ref"]}], **beside}
    return {key: _plain(value) for key, value in schema.items()}
