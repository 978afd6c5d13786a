"""Stories of what is progress, what ends a wait from outside, what explains it, and of lives without any fault."""

from __future__ import annotations

from typing import Any

import pytest

from models.deadlines import Deadline, Override, Thresholds
from models.public import Anomaly
from tests.fleet import Fleet
from tests.stories import (
    Event,
    born,
    cluster,
    group,
    health,
    instance,
    node_list,
    patched,
    rollout_begins,
    script,
    shown,
    state_change,
    terminated,
)

MINUTE = 60_000
ALIVE = born("i-1")


def stuck(fleet: Fleet, minutes: float, **fields: Any) -> list[Anomaly]:
    """What is or was stuck so many minutes after the newest event."""
    found = fleet.document(fleet.clock + int(minutes * MINUTE)).anomalies
    return [a for a in found if a.kind == "stuck" and all(getattr(a, name) == value for name, value in fields.items())]


def of(code: str, operation: str | None = None) -> Event:
    return instance(code, "i-1", operation)


def test_progress_restarts_the_deadline_and_resolves(fleet: Fleet) -> None:
    fleet.sees(instance("ReplacementStarted", "i-1"))
    fleet.waits(28)
    fleet.sees(instance("InstanceProvisioned", "i-1"))
    assert not stuck(fleet, 29)
    (first,) = stuck(fleet, 31)
    fleet.waits(32)
    fleet.sees(script("i-1", "Started"))
    (over,) = stuck(fleet, 0)
    assert (over.status, over.anomaly_id) == ("resolved", first.anomaly_id)
    fleet.waits(1)
    fleet.sees(script("i-1", "Succeeded"))
    (again,) = stuck(fleet, 31)
    assert (again.status, again.anomaly_id) == ("open", first.anomaly_id)


def test_a_groups_own_steps_are_progress_of_its_operation(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "creation"))
    fleet.waits(25)
    fleet.sees(group("NetworkConfigurationFound"))
    assert not stuck(fleet, 29)
    assert [a.instance_group for a in stuck(fleet, 31)] == ["workers"]


def test_a_health_event_is_no_progress(fleet: Fleet) -> None:
    fleet.sees(of("InstanceProvisioned"), script("i-1", "Started"))
    fleet.waits(8)
    fleet.sees(health("i-1", "Degraded"))
    (found,) = stuck(fleet, 5, machine="lifecycle_script")
    assert found.status == "open"


def test_a_snapshot_is_no_progress(fleet: Fleet) -> None:
    fleet.sees(cluster("ClusterOperationStarted", "creation"), group("GroupOperationStarted", "creation"))
    fleet.waits(28)
    fleet.sees(state_change("Creating", workers=shown("Creating", 0, 2)), node_list(i_1="Pending"))
    assert {a.resource_type for a in stuck(fleet, 3)} == {"Cluster", "InstanceGroup"}


def test_a_file_system_is_not_moved_by_other_events(fleet: Fleet) -> None:
    fleet.sees(group("FsxCreationStarted"))
    fleet.waits(18)
    fleet.sees(group("NetworkConfigurationFound"))
    assert [a.machine for a in stuck(fleet, 3)] == ["fsx"]


def test_a_bake_waits_for_its_alarms_not_for_members(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), rollout_begins(), patched("i-1"), group("BakeStarted", duration="1800"))
    fleet.waits(25)
    fleet.sees(script("i-1", "Started"))
    assert not stuck(fleet, 5, machine="patch")
    assert [a.severity for a in stuck(fleet, 7, machine="patch")] == ["warning"]
    assert [a.severity for a in stuck(fleet, 15, machine="patch")] == ["critical"]


def test_many_batches_may_take_longer(fleet: Fleet) -> None:
    fleet.sees(rollout_begins())
    for _ in range(3):
        fleet.sees(group("BakeStarted", duration="600"), group("BakeCompleted", duration="600"))
        fleet.sees(group("PatchBatchSelected"))
    assert [a.severity for a in stuck(fleet, 140)] == ["warning"]
    assert [a.severity for a in stuck(fleet, 151)] == ["critical"]


def test_members_that_are_born_move_the_group_and_the_cluster(fleet: Fleet) -> None:
    fleet.sees(cluster("ClusterOperationStarted", "creation"), group("GroupOperationStarted", "creation"))
    for number in range(4):
        fleet.waits(16)
        fleet.sees(born(f"i-{number}", f"s-{number}"))
    fleet.waits(16)
    fleet.sees(group("GroupOperationCompleted", "creation"), cluster("ClusterOperationCompleted", "creation"))
    assert not stuck(fleet, 0)


def test_members_that_are_only_unhealthy_or_reboot_do_not(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), group("GroupOperationStarted", "scaling"))
    fleet.waits(20)
    fleet.sees(health("i-1", "Degraded"), of("RebootInProgress"), of("InstanceOperationCompleted", "reboot"))
    assert [a.machine for a in stuck(fleet, 10)] == ["operation"]


