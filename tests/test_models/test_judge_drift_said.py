"""Stories of node lists, statuses and images that contradict the events."""

from __future__ import annotations

from typing import Any

import pytest

from models.machines.agreement import CLUSTER_STATUS, GROUP_STATUS, INSTANCE, SOFTWARE_UPDATE
from models.machines.cluster import MACHINES as CLUSTER_MACHINES
from models.machines.instance_group import MACHINES as GROUP_MACHINES
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
    node_list,
    patched,
    replacing,
    rollout_begins,
    script,
    shown,
    state_change,
    terminated,
)

MINUTE = 60_000
RUNNING = node_list(i_1="Running")
FAILURE = node_list(i_1="Failure")


def drift(fleet: Fleet, minutes: float = 0) -> list[Anomaly]:
    """Contradictions so many minutes after the newest event."""
    return [a for a in fleet.document(fleet.clock + int(minutes * MINUTE)).anomalies if a.kind == "drift"]


def serves(fleet: Fleet) -> None:
    """An instance in service, for longer than views may differ."""
    fleet.sees(born("i-1"))
    fleet.waits(10)


def test_a_node_that_is_said_to_have_failed_is_drift_after_a_quarter_of_an_hour(fleet: Fleet) -> None:
    serves(fleet)
    fleet.sees(FAILURE)
    assert not drift(fleet, 14)
    (found,) = drift(fleet, 15)
    assert (found.status, found.severity, found.resource_type) == ("open", "warning", "Instance")
    assert (found.instance_id, found.instance_group, found.machine) == ("i-1", "workers", "provision")
    assert found.state == "InService"
    assert found.title == "Snapshots contradict events: node lists say Failure, the reconstruction has InService"


def test_or_in_the_next_list(fleet: Fleet) -> None:
    serves(fleet)
    fleet.sees(FAILURE, FAILURE)
    (found,) = drift(fleet)
    assert (found.status, found.opened_at) == ("open", fleet.document().summary.watermark)
    for _ in range(40):
        fleet.sees(FAILURE)
    (still,) = drift(fleet)
    assert (still.anomaly_id, still.opened_at) == (found.anomaly_id, found.opened_at)


def test_it_ends_when_a_list_agrees(fleet: Fleet) -> None:
    serves(fleet)
    fleet.sees(FAILURE, FAILURE, RUNNING)
    (found,) = drift(fleet, 1000)
    assert (found.status, found.resolved_at) == ("resolved", fleet.document().summary.watermark)


def test_it_ends_when_an_event_agrees(fleet: Fleet) -> None:
    serves(fleet)
    fleet.sees(FAILURE, FAILURE, health("i-1", "Unhealthy"))
    assert [a.status for a in drift(fleet)] == ["resolved"]


def test_a_word_that_the_next_list_takes_back_is_none(fleet: Fleet) -> None:
    serves(fleet)
    fleet.sees(FAILURE, RUNNING)
    assert not drift(fleet, 1000)


def test_views_may_differ_for_minutes_around_a_change(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), *[node_list(i_1="Pending")] * 3)
    assert not drift(fleet, 1000)
    fleet.sees(node_list(i_1="Pending"), node_list(i_1="Pending"))
    assert [a.title[-44:] for a in drift(fleet)] == ["say Pending, the reconstruction has InService"[-44:]]


def test_a_terminated_instance_that_runs_is_drift_though_lists_only_go_on_to_say_so(fleet: Fleet) -> None:
    serves(fleet)
    fleet.sees(RUNNING, RUNNING, terminated("i-1"))
    for _ in range(4):
        fleet.sees(RUNNING)
    assert not drift(fleet)  # one list is newer than views may differ
    fleet.sees(RUNNING)
    (found,) = drift(fleet)
    assert (found.machine, found.state) == ("provision", "Terminated")
    assert "say Running" in found.title
    fleet.sees(node_list(i_2="Running"))
    assert [a.status for a in drift(fleet)] == ["resolved"]


def test_contradictions_are_told_although_the_times_of_old_lists_are_forgotten(fleet: Fleet) -> None:
    fleet.order_matters = True  # so many lists are more than the ceiling lets a row retain
    serves(fleet)
    fleet.sees(RUNNING, terminated("i-1"))
    fleet.sees(RUNNING.at(fleet.clock / 1000 + 60 * place) for place in range(1, 520))
    (found,) = drift(fleet)
    assert (found.status, found.state) == ("open", "Terminated")
    fleet.sees(RUNNING)
    assert [(a.anomaly_id, a.opened_at) for a in drift(fleet)] == [(found.anomaly_id, found.opened_at)]


