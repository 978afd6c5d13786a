"""Stories of feeds that fall silent: what opens, what ends it, what it explains."""

from __future__ import annotations

import pytest

from models.deadlines import Thresholds
from models.fold import Limits
from models.public import Anomaly
from tests.fleet import Fleet
from tests.stories import ARN, born, cluster, group, heartbeat, instance, script

MINUTE = 60_000


def silent(fleet: Fleet, minutes: float = 0) -> list[Anomaly]:
    """Silences of feeds so many minutes after the newest event."""
    return of_kind(fleet, "feed_silent", minutes)


def of_kind(fleet: Fleet, kind: str, minutes: float = 0) -> list[Anomaly]:
    return [a for a in fleet.document(fleet.clock + int(minutes * MINUTE)).anomalies if a.kind == kind]


def beats(fleet: Fleet, count: int, every: float = 5) -> None:
    """So many heartbeats from now on."""
    for _ in range(count):
        fleet.sees(heartbeat())
        fleet.waits(every - 1)


def test_no_heartbeat_for_a_quarter_of_an_hour_is_critical_until_the_next_one(fleet: Fleet) -> None:
    fleet.sees(born("i-1"))
    beats(fleet, 3)
    fleet.sees(heartbeat().at(1200))
    assert not silent(fleet, 14.9)
    (found,) = silent(fleet, 15)
    assert (found.severity, found.status, found.resource_type) == ("critical", "open", "Cluster")
    assert (found.instance_group, found.instance_id, found.machine, found.planned) == (None, None, None, False)
    assert found.opened_at == found.updated_at == "2026-05-04T09:35:00.000Z"
    assert found.title == "Nothing can be known: no heartbeat from account 111122223333 in us-west-2"
    assert found.expected == "the next heartbeat"
    fleet.sees(heartbeat().at(7200))
    (over,) = silent(fleet)
    assert (over.anomaly_id, over.evidence) == (found.anomaly_id, found.evidence)
    assert (over.status, over.resolved_at) == ("resolved", "2026-05-04T11:00:00.000Z")


def test_a_heartbeat_of_the_very_second_at_which_it_would_be_silence_came_in_time(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), heartbeat().at(1200))
    assert silent(fleet, 15)
    fleet.sees(heartbeat().at(1200 + 15 * 60))
    assert not silent(fleet)


def test_heartbeats_in_time_are_no_silence_and_no_cluster(fleet: Fleet) -> None:
    fleet.sees(born("i-1"))
    beats(fleet, 20, every=14)
    document = fleet.document()
    assert not silent(fleet)
    assert [item.cluster_arn for item in document.clusters] == [ARN]
    assert document.summary.applied == 24
    assert document.summary.watermark is not None
    assert document.summary.watermark > document.clusters[0].last_event_time  # type: ignore[operator]


def test_a_feed_that_never_sent_any_is_not_silent(fleet: Fleet) -> None:
    fleet.sees(born("i-1"))
    assert not silent(fleet, 10_000)


def test_copies_of_a_heartbeat_are_counted_as_such(fleet: Fleet) -> None:
    beat = heartbeat().at(60)
    fleet.sees(beat, beat, heartbeat("444455556666").at(60), heartbeat(region="eu-west-1").at(60))
    summary = fleet.document().summary
    assert (summary.applied, summary.duplicate) == (3, 1)


@pytest.mark.parametrize("other", [heartbeat(account="444455556666"), heartbeat(region="eu-west-1")])
def test_another_account_or_region_is_another_feed(fleet: Fleet, other: object) -> None:
    fleet.sees(born("i-1"), heartbeat())
    fleet.waits(20)
    fleet.sees(other)  # type: ignore[arg-type]
    (found,) = silent(fleet, 10)
    assert found.opened_at == "2026-05-04T09:20:00.000Z"


def test_every_known_cluster_has_its_own_and_others_have_none(fleet: Fleet) -> None:
    second, foreign = ARN.replace("0a1b", "9a9b"), ARN.replace("us-west-2", "eu-west-1")
    fleet.sees(instance("InstanceProvisioned", "i-1"), heartbeat())
    fleet.sees(instance("InstanceProvisioned", "i-2").told(ClusterArn=second))
    fleet.sees(instance("InstanceProvisioned", "i-3").told(ClusterArn=foreign))
    found = silent(fleet, 60)
    assert [a.cluster_arn for a in sorted(found, key=lambda a: a.cluster_arn)] == [ARN, second]
    assert len({a.anomaly_id for a in found}) == 2
    assert len({a.evidence for a in found}) == 1


def test_a_cluster_that_came_later_was_not_known_in_the_silence(fleet: Fleet) -> None:
    fleet.sees(heartbeat().at(0), instance("InstanceProvisioned", "i-1").at(1000), heartbeat().at(5000))
    assert not silent(fleet)
    fleet.sees(instance("InstanceProvisioned", "i-2").at(900))
    (found,) = silent(fleet)
    assert (found.opened_at, found.resolved_at) == ("2026-05-04T09:15:00.000Z", "2026-05-04T10:23:20.000Z")


