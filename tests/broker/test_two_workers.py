"""Two workers on a real Kafka: each answers for both, or says that it cannot."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.broker.lab import DEADLINE, Lab, event

if TYPE_CHECKING:
    from tests.kafka import Broker

CLUSTERS, INSTANCES = 8, 5
LISTS = ("clusters", "instance-groups", "instances", "anomalies", "rollouts")
SESSION = 10
Answer = tuple[int, Any, Any]


@pytest.fixture
def pair(kafka: Broker, tmp_path: Path) -> Iterator[tuple[Lab, Lab]]:
    """Two workers of one group that have all events, and a partition or two each."""
    one, other = two(kafka, tmp_path)
    try:
        one.start()
        one.wait_ready()
        one.produce(
            event(cluster, number, step)
            for cluster in range(CLUSTERS)
            for number in range(INSTANCES)
            for step in range(3)
        )
        other.start()
        other.wait_for(lambda: shared_out(one, other), "each worker to have a partition")
        other.wait_for(lambda: len(listed(one, "instances")) == CLUSTERS * INSTANCES, "all instances")
        yield one, other
    finally:
        one.stop(signal.SIGKILL)
        other.stop(signal.SIGKILL)


def two(kafka: Broker, folder: Path, partitions: int = 2) -> tuple[Lab, Lab]:
    """Two workers of one group; none is started yet."""
    for name in ("one", "other"):
        (folder / name).mkdir()
    one = Lab(kafka.bootstrap, folder / "one", partitions=partitions, session_timeout=SESSION, settle_seconds=0)
    other = Lab(kafka.bootstrap, folder / "other", partitions=partitions)
    other.app_id, other.settings = one.app_id, {**one.settings, "http_port": other.port}
    return one, other


def ask(lab: Lab, path: str) -> Answer:
    """Status, body and headers; status 0 where nothing answers."""
    try:
        with urlopen(f"http://127.0.0.1:{lab.port}{path}", timeout=20) as answer:
            return answer.status, json.loads(answer.read()), answer.headers
    except HTTPError as error:
        with error:
            return error.code, json.loads(error.read()), error.headers
    except OSError:
        return 0, None, None


def owned(lab: Lab) -> set[int]:
    """Partitions that the worker says it owns and has judged."""
    status, body, _ = ask(lab, "/api/v1/holdings")
    return {each["partition"] for each in body["partitions"] if each["fresh"]} if status == 200 else set()


def shared_out(one: Lab, other: Lab) -> bool:
    return sorted([*owned(one), *owned(other)]) == [0, 1] and len(owned(one)) == 1


def listed(lab: Lab, name: str, limit: int = 7) -> list[dict[str, Any]]:
    """A whole list, page by page; empty while it is refused."""
    items: list[dict[str, Any]] = []
    token = ""
    while True:
        status, body, _ = ask(lab, f"/api/v1/{name}?limit={limit}{token}")
        if status != 200:
            return []
        assert body["partial"] is False
        items += body["items"]
        if body["continue"] is None:
            return items
        token = f"&continue={body['continue']}"


def test_both_give_the_same_whole_answers(pair: tuple[Lab, Lab]) -> None:
    one, other = pair
    for name in LISTS:
        assert listed(one, name) == listed(other, name) == listed(other, name, 5000), name
    items = listed(one, "instances")
    assert len({item["instance_id"] for item in items}) == CLUSTERS * INSTANCES
    assert items == sorted(items, key=lambda item: (item["cluster_arn"], item["instance_group"], item["instance_id"]))
    for name in (item["instance_id"] for item in items):
        for path in (f"instances/{name}", f"instances/{name}/history", f"lineage/{name}"):
            first, second = (ask(lab, f"/api/v1/{path}") for lab in pair)
            assert first[0] == second[0] == 200
            assert first[1].get("item", first[1].get("items")) == second[1].get("item", second[1].get("items"))
    for lab in pair:
        assert ask(lab, "/api/v1/clusters/lab-3/history")[0] == ask(lab, "/api/v1/clusters/lab-4/history")[0] == 200
        for number in range(CLUSTERS):
            assert len(ask(lab, f"/api/v1/instances?cluster=lab-{number}")[1]["items"]) == INSTANCES
        assert ask(lab, "/api/v1/instances/i-none")[0] == 404
        assert ask(lab, "/api/v1/report")[1]["item"]["figures"][0]["instances"] == CLUSTERS * INSTANCES
        status, body, _ = ask(lab, "/api/v1/clusters?at=-1s")
        assert (status, len(body["items"])) == (200, CLUSTERS)
        assert ask(lab, "/api/v1/clusters?at=2100-01-01T00:00:00Z")[1]["error"]["code"] == "future"


@pytest.mark.fault
def test_a_killed_one_is_missed_until_the_other_has_taken_over(pair: tuple[Lab, Lab]) -> None:
    one, other = pair
    [lost] = owned(other)
    other.stop(signal.SIGKILL)
    reasons, told = watch(one)
    assert any(f"partition {lost} is not answered for" in reason for reason in reasons), reasons
    assert told, "stale=ok was never answered in part"
    lacks = [lost in each for each in told]
    # What was taken over may be judged before what the other one had anyhow, which was read back as well.
    assert lacks == sorted(lacks, reverse=True), told
    assert lacks[0], told
    assert owned(one) == {0, 1}
    other.start()
    other.wait_for(lambda: never_in_part(one, other) and shared_out(one, other), "both to share again")
    assert listed(one, "instances") == listed(other, "instances")


@pytest.mark.fault
def test_one_that_comes_back_at_once_is_asked_again_without_a_new_assignment(pair: tuple[Lab, Lab]) -> None:
    one, other = pair
    before = ask(one, "/api/v1/holdings")[1]["generation"]
    kept = owned(other)
    other.stop(signal.SIGKILL)
    other.start()
    other.wait_for(lambda: never_in_part(one, other), "both to answer again")
    assert owned(other) == kept
    assert listed(one, "instances") == listed(other, "instances")
    assert ask(one, "/api/v1/holdings")[1]["generation"] >= before


@pytest.mark.fault
def test_one_that_slept_through_its_replacement_does_not_tell_what_was(kafka: Broker, tmp_path: Path) -> None:
    one, other = two(kafka, tmp_path)
    try:
        sleeper = one.start()
        one.wait_ready()
        one.produce(event(n, 1, 0) for n in range(CLUSTERS))
        one.wait_for(lambda: len(listed(one, "instances")) == CLUSTERS, "all instances")
        sleeper.send_signal(signal.SIGSTOP)
        other.start()
        other.wait_for(lambda: owned(other) == {0, 1}, "the other to own all")
        other.produce(event(n, 2, 0) for n in range(CLUSTERS))
        other.wait_for(lambda: len(listed(other, "instances")) == 2 * CLUSTERS, "the new ones too")
        sleeper.send_signal(signal.SIGCONT)
        one.wait_for(lambda: never_of(2 * CLUSTERS, one, other), "both to answer")
    finally:
        one.stop(signal.SIGKILL)
        other.stop(signal.SIGKILL)


def test_a_worker_without_a_partition_answers_for_the_others(kafka: Broker, tmp_path: Path) -> None:
    one, other = two(kafka, tmp_path, partitions=1)
    try:
        one.start()
        one.wait_ready()
        one.produce(event(0, number, 0) for number in range(INSTANCES))
        one.wait_for(lambda: len(listed(one, "instances")) == INSTANCES, "all instances")
        other.start()
        other.wait_ready()
        other.wait_for(lambda: never_of(INSTANCES, one, other), "both to answer")
        assert sorted([owned(one), owned(other)], key=len) == [set(), {0}]
    finally:
        one.stop(signal.SIGKILL)
        other.stop(signal.SIGKILL)


def watch(lab: Lab) -> tuple[set[str], list[set[int]]]:
    """Ask until the answer is whole again: why it was refused, and what `stale=ok` said that it lacks."""
    reasons, told = set[str](), list[set[int]]()
    until = time.monotonic() + DEADLINE
    while time.monotonic() < until:
        status, body, headers = ask(lab, "/api/v1/instances?limit=5000")
        if status == 200:
            assert (len(body["items"]), body["partial"]) == (CLUSTERS * INSTANCES, False)
            return reasons, told
        assert status == 503
        assert int(headers["Retry-After"]) > 0
        reasons.add(body["error"]["message"])
        status, body, _ = ask(lab, "/api/v1/instances?limit=5000&stale=ok")
        if status == 200 and body["partial"]:
            told.append({*body["missing"], *(each["partition"] for each in body["stale"])})
        time.sleep(0.2)
    raise AssertionError(f"never whole again: {reasons}")


def never_in_part(*labs: Lab) -> bool:
    """Whether all answer, and the whole at that; half an answer fails at once."""
    return never_of(CLUSTERS * INSTANCES, *labs)


def never_of(count: int, *labs: Lab) -> bool:
    answers = [ask(lab, "/api/v1/instances?limit=5000") for lab in labs]
    for status, body, _ in answers:
        assert status in (0, 200, 503)
        assert status != 200 or len(body["items"]) == count
    return all(status == 200 for status, _, _ in answers)