def test_a_node_that_is_no_longer_listed_although_it_lives_is_drift(fleet: Fleet) -> None:
    serves(fleet)
    fleet.sees(RUNNING, node_list(i_2="Running"), node_list(i_2="Running"))
    (found,) = drift(fleet)
    assert found.title.endswith("node lists no longer list it, the reconstruction has InService")
    assert (found.machine, found.state) == ("provision", "InService")
    fleet.sees(RUNNING)
    assert [a.status for a in drift(fleet)] == ["resolved"]


def test_pages_of_one_list_are_one_list(fleet: Fleet) -> None:
    def page(name: str, *, more: bool = False) -> Event:
        event = node_list(**{name: "Running"})
        return Event("", event.detail | ({"NextToken": "2"} if more else {}))

    fleet.sees(born("i-1"), born("i-2"))
    for poll in range(30, 60):
        fleet.sees(page("i_1", more=True).at(poll * 60), page("i_2").at(poll * 60 + poll % 3))
    assert not drift(fleet, 1000)


def test_failed_attempts_vanish_between_retries(fleet: Fleet) -> None:
    fleet.sees(instance("InstanceProvisioned", "i-1"), script("i-1", "Started"), node_list(i_1="Pending"))
    fleet.sees(script("i-1", "Failed"))
    fleet.waits(10)
    fleet.sees(*[node_list(i_2="Running")] * 3)
    assert not drift(fleet, 1000)


def test_an_instance_that_was_replaced_may_be_said_anything_of(fleet: Fleet) -> None:
    serves(fleet)
    fleet.sees(RUNNING, health("i-1", "Unhealthy", "Replace"), replacing("i-2"))
    fleet.waits(10)
    fleet.sees(*[node_list(i_2="Running")] * 3)
    assert not drift(fleet, 1000)


def test_a_termination_that_failed_leaves_it_running(fleet: Fleet) -> None:
    serves(fleet)
    fleet.sees(instance("TerminationInProgress", "i-1"), instance("TerminationFailed", "i-1"))
    fleet.waits(10)
    fleet.sees(RUNNING, RUNNING)
    assert not drift(fleet, 1000)


def test_an_instance_may_be_updated_while_its_group_is(fleet: Fleet) -> None:
    serves(fleet)
    fleet.sees(rollout_begins())
    fleet.waits(10)
    updating = node_list(i_1="SystemUpdating")
    fleet.sees(updating, updating, patched("i-1"), group("PatchCompleted"), updating)
    assert not drift(fleet)
    fleet.waits(5)
    fleet.sees(updating, updating)
    assert [a.status for a in drift(fleet)] == ["open"]


def test_so_may_one_whose_group_is_rolled_back_but_no_longer_than_that(fleet: Fleet) -> None:
    serves(fleet)
    updating = node_list(i_1="SystemUpdating")
    fleet.sees(rollout_begins(), patched("i-1"), group("GroupRollbackStarted"))
    fleet.sees(instance("InstanceRollbackStarted", "i-1"), instance("InstanceRolledBack", "i-1"))
    fleet.waits(10)
    fleet.sees(updating, updating)
    assert [a.status for a in drift(fleet)] == ["open"]
    fleet.sees(rollout_begins(), updating, updating)
    assert [a.status for a in drift(fleet)] == ["resolved"]


def test_another_word_that_is_wrong_too_goes_on_with_it(fleet: Fleet) -> None:
    serves(fleet)
    fleet.sees(FAILURE, node_list(i_1="ShuttingDown"))
    (found,) = drift(fleet)
    assert "say ShuttingDown" in found.title
    fleet.sees(node_list(i_2="Running"))
    (more,) = drift(fleet)
    assert (more.anomaly_id, more.status) == (found.anomaly_id, "open")
    assert "no longer list it" in more.title


def test_what_nobody_told_of_is_judged_by_nothing(fleet: Fleet) -> None:
    fleet.sees(FAILURE, RUNNING, node_list(i_2="Dancing"), node_list(i_2="Running"), health("i-2", "Healthy"))
    assert not drift(fleet, 1000)


