"""`/api/v1/lineage/{id}` over a socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from models.explain import ChainItem
from streams.web.provider import Readiness
from tests.test_streams.serving import Held, served
from tests.test_streams.told import NEW, OLD, OVER, incident, picture_at


@pytest.fixture(scope="module")
def worker() -> Iterator[str]:
    with incident(OVER) as address:
        yield address


def ask(address: str, path: str) -> tuple[int, Any]:
    try:
        with urlopen(address + path, timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def slot() -> str:
    return next(str(item.node_logical_id) for item in picture_at(OVER).instances if item.instance_id == NEW)


@pytest.mark.parametrize("name", [OLD, NEW, slot()])
def test_the_chain_is_the_same_by_any_of_its_names(worker: str, name: str):
    status, body = ask(worker, f"/api/v1/lineage/{name}")
    assert status == 200
    assert (body["as_of"], body["lag"], body["continue"]) == (OVER, 0, None)
    old, new = body["items"]
    assert list(old) == list(ChainItem.model_fields)
    assert (old["instance_id"], old["replaced_by"], old["attempt"]) == (OLD, NEW, None)
    assert (new["instance_id"], new["replaces"], new["attempt"]) == (NEW, OLD, 1)
    assert new["lineage"] == "node_logical_id"
    assert (old["lost_at"], old["replaced_at"]) == ("2026-10-05T09:42:00.000Z", "2026-10-05T09:57:00.000Z")
    assert (old["minutes_lost"], new["minutes_lost"]) == (None, 15.0)
    assert [(f["kind"], f["status"]) for f in old["faults"]] == [("unhealthy_node", "resolved")]


def test_one_that_was_never_replaced_is_a_chain_of_one(worker: str):
    _, body = ask(worker, "/api/v1/lineage/i-0a400000000000001")
    assert [item["instance_id"] for item in body["items"]] == ["i-0a400000000000001"]


def test_what_is_not_known_is_404_and_a_misspelt_parameter_400(worker: str):
    status, body = ask(worker, "/api/v1/lineage/i-none")
    assert (status, body["error"]["code"]) == (404, "not_found")
    assert ask(worker, f"/api/v1/lineage/{NEW}?clutser=x")[0] == 400
    assert ask(worker, f"/api/v1/lineage/{NEW}?cluster=other")[0] == 404


def test_until_ready_it_is_503():
    with served(Held(state=Readiness(ready=False, message="tables are restored to 43 %"))) as address:
        assert ask(address, f"/api/v1/lineage/{NEW}")[0] == 503


def test_it_is_documented(worker: str):
    _, body = ask(worker, "/openapi.json")
    described = body["paths"]["/api/v1/lineage/{name}"]["get"]
    assert "oldest first" in described["description"]
    assert set(body["components"]["schemas"]["ChainItem"]["properties"]) == set(ChainItem.model_fields)
    assert "/api/v1/lineage/{id}" in ask(worker, "/")[1]["routes"]
