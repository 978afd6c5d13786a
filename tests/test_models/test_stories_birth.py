"""Stories of instances that come: provisioning, lifecycle scripts, failures on the way and what ends them."""

from __future__ import annotations

import pytest

from tests.fleet import Fleet
from tests.stories import Event, born, cluster, group, instance, script, shown, state_change, terminated

NO_CAPACITY = "We currently do not have sufficient capacity to launch new ml.p5.48xlarge instances. Please try again."


def test_an_eks_cluster_is_created_step_by_step(fleet: Fleet) -> None:
    fleet.sees(
        state_change("Creating", workers=shown("Creating", 0, 2)),
        cluster("ClusterOperationStarted", "creation"),
        cluster("SlrAccessEntrySucceeded", "creation"),
        cluster("EksAccessEntriesSucceeded", "creation"),
        group("GroupOperationStarted", "creation").counts(0, 2),
        group("NetworkConfigurationFound"),
        group("NetworkConfigurationDetermined"),
    )
    assert (fleet.phase("train"), fleet.phase("workers")) == ("Creating", "Creating")
    fleet.sees(born("i-1", "s-1"), born("i-2", "s-2"))
    fleet.sees(instance("KubernetesConfigUpdated", "i-1"), instance("KubernetesConfigUpdated", "i-2"))
    fleet.sees(
        group("GroupOperationCompleted", "creation").counts(2, 2),
        cluster("ClusterOperationCompleted", "creation"),
        state_change("InService", workers=shown("InService", 2, 2)),
    )
    assert (fleet.phase("train"), fleet.phase("workers"), fleet.phase("i-1")) == ("InService",) * 3
    assert fleet.group().machines["network"] == "Configured"
    assert fleet.cluster().machines["access"] == "Configured"
    assert (fleet.group().current_count, fleet.group().target_count) == (2, 2)
    assert {item.origin for item in (fleet.cluster(), fleet.group(), fleet.instance("i-1"))} == {"observed"}
    assert fleet.anomalies() == []


def test_a_slurm_cluster_is_created(fleet: Fleet) -> None:
    fleet.sees(
        cluster("ClusterOperationStarted", "creation"),
        group("GroupOperationStarted", "creation", of="controller").counts(0, 1),
        group("ProvisioningParametersFound", of="controller"),
        cluster("MungeKeyCreated"),
        born("i-1", "s-1", group="controller"),
        group("GroupOperationCompleted", "creation", of="controller").counts(1, 1),
        cluster("SlurmDriftPassed"),
        cluster("ClusterOperationCompleted", "creation"),
    )
    assert fleet.machine("train", "slurm_config") == "InSync"
    assert fleet.phase("controller") == "InService"
    assert fleet.anomalies() == []


def test_every_step_of_a_birth_has_its_phase(fleet: Fleet) -> None:
    phases: list[str] = []
    for event in born("i-1", "s-1"):
        fleet.sees(event)
        phases.append(fleet.phase("i-1" if len(phases) > 1 else "s-1"))
    assert phases == ["Provisioning"] * 3 + ["LifecycleScript", "InService", "InService"]
    assert [item.machine for item in fleet.instance("i-1").history].count("provision") == 4
    assert fleet.anomalies() == []


def test_without_metadata_a_birth_begins_at_provisioned(fleet: Fleet) -> None:
    fleet.sees([event.bare() for event in born("i-1")])
    assert fleet.phase("i-1") == "InService"
    assert fleet.instance("i-1").origin == "observed"
    assert fleet.anomalies() == []


def test_a_group_without_scripts_is_in_service_by_the_creations_own_word(fleet: Fleet) -> None:
    fleet.sees(instance("InstanceProvisioned", "i-1"), instance("InstanceOperationCompleted", "i-1", "creation"))
    assert fleet.phase("i-1") == "InService"
    assert fleet.machine("i-1", "lifecycle_script") == "NotRun"
    assert fleet.anomalies() == []


def test_a_slot_becomes_the_instance_when_its_id_appears(fleet: Fleet) -> None:
    fleet.sees(born("i-1", "s-1")[:2])
    slot = fleet.instance("s-1")
    assert (slot.instance_id, slot.node_logical_id, slot.phase) == (None, "s-1", "Provisioning")
    assert fleet.group().members == {}
    fleet.sees(born("i-1", "s-1")[2:])
    assert [item.instance_id for item in fleet.document().instances] == ["i-1"]
    assert fleet.group().members == {"InService": 1}


