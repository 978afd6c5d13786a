"""What programs rely on: the descriptions of HTTP and of the topics are valid, complete, and served."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from models import schemas
from streams import codecs
from streams.asyncapi import asyncapi
from streams.asyncapi_texts import CHANNELS, FORWARDED, MESSAGES
from streams.reference import contracts
from streams.reference.__main__ import main
from streams.reference.operation import standard
from streams.settings import Settings
from streams.topics import wanted
from streams.web import docs
from streams.web.api import create_api
from streams.web.described import ROUTES
from streams.web.openapi import REFUSALS, operations
from tests.test_streams.repository import elsewhere
from tests.test_streams.serving import Held, served
from tests.test_streams.test_api import ask

ROOT = Path(__file__).resolve().parents[2]
OFFICIAL = ROOT / "tests" / "data" / "asyncapi-3.0.0.json.gz"
"""AsyncAPI's own schema of its documents (https://github.com/asyncapi/spec-json-schemas, Apache-2.0)."""
UNDESCRIBED = {
    "/openapi.json": "it would describe itself",
    "/docs": "a page for people",
    "/docs/style.css": "of all such pages",
    "/runbooks": "a page for people",
    "/runbooks/{name}": "a page for people",
    "/static/{name}": "files of the dashboard",
    "/anomalies": "a page of the dashboard",
    "/machines": "a page of the dashboard",
    "/patterns": "a page of the dashboard",
    "/pipeline": "a page of the dashboard",
    "/c/{rest:path}": "a page of the dashboard",
    "/i/{rest:path}": "a page of the dashboard",
    "/api/v1/holdings": "what workers ask each other; its form may change with any release",
}
ELSEWHERE = {"read_only": "405: of methods that no operation has", "refused": "whatever else Starlette refuses"}


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return create_api(Held()).openapi()


def test_the_committed_document_is_valid_openapi() -> None:
    document = json.loads((ROOT / "docs/reference/openapi.json").read_text())
    assert document["openapi"].startswith("3.1")
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_a_worker_serves_what_is_committed() -> None:
    with served(Held()) as address:
        _, body, _ = ask(address, "/openapi.json")
    assert body == json.loads((ROOT / "docs/reference/openapi.json").read_text())


def test_every_route_is_described_or_is_said_to_be_none() -> None:
    api = create_api(Held())
    known = {path.replace(":path", "") for path in api.openapi()["paths"]}
    routes = {route.path for route in api.routes if hasattr(route, "path")}
    assert {path for path in routes if path.replace(":path", "") not in known} == set(UNDESCRIBED)


def test_the_root_names_all_that_is_described(described: dict[str, Any]) -> None:
    with served(Held()) as address:
        _, body, _ = ask(address, "/")
    assert set(body["routes"]) >= {*ROUTES, "/api/v1/fleet", "/api/v1/sql"}
    shapes = {re.sub(r"\{\w+\}", "{}", path) for path in (*described["paths"], *UNDESCRIBED)}
    assert {re.sub(r"\{\w+\}", "{}", path) for path in body["routes"]} <= shapes


def test_every_operation_and_parameter_is_explained(described: dict[str, Any]) -> None:
    for path, method, operation in operations(described):
        place = f"{method} {path}"
        assert operation["description"], place
        assert operation["tags"][0] in {tag["name"] for tag in described["tags"]}, place
        assert [each["name"] for each in operation.get("parameters", ()) if not each.get("description")] == [], place
    names = [operation["operationId"] for _, _, operation in operations(described)]
    assert len(set(names)) == len(names)


def test_every_operation_says_how_it_may_be_refused(described: dict[str, Any]) -> None:
    for path, method, operation in operations(described):
        told = operation["responses"].keys()
        asked = {each["name"] for each in operation.get("parameters", ())}
        assert {"403", "421", "500"} <= told, path
        assert not {"422", "4XX", "default"} & told, path
        assert ("410" in told) == ("at" in asked), path
        if path not in ("/healthz", "/readyz"):
            assert {"401", "429", "503"} <= told, f"{method} {path}"
    assert described["paths"]["/readyz"]["get"]["security"] == []
    assert set(described["components"]["securitySchemes"]) == {"token", "certificate"}


def test_whoever_is_told_to_come_back_is_told_when(described: dict[str, Any]) -> None:
    for status in ("429", "503"):
        response = described["components"]["responses"][REFUSALS[status][0]]
        assert response["headers"]["Retry-After"]["required"]


def test_every_code_that_the_program_answers_with_is_described() -> None:
    text = "\n".join(path.read_text() for path in (ROOT / "streams/web").glob("*.py"))
    found = set(re.findall(r'(?:ApiError\(\s*\d+,\s*|Problem\(\s*code=|super\(\).__init__\(\d+, )"(\w+)"', text))
    found |= set(re.findall(r"\d+: \(\"(\w+)\"", text))  # streams.web.errors
    told = {code for _, _, codes, _ in REFUSALS.values() for code in codes}
    assert len(found) > 15
    assert found - told == set(ELSEWHERE) & found
    assert told <= found


