"""The published schemas: what they say is what the models say, and what may change in them without a new version."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from typing import Any

import jsonschema_rs
import pytest

from models import schemas
from models.schemas.evolution import breaks
from tests.test_models.test_public import ANOMALY_FIELDS, anomaly


def shipped(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(schemas.shipped()[schemas.file_of(name)])
    return found


@pytest.mark.parametrize("name", schemas.RECORDS)
def test_a_shipped_schema_is_what_the_model_says(name: str) -> None:
    assert schemas.shipped()[schemas.file_of(name)].decode() == schemas.printed(name), "run python -m streams.reference"
    jsonschema_rs.validator_for(shipped(name))


@pytest.mark.parametrize("name", schemas.RECORDS)
def test_a_model_breaks_nobody_who_reads_by_the_shipped_schema(name: str) -> None:
    assert breaks(shipped(name), schemas.schema_of(name)) == []


def test_every_file_is_of_a_record_and_of_no_version_that_is_yet_to_come() -> None:
    for name in schemas.shipped():
        found = re.fullmatch(r"(\w+)\.v(\d+)\.json", name)
        assert found, name
        assert int(found[2]) <= int(schemas.RECORDS[found[1]][1])


@pytest.mark.parametrize("name", schemas.RECORDS)
def test_the_version_in_the_records_is_that_of_the_file(name: str) -> None:
    version = shipped(name)["properties"].get("schema_version")
    assert version is None if name in schemas.WRITTEN_BY_USERS else version["const"] == schemas.RECORDS[name][1]


@pytest.mark.parametrize("name", schemas.RECORDS)
def test_a_reader_by_the_model_wants_no_field_that_the_schema_does_not(name: str) -> None:
    wanted = schemas.RECORDS[name][0].model_json_schema(mode="validation")["required"]
    assert set(wanted) <= set(shipped(name)["required"])


def test_every_field_of_an_anomaly_is_always_there() -> None:
    assert shipped("anomaly")["required"] == ANOMALY_FIELDS
    jsonschema_rs.validate(shipped("anomaly"), anomaly().model_dump(mode="json"))


Change = Callable[[dict[str, Any]], object]


def changed(change: Change) -> list[str]:
    """What a change of the anomaly's schema breaks."""
    before = shipped("anomaly")
    after = copy.deepcopy(before)
    change(after)
    return breaks(before, after)


def rename(schema: dict[str, Any]) -> None:
    schema["properties"]["name"] = schema["properties"].pop("title")
    schema["required"][schema["required"].index("title")] = "name"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda s: s["properties"].pop("title"), ["title is gone"]),
        (rename, ["title is gone", "name is required now; records that were written before may lack it"]),
        (
            lambda s: s["properties"]["count"].update(type="string"),
            ["count may be string now", "count is never integer any more"],
        ),
        (
            lambda s: s["properties"].update(title={"anyOf": [{"type": "string"}, {"type": "null"}]}),
            ["title may be null now"],
        ),
        (lambda s: s["properties"].update(cause={"$ref": "#/$defs/Cause"}), ["cause is never null any more"]),
        (lambda s: s["required"].remove("title"), ["title may be missing now"]),
        (lambda s: s["$defs"]["AnomalyKind"]["enum"].remove("drift"), ["kind is never 'drift' any more"]),
        (lambda s: s["$defs"]["Cause"]["enum"].remove("ami"), ["cause is never 'ami' any more"]),
        (
            lambda s: s["$defs"]["Severity"]["enum"].append("fatal"),
            ["severity may be 'fatal' now, and its list was closed"],
        ),
        (lambda s: s["$defs"]["Severity"].pop("enum"), ["severity is any text now"]),
        (lambda s: s["properties"]["title"].update(enum=["one"]), ["title is one of a list now"]),
        (lambda s: s["properties"]["evidence"].update(items={"type": "integer"}), None),
        (lambda s: s["properties"]["revision"].update(minimum=0), ["revision has another minimum: 0, it was 1"]),
        (lambda s: s["properties"]["opened_at"].update(pattern="^x$"), None),
        (lambda s: s["properties"]["schema_version"].update(const="2"), None),
        (
            lambda s: (s["properties"].update(new={"type": "string"}), s["required"].append("new")),
            ["new is required now; records that were written before may lack it"],
        ),
    ],
)
def test_a_change_that_breaks_readers_is_named(change: Change, told: list[str] | None) -> None:
    found = changed(change)
    assert found
    assert told is None or sorted(found) == sorted(told)


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s["properties"].update(new={"type": "string"}),
        lambda s: s["properties"]["title"].update(description="Other words."),
        lambda s: s["$defs"]["AnomalyKind"]["enum"].append("a_new_kind"),
        lambda s: s["$defs"]["Cause"]["enum"].append("a_new_cause"),
    ],
)
def test_a_change_that_breaks_nobody_passes(change: Change) -> None:
    assert changed(change) == []


def test_what_a_map_holds_is_looked_at_too() -> None:
    before = shipped("status")
    after = copy.deepcopy(before)
    after["properties"]["open"]["additionalProperties"] = {"type": "string"}
    assert breaks(before, after) == ["open.* may be string now", "open.* is never integer any more"]