def test_script_retries_are_legal_and_the_last_success_resolves(fleet: Fleet) -> None:
    fleet.sees(instance("InstanceProvisioned", "i-1"))
    for _ in range(2):
        fleet.sees(script("i-1", "Started"), script("i-1", "Failed"))
        assert fleet.phase("i-1") == "Failed"
    fleet.sees(script("i-1", "Started"))
    assert fleet.phase("i-1") == "LifecycleScript"
    fleet.sees(script("i-1", "Succeeded"))
    assert fleet.phase("i-1") == "InService"
    fault = fleet.only("lifecycle_script_failed")
    assert (fault.status, fault.count, fault.cause, fault.machine) == (
        "resolved",
        2,
        "lifecycle_script",
        "lifecycle_script",
    )
    assert fleet.kinds() == ["lifecycle_script_failed"]


def test_a_failed_script_and_the_failed_creation_are_one_fault(fleet: Fleet) -> None:
    fleet.sees(
        instance("InstanceProvisioned", "i-1"),
        script("i-1", "Started").at(120),
        instance("LifecycleScriptFailedWithLogs", "i-1").at(300),
        instance("InstanceOperationFailed", "i-1", "creation").at(303),
    )
    fault = fleet.only("lifecycle_script_failed")
    assert (fault.count, len(fault.evidence), fault.state) == (1, 2, "Failed")
    fleet.sees(script("i-1", "Started"), script("i-1", "Succeeded"))
    assert fleet.only("lifecycle_script_failed").status == "resolved"
    assert fleet.kinds() == ["lifecycle_script_failed"]


def test_the_particular_kind_wins_in_whatever_order_it_comes(fleet: Fleet) -> None:
    fleet.sees(
        instance("InstanceProvisioned", "i-1"),
        script("i-1", "Started").at(120),
        instance("InstanceOperationFailed", "i-1", "creation").at(300).named("creation"),
        script("i-1", "Failed").at(304).named("script"),
    )
    fault = fleet.only("lifecycle_script_failed")
    assert (fault.count, fault.evidence) == (1, ("creation", "script"))
    assert fleet.kinds() == ["lifecycle_script_failed"]


def test_two_events_of_one_fault_of_an_instance(fleet: Fleet) -> None:
    fleet.sees(
        instance("InstanceProvisionFailed", "i-1").because(NO_CAPACITY).at(60),
        instance("InstanceOperationFailed", "i-1", "creation").at(61),
    )
    fault = fleet.only("operation_failed")
    assert (fault.count, len(fault.evidence), fault.cause, fault.resource_type) == (1, 2, "capacity", "Instance")


def test_two_events_of_one_fault_of_a_slot(fleet: Fleet) -> None:
    fleet.sees(
        instance("InstanceOperationStarted").slot("s-1"),
        instance("InstanceProvisionFailed").slot("s-1").because(NO_CAPACITY).at(120),
        instance("InstanceOperationFailed", None, "creation").slot("s-1").at(121),
    )
    fault = fleet.only("operation_failed")
    assert (fault.count, fault.instance_id, fault.node_logical_id) == (1, None, "s-1")
    assert fleet.phase("s-1") == "Failed"


def test_a_slots_failure_and_its_instances_are_one_fault(fleet: Fleet) -> None:
    fleet.sees(
        instance("InstanceOperationStarted").slot("s-1"),
        instance("InstanceProvisionFailed").slot("s-1").because(NO_CAPACITY).at(120),
        instance("InstanceOperationFailed", "i-1", "creation").slot("s-1").at(121),
    )
    fault = fleet.only("operation_failed")
    assert (fault.count, fault.instance_id, fault.cause, len(fault.evidence)) == (1, "i-1", "capacity", 2)


def test_a_failure_known_by_group_only_joins_the_instances(fleet: Fleet) -> None:
    fleet.sees(
        instance("InstanceProvisioned", "i-1"),
        instance("InstanceProvisionFailed").because(NO_CAPACITY).at(120),
        instance("InstanceOperationFailed", "i-1", "creation").at(121),
    )
    fault = fleet.only("operation_failed")
    assert (fault.instance_id, fault.count, len(fault.evidence), fault.cause) == ("i-1", 1, 2, "capacity")


