"""JSON Schemas of the records on public topics, one file for each version of each record, shipped with the package.

Knows: which records are public, how a model becomes a schema.
Must not know: topics, who reads.

The newest file of a record is printed from its model (`python -m streams.reference`); files of older versions stay as
they were.  What may change without a new version is in `models.schemas.evolution`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Literal

from models.public_anomaly import Anomaly, PublicModel, Transition
from models.public_silence import Silence
from models.public_topics import DeadLetter, Status

DIALECT = "https://json-schema.org/draft/2020-12/schema"
RECORDS: Mapping[str, tuple[type[PublicModel], str]] = {
    "anomaly": (Anomaly, "1"),
    "transition": (Transition, "1"),
    "dead_letter": (DeadLetter, "1"),
    "status": (Status, "1"),
    "silence": (Silence, "1"),
}
"""By name: the model, and the version of its schema."""
WRITTEN_BY_USERS = frozenset({"silence"})
"""Of these the schema says what may be written; of all others, what is."""
ADDED: Mapping[str, frozenset[str]] = {
    "transition": frozenset({"schema_version"}),
    "dead_letter": frozenset({"schema_version"}),
}
"""By name: fields that came after its version was published.  Records that were written before lack them, so no schema
requires them, and their models have a default."""


def file_of(name: str) -> str:
    """Where the schema of a record's present version is, within this package."""
    return f"{name}.v{RECORDS[name][1]}.json"


def schema_of(name: str) -> dict[str, Any]:
    """The schema of a record as its model says it now."""
    model, _ = RECORDS[name]
    mode: Literal["validation", "serialization"] = "validation" if name in WRITTEN_BY_USERS else "serialization"
    schema = model.model_json_schema(mode=mode)
    schema["required"] = [field for field in schema["required"] if field not in ADDED.get(name, ())]
    return {"$schema": DIALECT, "$id": file_of(name), **schema}


def printed(name: str) -> str:
    """The same as the text of its file."""
    return json.dumps(schema_of(name), indent=2) + "\n"


def shipped() -> dict[str, bytes]:
    """Every schema of the package, those of older versions too, by file."""
    found = {each.name: each for each in files(__name__).iterdir() if each.name.endswith(".json")}
    return {name: found[name].read_bytes() for name in sorted(found)}
