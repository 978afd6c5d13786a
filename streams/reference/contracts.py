"""What programs rely on, as files: the description of HTTP, the schemas of records, the description of the topics.

Knows: where each is made, that a published schema may not change in a way that breaks its readers.
Must not know: routes, records.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from models import schemas
from models.schemas.evolution import breaks
from streams.asyncapi import asyncapi
from streams.reference.markdown import page
from streams.reference.operation import standard
from streams.web import docs
from streams.web.api import create_api

FOLDER = "models/schemas"


class Breaking(Exception):
    """A model is no longer what was published; the message says where, and the way out."""


def openapi() -> str:
    """What a worker serves at `/openapi.json`."""
    return json.dumps(_described(), indent=1, ensure_ascii=False) + "\n"


def api() -> str:
    """The same for people."""
    return page("HTTP API", *docs.markdown(_described()))


def topics() -> str:
    """What a worker with no settings of its own serves at `/asyncapi.json`, as YAML."""
    document = json.loads(json.dumps(asyncapi(standard())))  # else YAML would refer from one example to another
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
    return f"# Printed by `python -m streams.reference`: change the models it is printed from, not this file.\n{text}"


def _described() -> dict[str, Any]:
    nobody: Any = None  # it is described, and never asked
    return create_api(nobody).openapi()


def schema(name: str) -> str:
    """The schema of a record.  Raises Breaking where the file that there is says otherwise to its readers."""
    path = Path(FOLDER, schemas.file_of(name))
    if path.exists():
        found = breaks(json.loads(path.read_text(encoding="utf-8")), schemas.schema_of(name))
        if found:
            raise Breaking(
                f"{path} is published, and the model breaks its readers:\n"
                + "\n".join(f"  {each}" for each in found)
                + f"\nUndo that, or give {name!r} another version (docs/programs.md says how)."
            )
    return schemas.printed(name)


SCHEMAS: Mapping[str, Callable[[], str]] = {
    f"{FOLDER}/{schemas.file_of(name)}": partial(schema, name) for name in schemas.RECORDS
}
"""By path."""