def test_after_five_seconds_it_is_another_fault(fleet: Fleet) -> None:
    fleet.sees(
        instance("InstanceProvisionFailed", "i-1").at(60), instance("InstanceOperationFailed", "i-1", "creation").at(66)
    )
    assert fleet.only("operation_failed").count == 2


def test_group_only_faults_end_when_as_many_have_come(fleet: Fleet) -> None:
    fleet.sees(
        group("GroupOperationStarted", "creation").counts(0, 2),
        instance("InstanceProvisionFailed").because(NO_CAPACITY),
        instance("InstanceProvisionFailed").because(NO_CAPACITY),
    )
    fault = fleet.only("operation_failed")
    assert (fault.count, fault.resource_type, fault.instance_group, fault.status) == (
        2,
        "InstanceGroup",
        "workers",
        "open",
    )
    fleet.sees(born("i-1"), group("NetworkConfigurationFound").counts(2, 2))
    assert fleet.only("operation_failed").status == "open"
    fleet.sees(born("i-2"))
    assert fleet.only("operation_failed").status == "resolved"
    assert fleet.kinds() == ["operation_failed"]


def test_group_only_faults_wait_for_the_target(fleet: Fleet) -> None:
    fleet.sees(
        group("GroupOperationStarted", "creation").counts(0, 2), instance("InstanceProvisionFailed"), born("i-1")
    )
    assert fleet.only("operation_failed").status == "open"


def test_group_only_faults_end_with_the_groups_operation(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "creation").counts(0, 1), instance("InstanceProvisionFailed"))
    fleet.sees(group("GroupOperationCompleted", "creation").counts(1, 1))
    assert fleet.only("operation_failed").status == "resolved"


def test_an_operation_that_failed_ends_no_fault(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "creation").counts(0, 1), instance("InstanceProvisionFailed"))
    fleet.sees(group("GroupOperationFailed", "creation"))
    assert fleet.kinds("open") == ["operation_failed", "operation_failed"]


def no_capacity(slot: str) -> list[Event]:
    """An attempt at one more instance, for which there is no capacity."""
    starts = instance("InstanceOperationStarted", operation="creation").slot(slot)
    return [starts, instance("InstanceProvisionFailed").slot(slot).because(NO_CAPACITY)]


def test_a_slot_that_is_no_longer_wanted_is_nobodys_fault(fleet: Fleet) -> None:
    """Who asked for one more and gave it up gets no event about the slot that never had an instance."""
    fleet.sees(
        group("GroupOperationStarted", "creation"), born("i-1", "s-1"), group("GroupOperationCompleted", "creation")
    )
    fleet.sees(group("GroupOperationStarted", "scaling").counts(1, 2), no_capacity("s-2"), no_capacity("s-2"))
    day = fleet.clock + 24 * 3_600_000
    assert {a.kind for a in fleet.document(day).anomalies if a.status == "open"} == {"operation_failed", "stuck"}
    fleet.sees(
        group("GroupOperationStarted", "scaling").counts(1, 1), group("GroupOperationCompleted", "scaling").counts(1, 1)
    )
    (found,) = fleet.document(day).anomalies
    assert (found.kind, found.status, found.count) == ("operation_failed", "resolved", 2)
    fleet.sees(group("GroupOperationStarted", "scaling").counts(1, 2), no_capacity("s-2"))
    assert fleet.only("operation_failed").status == "open"


def test_the_place_of_one_that_was_there_stays_wanted(fleet: Fleet) -> None:
    """What is counted while an instance is being replaced says nothing of its slot."""
    fleet.sees(group("GroupOperationStarted", "creation").counts(0, 1), born("i-1", "s-1"))
    fleet.sees(group("GroupOperationCompleted", "creation").counts(1, 1), terminated("i-1"))
    fleet.sees(instance("ReplacementStarted").slot("s-1"), no_capacity("s-1"))
    fleet.sees(
        group("GroupOperationStarted", "scaling").counts(0, 1), group("GroupOperationStarted", "scaling").counts(1, 1)
    )
    assert fleet.only("operation_failed").status == "open"


