"""Questions and answers of `reconcile`, each by AWS's service model; what a failure of each leaves of the others."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

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
from tests.builders import Event, Site, cluster_event
from tests.control_plane import Cluster, ControlPlane, Refused, node
from tests.sagemaker import answering

ARN = "arn:aws:sagemaker:us-west-2:111122223333:cluster/ac7vzqgh29mf"
SITE = Site(known_arn=ARN)
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


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


class ByCluster:
    """Where records go, each cluster's by itself."""

    def __init__(self) -> None:
        self.records: dict[str, list[Json]] = {}

    def send(self, arn: str, records: Sequence[Json]) -> None:
        self.records.setdefault(arn, []).extend(records)

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
def cluster() -> Cluster:
    return Cluster(SITE, continuous=False)


@pytest.fixture
def plane(cluster: Cluster, clock: Clock) -> ControlPlane:
    plane = ControlPlane(cluster)
    plane.clock = clock
    return plane


@pytest.fixture
def api(plane: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    api = Aws(Account(region="us-west-2")).api("sagemaker")
    with answering(api.client, plane):
        yield api


@pytest.fixture
def target() -> Target:
    return Target(ARN)


def poller(api: Api, out: Kept, clock: Clock, events: Events = Events.errors) -> Poller:
    return Poller(Questions(api, clock), out, clock, events)


def named(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def event(number: int, level: str = "Error") -> Event:
    """One that EventBridge has brought, or not."""
    at, metadata = NOW + timedelta(seconds=number), {"Cluster": {"FailureMessage": "no more subnets"}}
    ms = round(at.timestamp() * 1000)
    return cluster_event(SITE, "words", ms, level=level, metadata=metadata, event_id=named(number))


def handed(out: Kept) -> list[str]:
    """Events that were asked for one by one."""
    return [each["EventDetails"]["EventId"] for each in out.records if "EventDetails" in each]


def refuses(plane: ControlPlane, operation: str, code: str, *, after: int = 0, times: int = 1_000) -> None:
    """Whoever asks that, from then on so often."""
    begun = plane.calls[operation] + after

    def refuse(asked: str, _: Json) -> None:
        if asked == operation and begun < plane.calls[operation] <= begun + times:
            raise Refused(code)

    plane.on_call = refuse


def test_all_clusters_of_the_account_are_found_page_by_page(api: Api, plane: ControlPlane, clock: Clock) -> None:
    other = Cluster(Site("other"))
    plane.clusters[other.site.arn] = other
    assert Questions(api, clock).clusters() == sorted([ARN, other.site.arn])
    assert plane.calls["ListClusters"] == 2


def test_a_list_has_the_time_of_its_first_page(
    api: Api, plane: ControlPlane, cluster: Cluster, clock: Clock, out: Kept, target: Target
) -> None:
    cluster.nodes, plane.nodes_page = [node("i-1"), node("i-2")], 1
    moments = iter([0, 1, 50])
    plane.clock = lambda: clock.now + next(moments)
    assert poller(api, out, clock).poll(target).records == 3
    assert [each["ObservedAt"][11:19] for each in out.records] == ["12:00:00", "12:00:01", "12:00:01"]
    assert "ResponseMetadata" not in json.dumps(out.records)
    assert target.arn == ARN


def test_an_answer_without_a_time_has_the_clocks(
    api: Api, plane: ControlPlane, clock: Clock, out: Kept, target: Target
) -> None:
    plane.clock = None
    poller(api, out, clock).poll(target)
    assert {each["ObservedAt"] for each in out.records} == {"2026-06-01T12:00:00.000Z"}


def test_slots_that_wait_for_an_instance_are_asked_for_where_there_are_slots(
    api: Api, cluster: Cluster, clock: Clock, out: Kept
) -> None:
    cluster.nodes = [node("", status="Pending", NodeLogicalId="s-1"), node("i-2", NodeLogicalId="s-2")]
    for continuous in (False, True):
        cluster.continuous = continuous
        poller(api, out, clock).poll(Target(ARN))
    lists = [each["ClusterNodeSummaries"] for each in out.records if "ClusterNodeSummaries" in each]
    assert [[each.get("NodeLogicalId") for each in found] for found in lists] == [[None], ["s-1", "s-2"]]


def test_a_list_of_which_a_page_fails_is_none(
    api: Api, plane: ControlPlane, cluster: Cluster, clock: Clock, out: Kept, target: Target
) -> None:
    cluster.nodes, plane.nodes_page = [node("i-1"), node("i-2")], 1
    refuses(plane, "ListClusterNodes", "ThrottlingException", after=1)
    done = poller(api, out, clock).poll(target)
    assert [str(each)[:20] for each in done.troubles] == ["AWS asked to slow dow"[:20]]
    assert ["ClusterNodeSummaries" in each for each in out.records] == [False]
    assert target.memory.nodes is None


def test_a_cluster_that_is_not_described_is_not_asked_further(
    api: Api, plane: ControlPlane, clock: Clock, out: Kept, target: Target
) -> None:
    refuses(plane, "DescribeCluster", "AccessDeniedException", times=1)
    done = poller(api, out, clock).poll(target)
    assert "The permission sagemaker:DescribeCluster is missing." in str(done.troubles[0])
    assert (out.records, set(plane.calls)) == ([], {"DescribeCluster"})
    plane.clusters.clear()
    (trouble,) = poller(api, out, clock).poll(target).troubles
    assert str(trouble) == f"There is no cluster {ARN} in this account and region."


def test_what_did_not_arrive_is_said_again_whole(
    api: Api, cluster: Cluster, clock: Clock, out: Kept, target: Target
) -> None:
    cluster.nodes, asking = [node("i-1")], poller(api, out, clock)
    for place in range(3):
        out.broken = place == 1
        done = asking.poll(target)
        assert [str(each) for each in done.troubles] == (["Kafka is away"] if out.broken else [])
        clock.wait(60)
    assert [each.get("UnchangedSince") for each in out.records] == [None] * 4


def test_a_cluster_that_is_made_anew_under_the_same_name_is_said_whole(
    api: Api, plane: ControlPlane, clock: Clock
) -> None:
    """Its nodes told by what changed in the list of the one before would be understood a day later."""
    kept, target = ByCluster(), Target(SITE.name)
    asking = Poller(Questions(api, clock), kept, clock, Events.errors)
    for number in range(2):
        arn = f"arn:aws:sagemaker:us-west-2:111122223333:cluster/ac7vzqgh29m{number}"
        site = replace(SITE, known_arn=arn)
        plane.clusters = {arn: Cluster(site, nodes=[node("i-1")])}
        assert not asking.poll(target).troubles
        assert ["ClusterStatus" in each for each in kept.records[arn]] == [True, False]
        assert [each.get("UnchangedSince") for each in kept.records[arn]] == [None, None]
        clock.wait(60)


def test_errors_are_asked_for_once_and_the_others_never(
    api: Api, plane: ControlPlane, cluster: Cluster, clock: Clock, out: Kept, target: Target
) -> None:
    cluster.continuous, asking = True, poller(api, out, clock)
    cluster.events = [event(1), event(2, "Info")]
    asking.poll(target)
    assert handed(out) == [named(1)]
    assert out.records[-1]["EventDetails"]["EventDetails"]["EventMetadata"]["Cluster"]["FailureMessage"]
    clock.wait(60)
    cluster.events.append(event(3))
    asking.poll(target)
    assert handed(out) == [named(1), named(3)]
    after = [asked["EventTimeAfter"] for operation, asked in plane.asked if operation == "ListClusterEvents"]
    assert after == [NOW.timestamp() - 3601, NOW.timestamp() - 601]


def test_all_events_are_handed_on_where_that_is_wanted(
    api: Api, cluster: Cluster, clock: Clock, out: Kept, target: Target
) -> None:
    cluster.continuous = True
    cluster.events = [*[event(number, "Info") for number in range(150)], event(200)]
    poller(api, out, clock, Events.all).poll(target)
    assert [len(each.get("Events", ())) for each in out.records[2:]] == [100, 50, 0]


def test_no_events_are_asked_for_where_there_are_none_or_nobody_wants_them(
    api: Api, plane: ControlPlane, cluster: Cluster, clock: Clock, out: Kept, target: Target
) -> None:
    poller(api, out, clock).poll(target)
    cluster.continuous = True
    poller(api, out, clock, Events.none).poll(Target(ARN))
    assert plane.calls == {"DescribeCluster": 2, "ListClusterNodes": 2}


def test_many_errors_are_asked_for_over_several_polls(
    api: Api, plane: ControlPlane, cluster: Cluster, clock: Clock, out: Kept, target: Target
) -> None:
    cluster.continuous, asking = True, poller(api, out, clock)
    cluster.events = [event(number) for number in range(MOST_ASKED + 5)]
    for asked in (MOST_ASKED, MOST_ASKED + 5, MOST_ASKED + 5):
        asking.poll(target)
        assert plane.calls["DescribeClusterEvent"] == asked
        clock.wait(60)
    assert len(set(handed(out))) == MOST_ASKED + 5


def test_an_event_that_cannot_be_asked_for_is_asked_for_by_the_next_poll(
    api: Api, plane: ControlPlane, cluster: Cluster, clock: Clock, out: Kept, target: Target
) -> None:
    cluster.continuous, asking = True, poller(api, out, clock)
    cluster.events, cluster.forgotten = [event(1), event(2)], {named(2)}
    refuses(plane, "DescribeClusterEvent", "ThrottlingException", times=1)
    assert len(asking.poll(target).troubles) == 1
    clock.wait(60)
    assert asking.poll(target).troubles == []
    assert handed(out) == [named(1), named(2)]
    assert plane.asked[-3][1]["EventTimeAfter"] == NOW.timestamp() - 3601


def test_events_that_cannot_be_listed_leave_the_rest(
    api: Api, plane: ControlPlane, cluster: Cluster, clock: Clock, out: Kept, target: Target
) -> None:
    cluster.continuous, cluster.nodes = True, [node("i-1")]
    refuses(plane, "ListClusterEvents", "AccessDeniedException")
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
    api: Api, plane: ControlPlane, clock: Clock, out: Kept
) -> None:
    refuses(plane, "DescribeCluster", "InternalFailure", after=4)
    told = desk(api, out, clock, 60 * 10)
    said: list[tuple[str, str]] = []
    told.troubles = Troubles(lambda *words: said.append(words))
    with pytest.raises(Stop):
        told.work()
    assert [level for level, _ in said] == ["error"]
    assert (told.troubles.failing, told.targets[ARN].failures) == (1, 3)
    assert plane.calls["DescribeCluster"] == 7


def test_what_cannot_be_asked_at_all_at_the_start_ends_it(
    api: Api, plane: ControlPlane, clock: Clock, out: Kept
) -> None:
    refuses(plane, "DescribeCluster", "AccessDeniedException")
    with pytest.raises(PlainError, match="sagemaker:DescribeCluster"):
        desk(api, out, clock, 60).work()


def test_clusters_come_and_go(api: Api, plane: ControlPlane, cluster: Cluster, clock: Clock, out: Kept) -> None:
    each = Desk(poller(api, out, clock), 60.0, (), clock, clock.wait)
    for there in ({}, {ARN: cluster}, {}):
        plane.clusters = there
        each.look()
        assert list(each.targets) == list(there)


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
