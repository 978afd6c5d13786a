"""Questions and answers of `reconcile`, each by AWS's service model; what a failure of each leaves of the others."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from streams.aws import Account, Api, Aws
from streams.interrupt import Ended, ended_by_signals
from streams.reconcile import run
from streams.reconcile.answers import Json
from streams.reconcile.asking import Questions
from streams.reconcile.events import MOST_ASKED, Events
from streams.reconcile.out import FileOut
from streams.reconcile.polling import Poller, Target
from streams.reconcile.run import Desk, Troubles
from streams.settings import PlainError

ARN = "arn:aws:sagemaker:us-west-2:111122223333:cluster/ac7vzqgh29mf"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CLUSTER = {"ClusterArn": ARN, "ClusterName": "train", "ClusterStatus": "InService", "InstanceGroups": []}
CONTINUOUS = {**CLUSTER, "NodeProvisioningMode": "Continuous"}
PAGE = {"MaxResults": 100}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    return Aws(Account(region="us-west-2")).api("sagemaker")


@pytest.fixture
def stub(api: Api) -> Iterator[Stubber]:
    """Answers in the order in which they are asked for; at the end all have been."""
    with Stubber(api.client) as stub:
        yield stub
        stub.assert_no_pending_responses()


class Kept:
    """Where records go."""

    def __init__(self) -> None:
        self.records: list[Json] = []
        self.broken = False

    def send(self, arn: str, records: Sequence[Json]) -> None:
        assert arn == ARN
        if self.broken:
            raise PlainError("Kafka is away")
        self.records += records

    def close(self) -> None:
        """Nothing to do."""


class Clock:
    def __init__(self) -> None:
        self.now = NOW.timestamp()

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def out() -> Kept:
    return Kept()


@pytest.fixture
def target() -> Target:
    return Target(ARN)


def poller(api: Api, out: Kept, clock: Clock, events: Events = Events.errors) -> Poller:
    return Poller(Questions(api, clock), out, clock, events)


def dated(answer: dict[str, Any], at: datetime) -> dict[str, Any]:
    """With the time that AWS's answers have in their headers."""
    date = at.strftime("%a, %d %b %Y %H:%M:%S GMT")
    return {**answer, "ResponseMetadata": {"HTTPHeaders": {"date": date}, "RequestId": "r-1"}}


def node(number: int, status: str = "Running") -> dict[str, Any]:
    return {
        "InstanceGroupName": "workers",
        "InstanceId": f"i-{number:017x}",
        "InstanceType": "ml.p5.48xlarge",
        "LaunchTime": NOW,
        "InstanceStatus": {"Status": status},
    }


def event(number: int, level: str = "Error") -> dict[str, Any]:
    return {
        "EventId": f"00000000-0000-4000-8000-{number:012d}",
        "ClusterArn": ARN,
        "ClusterName": "train",
        "ResourceType": "Cluster",
        "EventTime": NOW + timedelta(seconds=number),
        "EventLevel": level,
        "Description": "words",
    }


def answers(stub: Stubber, cluster: dict[str, Any] = CLUSTER, nodes: Sequence[dict[str, Any]] = ()) -> None:
    """The two questions of every poll."""
    stub.add_response("describe_cluster", dict(cluster), {"ClusterName": ARN})
    more = {"IncludeNodeLogicalIds": True} if cluster is CONTINUOUS else {}
    stub.add_response("list_cluster_nodes", {"ClusterNodeSummaries": [*nodes]}, {"ClusterName": ARN, **more, **PAGE})


def lists_events(stub: Stubber, *events: dict[str, Any], after: Any = ANY) -> None:
    order = {"SortBy": "EventTime", "SortOrder": "Ascending"}
    asked = {"ClusterName": ARN, "EventTimeAfter": after, **order, **PAGE}
    stub.add_response("list_cluster_events", {"Events": [*events]}, asked)


