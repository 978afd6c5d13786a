"""Stories of instances that go: terminations, zombies, replacements, reboots, health."""

from __future__ import annotations

import pytest

from tests.fleet import Fleet
from tests.stories import born, group, health, instance, node_list, replacing, says, script, terminated, text


def test_every_step_of_the_end(fleet: Fleet) -> None:
    fleet.sees(born("i-1"))
    phases = []
    for event in terminated("i-1"):
        fleet.sees(event)
        phases.append(fleet.phase("i-1"))
    assert phases == ["Terminating", "Terminated", "Terminated"]
    assert fleet.group().members == {}
    assert fleet.anomalies() == []


@pytest.mark.parametrize("word", ["deletion", "termination", "delete", "Terminating"])
def test_a_completed_deletion_by_any_word_is_the_end(fleet: Fleet, word: str) -> None:
    fleet.sees(
        born("i-1"), instance("TerminationInProgress", "i-1"), instance("InstanceOperationCompleted", "i-1", word)
    )
    assert fleet.phase("i-1") == "Terminated"
    assert fleet.anomalies() == []


def test_an_eni_that_is_deleted_before_the_end_is_not_the_end(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), instance("EniDeleted", "i-1"))
    assert fleet.phase("i-1") == "InService"


def test_the_end_of_an_instance_that_was_never_seen_to_go(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), instance("InstanceOperationCompleted", "i-1", "deletion"))
    assert fleet.phase("i-1") == "Terminated"
    assert "InService → Terminating → Terminated" in fleet.only("missing_event").title


def test_a_termination_that_fails_and_is_done_again(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), instance("TerminationInProgress", "i-1"), instance("TerminationFailed", "i-1"))
    assert fleet.phase("i-1") == "Failed"
    fleet.sees(terminated("i-1"))
    assert (fleet.phase("i-1"), fleet.kinds("open"), fleet.kinds()) == ("Terminated", [], ["operation_failed"])


ZOMBIES = [
    instance("KubernetesConfigUpdated", "i-1"),
    instance("KubernetesConfigUpdateFailed", "i-1"),
    instance("InstanceProvisioned", "i-1"),
    script("i-1", "Started"),
    script("i-1", "Failed"),
    health("i-1", "Unhealthy", "Replace"),
    instance("RebootInProgress", "i-1"),
    instance("TerminationFailed", "i-1"),
    instance("PatchPrepared", "i-1"),
]


@pytest.mark.parametrize("event", ZOMBIES)
def test_what_comes_after_the_end_is_a_zombie_and_nothing_else(fleet: Fleet, event: object) -> None:
    fleet.sees(born("i-1"), terminated("i-1"), event)  # type: ignore[arg-type]  # the parameters are events
    zombie = fleet.only("zombie")
    assert (zombie.status, zombie.severity, zombie.opened_at) == ("resolved", "info", zombie.resolved_at)
    assert fleet.kinds() == ["zombie"]
    assert fleet.phase("i-1") == "Terminated"
    assert fleet.instance("i-1").history[-1].machine is None


CONFIRMATIONS = [
    instance("EniDeleted", "i-1"),
    instance("UnusedEniDeleted", "i-1"),
    instance("TerminationInProgress", "i-1"),
    instance("InstanceOperationCompleted", "i-1", "deletion"),
    instance("InstanceOperationStarted", "i-1", "deletion"),
    instance("ReplacementCompleted", "i-1", "deletion"),
    says(
        "Instance deletion is starting as part of instance replacement in Cluster train and IG workers",
        InstanceId="i-1",
        InstanceGroupName="workers",
    ),
]


@pytest.mark.parametrize("event", CONFIRMATIONS)
def test_what_confirms_the_end_is_no_zombie(fleet: Fleet, event: object) -> None:
    fleet.sees(born("i-1"), terminated("i-1"), event)  # type: ignore[arg-type]  # the parameters are events
    assert fleet.anomalies() == []
    assert fleet.phase("i-1") == "Terminated"