def test_nobody_waits_to_hear_of_a_deleted_cluster(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), heartbeat())
    fleet.waits(20)
    (found,) = silent(fleet)
    assert found.status == "open"
    fleet.sees(cluster("ClusterOperationStarted", "delete"), cluster("ClusterOperationCompleted", "delete"))
    (found,) = silent(fleet, 60)
    assert (found.status, found.resolved_at) == ("resolved", found.updated_at)
    fleet.sees(heartbeat())
    assert [a.status for a in silent(fleet, 600)] == ["resolved"]


def test_each_silence_is_one_of_its_own(fleet: Fleet) -> None:
    fleet.sees(born("i-1"))
    beats(fleet, 3, every=30)
    found = silent(fleet)
    assert [a.status for a in found] == ["resolved", "resolved", "open"]
    assert len({a.anomaly_id for a in found}) == 3


def test_a_late_heartbeat_fills_the_gap(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), heartbeat().at(600), heartbeat().at(1800))
    assert len(silent(fleet)) == 1
    fleet.sees(heartbeat().at(1200))
    assert not silent(fleet)


def test_beyond_the_bound_a_gap_stays_as_it_was_for_thirty_days() -> None:
    fleet = Fleet(Limits(lateness_ms=3_600_000, keep=4))
    fleet.sees(instance("InstanceProvisioned", "i-1").at(0), heartbeat().at(0), heartbeat().at(1800))
    hours = [heartbeat().at(1800 + minutes * 60) for minutes in range(10, 200, 10)]
    fleet.sees(hours)
    (found,) = silent(fleet)
    assert found.resolved_at == "2026-05-04T09:30:00.000Z"
    late = heartbeat().at(900)
    fleet.sees(late, late)
    assert [a.anomaly_id for a in silent(fleet)] == [found.anomaly_id]
    summary = fleet.document().summary
    assert (summary.late, summary.duplicate) == (1, 1)
    fleet.sees([heartbeat().at(31 * 86_400 + minutes * 60) for minutes in range(0, 200, 10)])
    (other,) = silent(fleet)
    assert other.opened_at > found.opened_at


def test_the_limit_can_be_set() -> None:
    fleet = Fleet(thresholds=Thresholds(feed_silent_minutes=60))
    fleet.sees(born("i-1"), heartbeat())
    assert not silent(fleet, 59)
    assert silent(fleet, 60)


class TestWhatItExplains:
    """A wait whose end could not be heard has the silence as its parent."""

    def test_a_wait_that_became_too_long_in_the_silence(self, fleet: Fleet) -> None:
        fleet.sees(instance("InstanceProvisioned", "i-1"), script("i-1", "Started"), heartbeat())
        (stuck,) = of_kind(fleet, "stuck", 12)
        assert stuck.parent_id is None  # nobody knows yet that it is a silence
        (stuck,), (feed,) = of_kind(fleet, "stuck", 16), silent(fleet, 16)
        assert stuck.parent_id == feed.anomaly_id
        fleet.waits(30)
        fleet.sees(heartbeat())
        (stuck,) = of_kind(fleet, "stuck")
        assert (stuck.status, stuck.parent_id) == ("open", feed.anomaly_id)

    def test_a_wait_that_was_too_long_before_has_it_while_it_lasts(self, fleet: Fleet) -> None:
        fleet.sees(instance("InstanceProvisioned", "i-1"), script("i-1", "Started"), heartbeat())
        fleet.sees(heartbeat().at(14 * 60))
        (feed,) = silent(fleet, 16)
        assert [a.parent_id for a in of_kind(fleet, "stuck", 16)] == [feed.anomaly_id]
        fleet.sees(heartbeat().at(3600))
        assert [a.parent_id for a in of_kind(fleet, "stuck")] == [None]

    def test_a_fault_explains_more(self, fleet: Fleet) -> None:
        fleet.sees(instance("InstanceProvisioned", "i-1"), script("i-1", "Started"), script("i-1", "Failed"))
        fleet.sees(heartbeat())
        (stuck,) = of_kind(fleet, "stuck", 100)
        assert stuck.parent_id == fleet.only("lifecycle_script_failed").anomaly_id

    def test_the_groups_own_wait_explains_more(self, fleet: Fleet) -> None:
        fleet.sees(instance("ReplacementStarted", "i-1"), group("FsxCreationStarted"), heartbeat())
        found = {a.resource_type: a for a in of_kind(fleet, "stuck", 40)}
        (feed,) = silent(fleet, 40)
        assert found["InstanceGroup"].parent_id == feed.anomaly_id
        assert found["Instance"].parent_id == found["InstanceGroup"].anomaly_id