def test_members_of_another_group_do_not(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "scaling"))
    fleet.waits(20)
    fleet.sees(born("i-9", group="others"))
    assert [a.instance_group for a in stuck(fleet, 10)] == ["workers"]


@pytest.mark.parametrize("kind", ["ml.p5.48xlarge", "ml.p6-b200.48xlarge", "ml.g5.12xlarge"])
def test_large_instances_take_longer_to_go(fleet: Fleet, kind: str) -> None:
    fleet.sees(state_change("InService", workers=shown("InService", 1, 1) | {"InstanceType": kind}))
    fleet.sees(ALIVE, of("TerminationInProgress"))
    wanted = "critical" if kind.startswith("ml.g5") else "warning"
    assert [a.severity for a in stuck(fleet, 61)] == [wanted]
    assert [a.severity for a in stuck(fleet, 121)] == ["critical"]


@pytest.mark.parametrize("begins", [script("i-1", "Started"), of("ReplacementStarted"), of("PatchPrepared")])
def test_who_leaves_waits_only_for_its_end(fleet: Fleet, begins: Event) -> None:
    fleet.sees(of("InstanceProvisioned"), begins, of("TerminationInProgress"))
    assert not stuck(fleet, 30)
    assert [a.state for a in stuck(fleet, 61)] == ["Terminating"]
    fleet.sees(of("EniDeleted"))
    assert not stuck(fleet, 1000)


def test_what_is_deleted_is_never_stuck(fleet: Fleet) -> None:
    fleet.sees(of("InstanceProvisioned"), script("i-1", "Started"), group("FsxUpdateStarted"))
    fleet.sees(group("GroupOperationStarted", "deletion"), group("GroupOperationCompleted", "deletion"))
    assert not stuck(fleet, 1000)


def test_a_group_that_snapshots_drop_is_not_stuck_in_deleting(fleet: Fleet) -> None:
    fleet.sees(state_change("InService", workers=shown("InService", 1, 1)), group("GroupOperationStarted", "deletion"))
    fleet.waits(20)
    fleet.sees(state_change("InService", others=shown("InService", 1, 1)))
    assert not stuck(fleet, 1000)


def test_a_cluster_that_is_gone_takes_everything_with_it(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "update"), of("InstanceProvisioned"), script("i-1", "Started"))
    fleet.sees(cluster("ClusterOperationStarted", "deletion"), cluster("ClusterOperationCompleted", "deletion"))
    assert not stuck(fleet, 1000)


def test_a_cluster_whose_end_of_creation_was_lost_is_not_stuck(fleet: Fleet) -> None:
    fleet.sees(cluster("ClusterOperationStarted", "creation"))
    fleet.waits(20)
    fleet.sees(state_change("InService", workers=shown("InService", 1, 1)))
    assert not stuck(fleet, 1000)


def test_a_next_attempt_in_the_slot_ends_what_the_old_one_waits_for(fleet: Fleet) -> None:
    fleet.sees(born("i-1", "s-1")[:4], script("i-1", "Failed").slot("s-1"))  # type: ignore[attr-defined]
    fleet.waits(40)
    fleet.sees(instance("ReplacementStarted").slot("s-1"))
    assert [a.state for a in stuck(fleet, 31)] == ["Replacing"]
    fleet.sees(instance("InstanceProvisioned", "i-2").slot("s-1"))
    assert all(a.instance_id == "i-2" for a in stuck(fleet, 200))


def test_a_rollback_that_members_ended_is_over_long_before_the_next_rollout(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), rollout_begins(), of("PatchPrepared"), group("GroupRollbackStarted"))
    fleet.sees(of("InstanceRollbackStarted"), of("InstanceRolledBack"))
    assert not stuck(fleet, 1000)
    fleet.waits(10_000)
    fleet.sees(rollout_begins())
    assert not stuck(fleet, 0)
    fleet.sees(group("PatchCompleted"))
    assert not stuck(fleet, 0)


def test_a_rollback_that_only_snapshots_tell_of_ends_the_wait_for_the_rollout(fleet: Fleet) -> None:
    """One group that does not get on is one problem."""
    fleet.sees(group("PatchStarted"))
    fleet.waits(30)
    fleet.sees(state_change("InService", workers=shown("SystemUpdating", 2, 2, "RollbackInProgress")))
    assert [(a.machine, a.severity) for a in stuck(fleet, 200)] == [("rollback", "critical")]


def test_a_fault_explains_a_wait(fleet: Fleet) -> None:
    fleet.sees(of("InstanceProvisioned"), script("i-1", "Started"), script("i-1", "Failed"))
    (found,) = stuck(fleet, 61)
    assert found.parent_id == fleet.only("lifecycle_script_failed").anomaly_id


def test_the_groups_own_wait_explains_its_members(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "scaling"), instance("ReplacementStarted", "i-1"))
    both = {a.resource_type: a for a in stuck(fleet, 31)}
    assert both["Instance"].parent_id == both["InstanceGroup"].anomaly_id
    assert both["InstanceGroup"].parent_id is None