def test_a_snapshot_of_the_dead_is_no_zombie(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), terminated("i-1"), node_list(i_1="ShuttingDown"))
    assert "zombie" not in fleet.kinds()
    assert fleet.instance("i-1").observed.status == "ShuttingDown"  # type: ignore[union-attr]  # it was just observed


def test_a_replacement_names_the_new_instance(fleet: Fleet) -> None:
    phases = []
    for event in replacing("i-2"):
        fleet.sees(event)
        phases.append(fleet.phase("i-2"))
    assert phases == ["Replacing"] * 4 + ["InService"]
    assert fleet.machine("i-2", "replace") == "Replaced"
    assert fleet.anomalies() == []


def test_inside_a_replacement_every_step_of_the_birth_is_optional(fleet: Fleet) -> None:
    fleet.sees(instance("ReplacementStarted", "i-2"), instance("ReplacementCompleted", "i-2", "creation"))
    assert fleet.phase("i-2") == "InService"
    assert fleet.anomalies() == []


@pytest.mark.parametrize("place", [" in Cluster train and IG workers", ""])
def test_with_a_delete_word_it_is_the_old_instance_that_goes(fleet: Fleet, place: str) -> None:
    going = says(
        f"Instance deletion is starting as part of instance replacement{place}",
        InstanceId="i-1",
        InstanceGroupName="workers",
        ResourceType="Instance",
    )
    fleet.sees(born("i-1"), health("i-1", "Unhealthy", "Replace"), going)
    assert (fleet.phase("i-1"), fleet.machine("i-1", "replace")) == ("Terminating", "None")
    fleet.sees(instance("ReplacementCompleted", "i-1", "deletion"))
    assert (fleet.phase("i-1"), fleet.machine("i-1", "replace")) == ("Terminated", "None")
    assert (fleet.kinds("open"), fleet.kinds()) == ([], ["unhealthy_node"])


def test_a_replacement_that_fails_is_made_good_by_the_next_one_of_the_slot(fleet: Fleet) -> None:
    fleet.sees(born("i-1", "s-1"), terminated("i-1"))
    fleet.sees(
        instance("ReplacementStarted", "i-2").slot("s-1"), instance("ReplacementFailed", "i-2", "creation").slot("s-1")
    )
    assert fleet.phase("i-2") == "Failed"
    assert fleet.only("replacement_failed").status == "open"
    fleet.sees(event.slot("s-1") for event in replacing("i-3"))  # type: ignore[attr-defined]  # all have metadata
    assert fleet.only("replacement_failed").status == "resolved"
    assert fleet.kinds() == ["replacement_failed"]


def test_a_replacement_without_slots_is_made_good_within_the_group(fleet: Fleet) -> None:
    fleet.sees(instance("ReplacementStartFailed", "i-2"), terminated("i-2"))
    assert fleet.only("replacement_failed").status == "open", "its end does not replace anything"
    fleet.sees(replacing("i-3"))
    assert fleet.only("replacement_failed").status == "resolved"


def test_a_script_that_fails_inside_a_replacement(fleet: Fleet) -> None:
    fleet.sees(replacing("i-2")[:3], script("i-2", "Failed"))
    assert fleet.phase("i-2") == "Replacing"
    fleet.sees(script("i-2", "Started"), replacing("i-2")[3:])
    assert (fleet.phase("i-2"), fleet.kinds(), fleet.kinds("open")) == ("InService", ["lifecycle_script_failed"], [])


def test_a_replacement_and_its_creation_that_fail_together_are_one_fault(fleet: Fleet) -> None:
    fleet.sees(
        instance("ReplacementStarted", "i-2"),
        instance("InstanceOperationFailed", "i-2", "creation").at(300),
        instance("ReplacementFailed", "i-2", "creation").at(301),
    )
    assert fleet.only("replacement_failed").count == 1
    assert fleet.kinds() == ["replacement_failed"]