# Groups and clusters


def both(status: str, **of_group: Any) -> Event:
    body = shown(of_group.pop("status", status), 1, 1, of_group.pop("update", None)) | of_group
    return described(status, workers=body)


def test_a_group_in_service_that_is_being_deleted_is_drift(fleet: Fleet) -> None:
    fleet.sees(both("InService"), group("GroupOperationStarted", "deletion"))
    fleet.sees(*[both("InService")] * 5)  # taken while views may differ
    assert not drift(fleet, 1000)
    fleet.sees(both("InService"))
    assert not drift(fleet, 14)
    (found,) = drift(fleet, 15)
    assert (found.resource_type, found.instance_group, found.machine) == ("InstanceGroup", "workers", "operation")
    assert found.title.endswith("they say Status InService, the reconstruction has operation Deleting")
    fleet.waits(20)
    fleet.sees(group("GroupOperationCompleted", "deletion"))
    assert [a.status for a in drift(fleet)] == ["open"]
    fleet.sees(group("GroupOperationStarted", "creation"))
    assert [a.status for a in drift(fleet)] == ["resolved"]


def test_a_group_in_service_whose_rollout_goes_on_is_drift_until_its_end_is_told(fleet: Fleet) -> None:
    fleet.sees(both("InService"), rollout_begins())
    fleet.waits(10)
    fleet.sees(both("InService", update="InProgress"), both("InService"), both("InService"))
    (found,) = drift(fleet)
    assert (found.machine, found.state) == ("patch", "InProgress")
    fleet.sees(group("PatchCompleted"))
    assert [a.status for a in drift(fleet)] == ["resolved"]


def test_an_update_that_failed_and_was_completed_is_drift(fleet: Fleet) -> None:
    fleet.sees(both("InService"), rollout_begins(), group("PatchCompleted"))
    fleet.waits(10)
    fleet.sees(*[both("InService", update="RollbackComplete")] * 2)
    (found,) = drift(fleet)
    assert "SoftwareUpdateStatus RollbackComplete, the reconstruction has patch Completed" in found.title


def test_a_group_that_scales_may_be_in_service(fleet: Fleet) -> None:
    fleet.sees(both("InService"), group("GroupOperationStarted", "scaling"))
    fleet.waits(10)
    fleet.sees(*[both("InService")] * 3)
    assert not drift(fleet, 10)


def test_a_cluster_in_service_that_is_being_deleted_is_drift(fleet: Fleet) -> None:
    fleet.sees(both("InService"), cluster("ClusterOperationStarted", "deletion"))
    fleet.waits(10)
    fleet.sees(both("InService"), both("InService"))
    (found,) = drift(fleet)
    assert (found.resource_type, found.instance_group, found.machine) == ("Cluster", None, "operation")
    fleet.sees(both("Deleting"))
    assert [a.status for a in drift(fleet)] == ["resolved"]


# Images


def imaged(current: str, desired: str, status: str = "SystemUpdating") -> Event:
    return both(status, CurrentImageId=current, DesiredImageId=desired)


def test_images_swap_when_a_rollback_begins(fleet: Fleet) -> None:
    fleet.sees(rollout_begins(), imaged("ami-old", "ami-new"))
    fleet.waits(10)
    fleet.sees(imaged("ami-new", "ami-old"), imaged("ami-new", "ami-old"))
    (found,) = drift(fleet)
    assert (found.machine, found.state) == ("patch", "InProgress")
    assert "swapped as in a rollback" in found.title
    fleet.sees(group("GroupRollbackStarted"))
    assert [a.status for a in drift(fleet)] == ["resolved"]


def test_images_that_do_not_swap_contradict_a_rollback(fleet: Fleet) -> None:
    fleet.sees(rollout_begins(), imaged("ami-old", "ami-new"), group("GroupRollbackStarted"))
    fleet.sees(*[imaged("ami-old", "ami-new")] * 5)
    assert not drift(fleet, 1000)
    fleet.sees(imaged("ami-old", "ami-new"), imaged("ami-old", "ami-new"))
    assert [a.machine for a in drift(fleet)] == ["rollback"]
    fleet.sees(imaged("ami-new", "ami-old"))
    assert [a.status for a in drift(fleet)] == ["resolved"]