def test_the_groups_wait_explains_members_whose_deadline_passed_first(fleet: Fleet) -> None:
    fleet.sees(rollout_begins(), instance("PatchPrepared", "i-1"))
    alone = stuck(fleet, 40)
    assert [a.parent_id for a in alone] == [None]
    both = {a.resource_type: a for a in stuck(fleet, 180)}
    assert both["Instance"].parent_id == both["InstanceGroup"].anomaly_id
    assert both["Instance"].opened_at < both["InstanceGroup"].opened_at <= both["Instance"].updated_at


def test_what_began_before_the_groups_wait_is_not_explained_by_it(fleet: Fleet) -> None:
    fleet.sees(instance("RebootInProgress", "i-1"), group("GroupOperationStarted", "scaling").counts(1, 2))
    both = {a.resource_type: a for a in stuck(fleet, 180)}
    assert both["Instance"].parent_id is None


def test_a_members_fault_explains_why_the_group_does_not_get_on(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "scaling"), of("InstanceProvisioned"), script("i-1", "Started"))
    fleet.sees(script("i-1", "Failed"))
    (found,) = stuck(fleet, 31)
    assert found.parent_id == fleet.only("lifecycle_script_failed").anomaly_id


def test_deadlines_can_be_set_by_name_group_and_type() -> None:
    gpu = Override(group="work*", instance_type="ml.p5*", deadlines={"replacing": Deadline(slow=90, stuck=None)})
    mine = Thresholds(deadlines={"replacing": Deadline(slow=5, stuck=10)}, overrides=(gpu,))
    fleet = Fleet(thresholds=mine)
    fleet.sees(instance("ReplacementStarted", "i-1"))
    assert [a.severity for a in stuck(fleet, 6)] == ["warning"]
    assert [a.severity for a in stuck(fleet, 11)] == ["critical"]
    fleet.sees(state_change("InService", workers=shown("InService", 1, 1) | {"InstanceType": "ml.p5.48xlarge"}))
    assert not stuck(fleet, 80)
    assert [a.severity for a in stuck(fleet, 1000)] == ["warning"]


def test_a_cluster_is_named_by_its_name_or_its_arn() -> None:
    never = {"replacing": Deadline(slow=None, stuck=None)}
    for pattern in ("train", "arn:*:cluster/0a1b2c3d4e5f"):
        fleet = Fleet(thresholds=Thresholds(overrides=(Override(cluster=pattern, deadlines=never),)))
        fleet.sees(instance("ReplacementStarted", "i-1"))
        assert not stuck(fleet, 1000)


@pytest.mark.parametrize("slow", [None, 40])
def test_a_wait_that_is_critical_at_once_needs_no_warning_before(slow: float | None) -> None:
    fleet = Fleet(thresholds=Thresholds(deadlines={"replacing": Deadline(slow=slow, stuck=20)}))
    fleet.sees(instance("ReplacementStarted", "i-1"))
    assert not stuck(fleet, 20)
    (found,) = stuck(fleet, 21)
    assert (found.severity, found.opened_at) == ("critical", found.updated_at)


def test_a_deadline_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="no deadline is called replcing"):
        Thresholds(deadlines={"replcing": Deadline(slow=1, stuck=2)})


@pytest.mark.parametrize("life", ["birth", "scale up", "scale down", "patch", "replacement", "reboot"])
def test_a_life_without_faults_raises_no_alarm(fleet: Fleet, life: str) -> None:
    fleet.sees(group("GroupOperationStarted", "creation").counts(0, 2), born("i-1", "s-1"), born("i-2", "s-2"))
    fleet.sees(group("GroupOperationCompleted", "creation").counts(2, 2))
    fleet.waits(60)
    for story in _LIVES[life]:
        fleet.waits(4)
        fleet.sees(story)
    assert not fleet.kinds("open")
    assert not fleet.kinds("resolved")
    assert not [a for a in fleet.document(fleet.clock + 10_000 * MINUTE).anomalies if a.status == "open"]


_LIVES: dict[str, list[Any]] = {
    "birth": [],
    "scale up": [
        group("GroupOperationStarted", "scaling").counts(2, 3),
        *born("i-3", "s-3"),
        group("GroupOperationCompleted", "scaling").counts(3, 3),
    ],
    "scale down": [
        group("GroupOperationStarted", "scaling").counts(2, 1),
        *terminated("i-2"),
        group("GroupOperationCompleted", "scaling").counts(1, 1),
    ],
    "patch": [
        *rollout_begins(),
        *patched("i-1"),
        group("PatchBatchSelected"),
        *patched("i-2"),
        group("BakeStarted", duration="600"),
        group("BakeCompleted", duration="600"),
        group("PatchCompleted"),
    ],
    "replacement": [
        *terminated("i-1"),
        instance("ReplacementStarted").slot("s-1"),
        instance("InstanceProvisioned", "i-3").slot("s-1"),
        script("i-3", "Started"),
        script("i-3", "Succeeded"),
        instance("ReplacementCompleted", "i-3", "creation").slot("s-1"),
    ],
    "reboot": [of("RebootInProgress"), of("InstanceOperationCompleted", "reboot")],
}
