"""Earlier moments over HTTP and on the command line: the same questions, answered as of then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from models import public
from streams.web.provider import Behind
from tests.test_streams.serving import (
    ARN,
    NOW,
    NOW_MS,
    OTHER,
    Held,
    anomaly,
    cluster,
    group,
    instance,
    minutes_ago,
    served,
)
from tests.test_streams.test_api import ask

HOUR = 3_600_000
LISTS = ("clusters", "instance-groups", "instances", "anomalies", "rollouts")
HOUR_AGO = minutes_ago(60)


def before() -> public.Picture:
    """Two hours ago: a cluster whose name was not known yet, and other phases."""
    return public.Picture(
        clusters=public.sort_clusters([cluster(name=None, phase="Creating"), cluster(OTHER, "ml-dev")]),
        instance_groups=public.sort_groups([group(phase="Creating")]),
        instances=public.sort_instances([instance("i-bad", "Provisioning", "slot-1"), instance("i-far", arn=OTHER)]),
        anomalies=public.sort_anomalies([anomaly("old", "warning")]),
    )


@dataclass
class Served:
    address: str
    held: Held = field(default_factory=Held)


@pytest.fixture
def worker() -> Iterator[Served]:
    held = Held(earlier={NOW_MS - 2 * HOUR: before()})
    with served(held) as address:
        yield Served(address, held)


@pytest.mark.parametrize("name", LISTS)
def test_every_list_is_answered_as_of_then(worker: Served, name: str):
    status, body, _ = ask(worker.address, f"/api/v1/{name}?at={HOUR_AGO}")
    assert (status, body["as_of"], body["lag"]) == (200, HOUR_AGO, 3)
    kinds = {"clusters": 2, "instance-groups": 1, "instances": 2, "anomalies": 1, "rollouts": 0}
    assert len(body["items"]) == kinds[name]


def test_filters_and_pages_are_those_of_the_present(worker: Served):
    _, body, _ = ask(worker.address, f"/api/v1/instances?at={HOUR_AGO}&phase=provisioning")
    assert [item["instance_id"] for item in body["items"]] == ["i-bad"]
    _, page, _ = ask(worker.address, f"/api/v1/instances?at={HOUR_AGO}&limit=1")
    _, last, _ = ask(worker.address, f"/api/v1/instances?at={HOUR_AGO}&limit=1&continue={page['continue']}")
    assert [item["instance_id"] for item in (*page["items"], *last["items"])] == ["i-bad", "i-far"]
    assert last["continue"] is None


def test_a_name_that_is_known_by_now_is_meant_also_where_it_was_not_then(worker: Served):
    _, body, _ = ask(worker.address, f"/api/v1/clusters?at={HOUR_AGO}&cluster=ml-prod")
    assert [(item["cluster_arn"], item["cluster_name"]) for item in body["items"]] == [(ARN, None)]
    assert worker.held.asked[-1][1] is not None
    assert OTHER not in worker.held.asked[-1][1]


def test_one_instance_its_history_and_its_lineage_as_of_then(worker: Served):
    _, body, _ = ask(worker.address, f"/api/v1/instances/i-bad?at={HOUR_AGO}")
    assert (body["item"]["phase"], body["as_of"]) == ("Provisioning", HOUR_AGO)
    for path in ("instances/i-bad/history", "lineage/i-bad"):
        status, body, _ = ask(worker.address, f"/api/v1/{path}?at={HOUR_AGO}")
        assert (status, body["as_of"]) == (200, HOUR_AGO)
        assert body["items"]
    assert {asked[1] for asked in worker.held.asked} == {frozenset({ARN})}


@pytest.mark.parametrize("given", ["-60m", "-1h", str(NOW_MS - HOUR), str(NOW_MS // 1000 - 3600), HOUR_AGO])
def test_a_moment_is_given_in_any_form_and_relative_to_the_present_answer(worker: Served, given: str):
    _, body, _ = ask(worker.address, f"/api/v1/clusters?at={given}")
    assert body["as_of"] == HOUR_AGO


@pytest.mark.parametrize("given", ["now", NOW])
def test_the_present_moment_can_be_asked_for(worker: Served, given: str):
    status, body, _ = ask(worker.address, f"/api/v1/clusters?at={given}")
    assert (status, body["as_of"]) == (200, NOW)


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ("yesterday", 400, "bad_parameter"),
        ("", 400, "bad_parameter"),
        ("%2B1s", 400, "future"),
        ("9999-12-31T23:59:59Z", 400, "future"),
        ("-3h", 410, "gone"),
        ("0001-01-01T00:00:00Z", 410, "gone"),
    ],
)
def test_what_cannot_be_answered_says_why(worker: Served, given: str, status: int, code: str):
    for path in (*LISTS, "report", "instances/i-bad", "instances/i-bad/history", "lineage/i-bad"):
        got, body, _ = ask(worker.address, f"/api/v1/{path}?at={given}")
        assert (got, body["error"]["code"]) == (status, code)
        assert body["error"]["message"]
        assert body["error"]["hint"]
        if status == 410:
            assert body["error"]["oldest_at"] == minutes_ago(120)
        else:
            assert "oldest_at" not in body["error"]


def test_while_the_history_is_behind_one_may_ask_again():
    with served(Held(earlier={0: Behind("the history is read up to 13:00")})) as address:
        status, body, headers = ask(address, "/api/v1/clusters?at=-1h")
    assert (status, body["error"]["code"]) == (503, "history_behind")
    assert headers["Retry-After"]


def test_get_asks_everything_of_one_moment(run, worker: Served):
    done = run("get", "instances", "--at", "-1h", "--server", worker.address)
    assert (done.code, done.err) == (0, "")
    assert "Provisioning" in done.out
    assert len(worker.held.asked) == 3  # the list, and what tables say beside it
    assert {at for at, _ in worker.held.asked} == {NOW_MS - HOUR}


@pytest.mark.parametrize("command", [("get", "clusters"), ("get", "groups"), ("get", "anomalies"), ("get", "rollouts")])
def test_every_list_takes_at(run, worker: Served, command: tuple[str, ...]):
    done = run(*command, "--at", HOUR_AGO, "-o", "json", "--server", worker.address)
    assert done.code == 0
    assert HOUR_AGO in done.out


@pytest.mark.parametrize(
    "command", [("describe", "instance", "i-bad"), ("history", "i-bad"), ("describe", "group", "p5-train")]
)
def test_describe_and_history_take_at(run, worker: Served, command: tuple[str, ...]):
    done = run(*command, "--at", HOUR_AGO, "--server", worker.address)
    assert (done.code, done.err) == (0, "")
    assert {at for at, _ in worker.held.asked} == {NOW_MS - HOUR}


def test_too_old_is_3_and_names_the_oldest_moment(run, worker: Served):
    done = run("get", "clusters", "--at", "-3h", "--server", worker.address)
    assert (done.code, done.out) == (3, "")
    assert minutes_ago(120) in done.err


@pytest.mark.parametrize("given", ["+1h", "someday"])
def test_a_moment_to_come_and_one_that_is_none_are_2(run, worker: Served, given: str):
    done = run("get", "clusters", "--at", given, "--server", worker.address)
    assert (done.code, done.out) == (2, "")
    assert done.err
