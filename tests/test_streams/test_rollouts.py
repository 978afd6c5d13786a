"""The ledger of rollouts over a socket and on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from models import public
from models.public_rollout import Estimate, RolloutItem, RolloutMembers
from streams.cli.output import Format
from streams.web.provider import Readiness
from tests.test_streams.serving import ARN, NOW, OTHER, Held, cluster, minutes_ago, served
from tests.test_streams.test_lineage_api import ask
from tests.test_streams.told import OVER, incident

EARLY, MIDDLE, LATE = [minutes_ago(-minutes) for minutes in (10, 20, 30)]
BAKING = "2026-10-05T10:30:00.000Z"


def rollout(group: str = "p5-train", arn: str = ARN, begun: float = 90, **changes: Any) -> RolloutItem:
    """One that completed within the hour, three of four members updated."""
    fields: dict[str, Any] = {
        "cluster_arn": arn,
        "cluster_name": "ml-prod" if arn == ARN else "ml-dev",
        "instance_group": group,
        "outcome": "Completed",
        "scheduled": minutes_ago(begun + 10),
        "begun": minutes_ago(begun),
        "ended": minutes_ago(begun - 60),
        "batches": 2,
        "last_batch": minutes_ago(begun - 30),
        "total": 4,
        "instances": RolloutMembers(updated=("i-1", "i-2", "i-3"), skipped=("i-4",)),
        "bakes": (),
        "rollback": None,
        "from_image": "ami-0old",
        "to_image": "ami-0new",
        "residue": {"instances": ("i-4",), "image": "ami-0old"},
        "estimate": None,
    }
    return RolloutItem.model_validate({**fields, **changes})


def under_way(**estimate: Any) -> RolloutItem:
    told = {"ends_at": None, "earliest": None, "latest": None, "seconds_per_instance": None, "n": 0, "reason": "why"}
    changes = {"outcome": "InProgress", "ended": None, "residue": None, "scheduled": None}
    return rollout(begun=5, **changes, estimate=Estimate.model_validate({**told, **estimate}))


def held(*items: RolloutItem) -> Held:
    clusters = (cluster(), cluster(OTHER, "ml-dev"))
    return Held(public.Picture(clusters=clusters, rollouts=public.sort_rollouts(items)))


@pytest.fixture(scope="module")
def worker() -> Iterator[str]:
    many = [rollout(begun=90 + 100 * number) for number in range(5)]
    with served(held(*many, under_way(), rollout("cpu"), rollout(arn=OTHER))) as address:
        yield address


def test_the_newest_of_a_group_comes_first_and_pages_follow_without_gap(worker: str) -> None:
    _, whole = ask(worker, "/api/v1/rollouts")
    assert (whole["as_of"], whole["lag"], whole["continue"]) == (NOW, 3, None)
    names = [(item["cluster_name"], item["instance_group"]) for item in whole["items"]]
    assert names == [("ml-prod", "cpu"), *[("ml-prod", "p5-train")] * 6, ("ml-dev", "p5-train")]
    begun = [item["begun"] for item in whole["items"][1:7]]
    assert begun == sorted(begun, reverse=True)
    paged, token = [], ""
    for _ in range(8):
        _, page = ask(worker, f"/api/v1/rollouts?limit=3{token}")
        paged += page["items"]
        if page["continue"] is None:
            break
        token = f"&continue={page['continue']}"
    assert paged == whole["items"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("cluster=ml-dev", 1),
        (f"cluster={ARN}&group=cpu", 1),
        ("group=p5-train", 7),
        ("outcome=inprogress", 1),
        ("outcome=Completed&outcome=InProgress", 8),
        ("group=none", 0),
    ],
)
def test_filters(worker: str, query: str, found: int) -> None:
    assert len(ask(worker, f"/api/v1/rollouts?{query}")[1]["items"]) == found


@pytest.mark.parametrize("query", ["outcome=Done", "gruop=x", "limit=0", "continue=%21"])
def test_what_is_misspelt_is_400(worker: str, query: str) -> None:
    status, body = ask(worker, f"/api/v1/rollouts?{query}")
    assert status == 400
    assert body["error"]["message"]
    assert body["error"]["hint"]


def test_until_ready_it_is_503() -> None:
    with served(Held(state=Readiness(ready=False, message="tables are restored to 43 %"))) as address:
        assert ask(address, "/api/v1/rollouts")[0] == 503


def test_it_is_documented(worker: str) -> None:
    _, body = ask(worker, "/openapi.json")
    assert "newest of a group first" in body["paths"]["/api/v1/rollouts"]["get"]["description"]
    assert set(body["components"]["schemas"]["RolloutItem"]["properties"]) == set(RolloutItem.model_fields)
    assert "/api/v1/rollouts" in ask(worker, "/")[1]["routes"]


@pytest.mark.parametrize("form", Format)
def test_get_rollouts_in_every_form(run, worker: str, form: Format) -> None:
    done = run("get", "rollouts", "--server", worker, "-o", form)
    assert (done.code, done.err) == (0, "")
    if form in (Format.table, Format.wide):
        assert len(done.out.splitlines()) == 9
        assert "\x1b" not in done.out
    elif form is Format.jsonl:
        assert [json.loads(line)["instance_group"] for line in done.out.splitlines()] == ["cpu", *["p5-train"] * 7]
    else:
        body = json.loads(done.out) if form is Format.json else yaml.safe_load(done.out)
        assert (len(body["items"]), body["as_of"], body["continue"]) == (8, NOW, None)


def test_the_table_says_what_an_operator_reads_first(run, worker: str) -> None:
    header, row = run("get", "rollouts", "cpu", "--server", worker).out.splitlines()
    assert header.split() == [
        "GROUP", "OUTCOME", "BEGUN", "TOOK", "UPDATED", "SKIPPED", "FAILED", "BATCHES", "BAKES", "LEFT", "ENDS",
    ]  # fmt: skip
    assert row.split()[:3] == ["cpu", "✔", "Completed"]
    assert row.split()[4:] == ["60m", "3/4", "1", "0", "2", "-", "1", f"{minutes_ago(30)[:19]}Z"]


def test_the_wide_table_tells_the_whole_story(run) -> None:
    with served(held(rollout())) as address:
        told = run("get", "rollouts", "-o", "wide", "--server", address).out
    assert "Completed after 60 min" in told
    assert "3 of 4 updated, 1 skipped (i-4); 2 batches selected" in told
    assert "left on the other image (ami-0old): i-4." in told


@pytest.mark.parametrize(
    ("estimate", "words"),
    [
        ({"reason": "it has not begun"}, "no end can be estimated: it has not begun."),
        (
            {
                "n": 2,
                "ends_at": MIDDLE,
                "earliest": EARLY,
                "latest": LATE,
                "reason": None,
            },
            f"expected to end at {MIDDLE[:19]}Z ({EARLY[:19]}Z to {LATE[:19]}Z by 2 earlier",
        ),
        (
            {"n": 2, "latest": LATE, "reason": "slow"},
            f"no end can be estimated: slow, the slowest of them would end at {LATE[:19]}Z.",
        ),
    ],
)
def test_an_estimate_in_words(run, estimate: dict[str, Any], words: str) -> None:
    with served(held(under_way(**estimate))) as address:
        done = run("get", "rollouts", "--server", address, "-o", "wide")
    assert words in done.out


def test_names_and_outcomes_that_are_not_there(run, worker: str) -> None:
    done = run("get", "rollouts", "nope", "--server", worker)
    assert (done.code, done.out) == (1, "")
    assert "no rollout of nope is known" in done.err
    done = run("get", "rollouts", "--outcome", "Done", "--server", worker)
    assert (done.code, done.out) == (2, "")
    assert "none of Scheduled, InProgress" in done.err
    assert run("get", "rollouts", "--server", "http://127.0.0.1:1").code == 3


def test_a_group_is_described_with_its_last_rollout(run) -> None:
    with incident(BAKING) as address:
        done = run("describe", "group", "workers", "--server", address)
        assert "LAST ROLLOUT\nBaking for 19 min" in done.out
        assert "bakes: running until 2026-10-05T10:33:20Z; no end can be estimated: no earlier rollout" in done.out
        assert "LAST ROLLOUT" not in run("describe", "group", "system", "--server", address).out
        body = json.loads(run("describe", "group", "workers", "-o", "json", "--server", address).out)
    assert [item["outcome"] for item in body["rollouts"]] == ["Baking"]


def test_earlier_rollouts_are_pointed_at(run) -> None:
    shown = held(rollout(), rollout(begun=300), rollout(begun=600))
    shown.shown = shown.shown.model_copy(update={"instance_groups": Held().shown.instance_groups})
    with served(shown) as address:
        done = run("describe", "group", "p5-train", "--cluster", "ml-prod", "--server", address)
    assert "2 earlier: see them with `hyperpod-state get rollouts`" in done.out


def test_the_shipped_incident_was_rolled_back(run) -> None:
    with incident(OVER) as address:
        (item,) = json.loads(run("get", "rollouts", "-o", "json", "--server", address).out)["items"]
    assert (item["outcome"], item["batches"], item["rollback"]["rolled_back"]) == ("RolledBack", 2, 4)
    assert [bake["result"] for bake in item["bakes"]] == ["Passed", "Alarm"]
    assert (item["from_image"], item["to_image"]) == ("ami-0a1f00d5eed000001", "ami-0a1f00d5eed000002")
