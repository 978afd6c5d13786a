"""Several workers answer as one: whole lists, one instance wherever it is, and never a part of the fleet unasked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from models import public
from models.report import report
from streams.web import routing
from streams.web.api import create_api
from streams.web.peers import Reply
from streams.web.provider import Behind, Gone, Readiness
from streams.web.share import HEADER, Share, header_of
from tests.test_streams.serving import Held, instance, minutes_ago
from tests.test_streams.workers import Workers, arn, clusters

LISTS = ("clusters", "instance-groups", "instances", "anomalies", "rollouts")
ALL = range(6)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing, "PAUSE", 0.0)


@pytest.fixture
def fleet() -> Workers:
    """Three workers; the second has what is between the others' clusters."""
    return Workers((0, 3), (1, 4, 5), (2,))


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 1000])
def test_every_worker_gives_the_whole_list_page_by_page(fleet: Workers, path: str, limit: int) -> None:
    alone = Workers(ALL)
    wanted = alone.every(0, path)
    assert wanted or path == "rollouts"
    for number in range(3):
        assert fleet.every(number, path, limit) == wanted


def test_filters_find_what_another_worker_knows(fleet: Workers) -> None:
    for number in range(3):
        assert {item["cluster_arn"] for item in fleet.every(number, "instances?cluster=name-4")} == {arn(4)}
        assert len(fleet.every(number, "instances?phase=failed&cluster=name-2&cluster=name-5")) == 2
        assert fleet.every(number, "anomalies?cluster=nowhere") == []


def test_an_answer_is_as_old_as_its_oldest_part_and_counts_all_that_waits(fleet: Workers) -> None:
    fleet.providers[1].as_of = minutes_ago(2)
    for number in range(3):
        body = fleet.get(number, "/api/v1/clusters").body
        assert (body["as_of"], body["lag"]) == (minutes_ago(2), 9)
        assert (body["partial"], body["missing"], body["stale"]) == (False, [], [])


def test_one_instance_is_found_wherever_it_is(fleet: Workers) -> None:
    for number in range(3):
        for each in ALL:
            for name in (f"i-{each}d", f"slot-{each}"):
                assert fleet.get(number, f"/api/v1/instances/{name}").body["item"]["instance_id"] == f"i-{each}d"
                assert len(fleet.get(number, f"/api/v1/instances/{name}/history").body["items"]) == 1
                assert fleet.get(number, f"/api/v1/lineage/{name}").body["items"][0]["instance_id"] == f"i-{each}d"


def test_what_nobody_knows_is_not_found_and_what_two_know_is_ambiguous(fleet: Workers) -> None:
    twins = [instance("i-1", slot="slot", arn=arn(1)), instance("i-2", slot="slot", arn=arn(2))]
    for number, twin in zip((1, 2), twins, strict=True):
        known = fleet.providers[number].of[number]
        fleet.providers[number].of[number] = known.model_copy(update={"instances": (*known.instances, twin)})
    for number in range(3):
        assert fleet.get(number, "/api/v1/instances/i-none").status == 404
        assert fleet.get(number, "/api/v1/instances/slot").status == 409
        assert fleet.get(number, "/api/v1/instances/slot?cluster=name-2").body["item"]["instance_id"] == "i-2"


def test_the_history_of_a_cluster_or_a_group_is_found_wherever_it_is(fleet: Workers) -> None:
    for number in range(3):
        for name in ("name-4", arn(4), arn(4).replace("/", "%2F")):
            assert len(fleet.get(number, f"/api/v1/clusters/{name}/history").body["items"]) == 1
        assert fleet.get(number, "/api/v1/clusters/nowhere/history").status == 404
        assert fleet.get(number, "/api/v1/instance-groups/p5-train/history").status == 409
        body = fleet.get(number, "/api/v1/instance-groups/p5-train/history?cluster=name-2").body
        assert [change["event_id"] for change in body["items"]] == ["e-2"]


def test_names_that_need_escaping_reach_the_other_worker(fleet: Workers) -> None:
    odd = instance("i/ä?&=1", arn=arn(2))
    fleet.providers[2].of[2] = public.join([clusters(2), public.Picture(instances=(odd,))])
    path = "/api/v1/instances/i%2F%C3%A4%3F%26%3D1"
    assert fleet.get(2, "/api/v1/instances?instance=i%2F%C3%A4%3F%26%3D1").body["items"][0]["instance_id"] == "i/ä?&=1"
    assert fleet.get(0, "/api/v1/instances?instance=i%2F%C3%A4%3F%26%3D1").body["items"][0]["instance_id"] == "i/ä?&=1"
    assert fleet.get(0, path).status == fleet.get(2, path).status == 404, "a path has no encoded slashes"