def test_a_capacity_retry_that_succeeds_resolves_the_slots_fault(fleet: Fleet) -> None:
    fleet.sees(
        instance("InstanceOperationStarted").slot("s-1"),
        instance("InstanceProvisionFailed").slot("s-1").because(NO_CAPACITY),
    )
    fleet.waits(20)
    fleet.sees(born("i-1", "s-1")[1:])
    assert fleet.phase("i-1") == "InService"
    fault = fleet.only("operation_failed")
    assert (fault.status, fault.instance_id) == ("resolved", "i-1")


@pytest.mark.parametrize("code", ["PayloadSetupFailed", "EniCreationFailed", "InstanceProvisionFailed"])
def test_what_fails_before_there_is_an_instance_is_failed_and_retried(fleet: Fleet, code: str) -> None:
    fleet.sees(instance("InstanceOperationStarted").slot("s-1"), instance(code).slot("s-1"))
    assert fleet.phase("s-1") == "Failed"
    fleet.sees(born("i-1", "s-1"))
    assert fleet.phase("i-1") == "InService"
    assert (fleet.kinds("open"), fleet.kinds("resolved")) == ([], ["operation_failed"])


@pytest.mark.parametrize("operation", ["reboot", "update", "deletion"])
def test_what_is_done_to_an_instance_that_only_its_slot_names_begins_no_other_one(fleet: Fleet, operation: str) -> None:
    fleet.sees(born("i-1", "s-1"), instance("InstanceOperationStarted", operation=operation).slot("s-1"))
    assert [item.instance_id for item in fleet.document().instances] == ["i-1"]


STARTS_THAT_FAILED = [
    (instance("ReplacementStartFailed").slot("s-1"), "replacement_failed"),
    (instance("InstanceOperationStartFailed", operation="replacement").slot("s-1"), "replacement_failed"),
    (instance("InstanceOperationStartFailed", operation="creation").slot("s-1"), "operation_failed"),
]


@pytest.mark.parametrize(("start", "kind"), STARTS_THAT_FAILED)
def test_a_start_that_failed_is_not_that_of_the_instance_before(fleet: Fleet, start: Event, kind: str) -> None:
    fleet.sees(born("i-1", "s-1"), terminated("i-1"), start)
    assert (fleet.phase("i-1"), fleet.phase("s-1"), fleet.kinds()) == ("Terminated", "Failed", [kind])


def test_a_status_that_could_not_be_told_is_no_missing_event(fleet: Fleet) -> None:
    fleet.sees(
        instance("InstanceProvisioned", "i-1"),
        script("i-1", "Started"),
        instance("LifecycleScriptStatusUpdateFailed", "i-1"),
        instance("InstanceOperationCompleted", "i-1", "creation"),
    )
    assert fleet.phase("i-1") == "InService"
    assert (fleet.kinds("open"), fleet.kinds("resolved")) == ([], ["operation_failed"])


def test_a_script_is_seen_to_have_been_missed(fleet: Fleet) -> None:
    fleet.sees(instance("InstanceProvisioned", "i-1"), script("i-1", "Succeeded"))
    missing = fleet.only("missing_event")
    assert missing.machine == "lifecycle_script"
    assert "NotRun → Running → Succeeded" in missing.title


def test_a_late_event_takes_the_missing_one_back(fleet: Fleet) -> None:
    fleet.sees(instance("InstanceProvisioned", "i-1"), script("i-1", "Succeeded").at(600))
    assert fleet.kinds() == ["missing_event"]
    fleet.sees(script("i-1", "Started").at(300))
    assert fleet.anomalies() == []


def test_a_script_that_runs_again_for_no_reason_is_unexpected(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), script("i-1", "Started"))
    fault = fleet.only("unexpected_transition")
    assert (fault.machine, fault.state, fault.severity) == ("lifecycle_script", "Running", "warning")
    assert fleet.phase("i-1") == "LifecycleScript"


def test_the_ids_in_the_text_do_where_the_record_has_none(fleet: Fleet) -> None:
    fleet.sees(event.told(InstanceId=None) for event in born("i-1")[1:])
    assert fleet.phase("i-1") == "InService"


def test_a_request_told_twice_is_no_step_back(fleet: Fleet) -> None:
    fleet.sees(born("i-1", "s-1")[:2], instance("InstanceOperationStarted").slot("s-1"), born("i-1", "s-1")[2:])
    assert (fleet.phase("i-1"), fleet.kinds()) == ("InService", [])