def describes(stub: Stubber, found: dict[str, Any]) -> None:
    metadata = {"Cluster": {"FailureMessage": "no more subnets"}}
    answer = {"EventDetails": {**found, "EventDetails": {"EventMetadata": metadata}}}
    stub.add_response("describe_cluster_event", answer, {"ClusterName": ARN, "EventId": found["EventId"]})


def test_all_clusters_of_the_account_are_found_page_by_page(api: Api, stub: Stubber, clock: Clock) -> None:
    about = {"ClusterName": "train", "CreationTime": NOW, "ClusterStatus": "InService"}
    stub.add_response("list_clusters", {"ClusterSummaries": [{**about, "ClusterArn": ARN}], "NextToken": "2"}, {})
    stub.add_response("list_clusters", {"ClusterSummaries": []}, {"NextToken": "2"})
    assert Questions(api, clock).clusters() == [ARN]


def test_a_list_has_the_time_of_its_first_page(
    api: Api, stub: Stubber, clock: Clock, out: Kept, target: Target
) -> None:
    stub.add_response("describe_cluster", dated(CLUSTER, NOW), {"ClusterName": ARN})
    asked = {"ClusterName": ARN, **PAGE}
    first, last = NOW + timedelta(seconds=1), NOW + timedelta(seconds=50)
    one = {"ClusterNodeSummaries": [node(1)], "NextToken": "2"}
    stub.add_response("list_cluster_nodes", dated(one, first), asked)
    stub.add_response(
        "list_cluster_nodes", dated({"ClusterNodeSummaries": [node(2)]}, last), {**asked, "NextToken": "2"}
    )
    assert poller(api, out, clock).poll(target).records == 3
    assert [each["ObservedAt"][11:19] for each in out.records] == ["12:00:00", "12:00:01", "12:00:01"]
    assert "ResponseMetadata" not in json.dumps(out.records)
    assert target.arn == ARN


def test_an_answer_without_a_time_has_the_clocks(
    api: Api, stub: Stubber, clock: Clock, out: Kept, target: Target
) -> None:
    answers(stub)
    poller(api, out, clock).poll(target)
    assert {each["ObservedAt"] for each in out.records} == {"2026-06-01T12:00:00.000Z"}


def test_a_list_of_which_a_page_fails_is_none(api: Api, stub: Stubber, clock: Clock, out: Kept, target: Target) -> None:
    stub.add_response("describe_cluster", dict(CLUSTER))
    stub.add_response("list_cluster_nodes", {"ClusterNodeSummaries": [node(1)], "NextToken": "2"})
    stub.add_client_error("list_cluster_nodes", "ThrottlingException", "Rate exceeded")
    done = poller(api, out, clock).poll(target)
    assert [str(each)[:20] for each in done.troubles] == ["AWS asked to slow dow"[:20]]
    assert ["ClusterNodeSummaries" in each for each in out.records] == [False]
    assert target.memory.nodes is None


def test_a_cluster_that_is_not_described_is_not_asked_further(
    api: Api, stub: Stubber, clock: Clock, out: Kept, target: Target
) -> None:
    stub.add_client_error("describe_cluster", "AccessDeniedException", "you may not")
    done = poller(api, out, clock).poll(target)
    assert "The permission sagemaker:DescribeCluster is missing." in str(done.troubles[0])
    assert not out.records
    stub.add_client_error("describe_cluster", "ResourceNotFound", "Cluster is not there")
    (trouble,) = poller(api, out, clock).poll(target).troubles
    assert str(trouble) == f"There is no cluster {ARN} in this account and region."


def test_what_did_not_arrive_is_said_again_whole(
    api: Api, stub: Stubber, clock: Clock, out: Kept, target: Target
) -> None:
    asking = poller(api, out, clock)
    for place in range(3):
        answers(stub, nodes=[node(1)])
        out.broken = place == 1
        done = asking.poll(target)
        assert [str(each) for each in done.troubles] == (["Kafka is away"] if out.broken else [])
        clock.wait(60)
    assert [each.get("UnchangedSince") for each in out.records] == [None] * 4


