"""`backfill` of several clusters of which some fail: what is said, what the same command again does and does not do."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from streams.aws import Account, Aws
from streams.backfill.control_plane import Window
from streams.backfill.items import Tally
from streams.backfill.run import Asking, Filled, fill, is_done, tidy_up, to_topic
from streams.backfill.spool import Spool
from streams.connection import NoKafka
from tests.builders import HOUR, START, Site
from tests.control_plane import Cluster, ControlPlane, Refused
from tests.sagemaker import answering, serving
from tests.test_streams.test_backfill import document, filled, life, run


def three() -> list[Cluster]:
    return [Cluster(site, life(site, 2)) for site in (Site(name, delay=0) for name in ("one", "two", "three"))]


def refused(plane: ControlPlane, name: str, code: str) -> None:
    """One cluster's list."""
    arn = Site(name).arn

    def refuse(operation: str, asked: dict[str, Any]) -> None:
        if operation == "ListClusterEvents" and asked["ClusterName"] == arn:
            raise Refused(code)

    plane.on_call = refuse


@pytest.mark.parametrize(
    ("code", "others", "says"),
    [
        ("AccessDeniedException", "done", "The permission sagemaker:ListClusterEvents is missing."),
        ("ExpiredTokenException", "not_begun", "AWS does not accept these credentials"),
    ],
)
def test_of_several_clusters_it_says_which_are_done_and_the_same_command_goes_on(
    tmp_path: Path, code: str, others: str, says: str
) -> None:
    with serving(ControlPlane(*three())) as plane:
        first, second, third = sorted(plane.clusters)
        refused(plane, plane.clusters[second].site.name, code)
        done = run(plane, "--out", str(tmp_path), "-o", "json")
        assert done.returncode == 3
        found = {each["cluster"]: each for each in json.loads(done.stdout)["items"]}
        assert [found[arn]["status"] for arn in (first, second, third)] == ["done", "failed", others]
        assert says in found[second]["failed"]
        assert f"clusters not done\n  {second}: AWS does not" in done.stderr
        assert ("1 not begun" in done.stderr) == (others == "not_begun")
        assert "the same command again goes on from there" in done.stderr
        table = run(plane, "--out", str(tmp_path))
        notes = {line.split()[0]: line.split()[-1] for line in table.stdout.splitlines()[1:]}
        assert (notes[first], notes[second]) == ("-", "failed")
        plane.on_call = lambda *_: None
        plane.calls.clear()
        items = filled(plane, tmp_path)["items"]
        assert [each["status"] for each in items] == ["done"] * 3
        assert plane.calls["DescribeClusterEvent"] == sum(each["listed"] - each["resumed"] for each in items)
        assert document(list(tmp_path.iterdir())).summary.duplicate == 0


class Topic:
    """Where events go; it can be away."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.away_for = ""

    def send(self, cluster_arn: str, events: Iterable[bytes]) -> int:
        if cluster_arn == self.away_for:
            raise NoKafka("Kafka does not take events")
        new = list(events)
        self.got += new
        return len(new)


def test_what_was_delivered_is_neither_asked_for_nor_delivered_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**ControlPlane().env, "AWS_ENDPOINT_URL_SAGEMAKER": ""}.items():
        monkeypatch.setenv(name, value)
    plane, topic, api = ControlPlane(*three()), Topic(), Aws(Account()).api("sagemaker")
    first, second, third = sorted(plane.clusters)

    def again(name: str = "topic") -> list[Filled]:
        plane.calls.clear()
        spool = Spool(tmp_path)
        asking = Asking(api, spool, Window(), Tally(), lambda *_: None)
        with answering(api.client, plane):
            found = asking.clusters([])
            fill(found, asking.find, lambda each: to_topic(each, spool, topic, name))  # type: ignore[arg-type]
        if all(map(is_done, found)):
            tidy_up(found, spool)
        spool.close()
        return found

    topic.away_for = second
    found = again()
    assert [str(each.status) for each in found] == ["done", "failed", "not_begun"]
    assert len(topic.got) == found[0].delivered == found[0].listed
    plane.clusters[first].events.append(life(Site(plane.clusters[first].site.name, delay=0), 1, START + 9 * HOUR)[0])
    topic.away_for = third
    found = again()
    assert [str(each.status) for each in found] == ["done", "done", "failed"]
    assert (found[0].delivered, found[0].delivered_before) == (1, found[0].listed - 1)
    assert plane.calls["DescribeClusterEvent"] == 1 + found[2].listed
    refused(plane, plane.clusters[third].site.name, "ThrottlingException")
    found = again("made anew")
    assert found[0].delivered == found[0].listed
    assert "AWS asked to slow down" in str(found[2].failed)
    plane.on_call, topic.away_for, topic.got = lambda *_: None, "", []
    found = again("made anew")
    assert [(each.delivered, each.delivered_before) for each in found] == [
        (0, found[0].listed),
        (0, found[1].listed),
        (found[2].listed, 0),
    ]
    assert list(tmp_path.iterdir()) == []
