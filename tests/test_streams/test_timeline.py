"""Timelines of clusters and groups over HTTP: windows, parts, refusals."""

from __future__ import annotations

import pytest

from models import public
from streams.web.api import create_api
from streams.web.asgi import Asgi
from tests.browser.large import fleet
from tests.test_streams.doors import ask, json_of
from tests.test_streams.serving import ARN, NOW, NOW_MS, OTHER, Held, cluster, group, instance
from tests.test_streams.workers import Workers

HOUR = 3_600_000


def lived(name: str, *hours: float, arn: str = ARN, of: str = "p5-train") -> public.InstanceItem:
    """An instance that was rebooted these hours ago, and has been in service since the day before."""
    history = [change(30, "provision", "Provisioned", "InService")]
    for ago in hours:
        history += [change(ago, "reboot", "None", "Rebooting"), change(ago - 0.1, "reboot", "Rebooting", "Rebooted")]
    item = instance(name, arn=arn)
    machines = {**item.machines, "reboot": "Rebooted", "provision": "InService"}
    return item.model_copy(update={"history": tuple(history), "instance_group": of, "machines": machines})


def change(hours: float, machine: str, origin: str, to: str) -> public.HistoryItem:
    time = public.iso(NOW_MS - int(hours * HOUR))
    return public.HistoryItem(time=time, event_id="e", code="X", machine=machine, from_=origin, to=to)


@pytest.fixture
def app() -> Asgi:
    instances = [lived("i-1", 3), lived("i-2"), lived("i-3", of="cpu"), lived("i-far", arn=OTHER)]
    return create_api(
        Held(
            public.Picture(
                clusters=public.sort_clusters([cluster(), cluster(OTHER, "ml-dev")]),
                instance_groups=public.sort_groups([group(), group("cpu"), group(arn=OTHER)]),
                instances=public.sort_instances(instances),
            )
        )
    )


def test_a_cluster_has_a_lane_for_each_instance_and_a_group_those_that_are_its(app: Asgi) -> None:
    whole = json_of(app, "/api/v1/clusters/ml-prod/timeline")["item"]
    assert [each["instance_id"] for each in whole["lanes"]] == ["i-3", "i-1", "i-2"]
    part = json_of(app, "/api/v1/instance-groups/p5-train/timeline", "cluster=ml-prod&width=200&from=6h")["item"]
    assert [each["instance_id"] for each in part["lanes"]] == ["i-1", "i-2"]
    assert (part["to"], part["width"], part["total"]) == (NOW, 200, 2)
    words = [part["words"][word] for _, _, word in part["lanes"][0]["spans"]]
    assert words == ["InService", "Rebooting", "InService"]


def test_a_cluster_is_found_by_its_arn(app: Asgi) -> None:
    told = json_of(app, f"/api/v1/clusters/{OTHER}/timeline")["item"]
    assert [each["instance_id"] for each in told["lanes"]] == ["i-far"]


def test_a_window_may_end_before_the_moment_and_never_after_it(app: Asgi) -> None:
    told = json_of(app, "/api/v1/clusters/ml-prod/timeline", "from=20h&to=4h")["item"]
    assert (told["from"], told["to"]) == (public.iso(NOW_MS - 20 * HOUR), public.iso(NOW_MS - 4 * HOUR))
    assert all(len(each["spans"]) == 1 for each in told["lanes"])
    later = json_of(app, "/api/v1/clusters/ml-prod/timeline", f"to={public.iso(NOW_MS + HOUR)}")["item"]
    assert later["to"] == NOW


def test_only_what_changed_where_that_is_asked_for(app: Asgi) -> None:
    told = json_of(app, "/api/v1/clusters/ml-prod/timeline", "from=6h&changed=true")["item"]
    assert [each["instance_id"] for each in told["lanes"]] == ["i-1"]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("from=yesterday", "from: 'yesterday'"),
        ("from=1h&to=2h", "is not before"),
        ("to=9999999999999999999", "to: "),
        ("width=5", "width"),
        ("rows=501", "rows"),
        ("until=1h", "until"),
    ],
)
def test_a_window_that_is_none_is_refused_by_name(app: Asgi, query: str, named: str) -> None:
    answer = ask(app, "/api/v1/clusters/ml-prod/timeline", query=query)
    assert answer.status == 400
    assert named in answer.body.decode()


def test_a_name_that_is_none_or_two_is_refused(app: Asgi) -> None:
    assert ask(app, "/api/v1/clusters/nothing/timeline").status == 404
    assert ask(app, "/api/v1/instance-groups/p5-train/timeline").status == 409


def test_any_worker_tells_of_what_another_one_holds() -> None:
    workers = Workers({0, 1}, {2})
    told = [workers.get(number, "/api/v1/clusters/name-2/timeline?from=1h&rows=2").body["item"] for number in (0, 1)]
    assert told[0] == told[1]
    assert (told[0]["total"], [each["instance_id"] for each in told[0]["lanes"]]) == (4, ["i-2a", "i-2b"])
    refused = workers.get(0, "/api/v1/clusters/name-2/timeline?from=1h&to=2h")
    assert (refused.status, refused.body["error"]["code"]) == (400, "bad_parameter")


def test_the_answer_of_a_part_is_bounded_by_its_columns_not_by_what_happened() -> None:
    """1,000 instances with 200 changes each in seven days: a part of 100 lanes is at most a span for each column."""
    shown = fleet(1000)
    held = Held(shown, as_of=max(each.since for each in shown.instances if each.since))
    answer = ask(create_api(held), "/api/v1/clusters/cluster-0/timeline", query="width=200&rows=100")
    assert len(answer.body) < 100 * 200 * len("[199,1,10],") + 20_000
    assert len(answer.body) < 150_000