def test_a_reboot_from_the_request_to_its_end(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), instance("InstanceOperationStarted", "i-1", "reboot"), instance("RebootInProgress", "i-1"))
    assert fleet.phase("i-1") == "Rebooting"
    fleet.sees(instance("InstanceOperationCompleted", "i-1", "reboot"))
    assert (fleet.phase("i-1"), fleet.machine("i-1", "reboot")) == ("InService", "Rebooted")
    assert fleet.anomalies() == []


def test_a_reboot_that_fails_leaves_the_phase(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), instance("RebootInProgress", "i-1"), instance("InstanceOperationFailed", "i-1", "reboot"))
    assert (fleet.phase("i-1"), fleet.machine("i-1", "reboot")) == ("InService", "Failed")


def test_a_script_never_runs_because_of_a_reboot(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), instance("RebootInProgress", "i-1"), script("i-1", "Started"))
    assert fleet.kinds() == ["unexpected_transition"]


def test_health_has_its_own_machine_and_no_phase(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), health("i-1", "Degraded"))
    assert (fleet.phase("i-1"), fleet.only("unhealthy_node").state) == ("InService", "Degraded")
    fleet.sees(health("i-1", "Unhealthy"))
    fault = fleet.only("unhealthy_node")
    assert (fault.state, fault.count, fault.instance_group) == ("Unhealthy", 2, "workers")
    fleet.sees(health("i-1", "Healthy"))
    assert (fleet.machine("i-1", "health"), fleet.kinds("open")) == ("Healthy", [])


def test_one_finding_told_twice_is_one_fault(fleet: Fleet) -> None:
    fleet.sees(born("i-1"))
    fleet.sees(health("i-1", "Unhealthy").at(600), instance("HealthAgentUnhealthy", "i-1", action="None").at(602))
    fault = fleet.only("unhealthy_node")
    assert (fault.count, len(fault.evidence)) == (1, 2)


def test_a_reboot_ends_what_was_unhealthy(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), health("i-1", "Unhealthy", "Reboot"), instance("RebootInProgress", "i-1"))
    fleet.sees(instance("InstanceOperationCompleted", "i-1", "reboot"))
    assert fleet.kinds("open") == []


def test_a_new_fault_after_the_old_one_ended_is_another_anomaly(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), health("i-1", "Unhealthy"), health("i-1", "Healthy"))
    fleet.waits(60)
    fleet.sees(health("i-1", "Unhealthy"))
    first, second = fleet.anomalies("unhealthy_node")
    assert (first.status, second.status) == ("resolved", "open")


def test_a_scale_down_is_no_news(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "creation").counts(0, 2), born("i-1"), born("i-2"))
    fleet.sees(group("GroupOperationCompleted", "creation").counts(2, 2))
    fleet.sees(group("GroupOperationStarted", "scaling").counts(2, 1))
    assert fleet.phase("workers") == "Scaling"
    fleet.sees(terminated("i-2"), group("GroupOperationCompleted", "scaling").counts(1, 1))
    assert (fleet.phase("workers"), fleet.group().members) == ("InService", {"InService": 1})
    assert fleet.anomalies() == []


def test_a_bare_id_is_understood(fleet: Fleet) -> None:
    fleet.sees(says(text("LifecycleScriptStatus", status="Started", instance_id="i-9").replace("EC2 Instance ", "")))
    assert fleet.phase("i-9") == "LifecycleScript"


def test_the_next_instance_of_the_slot_makes_good_what_failed_before(fleet: Fleet) -> None:
    """The failed instance vanishes without a word, and a script retry comes with a new one."""
    fleet.sees(born("i-1", "s-1")[:-2], script("i-1", "Failed"))
    fleet.sees(instance("InstanceOperationFailed", "i-1", "creation").at(1000))
    fleet.sees(born("i-2", "s-1"))
    assert fleet.instance("i-1").replaced_by == "i-2"
    assert (fleet.kinds("open"), fleet.kinds()) == ([], ["lifecycle_script_failed", "operation_failed"])


def test_an_unhealthy_node_that_was_replaced_is_no_longer_reported(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), health("i-1", "Unhealthy", "Replace"), replacing("i-2"))
    assert (fleet.instance("i-2").replaces, fleet.kinds("open")) == ("i-1", [])
