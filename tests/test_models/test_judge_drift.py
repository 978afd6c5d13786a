"""Stories of snapshots that contradict the events."""

from __future__ import annotations

import pytest

from models.public import Anomaly
from tests.fleet import Fleet
from tests.stories import (
    Event,
    born,
    cluster,
    described,
    group,
    health,
    instance,
    script,
    shown,
    state_change,
    terminated,
)

MINUTE = 60_000


def drift(fleet: Fleet, minutes: float = 0) -> list[Anomaly]:
    """Contradictions so many minutes after the newest event."""
    return [a for a in fleet.document(fleet.clock + int(minutes * MINUTE)).anomalies if a.kind == "drift"]


def workers(current: int, target: int = 2) -> Event:
    return state_change("InService", workers=shown("InService", current, target))


def two_are_born(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "creation").counts(0, 2), born("i-1", "s-1"), born("i-2", "s-2"))
    fleet.sees(group("GroupOperationCompleted", "creation").counts(2, 2))


def test_a_count_that_cannot_be_is_drift_after_a_quarter_of_an_hour(fleet: Fleet) -> None:
    two_are_born(fleet)
    fleet.sees(workers(5, 5))
    assert not drift(fleet, 14)
    (found,) = drift(fleet, 15)
    assert (found.status, found.severity, found.instance_group) == ("open", "warning", "workers")
    assert found.title == "Snapshots contradict events: snapshots count 5, the reconstruction has 2"
    assert len(found.evidence) == 1


def test_it_is_drift_at_once_in_the_next_snapshot(fleet: Fleet) -> None:
    two_are_born(fleet)
    fleet.sees(workers(5, 5))
    assert not drift(fleet)
    fleet.sees(workers(5, 5))
    (found,) = drift(fleet)
    assert (found.status, found.opened_at) == ("open", fleet.document().summary.watermark)
    fleet.sees(workers(4, 5))
    (more,) = drift(fleet)
    assert (more.anomaly_id, more.opened_at) == (found.anomaly_id, found.opened_at)
    assert more.updated_at == fleet.document().summary.watermark
    assert "count 4" in more.title


def test_it_ends_when_a_snapshot_agrees(fleet: Fleet) -> None:
    two_are_born(fleet)
    fleet.sees(workers(5, 5))
    fleet.waits(20)
    fleet.sees(workers(2))
    (found,) = drift(fleet)
    assert (found.status, found.resolved_at) == ("resolved", fleet.document().summary.watermark)


def test_it_ends_when_events_agree(fleet: Fleet) -> None:
    two_are_born(fleet)
    fleet.sees(workers(3, 3))
    fleet.waits(20)
    fleet.sees(born("i-3", "s-3")[:1])
    assert [a.status for a in drift(fleet)] == ["resolved"]


def test_a_contradiction_that_the_next_snapshot_takes_back_is_none(fleet: Fleet) -> None:
    two_are_born(fleet)
    fleet.sees(workers(5, 5), workers(2))
    assert not drift(fleet, 1000)


def test_between_the_snapshots_members_may_come_and_go(fleet: Fleet) -> None:
    two_are_born(fleet)
    fleet.sees(workers(2), group("GroupOperationStarted", "scaling").counts(2, 1), terminated("i-2"))
    assert not drift(fleet, 1000)
    fleet.sees(workers(2), workers(2), workers(2))  # taken before the views were one again
    assert not drift(fleet, 1000)
    fleet.waits(2)
    fleet.sees(workers(2), workers(2))
    assert [a.status for a in drift(fleet)] == ["open"]


def test_those_who_come_and_those_who_leave_may_be_counted_or_not(fleet: Fleet) -> None:
    two_are_born(fleet)
    fleet.sees(instance("TerminationInProgress", "i-2").slot("s-2"), born("i-3", "s-3")[:2])
    for count in (1, 2, 3):
        fleet.sees(workers(count))
    assert not drift(fleet, 1000)