def examples(described: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Place, schema and example of every answer that has one."""
    for path, _, operation in operations(described):
        for status, response in operation["responses"].items():
            for kind, content in response.get("content", {}).items():
                if "example" in content:
                    yield f"{path} {status} {kind}", content["schema"], content["example"]
    for name, response in described["components"]["responses"].items():
        content = response["content"]["application/json"]
        for code, each in content["examples"].items():
            yield f"{name} {code}", content["schema"], each["value"]


def test_every_answer_has_an_example_that_is_one(described: dict[str, Any]) -> None:
    shown = list(examples(described))
    for place, schema, example in shown:
        jsonschema_rs.validate({**schema, "components": described["components"]}, example), place
    answers = {place.split()[0] for place, _, _ in shown if " 200 " in place}
    wanted_here = {
        path
        for path, _, operation in operations(described)
        if "application/json" in operation["responses"]["200"].get("content", {}) and path != "/asyncapi.json"
    }
    assert answers == wanted_here


def official() -> Any:
    return jsonschema_rs.validator_for(json.loads(gzip.decompress(OFFICIAL.read_bytes())))


def test_the_committed_description_of_the_topics_is_valid_asyncapi() -> None:
    document = yaml.safe_load((ROOT / "docs/reference/asyncapi.yaml").read_text())
    assert [error.message for error in official().iter_errors(document)] == []
    document["channels"]["raw"]["adress"] = "misspelt"
    assert not official().is_valid(document)


def test_every_topic_is_described_under_the_name_that_it_has_here() -> None:
    settings = Settings(anomalies_topic="mine.anomalies", app_id="mine", partitions=7, kafka_tls=True)
    document = asyncapi(settings)
    assert [error.message for error in official().iter_errors(document)] == []
    addresses = {channel["address"] for channel in document["channels"].values()}
    named = {topic.name for topic in wanted(settings) if not topic.name.endswith("-changelog")}
    assert named | {settings.alerts_topic, "mine-{table}-changelog"} == addresses
    anomalies = document["channels"]["anomalies"]
    assert anomalies["address"] == "mine.anomalies"
    assert anomalies["bindings"]["kafka"]["partitions"] == 7
    assert anomalies["bindings"]["kafka"]["topicConfiguration"]["cleanup.policy"] == ["compact"]
    assert document["servers"]["kafka"]["protocol"] == "kafka-secure"


def test_every_message_is_on_a_topic_and_its_examples_are_such_records() -> None:
    document = asyncapi(standard())
    assert {name for each in CHANNELS.values() for name in each.messages} | {"row"} == set(MESSAGES)
    for name, message in MESSAGES.items():
        for example in message.examples:
            reference = {"$ref": f"#/components/schemas/{message.schema}", "components": document["components"]}
            jsonschema_rs.validate(reference, dict(example)), name
    public = {"anomaly", "transition", "dead_letter", "status", "silence"}
    assert all(MESSAGES[name].examples for name in public)
    for name in public:
        jsonschema_rs.validate(schemas.schema_of(name), dict(MESSAGES[name].examples[0]))


def test_the_internal_record_has_the_fields_that_are_described() -> None:
    assert set(FORWARDED["properties"]) == {each.encode_name for each in msgspec.structs.fields(codecs.Forwarded)}


def test_a_worker_serves_the_topics_and_every_schema() -> None:
    with served(Held()) as address:
        status, body, _ = ask(address, "/asyncapi.json")
        assert (status, body["error"]["code"]) == (404, "not_found")
        for name, text in schemas.shipped().items():
            status, body, headers = ask(address, f"/schemas/{name}")
            assert status == 200
            assert body == text
            assert headers["Content-Type"] == "application/schema+json"
        status, body, _ = ask(address, "/schemas/anomaly.v99.json")
        assert status == 404
        assert "anomaly.v1.json" in body["error"]["hint"]


def test_the_page_tells_of_every_operation_and_loads_nothing_from_elsewhere(described: dict[str, Any]) -> None:
    page = docs.page(described).decode()
    for path, method, _ in operations(described):
        assert f"{method.upper()} {path}" in page
    targets = set(re.findall(r'href="#([^"]+)"', page))
    assert targets <= set(re.findall(r'id="([^"]+)"', page))
    assert "<script" not in page
    assert "style=" not in page
    assert [link for link in re.findall(r'(?:src|href)="([^"]+)"', page) if not link.startswith(("#", "/"))] == []


def test_a_published_schema_is_not_overwritten_by_one_that_breaks_its_readers(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    elsewhere(tmp_path)
    assert main([]) == 0
    path = tmp_path / contracts.FOLDER / "anomaly.v1.json"
    published = json.loads(path.read_text())
    published["properties"]["verdict"] = {"type": "string"}
    path.write_text(json.dumps(published))
    before = path.read_text()
    capsys.readouterr()
    for words in ([], ["--check"]):
        assert main(words) == 1
        assert "verdict is gone" in capsys.readouterr().err
    assert path.read_text() == before