def test_the_report_is_that_of_all_clusters(fleet: Workers) -> None:
    picture = public.join(clusters(number) for number in ALL)
    for query, wanted in (
        ("", report(picture, fleet.providers[0].as_of)),
        ("?cluster=name-4", report(picture, fleet.providers[0].as_of, clusters=[arn(4)])),
        ("?group=none", report(picture, fleet.providers[0].as_of, groups=["none"])),
    ):
        for number in range(3):
            body = fleet.get(number, f"/api/v1/report{query}").body
            assert body["item"] == json.loads(wanted.model_dump_json())
            assert body["as_of"] == wanted.until


def test_the_report_ends_where_the_oldest_part_does(fleet: Workers) -> None:
    fleet.providers[2].as_of = minutes_ago(1)
    for number in range(3):
        body = fleet.get(number, "/api/v1/report?since=1h").body
        assert body["item"]["until"] == body["as_of"] == minutes_ago(1)
        assert body["item"]["since"] == minutes_ago(61)


def test_a_part_is_not_asked_of_others_again(fleet: Workers) -> None:
    assert fleet.get(0, "/api/v1/clusters").status == 200
    assert sorted(fleet.asked) == [(n, p) for n in (1, 2) for p in ("/api/v1/clusters", "/api/v1/holdings")]
    fleet.asked.clear()
    share = Share("fleet", 1, (1, 4, 5), fleet.providers[1].as_of)
    part = fleet.get(1, "/api/v1/clusters", header_of(share)).body
    assert [key for [key] in part["keys"]] == [arn(1), arn(4), arn(5)]
    assert fleet.asked == []


@pytest.mark.parametrize(
    ("share", "status"),
    [
        ("nonsense", 400),
        ("{}", 400),
        (header_of(Share("fleet", 1, (1, 4, 5), "long ago"))[HEADER], 400),
        (header_of(Share("fleet", 1, (1,), None))[HEADER], 503),
        (header_of(Share("fleet", 2, (1, 4, 5), None))[HEADER], 503),
        (header_of(Share("other", 1, (1, 4, 5), None))[HEADER], 503),
        (header_of(Share("fleet", 1, (1, 4, 5), None, version=99))[HEADER], 503),
    ],
)
def test_a_part_is_of_exactly_the_partitions_that_are_asked_for(fleet: Workers, share: str, status: int) -> None:
    answer = fleet.get(1, "/api/v1/clusters", {HEADER: share})
    assert answer.status == status
    assert answer.body["error"]["hint"]


def refused(fleet: Workers, number: int, path: str = "clusters") -> str:
    """The reason why the whole cannot be told."""
    answer = fleet.get(number, f"/api/v1/{path}")
    assert answer.status == 503, answer.body
    assert int(answer.headers["retry-after"]) > 0
    return str(answer.body["error"]["message"])


@pytest.mark.parametrize("path", [*LISTS, "instances/i-0a", "instances/i-0a/history", "lineage/i-0a", "report"])
def test_without_one_worker_nothing_is_told_and_the_partitions_are_named(fleet: Workers, path: str) -> None:
    fleet.down = {1}
    assert "partition 1, 4, 5 is not answered for: no answer from http://w1" in refused(fleet, 0, path)
    assert [number for number, _ in fleet.asked].count(1) == 2, "it is tried once more"


def test_a_partition_that_nobody_owns_is_missed(fleet: Workers) -> None:
    del fleet.owners[1]
    assert "partition 1, 4, 5 has no owner" in refused(fleet, 0)


def test_while_partitions_move_nothing_is_told(fleet: Workers) -> None:
    fleet.providers[1].state = Readiness(ready=False, message="reading tables back")
    assert "partition 1, 4, 5 at http://w1: reading tables back" in refused(fleet, 0)
    assert refused(fleet, 1) == "reading tables back"
    fleet.providers[1].state = Readiness(ready=True, message="ready")
    fleet.providers[1].generation = 2
    assert "another assignment" in refused(fleet, 0)
    fleet.providers[1].generation = 1
    fleet.providers[1].fleet = "of another cluster"
    assert "another assignment" in refused(fleet, 0)
    fleet.providers[1].fleet = "fleet"
    fleet.providers[1].held[2], fleet.providers[1].of[2] = True, clusters(2)
    assert "partition 2 is held twice" in refused(fleet, 0)