@pytest.mark.parametrize("trouble", [script("i-1", "Failed"), health("i-1", "Unhealthy", "Replace")])
def test_what_goes_wrong_later_does_not_make_an_old_count_right(fleet: Fleet, trouble: Event) -> None:
    two_are_born(fleet)
    fleet.waits(10)
    fleet.sees(workers(1))
    fleet.waits(30)
    fleet.sees(workers(2))
    (before,) = drift(fleet)
    fleet.sees(trouble)
    assert before.status == "resolved"
    assert drift(fleet) == [before]


def test_a_node_that_has_failed_may_be_counted_or_not_from_then_on(fleet: Fleet) -> None:
    two_are_born(fleet)
    fleet.waits(10)
    fleet.sees(workers(1))
    fleet.waits(30)
    fleet.sees(script("i-1", "Failed"))
    assert [a.status for a in drift(fleet)] == ["resolved"]


def test_an_adopted_group_is_not_judged(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), workers(5, 5), workers(5, 5))
    assert not drift(fleet, 1000)


def test_a_cluster_without_events_of_its_instances_is_not_judged(fleet: Fleet) -> None:
    fleet.sees(state_change("Creating", workers=shown("Creating", 0, 2)), workers(2), workers(2))
    assert not drift(fleet, 1000)


# Groups that vanish


def both(*names: str) -> Event:
    return described("InService", **{name: shown("InService", 1, 1) for name in names})


def test_a_group_that_vanishes_is_drift(fleet: Fleet) -> None:
    fleet.sees(both("workers", "head"), both("head"))
    assert not drift(fleet, 14)
    (found,) = drift(fleet, 15)
    assert (found.status, found.instance_group) == ("open", "workers")
    fleet.waits(2)
    fleet.sees(both("head"))
    (again,) = drift(fleet)
    assert (again.status, again.opened_at) == ("open", fleet.document().summary.watermark)
    for _ in range(3):
        fleet.waits(2)
        fleet.sees(both("head"))
        assert [a.opened_at for a in drift(fleet)] == [again.opened_at]
    fleet.sees(both("workers", "head"))
    (over,) = drift(fleet, 1000)
    assert (over.status, over.anomaly_id, over.opened_at) == ("resolved", again.anomaly_id, again.opened_at)


def test_a_group_that_is_back_in_the_next_snapshot_never_vanished(fleet: Fleet) -> None:
    fleet.sees(both("workers", "head"), both("head"), both("workers", "head"))
    assert not drift(fleet, 1000)


def test_events_of_a_vanished_group_do_not_bring_it_back(fleet: Fleet) -> None:
    fleet.sees(both("workers", "head"), both("head"))
    fleet.waits(20)
    fleet.sees(group("NetworkConfigurationFound"))
    assert [a.status for a in drift(fleet)] == ["open"]


def test_a_deleted_group_may_vanish(fleet: Fleet) -> None:
    fleet.sees(both("workers", "head"), group("GroupOperationStarted", "deletion"), both("head"), both("head"))
    assert not drift(fleet, 1000)
    fleet.sees(group("GroupOperationStarted", "creation"))
    assert not drift(fleet, 1000)


def test_a_deletion_that_is_told_late_ends_it(fleet: Fleet) -> None:
    fleet.sees(both("workers", "head"), both("head"))
    fleet.waits(20)
    fleet.sees(group("GroupOperationStarted", "deletion"))
    assert [a.status for a in drift(fleet)] == ["resolved"]


def test_a_cluster_that_is_gone_contradicts_nothing(fleet: Fleet) -> None:
    two_are_born(fleet)
    fleet.sees(workers(5, 5), workers(5, 5))
    fleet.sees(cluster("ClusterOperationStarted", "deletion"), cluster("ClusterOperationCompleted", "deletion"))
    assert [a.status for a in drift(fleet, 1000)] == ["resolved"]


def test_hundreds_of_snapshots_keep_one_contradiction(fleet: Fleet) -> None:
    two_are_born(fleet)
    fleet.sees(workers(5, 5), workers(5, 5))
    (first,) = drift(fleet)
    for _ in range(150):
        fleet.sees(workers(5, 5))
    (last,) = drift(fleet)
    assert (last.anomaly_id, last.opened_at) == (first.anomaly_id, first.opened_at)