def test_errors_are_asked_for_once_and_the_others_never(
    api: Api, stub: Stubber, clock: Clock, out: Kept, target: Target
) -> None:
    asking = poller(api, out, clock)
    answers(stub, CONTINUOUS)
    lists_events(stub, event(1), event(2, "Info"), after=NOW - timedelta(hours=1, seconds=1))
    describes(stub, event(1))
    asking.poll(target)
    assert out.records[-1]["EventDetails"]["EventId"] == event(1)["EventId"]
    assert out.records[-1]["EventDetails"]["EventDetails"]["EventMetadata"]["Cluster"]["FailureMessage"]
    clock.wait(60)
    answers(stub, CONTINUOUS)
    lists_events(stub, event(1), event(2, "Info"), event(3), after=NOW - timedelta(seconds=601))
    describes(stub, event(3))
    asking.poll(target)
    assert out.records[-1]["EventDetails"]["EventId"] == event(3)["EventId"]


def test_all_events_are_handed_on_where_that_is_wanted(
    api: Api, stub: Stubber, clock: Clock, out: Kept, target: Target
) -> None:
    answers(stub, CONTINUOUS)
    lists_events(stub, *[event(number, "Info") for number in range(150)], event(200))
    describes(stub, event(200))
    poller(api, out, clock, Events.all).poll(target)
    assert [len(each.get("Events", ())) for each in out.records[2:]] == [100, 50, 0]


def test_no_events_are_asked_for_where_there_are_none_or_nobody_wants_them(
    api: Api, stub: Stubber, clock: Clock, out: Kept, target: Target
) -> None:
    answers(stub)
    poller(api, out, clock).poll(target)
    answers(stub, CONTINUOUS)
    poller(api, out, clock, Events.none).poll(Target(ARN))


def test_many_errors_are_asked_for_over_several_polls(
    api: Api, stub: Stubber, clock: Clock, out: Kept, target: Target
) -> None:
    many, asking = [event(number) for number in range(MOST_ASKED + 5)], poller(api, out, clock)
    for part in (many[:MOST_ASKED], many[MOST_ASKED:], []):
        answers(stub, CONTINUOUS)
        lists_events(stub, *many)
        for each in part:
            describes(stub, each)
        asking.poll(target)
        clock.wait(60)
    assert sum("EventDetails" in each for each in out.records) == len(many)


def test_an_event_that_cannot_be_asked_for_is_asked_for_by_the_next_poll(
    api: Api, stub: Stubber, clock: Clock, out: Kept, target: Target
) -> None:
    asking = poller(api, out, clock)
    answers(stub, CONTINUOUS)
    lists_events(stub, event(1), event(2))
    stub.add_client_error("describe_cluster_event", "ThrottlingException")
    assert len(asking.poll(target).troubles) == 1
    clock.wait(60)
    answers(stub, CONTINUOUS)
    lists_events(stub, event(1), event(2), after=NOW - timedelta(hours=1, seconds=1))
    describes(stub, event(1))
    stub.add_client_error("describe_cluster_event", "ResourceNotFound")
    assert asking.poll(target).troubles == []
    assert out.records[-1]["EventDetails"]["EventId"] == event(2)["EventId"]


def test_events_that_cannot_be_listed_leave_the_rest(
    api: Api, stub: Stubber, clock: Clock, out: Kept, target: Target
) -> None:
    answers(stub, CONTINUOUS, [node(1)])
    stub.add_client_error("list_cluster_events", "AccessDeniedException")
    done = poller(api, out, clock).poll(target)
    assert "sagemaker:ListClusterEvents" in str(done.troubles[0])
    assert len(out.records) == done.records == 2


class Stop(Exception):
    """The test has seen enough."""


def desk(api: Api, out: Kept, clock: Clock, seconds: float) -> Desk:
    """Ends with Stop after so many seconds of its clock."""
    until = clock.now + seconds

    def wait(time: float) -> None:
        clock.wait(time)
        if clock.now >= until:
            raise Stop

    return Desk(poller(api, out, clock), 60.0, (ARN,), clock, wait)