def rolled_back() -> list[Event]:
    return [instance("InstanceRollbackStarted", "i-1"), instance("InstanceRolledBack", "i-1")]


def test_a_group_whose_members_are_all_back_may_be_said_to_be_in_service(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), rollout_begins(), patched("i-1"), group("GroupRollbackStarted"), rolled_back())
    assert fleet.group().machines["rollback"] == "RolledBack"
    fleet.waits(10)
    fleet.sees(*[state_change("InService", workers=shown("InService", 1, 1))] * 2)
    assert not drift(fleet, 60)


def test_what_was_said_too_early_of_a_rollback_is_over_once_the_members_are_back(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), rollout_begins(), patched("i-1"), group("GroupRollbackStarted"))
    fleet.waits(10)
    fleet.sees(*[state_change("InService", workers=shown("InService", 1, 1))] * 2)
    assert [(a.machine, a.status) for a in drift(fleet)] == [("rollback", "open")]
    fleet.sees(rolled_back())
    assert [(a.machine, a.status) for a in drift(fleet)] == [("rollback", "resolved")]


def test_an_update_that_has_completed_has_put_the_desired_image_in_place(fleet: Fleet) -> None:
    fleet.sees(rollout_begins(), imaged("ami-old", "ami-new"), group("PatchCompleted"))
    fleet.waits(10)
    fleet.sees(*[imaged("ami-old", "ami-new", "InService")] * 2)
    assert [(a.machine, a.state) for a in drift(fleet)] == [("patch", "Completed")]
    fleet.sees(imaged("ami-new", "ami-new", "InService"))
    assert [a.status for a in drift(fleet)] == ["resolved"]
    fleet.waits(60)
    fleet.sees(*[imaged("ami-new", "ami-newer", "InService")] * 3)  # another update is wanted
    assert [a.status for a in drift(fleet, 60)] == ["resolved"]


def test_members_that_were_skipped_keep_the_old_image(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), rollout_begins(), instance("PatchSkipped", "i-1"), imaged("ami-old", "ami-new"))
    fleet.sees(group("PatchCompleted"))
    fleet.waits(10)
    fleet.sees(*[imaged("ami-old", "ami-new", "InService")] * 2)
    assert not drift(fleet, 60)


def test_state_changes_are_snapshots_too(fleet: Fleet) -> None:
    fleet.sees(both("InService"), group("GroupOperationStarted", "deletion"))
    fleet.waits(10)
    fleet.sees(*[state_change("InService", workers=shown("InService", 1, count)) for count in (1, 2)])
    assert [a.status for a in drift(fleet)] == ["open"]


@pytest.mark.parametrize("table", [GROUP_STATUS, SOFTWARE_UPDATE, CLUSTER_STATUS])
def test_the_tables_name_states_that_there_are(table: Any) -> None:
    machines = CLUSTER_MACHINES if table is CLUSTER_STATUS else GROUP_MACHINES
    for against in table.values():
        for machine, states in against.items():
            assert states <= set(machines[machine])


def test_the_words_of_a_node_are_those_of_the_api() -> None:
    words = "Running Failure Failed Pending ShuttingDown SystemUpdating DeepHealthCheckInProgress NotFound"
    assert set(INSTANCE) == {*words.split(), None}


def test_a_group_that_is_being_made_may_be_missing_from_a_view_that_lags(fleet: Fleet) -> None:
    head = shown("InService", 1, 1)
    fleet.sees(described("InService", head=head), group("GroupOperationStarted", "creation"))
    fleet.sees(described("InService", head=head, workers=shown("Creating", 0, 1)), *[described("InService", head=head)])
    fleet.sees(described("InService", head=head), described("InService", head=head, workers=shown("Creating", 0, 1)))
    assert not drift(fleet, 1000)


def test_snapshots_by_the_minute_leave_the_history_to_events(fleet: Fleet) -> None:
    fleet.sees(cluster("ClusterOperationStarted", "creation"), group("GroupOperationStarted", "creation"))
    fleet.sees(*[described("Creating", workers=shown("Creating", 0, 2))] * 210)
    stuck = [a for a in fleet.anomalies("stuck") if a.resource_type == "Cluster"]
    assert [a.status for a in stuck] == ["open"]