def test_what_moves_between_the_two_rounds_is_noticed() -> None:
    fleet = Workers((0,), (1,))

    class Moving(Held):
        """Gives its partition up as soon as it has said that it has it."""

        def picture(self) -> public.Picture:
            self.generation += 1
            return super().picture()

    fleet.providers[1] = Moving(held={1: True}, of={1: clusters(1)})
    fleet._apps[1] = create_api(fleet.providers[1])
    assert "being shared out" in refused(fleet, 0) or "another assignment" in refused(fleet, 0)


@pytest.mark.parametrize(
    "path", ["clusters/name-4/story", "instance-groups/no/story", "instances/i-4a", "instances/i-4a/story"]
)
def test_what_a_part_of_the_fleet_does_not_know_the_rest_may(fleet: Workers, path: str) -> None:
    fleet.down = {1}
    answer = fleet.get(0, f"/api/v1/{path}?stale=ok")
    assert (answer.status, answer.body["error"]["code"]) == (503, "incomplete")
    assert "partition 1, 4, 5 missing" in answer.body["error"]["message"]
    fleet.down = set()
    assert fleet.get(0, f"/api/v1/{path}?stale=ok").status == (404 if "/no/" in path else 200)


def test_what_took_long_to_fail_is_not_tried_again(fleet: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing, "QUICK", -1.0)
    fleet.down = {1}
    refused(fleet, 0)
    assert [number for number, _ in fleet.asked].count(1) == 1


def test_a_worker_that_refuses_to_say_what_it_holds_is_missed(fleet: Workers) -> None:
    fleet.instead[1] = Reply(409, b'{"error": {"code": "c", "message": "not you", "hint": "h"}}')
    assert "partition 1, 4, 5 is not answered for: not you" in refused(fleet, 0)


def test_what_was_being_handed_over_is_whole_a_moment_later(fleet: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet.down = {2}

    async def meanwhile(_: float) -> None:
        fleet.down = set()

    monkeypatch.setattr(routing.asyncio, "sleep", meanwhile)
    assert len(fleet.get(0, "/api/v1/clusters").body["items"]) == 6


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(200, b"<html>"), "not as a worker of this version"),
        (Reply(200, b"{}"), "not as a worker of this version"),
        (Reply(302, b""), "answers 302"),
        (Reply(401, b"{}"), "HYPERPOD_STATE_HTTP_TOKEN"),
        (Reply(500, b"oops"), "answers 500"),
        (Reply(503, b'{"error": {"code": "c", "message": "not now", "hint": "h"}}'), "http://w1: not now"),
    ],
)
def test_strange_answers_of_another_worker_are_no_answers(fleet: Workers, reply: Reply, words: str) -> None:
    fleet.instead[1] = reply
    assert words in refused(fleet, 0)


def test_with_stale_ok_what_is_left_is_told_and_marked(fleet: Workers) -> None:
    fleet.down = {1}
    body = fleet.get(0, "/api/v1/clusters?stale=ok").body
    assert [item["cluster_arn"] for item in body["items"]] == [arn(0), arn(2), arn(3)]
    assert (body["partial"], body["missing"], body["stale"]) == (True, [1, 4, 5], [])
    item = fleet.get(0, "/api/v1/instances/i-2a?stale=ok").body
    assert (item["item"]["instance_id"], item["partial"]) == ("i-2a", True)
    assert fleet.get(0, "/api/v1/instances/i-1a?stale=ok").status == 503
    assert fleet.get(0, "/api/v1/report?stale=ok").body["partial"] is True


def test_with_stale_ok_the_last_that_is_known_of_a_partition_is_told(fleet: Workers) -> None:
    fleet.down = {1}
    older, newer = fleet.providers[0], fleet.providers[2]
    older.held |= {1: False, 4: False}
    older.of |= {1: clusters(1), 4: clusters(4)}
    older.as_of = minutes_ago(9)
    newer.held[4], newer.of[4] = False, public.Picture()
    body = fleet.get(0, "/api/v1/clusters?stale=ok").body
    assert [item["cluster_arn"] for item in body["items"]] == [arn(0), arn(1), arn(2), arn(3)]
    assert (body["partial"], body["missing"], body["as_of"]) == (True, [5], minutes_ago(9))
    assert body["stale"] == [{"partition": 1, "as_of": minutes_ago(9)}, {"partition": 4, "as_of": newer.as_of}]
    assert fleet.get(2, "/api/v1/clusters?stale=ok").body["items"] == body["items"]


