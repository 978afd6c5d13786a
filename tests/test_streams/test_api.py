"""The HTTP answers of a worker, asked over a socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from models import public
from streams.web.provider import Partition, Readiness
from tests.test_streams.serving import ARN, NOW, OTHER, Held, cluster, instance, minutes_ago, picture, served

LISTS = ("clusters", "instance-groups", "instances", "anomalies")


@pytest.fixture(scope="module")
def worker() -> Iterator[str]:
    with served(Held()) as address:
        yield address


def ask(address: str, path: str, method: str = "GET") -> tuple[int, Any, Any]:
    """Status, JSON body (bytes where it is none), headers."""
    try:
        with urlopen(Request(address + path, method=method), timeout=10) as answer:
            status, body, headers = answer.status, answer.read(), answer.headers
    except HTTPError as error:
        with error:
            status, body, headers = error.code, error.read(), error.headers
    is_json = headers.get_content_type() == "application/json"
    return status, json.loads(body) if is_json else body, headers


def ids(address: str, path: str) -> list[str]:
    status, body, _ = ask(address, f"/api/v1/{path}")
    assert status == 200, body
    return [item.get("anomaly_id") or item.get("instance_id") or item.get("node_logical_id") for item in body["items"]]


def test_every_list_has_the_fields_of_the_document_and_says_how_fresh_it_is(worker: str) -> None:
    shown = json.loads(public.dumps(public.Document(summary=public.Summary(), **dict(picture()))))
    for path in LISTS:
        status, body, _ = ask(worker, f"/api/v1/{path}")
        assert status == 200
        whole = {"as_of": NOW, "lag": 3, "partial": False, "missing": [], "stale": [], "continue": None}
        assert body == {"items": shown[path.replace("-", "_")], **whole}


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("instances?phase=failed", ["i-bad"]),
        ("instances?cluster=ml-dev", ["i-far"]),
        (f"instances?cluster={OTHER}", ["i-far"]),
        ("instances?cluster=nope", []),
        ("instances?phase=Failed&phase=Provisioning", ["slot-9", "i-bad"]),
        ("instances?group=p5-train&instance=i-001&instance=slot-9", ["slot-9", "i-001"]),
        ("anomalies?status=open", ["a1", "a3"]),
        ("anomalies?severity=critical&severity=error", ["a1", "a2"]),
        ("anomalies?kind=stuck", []),
        ("anomalies?planned=true", []),
        ("anomalies?instance=i-bad", ["a1"]),
        ("anomalies?id=a2", ["a2"]),
    ],
)
def test_filters(worker: str, path: str, wanted: list[str]) -> None:
    assert ids(worker, path) == wanted


def test_pages_follow_one_another_without_gap_or_repetition(worker: str) -> None:
    seen: list[str] = []
    token = ""
    for _ in range(10):
        _, body, _ = ask(worker, f"/api/v1/instances?limit=3{token}")
        seen += [item["instance_id"] for item in body["items"]]
        if body["continue"] is None:
            break
        token = f"&continue={body['continue']}"
    assert seen == [item.instance_id for item in picture().instances]


def test_a_page_goes_on_where_it_was_when_items_come_and_go() -> None:
    held = Held()
    with served(held) as address:
        _, first, _ = ask(address, "/api/v1/instances?limit=3")
        last = first["items"][-1]["instance_id"]
        kept = [item for item in held.shown.instances if item.instance_id != last]
        held.shown = public.Picture(instances=public.sort_instances([*kept, instance("i-0005")]))
        _, second, _ = ask(address, f"/api/v1/instances?limit=3&continue={first['continue']}")
    assert [item["instance_id"] for item in second["items"]] == ["i-002", "i-003", "i-004"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/instances?phsae=Failed", 400, "unknown_parameter"),
        ("/api/v1/instances?limit=0", 400, "bad_parameter"),
        ("/api/v1/instances?limit=5001", 400, "bad_parameter"),
        ("/api/v1/anomalies?severity=bad", 400, "bad_parameter"),
        ("/api/v1/instances?continue=%21%21", 400, "bad_continue"),
        ("/api/v1/instances?continue=WzFd", 400, "bad_continue"),
        ("/api/v1/instances?continue=" + "W1tb" * 5000, 400, "bad_continue"),  # brackets alone
        ("/api/v1/instances/i-none", 404, "not_found"),
        ("/api/v1/nothing", 404, "not_found"),
        ("/redoc", 404, "not_found"),
    ],
)
def test_errors_say_what_is_wrong_and_what_to_do(worker: str, path: str, status: int, code: str) -> None:
    got, body, _ = ask(worker, path)
    assert (got, body["error"]["code"]) == (status, code)
    assert body["error"]["message"]
    assert body["error"]["hint"]


def test_everything_is_read_only(worker: str) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        status, body, _ = ask(worker, "/api/v1/instances", method)
        assert (status, body["error"]["code"]) == (405, "read_only")


def test_one_instance_by_its_id_or_slot_and_its_history(worker: str) -> None:
    _, body, _ = ask(worker, "/api/v1/instances/i-bad")
    assert body["item"]["phase"] == "Failed"
    assert body["as_of"] == NOW
    assert set(body) == {"item", "as_of", "lag", "partial", "missing", "stale"}
    assert ask(worker, "/api/v1/instances/slot-9")[1]["item"]["instance_id"] is None
    _, body, _ = ask(worker, "/api/v1/instances/i-bad/history")
    assert [(item["from"], item["to"]) for item in body["items"]] == [("Requested", "Provisioned")]


def test_a_slot_stands_for_the_instance_that_lives_in_it() -> None:
    instances = [
        instance("i-1", "Terminated", "slot"),
        instance("i-2", slot="slot"),
        instance("i-3", slot="slot", arn=OTHER),
    ]
    clusters = public.sort_clusters([cluster(), cluster(OTHER, "ml-dev")])
    held = Held(public.Picture(clusters=clusters, instances=public.sort_instances(instances)))
    with served(held) as address:
        assert ask(address, "/api/v1/instances/slot")[0] == 409
        assert ask(address, "/api/v1/instances/slot?cluster=ml-dev")[1]["item"]["instance_id"] == "i-3"
        assert ask(address, f"/api/v1/instances/slot?cluster={ARN}")[1]["item"]["instance_id"] == "i-2"


def test_until_ready_data_is_refused_and_progress_is_told() -> None:
    partitions = (Partition(partition=0, state="recovering", lag=5, restored=0.43),)
    held = Held(state=Readiness(ready=False, message="tables are restored to 43 %", partitions=partitions))
    with served(held) as address:
        assert ask(address, "/healthz")[0] == 200
        status, body, headers = ask(address, "/readyz")
        assert (status, body["partitions"][0]["restored"]) == (503, 0.43)
        assert int(headers["Retry-After"]) > 0
        for path in LISTS:
            status, body, headers = ask(address, f"/api/v1/{path}")
            assert (status, body["error"]["code"]) == (503, "not_ready")
            assert int(headers["Retry-After"]) > 0
        metrics = ask(address, "/metrics")[1].decode()
        assert "hyperpod_state_ready 0.0" in metrics
        assert "hyperpod_state_instances{" not in metrics
        held.state = Readiness(ready=True, message="serving")
        assert ask(address, "/readyz")[0] == 200
        assert ask(address, "/api/v1/instances")[0] == 200


def test_names_that_two_clusters_share_and_odd_ones_do_not_break_a_scrape() -> None:
    odd = 'a "b"\\\n'
    clusters = public.sort_clusters([cluster(ARN, odd), cluster(OTHER, odd)])
    held = Held(public.Picture(clusters=clusters, instances=(instance("i-1"), instance("i-2", arn=OTHER))))
    with served(held) as address:
        status, body, _ = ask(address, "/metrics")
    members = [line for line in body.decode().splitlines() if line.startswith("hyperpod_state_instances{")]
    assert status == 200
    assert len(set(members)) == 2


def test_openapi_describes_what_is_served_and_errors_as_they_are(worker: str) -> None:
    _, body, _ = ask(worker, "/openapi.json")
    assert {f"/api/v1/{path}" for path in LISTS} <= set(body["paths"])
    listed = body["paths"]["/api/v1/anomalies"]["get"]
    assert {"limit", "continue", "cluster", "severity", "kind", "status"} <= {p["name"] for p in listed["parameters"]}
    assert "422" not in listed["responses"]
    assert "continue" in body["components"]["schemas"]["Page_Anomaly_"]["properties"]


def test_the_root_lists_the_routes(worker: str) -> None:
    _, body, _ = ask(worker, "/")
    assert set(body["routes"]) >= {"/api/v1/instances", "/readyz", "/metrics", "/openapi.json"}
    assert minutes_ago(0) == NOW
