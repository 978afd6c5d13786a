"""What of the API's answers is said, and when clusters are asked: no clock, no network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from statistics import quantiles
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import fold
from models.observation import Observation
from models.placement import cluster_key
from models.reading import read
from models.unwrap import Value, unwrap
from models.workspace import Workspace
from streams.aws import plain
from streams.reconcile.answers import Json, told_ms, unstamped
from streams.reconcile.news import BASES, MOST_CHANGES, Memory, NodeAnswer, Poll, tell
from streams.reconcile.schedule import LONGEST, next_due
from tests.control_plane import checked

ARN = "arn:aws:sagemaker:us-west-2:111122223333:cluster/ac7vzqgh29mf"
START = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def group(**changed: Any) -> Json:
    return {"InstanceGroupName": "workers", "Status": "InService", "CurrentCount": 2, "TargetCount": 2, **changed}


def cluster(*groups: Json, status: str = "InService") -> Json:
    answer = {"ClusterArn": ARN, "ClusterName": "train", "ClusterStatus": status, "InstanceGroups": [*groups]}
    return plain(checked("DescribeCluster", answer))


def node(number: int, status: str = "Running", **changed: Any) -> Json:
    told = {
        "InstanceGroupName": "workers",
        "InstanceId": f"i-{number:017x}",
        "InstanceType": "ml.p5.48xlarge",
        "LaunchTime": START,
        "InstanceStatus": {"Status": status},
        **changed,
    }
    return {name: value for name, value in told.items() if value is not None}


def pages(*nodes: Json, size: int = 100) -> list[Json]:
    parts = [list(nodes[at : at + size]) for at in range(0, len(nodes), size)] or [[]]
    answers = [{"ClusterNodeSummaries": part} | ({} if part is parts[-1] else {"NextToken": "t"}) for part in parts]
    return [plain(checked("ListClusterNodes", answer)) for answer in answers]


def poll(at: datetime, *nodes: Json, answer: Json | None = None, size: int = 100) -> Poll:
    found = unstamped(answer or cluster(group()))
    return Poll(ARN, "train", ms(at), found, NodeAnswer(ms(at), pages(*nodes, size=size)))


def observed(record: Json) -> Observation:
    """What the worker makes of it."""
    (value,) = unwrap(json.dumps(record).encode())
    assert isinstance(value, Value)
    found = read(value, latest=lambda _: None)
    assert isinstance(found, Observation)
    return found


class Day:
    """Polls of one cluster, one after the other."""

    def __init__(self) -> None:
        self.memory, self.at = Memory(), START

    def polls(self, *nodes: Json, answer: Json | None = None, size: int = 100) -> list[Observation]:
        records, self.memory = tell(self.memory, poll(self.at, *nodes, answer=answer, size=size))
        self.at += MINUTE
        return [observed(record) for record in records]


@pytest.fixture
def day() -> Day:
    return Day()


def codes(found: list[Observation]) -> list[str]:
    return [each.code for each in found]


def test_the_first_answers_are_said_whole(day: Day) -> None:
    shown, listed = day.polls(node(1), node(2))
    assert (shown.code, shown.cluster_arn, shown.cluster_name, shown.time) == (
        "ClusterSnapshot",
        ARN,
        "train",
        ms(START),
    )
    assert [each["current_count"] for each in shown.details["groups"]] == [2]
    assert (listed.code, listed.cluster_arn, listed.time) == ("NodeList", ARN, ms(START))
    assert (len(listed.details["nodes"]), listed.details["complete"]) == (2, True)


def test_all_pages_of_a_list_have_one_time_and_only_the_last_one_is_the_end(day: Day) -> None:
    _, *found = day.polls(*map(node, range(250)))
    assert [len(each.details["nodes"]) for each in found] == [100, 100, 50]
    assert [each.details["complete"] for each in found] == [False, False, True]
    assert {each.time for each in found} == {ms(START)}
    assert len({each.event_id for each in found}) == 3


def test_what_stays_the_same_is_said_once_more_and_then_every_quarter_of_an_hour(day: Day) -> None:
    said = [codes(day.polls(node(1), node(2))) for _ in range(61)]
    both = ["ClusterSnapshot", "NodeList"]
    assert [minute for minute, found in enumerate(said) if found] == [0, 1, 16, 31, 46]
    assert [found for found in said if found] == [both] * 5


def test_unchanged_nodes_are_said_in_a_few_bytes(day: Day) -> None:
    day.polls(*map(node, range(1000)))
    _, found = day.polls(*map(node, range(1000)))
    assert found.details == {"nodes": [], "complete": False, "since": ms(START), "gone": []}


def test_a_change_is_said_at_once_and_confirmed_by_the_next_poll(day: Day) -> None:
    nodes = [node(1), node(2), node(3)]
    for _ in range(5):
        day.polls(*nodes)
    (changed,) = day.polls(node(1), node(2, "Failure"), node(4))
    assert [(each["instance_id"][-1], each["status"]) for each in changed.details["nodes"]] == [
        ("2", "Failure"),
        ("4", "Running"),
    ]
    assert changed.details["gone"] == [node(3)["InstanceId"]]
    assert changed.details["since"] == ms(START + MINUTE)
    (again,) = day.polls(node(1), node(2, "Failure"), node(4))
    assert again.details["since"] == changed.time
    assert day.polls(node(1), node(2, "Failure"), node(4)) == []


def test_a_change_is_in_as_many_lists_as_may_be_lost(day: Day) -> None:
    day.polls(node(1), node(2))
    confirms = day.polls(node(1), node(2))[-1]
    (first,) = day.polls(node(1, "Failure"))
    second, third, fourth = (day.polls(node(1, status))[-1] for status in ("Pending", "Running", "Failure"))
    for each in (first, second, third, fourth):
        assert [found["instance_id"] for found in each.details["nodes"]] == [node(1)["InstanceId"]]
    gone = [each.details["gone"] for each in (first, second, third, fourth)]
    assert gone == [[node(2)["InstanceId"]]] * BASES + [[]]
    assert fourth.details["since"] == third.time
    assert fourth.details["or_since"] == [second.time, first.time]
    assert second.details["or_since"] == [confirms.time, ms(START)]


def test_a_changed_cluster_is_said_at_once_and_its_unchanged_nodes_are_not(day: Day) -> None:
    for _ in range(5):
        day.polls(node(1))
    for wanted in (["ClusterSnapshot"], ["ClusterSnapshot"], []):
        assert codes(day.polls(node(1), answer=cluster(group(Status="Updating")))) == wanted


def test_groups_in_another_order_are_no_news(day: Day) -> None:
    """AWS promises none: said each minute they would fill the rows."""
    one, other = group(InstanceGroupName="a"), group(InstanceGroupName="b")
    for _ in range(3):
        day.polls(node(1), answer=cluster(one, other))
    assert codes(day.polls(node(1), answer=cluster(other, one))) == []


def test_times_and_versions_of_a_node_make_no_other_list(day: Day) -> None:
    for _ in range(3):
        day.polls(node(1))
    assert day.polls(node(1, LaunchTime=START + MINUTE, ImageVersionStatus="UpdateAvailable")) == []
    assert codes(day.polls(node(1, InstanceStatus={"Status": "Running", "Message": "why"}))) == ["NodeList"]


def test_slots_without_an_instance_are_never_gone(day: Day) -> None:
    waiting = node(0, "Pending", InstanceId="", NodeLogicalId="slot-1")
    day.polls(waiting, node(1))
    _, found = day.polls(node(1), node(2, NodeLogicalId="slot-1"))
    assert ([each["instance_id"] for each in found.details["nodes"]], found.details["gone"]) == (
        [node(2)["InstanceId"]],
        [],
    )


def test_many_changes_and_what_was_said_a_day_ago_are_said_whole(day: Day) -> None:
    count = MOST_CHANGES + 1
    day.polls(*map(node, range(count)))
    _, *found = day.polls(*[node(number, "SystemUpdating") for number in range(count)])
    assert [each.details.get("since") for each in found] == [None] * 3
    day.at += timedelta(days=1)
    _, *found = day.polls(*[node(number, "SystemUpdating") for number in range(count)])
    assert [each.details["complete"] for each in found] == [False, False, True]


def test_an_answer_that_is_not_newer_says_nothing(day: Day) -> None:
    day.polls(node(1))
    day.at -= MINUTE
    assert day.polls(node(1, "Failure"), answer=cluster(group(Status="Updating"))) == []


def test_what_may_not_have_arrived_is_said_whole_again(day: Day) -> None:
    day.polls(node(1))
    day.memory = Memory()
    assert [each.details.get("complete", True) for each in day.polls(node(1))] == [True, True]


STATUSES = ("Running", "Pending", "Failure", None)
"""Of a node in one poll; None: it is not listed."""


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(*[st.sampled_from(STATUSES)] * 3), min_size=1, max_size=30))
def test_rows_hear_the_same_words_as_from_whole_lists(polls: list[tuple[str | None, ...]]) -> None:
    heard = []
    for forgets in (True, False):
        day, rows = Day(), Workspace(ARN)
        for statuses in polls:
            day.memory = Memory() if forgets else day.memory
            nodes = [node(number, status) for number, status in enumerate(statuses) if status]
            for each in day.polls(*nodes, size=2):
                rows.apply(each)
        words = {key: [(word.status, word.first.time) for word in row.words] for key, row in rows.rows.items()}
        heard.append(words)
        polled = fold.settle(rows.rows[cluster_key(ARN)]).polls
        assert polled[-1] >= ms(day.at - MINUTE) - 15 * 60_000
    assert heard[0] == heard[1]


def test_nothing_is_said_of_nodes_that_were_not_asked(day: Day) -> None:
    records, memory = tell(Memory(), Poll(ARN, "train", ms(START), unstamped(cluster(group()))))
    assert (len(records), memory.nodes) == (1, None)


def test_the_time_of_an_answer_is_its_own_and_no_part_of_what_it_says() -> None:
    answer = cluster() | {"ResponseMetadata": {"HTTPHeaders": {"date": "Mon, 01 Jun 2026 12:00:00 GMT"}}}
    assert (told_ms(answer), told_ms({}), unstamped(answer)) == (ms(START), None, cluster())


def arns(count: int) -> Iterator[str]:
    return (f"arn:aws:sagemaker:us-west-2:111122223333:cluster/{number:012d}" for number in range(count))


def test_each_cluster_is_asked_once_an_interval_at_a_place_of_its_own() -> None:
    for arn in arns(50):
        first = next_due(arn, 1_000_000.0, 60)
        assert 1_000_000 < first <= 1_000_060
        assert next_due(arn, first, 60) == pytest.approx(first + 60)
        assert next_due(arn, first + 59, 60) == pytest.approx(first + 60)
    places = [next_due(arn, 1_000_000.0, 60) - 1_000_000 for arn in arns(500)]
    assert [round(cut) for cut in quantiles(places, n=4)] == pytest.approx([15, 30, 45], abs=5)


def test_who_goes_on_to_fail_is_asked_less_and_less_often() -> None:
    for arn in arns(20):
        waits = [next_due(arn, 1_000_000.0, 60, failures) - 1_000_000 for failures in range(8)]
        for failures, wait in enumerate(waits):
            step = min(60 * 2**failures, LONGEST)
            assert step - 60 < wait <= step
    assert next_due(ARN, 0.0, 3600, 9) <= 3600
