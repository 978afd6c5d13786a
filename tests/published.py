"""Records that a test meets are as the published schemas say.

Knows: which schema is of which topic.
Must not know: Kafka, how a record came about.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import jsonschema_rs
import orjson

from models.public import Document, dumps
from models.schemas import file_of, shipped

KINDS = {"anomalies": "anomaly", "transitions": "transition", "deadletter": "dead_letter", "status": "status"}
"""By the topic's kind; silences are not among them, for anybody may write what is none."""


def check(kind: str, records: Iterable[Any]) -> None:
    """Of records of Kafka; of topics that are not public nothing is asked."""
    for record in records if kind in KINDS else ():
        if record.value is not None:
            valid(KINDS[kind], orjson.loads(record.value), f"{kind}/{record.partition} at {record.offset}")


def document(told: Document) -> None:
    """The anomalies of a document, as `replay` prints it."""
    for each in orjson.loads(dumps(told))["anomalies"]:
        valid("anomaly", each, "anomalies")


def valid(name: str, told: Any, place: str = "") -> None:
    """One record, as JSON has it."""
    found = _validator(name).iter_errors(told)
    faults = [f"{'/'.join(map(str, each.instance_path))}: {each.message}" for each in found]
    assert not faults, f"{place} is no {name}: {faults}"


@cache
def _validator(name: str) -> Any:
    return jsonschema_rs.validator_for(orjson.loads(shipped()[file_of(name)]))
