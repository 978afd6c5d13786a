"""Stories of disorder: late events, clocks that lie, texts that nobody knows, copies that say more."""

from __future__ import annotations

import pytest

from models.fold import Limits
from tests.fleet import Fleet
from tests.stories import born, cluster, group, health, instance, says, script, shown, state_change, terminated

DAY = 86_400


def test_an_unknown_text_is_one_anomaly_a_shape_and_cluster(fleet: Fleet) -> None:
    fleet.sees(
        says("Instance i-1 danced 3 times", InstanceId="i-1", InstanceGroupName="workers"),
        says("Instance i-2 danced 4 times", InstanceId="i-2", InstanceGroupName="workers"),
        says("Instance i-3 danced 5 times", InstanceId="i-3", InstanceGroupName="others"),
    )
    unknown = fleet.only("unrecognized_event")
    assert (unknown.count, unknown.severity, unknown.resource_type, unknown.status) == (3, "info", "Cluster", "open")
    assert fleet.document().summary.unrecognized == 3
    assert fleet.kinds() == ["unrecognized_event"]
    assert [item.machine for item in fleet.instance("i-1").history] == [None]


def test_an_unknown_status_word_is_part_of_the_shape(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), script("i-1", "Paused"), script("i-1", "Resumed"))
    assert fleet.kinds() == ["unrecognized_event", "unrecognized_event"]
    assert fleet.phase("i-1") == "InService"


def test_an_unknown_word_of_a_snapshot_is_counted_once(fleet: Fleet) -> None:
    fleet.sees(state_change("InService", workers=shown("Dancing", 1, 1), others=shown("Dancing", 1, 1)))
    assert fleet.only("unrecognized_event").count == 1


def test_no_text_is_not_an_unknown_text(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), instance("InstanceProvisioned", "i-1").told(Description=None))
    assert fleet.anomalies() == []


def test_a_clock_that_is_off_by_a_day_is_noted_and_not_believed(fleet: Fleet) -> None:
    fleet.sees(instance("InstanceProvisioned", "i-1").told(EventTime=1_700_000_000_000).at(60))
    suspect = fleet.only("clock_suspect")
    assert (suspect.status, suspect.severity, suspect.instance_id) == ("resolved", "info", "i-1")
    assert fleet.instance("i-1").last_event_time == "2026-05-04T09:01:00.000Z"


def test_clocks_are_noted_once_an_entity_and_day(fleet: Fleet) -> None:
    fleet.sees(
        instance("InstanceProvisioned", "i-1").told(EventTime="soon"),
        script("i-1", "Started").told(EventTime=1),
        instance("InstanceProvisioned", "i-2").told(EventTime=1),
    )
    assert sorted(a.count for a in fleet.anomalies("clock_suspect")) == [1, 2]


def test_beyond_the_bound_it_is_history_only() -> None:
    fleet = Fleet(Limits(lateness_ms=60_000, keep=1))
    fleet.order_matters = True
    fleet.sees(born("i-1"), script("i-1", "Failed").at(30).named("late"))
    late = fleet.only("late_event")
    assert (late.status, late.instance_id, late.evidence) == ("resolved", "i-1", ("late",))
    assert (fleet.phase("i-1"), fleet.document().summary.late) == ("InService", 1)
    assert fleet.kinds() == ["late_event"]
    assert "late" in [item.event_id for item in fleet.instance("i-1").history]
    fleet.check()


def test_what_nobody_knows_is_reported_however_late_it_comes() -> None:
    fleet = Fleet(Limits(lateness_ms=60_000, keep=1))
    fleet.order_matters = True
    fleet.sees(born("i-1"), says("Never heard of it.", InstanceId="i-1", EventTime="soon").at(30))
    assert fleet.kinds() == ["clock_suspect", "late_event", "unrecognized_event"]
    fleet.sees(script("i-1", "Started").at(20), says("Never heard of it.", InstanceId="i-1"))
    assert fleet.only("unrecognized_event").count == 2
    fleet.check()


def test_within_the_bound_order_is_nothing(fleet: Fleet) -> None:
    fleet.sees(reversed([event.at(60 * place) for place, event in enumerate(born("i-1", "s-1"))]))
    assert (fleet.phase("i-1"), fleet.kinds()) == ("InService", [])


def test_a_day_late_is_in_time_among_few_events(fleet: Fleet) -> None:
    fleet.sees(
        terminated("i-1")[-1].at(3 * DAY),
        terminated("i-1")[0].at(3 * DAY - 600),
        instance("InstanceProvisioned", "i-1").at(0),
    )
    assert "late_event" not in fleet.kinds()
    assert fleet.phase("i-1") == "Terminated"


def test_an_enriched_copy_moves_the_event_to_its_slot(fleet: Fleet) -> None:
    plain = instance("InstanceProvisionFailed").named("one").at(60)
    fleet.sees(plain)
    assert fleet.only("operation_failed").resource_type == "InstanceGroup"
    fleet.sees(plain.slot("s-1").because("We do not have sufficient capacity"))  # type: ignore[attr-defined]  # has metadata
    fault = fleet.only("operation_failed")
    assert (fault.resource_type, fault.node_logical_id, fault.cause, fault.count) == ("Instance", "s-1", "capacity", 1)
    assert fleet.document().summary.duplicate == 1


def test_a_zombie_is_taken_back_when_the_end_was_not_the_end(fleet: Fleet) -> None:
    """The end came first on the wire, and it is the older one: nothing was after it."""
    fleet.sees(born("i-1"), terminated("i-1"), instance("KubernetesConfigUpdated", "i-1").at(120))
    assert fleet.anomalies() == []


def test_several_missing_events_are_one_anomaly_each_step(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "creation"), born("i-1"), instance("InstancePatched", "i-1"))
    missing = fleet.only("missing_event")
    assert (missing.machine, missing.severity, missing.status) == ("patch", "warning", "open")
    assert "None → ReplacingRootVolume → Updated" in missing.title


def test_nothing_leads_out_of_a_deleted_cluster(fleet: Fleet) -> None:
    fleet.sees(cluster("ClusterOperationStarted", "deletion"), cluster("ClusterOperationCompleted", "deletion"))
    fleet.sees(cluster("ClusterOperationStarted", "update"))
    assert fleet.only("unexpected_transition").machine == "operation"
    assert "None → Updating" in fleet.only("unexpected_transition").title


def test_the_same_moment_is_judged_by_rank(fleet: Fleet) -> None:
    fleet.sees(
        script("i-1", "Succeeded").at(60),
        instance("InstanceProvisioned", "i-1").at(60),
        script("i-1", "Started").at(60),
    )
    assert (fleet.phase("i-1"), fleet.kinds()) == ("InService", [])


@pytest.mark.parametrize("field", ["InstanceGroupName", "ResourceType", "EventLevel", "ClusterName"])
def test_a_field_that_is_not_there_changes_nothing(fleet: Fleet, field: str) -> None:
    fleet.sees(event.told(**{field: None}) for event in born("i-1")[1:])
    assert (fleet.phase("i-1"), fleet.kinds()) == ("InService", [])


def test_a_health_event_finds_its_group_by_the_instance(fleet: Fleet) -> None:
    fleet.sees(health("i-1", "Unhealthy").at(600), [event.at(60 + n) for n, event in enumerate(born("i-1"))])
    assert fleet.only("unhealthy_node").instance_group == "workers"