def test_a_cluster_is_asked_every_minute_and_one_that_fails_ever_less(
    api: Api, stub: Stubber, clock: Clock, out: Kept
) -> None:
    for _ in range(4):
        answers(stub)
    for _ in range(3):
        stub.add_client_error("describe_cluster", "InternalFailure", "broken")
    told = desk(api, out, clock, 60 * 10)
    said: list[tuple[str, str]] = []
    told.troubles = Troubles(lambda *words: said.append(words))
    with pytest.raises(Stop):
        told.work()
    assert [level for level, _ in said] == ["error"]
    assert (told.troubles.failing, told.targets[ARN].failures) == (1, 3)


def test_what_cannot_be_asked_at_all_at_the_start_ends_it(api: Api, stub: Stubber, clock: Clock, out: Kept) -> None:
    stub.add_client_error("describe_cluster", "AccessDeniedException")
    with pytest.raises(PlainError, match="sagemaker:DescribeCluster"):
        desk(api, out, clock, 60).work()


def test_clusters_come_and_go(api: Api, stub: Stubber, clock: Clock, out: Kept) -> None:
    about = {"ClusterArn": ARN, "ClusterName": "train", "CreationTime": NOW, "ClusterStatus": "InService"}
    each = Desk(poller(api, out, clock), 60.0, (), clock, clock.wait)
    for found in ([], [about], []):
        stub.add_response("list_clusters", {"ClusterSummaries": found})
        each.look()
        assert list(each.targets) == [arn["ClusterArn"] for arn in found]


def test_one_missing_permission_is_told_once_for_all_clusters_and_once_when_it_is_there() -> None:
    said: list[tuple[str, str]] = []
    troubles = Troubles(lambda *words: said.append(words))
    denied = [PlainError(f"AWS does not allow X. The permission x:X is missing. It says: not on {n}") for n in range(3)]
    for _ in range(5):
        for number, error in enumerate(denied):
            troubles.note(f"cluster-{number}", [error])
    assert said == [("error", str(denied[0]))]
    assert troubles.failing == 3
    troubles.note("cluster-0", [])
    troubles.forget("cluster-1")
    assert len(said) == 1
    troubles.note("cluster-2", [])
    assert said[1:] == [("info", "over: AWS does not allow X. The permission x:X is missing.")]
    assert troubles.failing == 0


def test_a_signal_ends_whatever_is_waited_for() -> None:
    before = signal.getsignal(signal.SIGTERM)

    def waits() -> None:
        with ended_by_signals():
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()

    with pytest.raises(Ended):
        waits()
    assert signal.getsignal(signal.SIGTERM) is before


def test_records_go_to_a_file_or_to_one_for_each_cluster(tmp_path: Path) -> None:
    for place in (tmp_path / "all.jsonl", tmp_path / "a" / "folder"):
        out = FileOut(place)
        out.send(ARN, [{"a": 1}, {"b": 2}])
        out.send(ARN, [{"c": 3}])
        out.close()
    lines = b'{"a":1}\n{"b":2}\n{"c":3}\n'
    assert (tmp_path / "all.jsonl").read_bytes() == lines
    assert (tmp_path / "a" / "folder" / "ac7vzqgh29mf.jsonl").read_bytes() == lines


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(PlainError, match=r"taken/x\.jsonl cannot be written to"):
        FileOut(tmp_path / "taken" / "x.jsonl")
    for name in (tmp_path / "taken", Path("-"), Path("/dev/stdout")):
        with pytest.raises(PlainError, match=r"is no folder; the name of a file has to end in \.jsonl or"):
            FileOut(name)
    out = FileOut(tmp_path / "folder")
    (tmp_path / "folder" / "ac7vzqgh29mf.jsonl").mkdir()
    with pytest.raises(PlainError, match=r"ac7vzqgh29mf\.jsonl cannot be written to"):
        out.send(ARN, [{}])


def test_the_intervals_of_the_page_are_those_of_the_code() -> None:
    page = Path("docs/reconcile.md").read_text()
    assert f"every {run.LOOK_SECONDS / 60:.0f} minutes" in page
    assert f"at most {MOST_ASKED} a poll" in page