def test_stale_ok_of_a_whole_fleet_is_the_whole_present_answer(fleet: Workers) -> None:
    assert fleet.get(1, "/api/v1/clusters?stale=ok").body == fleet.get(0, "/api/v1/clusters").body


def test_a_worker_that_reads_its_tables_back_tells_its_last_picture_when_that_will_do(fleet: Workers) -> None:
    fleet.providers[1].state = Readiness(ready=False, message="reading tables back")
    for number in range(3):
        body = fleet.get(number, "/api/v1/clusters?stale=ok").body
        assert len(body["items"]) == 6
        assert [each["partition"] for each in body["stale"]] == [1, 4, 5]
        assert (body["partial"], body["missing"]) == (True, [])


def test_stale_ok_is_the_only_such_word_and_nothing_at_all_is_no_answer(fleet: Workers) -> None:
    assert fleet.get(0, "/api/v1/clusters?stale=yes").status == 400
    for provider in fleet.providers:
        provider.state, provider.held = Readiness(ready=False, message="starting"), {}
    assert "nothing is known" in refused(fleet, 0, "clusters?stale=ok")


def past(*numbers: int) -> dict[int, public.Picture | Exception]:
    return {0: public.Picture(clusters=clusters(*numbers).clusters)}


def test_an_earlier_moment_is_the_same_for_all_whatever_it_is_relative_to(fleet: Workers) -> None:
    fleet.providers[1].as_of = minutes_ago(3)
    for provider, numbers in zip(fleet.providers, ((0, 3), (1, 4, 5), (2,)), strict=True):
        provider.earlier = past(*numbers)
    for number in range(3):
        body = fleet.get(number, "/api/v1/clusters?at=-1m").body
        assert (len(body["items"]), body["as_of"]) == (6, minutes_ago(4))
    asked = {at for provider in fleet.providers for at, _ in provider.asked}
    assert [public.iso(at) for at in asked] == [minutes_ago(4)]
    for number in range(3):
        answer = fleet.get(number, f"/api/v1/clusters?at={minutes_ago(2)}")
        assert (answer.status, answer.body["error"]["code"]) == (400, "future")


def test_gone_for_one_is_gone_for_all_and_the_oldest_moment_is_that_of_all(fleet: Workers) -> None:
    for provider, minutes in zip(fleet.providers, (50, 20, 30), strict=True):
        provider.earlier = {0: Gone(minutes_ago(minutes))}
    for number in range(3):
        error = fleet.get(number, "/api/v1/clusters?at=-1h").body["error"]
        assert (error["code"], error["oldest_at"]) == ("gone", minutes_ago(20))
    fleet.providers[2].earlier = past(2)
    assert fleet.get(2, "/api/v1/clusters?at=-1h").body["error"]["oldest_at"] == minutes_ago(20)
    fleet.providers[0].earlier = {0: Behind("reading back takes too long")}
    answer = fleet.get(2, "/api/v1/clusters?at=-1h")
    assert (answer.status, answer.body["error"]["code"]) == (503, "history_behind")


def test_of_an_earlier_moment_only_owners_tell_also_with_stale_ok(fleet: Workers) -> None:
    fleet.down = {1}
    fleet.providers[0].held[1], fleet.providers[0].of[1] = False, clusters(1)
    fleet.providers[0].earlier, fleet.providers[2].earlier = past(0, 3), past(2)
    body = fleet.get(0, "/api/v1/clusters?at=-1m&stale=ok").body
    assert len(body["items"]) == 3
    assert (body["missing"], body["stale"], body["partial"]) == ([1, 4, 5], [], True)


@pytest.mark.parametrize("path", ["clusters?limit=0", "clusters?continue=x", "clusters?at=soon", "report?since=then"])
def test_a_wrong_question_is_wrong_for_every_worker(fleet: Workers, path: str) -> None:
    assert {fleet.get(number, f"/api/v1/{path}").status for number in range(3)} == {400}


def test_a_worker_without_a_partition_answers_too() -> None:
    fleet = Workers((0, 1), ())
    wanted: list[dict[str, Any]] = fleet.every(0, "instances")
    assert fleet.every(1, "instances", 3) == wanted
    assert len(wanted) == 8
