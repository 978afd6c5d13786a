"""How many are in each state, and who, over HTTP."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from models.census import Census, census
from models.public import Picture
from streams.web import states
from streams.web.api import create_api
from tests.test_streams.doors import ask, json_of
from tests.test_streams.serving import Held
from tests.test_streams.workers import Workers


def counts(body: Any, machine: str) -> dict[str, int]:
    told = next(each for each in body["item"]["machines"] if each["machine"] == machine)
    return {each["state"]: each["count"] for each in told["states"] if each["count"]}


def test_states_are_counted_and_each_count_leads_to_those_who_are_in_it() -> None:
    app = create_api(Held())
    body = json_of(app, "/api/v1/states")
    assert counts(body, "instance/provision") == {"InService": 8}
    assert counts(body, "group/network") == {"Configured": 3}
    who = json_of(app, "/api/v1/states/instance/provision/InService")
    assert len(who["items"]) == 8
    assert who["items"][0]["cluster_name"] == "ml-prod"


def test_one_cluster_is_asked_for_by_its_name() -> None:
    app = create_api(Held())
    assert counts(json_of(app, "/api/v1/states", "cluster=ml-dev"), "instance/provision") == {"InService": 1}
    who = json_of(app, "/api/v1/states/instance/provision/InService", "cluster=ml-dev")
    assert [each["instance_id"] for each in who["items"]] == ["i-far"]


def test_one_picture_is_counted_once_however_often_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[Picture] = []

    def counting(picture: Picture, clusters: Collection[str] | None) -> tuple[Census, ...]:
        counted.append(picture)
        return census(picture, clusters)

    monkeypatch.setattr(states, "census", counting)
    held = Held()
    app = create_api(held)
    assert json_of(app, "/api/v1/states") == json_of(app, "/api/v1/states")
    assert len(counted) == 1
    held.shown = held.shown.model_copy(update={"instances": ()})
    assert counts(json_of(app, "/api/v1/states"), "instance/provision") == {}
    assert len(counted) == 2


def test_members_come_in_pages() -> None:
    app = create_api(Held())
    seen: list[str | None] = []
    token = ""
    for _ in range(4):
        body = json_of(app, "/api/v1/states/instance/provision/InService", f"limit=3{token}")
        seen += [each["instance_id"] for each in body["items"]]
        if body["continue"] is None:
            break
        token = f"&continue={body['continue']}"
    assert len(seen) == len(set(seen)) == 8


@pytest.mark.parametrize(
    ("path", "hint"),
    [("instance/provision/Gone", "Terminated"), ("instance/nothing/Failed", "instance/provision")],
)
def test_a_machine_or_state_that_is_none_is_answered_with_those_that_are(path: str, hint: str) -> None:
    answer = ask(create_api(Held()), f"/api/v1/states/{path}")
    assert answer.status == 404
    assert hint in answer.body.decode()


def test_several_workers_count_as_one() -> None:
    workers = Workers({0, 1}, {2})
    body = workers.get(0, "/api/v1/states").body
    assert body == workers.get(1, "/api/v1/states").body
    assert counts(body, "instance/provision") == {"InService": 12}
    who = workers.get(1, "/api/v1/states/instance/provision/InService?limit=5").body
    assert [each["instance_id"] for each in who["items"]] == ["i-0a", "i-0b", "i-0c", "i-0d", "i-1a"]
    assert who["continue"] is not None
