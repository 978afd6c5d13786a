"""Stories of software updates: rollouts in batches, skipped nodes, baking, alarms, rollbacks and how they end."""

from __future__ import annotations

import pytest

from tests.fleet import Fleet, moment
from tests.stories import (
    Event,
    born,
    group,
    health,
    instance,
    patched,
    replacing,
    rollout_begins,
    script,
    shown,
    state_change,
    terminated,
)


def fleet_of(*ids: str) -> list[Event]:
    """A group whose members were all born and are in service."""
    return [
        group("GroupOperationStarted", "creation").counts(0, len(ids)),
        *(event for name in ids for event in born(name)),
        group("GroupOperationCompleted", "creation").counts(len(ids), len(ids)),
    ]


def touched(instance_id: str) -> list[Event]:
    """A member that the rollout has begun with."""
    return [instance("PatchPrepared", instance_id), instance("RootVolumeReplacementStarted", instance_id)]


def rolled_back(instance_id: str) -> list[Event]:
    """A member's way back to the image before."""
    return [
        instance("InstanceRollbackStarted", instance_id),
        script(instance_id, "Started"),
        script(instance_id, "Succeeded"),
        instance("InstanceRolledBack", instance_id),
        instance("SchedulableRestored", instance_id),
    ]


def test_a_rollout_in_batches_leaves_nothing_open(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1", "i-2"), group("PatchScheduled"))
    assert fleet.phase("workers") == "InService"
    fleet.sees(group("PatchStarted"), group("PatchBatchSelected"))
    assert fleet.phase("workers") == "Patching"
    phases = []
    for event in patched("i-1"):
        fleet.sees(event)
        phases.append((fleet.phase("i-1"), fleet.instance("i-1").schedulable))
    assert phases == [("Patching", False)] * 4 + [("InService", False), ("InService", True)]
    fleet.sees(group("BakeStarted"))
    assert fleet.phase("workers") == "Baking"
    fleet.sees(group("BakeCompleted"))
    assert fleet.phase("workers") == "Patching"
    fleet.sees(group("PatchBatchSelected"), patched("i-2"), group("PatchCompleted"))
    assert (fleet.phase("workers"), fleet.machine("workers", "patch")) == ("InService", "Completed")
    assert fleet.machine("i-2", "patch") == "Updated"
    assert fleet.anomalies() == []


def test_on_slurm_nobody_cordons(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), patched("i-1")[1:5], group("PatchCompleted"))
    assert fleet.instance("i-1").schedulable
    assert fleet.anomalies() == []


def test_a_second_rollout_is_as_legal_as_the_first(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"))
    for _ in range(2):
        fleet.sees(rollout_begins(), patched("i-1"), group("PatchCompleted"))
    assert fleet.anomalies() == []


def test_prepared_and_let_go_again(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), instance("PatchPrepared", "i-1"))
    assert (fleet.phase("i-1"), fleet.instance("i-1").schedulable) == ("Patching", False)
    fleet.sees(instance("SchedulableRestored", "i-1"))
    assert (fleet.phase("i-1"), fleet.instance("i-1").schedulable) == ("InService", True)
    assert fleet.anomalies() == []


def test_a_skipped_node_keeps_serving_until_the_rollout_ends(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1", "i-2"), rollout_begins(), instance("PatchSkipped", "i-1"))
    skipped = fleet.only("patch_skipped")
    assert (skipped.status, skipped.severity, skipped.planned) == ("open", "warning", True)
    assert (fleet.phase("i-1"), fleet.machine("i-1", "patch")) == ("InService", "Skipped")
    fleet.sees(patched("i-2"))
    assert fleet.only("patch_skipped").status == "open"
    fleet.sees(group("PatchCompleted"))
    assert fleet.only("patch_skipped").status == "resolved"
    assert fleet.kinds() == ["patch_skipped"]


MET_IN_ITS_COURSE: dict[str, list[Event]] = {
    "after one was updated": [*patched("i-1"), group("BakeStarted"), group("GroupRollbackStarted")],
    "at the rollback": [group("GroupRollbackStarted")],
    "at the alarm": [group("BakeStarted"), group("BakeAlarm")],
}


@pytest.mark.parametrize("name", MET_IN_ITS_COURSE)
def test_the_rollback_of_a_rollout_that_was_met_in_its_course_ends_with_its_members(fleet: Fleet, name: str) -> None:
    fleet.sees(MET_IN_ITS_COURSE[name])
    for member in ("i-1", "i-2"):
        fleet.sees(instance("InstanceRollbackStarted", member))
    fleet.sees(instance("InstanceRolledBack", "i-2"))
    assert fleet.phase("workers") == "RollingBack"
    fleet.sees(instance("InstanceRolledBack", "i-1"))
    assert (fleet.phase("workers"), fleet.machine("workers", "rollback")) == ("InService", "RolledBack")
    assert fleet.kinds("open") == []


@pytest.mark.parametrize("end", ["PatchCompleted", "PatchCompletionFailed", "GroupRollbackStarted", "BakeAlarm"])
def test_a_skip_ends_with_a_rollout_that_was_met_in_its_course(fleet: Fleet, end: str) -> None:
    fleet.sees(instance("PatchSkipped", "i-1"), group(end))
    assert fleet.only("patch_skipped").status == "resolved"


def test_a_skipped_node_that_is_patched_after_all(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), instance("PatchSkipped", "i-1"), patched("i-1"))
    assert fleet.kinds("open") == []
    assert fleet.kinds() == ["patch_skipped"]


def test_a_replacement_during_a_rollout_is_not_an_anomaly(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), replacing("i-2")[:3])
    assert fleet.phase("i-2") == "Replacing"
    fleet.sees(replacing("i-2")[3:])
    assert fleet.phase("i-2") == "InService"
    assert fleet.anomalies() == []


def test_alarms_while_baking_begin_the_rollback(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), patched("i-1"), group("BakeStarted"), group("BakeAlarm"))
    assert (fleet.phase("workers"), fleet.machine("workers", "rollback")) == ("RollingBack", "RollingBack")
    assert fleet.kinds() == ["bake_alarm"]
    assert "gpu-errors" in fleet.only("bake_alarm").title


def test_a_rollback_ends_when_every_touched_member_is_back(fleet: Fleet) -> None:
    fleet.sees(
        fleet_of("i-1", "i-2", "i-3"), rollout_begins(), patched("i-1"), touched("i-2"), group("BakeStarted"),
        group("BakeAlarm"), group("GroupRollbackStarted"), rolled_back("i-1"),
    )  # fmt: skip
    assert fleet.phase("workers") == "RollingBack"
    alarm = fleet.only("bake_alarm")
    rollbacks = fleet.anomalies("rollback_started")
    assert {a.parent_id for a in rollbacks} == {alarm.anomaly_id}
    assert [a.resource_type for a in rollbacks if a.status == "open"] == ["InstanceGroup"]
    fleet.sees(rolled_back("i-2"))
    assert (fleet.phase("workers"), fleet.machine("workers", "rollback")) == ("InService", "RolledBack")
    assert fleet.kinds("open") == []
    assert fleet.kinds() == ["bake_alarm", *["rollback_started"] * 3]
    assert {fleet.phase(name) for name in ("i-1", "i-2", "i-3")} == {"InService"}


def test_a_member_that_fails_to_roll_back_fails_the_groups_rollback(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1", "i-2"), rollout_begins(), patched("i-1"), patched("i-2"), group("GroupRollbackStarted"))
    fleet.sees(instance("InstanceRollbackStarted", "i-1"), instance("InstanceRollbackFailed", "i-1"))
    assert (fleet.phase("i-1"), fleet.phase("workers")) == ("Failed", "Failed")
    assert fleet.machine("workers", "rollback") == "Failed"
    failed = fleet.only("rollback_failed")
    assert (failed.instance_id, failed.severity) == ("i-1", "critical")
    fleet.sees(group("GroupRollbackFailed"))
    assert {a.instance_id for a in fleet.anomalies("rollback_failed")} == {"i-1", None}


def test_a_member_that_was_let_go_before_its_update_has_nothing_to_roll_back(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1", "i-2"), rollout_begins(), patched("i-1"), instance("PatchPrepared", "i-2"))
    fleet.sees(group("BakeStarted"), group("BakeAlarm"), group("GroupRollbackStarted"), rolled_back("i-1"))
    assert fleet.phase("workers") == "RollingBack"
    fleet.sees(instance("SchedulableRestored", "i-2"))
    assert (fleet.phase("workers"), fleet.machine("workers", "rollback")) == ("InService", "RolledBack")
    ended = fleet.only("bake_alarm").resolved_at
    assert fleet.kinds("open") == []
    fleet.waits(60)
    fleet.sees(rollout_begins())
    assert fleet.only("bake_alarm").resolved_at == ended  # the next rollout changes nothing about it


@pytest.mark.parametrize("said", [[], [group("GroupRollbackFailed")]])
def test_a_failed_rollback_is_made_good_when_nobody_is_left_behind(fleet: Fleet, said: list[Event]) -> None:
    fleet.sees(fleet_of("i-1", "i-2"), rollout_begins(), patched("i-1"), patched("i-2"), group("GroupRollbackStarted"))
    fleet.sees(
        rolled_back("i-1"), instance("InstanceRollbackStarted", "i-2"), instance("InstanceRollbackFailed", "i-2")
    )
    fleet.sees(said)
    assert {a.kind for a in fleet.anomalies(status="open")} == {"rollback_failed", "rollback_started"}
    fleet.sees(terminated("i-2"), replacing("i-3"))
    assert fleet.kinds("open") == []
    before = fleet.anomalies("rollback_failed")
    fleet.waits(60)
    fleet.sees(rollout_begins())
    assert fleet.anomalies("rollback_failed") == before


def test_a_failed_rollback_that_only_the_group_tells_of_stays(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), patched("i-1"), group("GroupRollbackStarted"), rolled_back("i-1"))
    fleet.sees(group("GroupRollbackFailed"))
    assert fleet.kinds("open") == ["rollback_failed"]


def test_members_that_are_gone_count_as_done(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1", "i-2"), rollout_begins(), touched("i-1"), touched("i-2"), group("GroupRollbackStarted"))
    fleet.sees(rolled_back("i-1"), terminated("i-2"))
    assert fleet.machine("workers", "rollback") == "RolledBack"


def test_a_member_that_was_replaced_counts_as_done(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), touched("i-1"), group("GroupRollbackStarted"))
    fleet.sees(health("i-1", "Unhealthy", "Replace"), replacing("i-2"))
    assert fleet.machine("workers", "rollback") == "RolledBack"


def test_all_members_gone_is_rolled_back(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), touched("i-1"), group("GroupRollbackStarted"), terminated("i-1"))
    assert fleet.machine("workers", "rollback") == "RolledBack"


def test_a_rollback_without_known_members_stays(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), group("GroupRollbackStarted"))
    assert fleet.machine("workers", "rollback") == "RollingBack"


def test_a_member_may_be_back_before_its_group_says_so(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), touched("i-1"), rolled_back("i-1"), group("GroupRollbackStarted"))
    assert fleet.machine("workers", "rollback") == "RolledBack"
    assert fleet.kinds("open") == []


def test_the_next_rollout_ends_a_rollback(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), patched("i-1"), group("BakeStarted"), group("BakeAlarm"))
    fleet.sees(group("GroupRollbackStarted"), group("PatchScheduled"))
    assert fleet.machine("workers", "rollback") == "RolledBack"
    assert fleet.kinds("open") == []
    fleet.sees(group("PatchStarted"), group("PatchBatchSelected"), patched("i-1"), group("PatchCompleted"))
    assert fleet.phase("workers") == "InService"
    assert fleet.kinds("open") == []


@pytest.mark.parametrize("word", ["RollbackComplete", "Failed"])
def test_a_snapshot_ends_a_rollback(fleet: Fleet, word: str) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), patched("i-1"), group("BakeStarted"), group("BakeAlarm"))
    fleet.waits(10)
    fleet.sees(state_change("InService", workers=shown("InService", 1, 1, word)))
    assert fleet.machine("workers", "rollback") == "RolledBack"
    assert fleet.kinds("open") == []


def test_a_snapshot_that_no_longer_shows_the_update_ends_its_rollback(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), state_change("InService", workers=shown("SystemUpdating", 1, 1)))
    fleet.sees(patched("i-1"), group("BakeStarted"), group("BakeAlarm"))
    fleet.sees(state_change("InService", workers=shown("InService", 1, 1)))
    assert fleet.phase("workers") == "RollingBack", "it may show what was before"
    fleet.waits(10)
    fleet.sees(state_change("InService", workers=shown("InService", 1, 1)))
    assert fleet.machine("workers", "rollback") == "RolledBack"
    assert fleet.kinds("open") == []


def test_a_snapshot_that_never_showed_the_update_says_nothing_of_its_end(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), patched("i-1"), group("BakeStarted"), group("BakeAlarm"))
    fleet.waits(10)
    fleet.sees(state_change("InService", workers=shown("InService", 1, 1)))
    assert fleet.phase("workers") == "RollingBack"


def test_a_script_that_fails_in_an_update_leaves_it_patching(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), touched("i-1"), script("i-1", "Started"), script("i-1", "Failed"))
    assert fleet.phase("i-1") == "Patching"
    fleet.sees(instance("InstanceRollbackStarted", "i-1"))
    assert fleet.phase("i-1") == "RollingBack"
    fleet.sees(rolled_back("i-1")[1:])
    assert fleet.phase("i-1") == "InService"
    assert fleet.kinds("open") == []
    assert fleet.kinds() == ["lifecycle_script_failed", "rollback_started"]


def test_news_of_a_rollback_whose_start_was_lost_ends_the_update_too(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), touched("i-1"), instance("InstanceRolledBack", "i-1"))
    assert fleet.phase("i-1") == "InService"
    assert "None → RollingBack → RolledBack" in fleet.only("missing_event").title


def test_an_evaluation_that_failed_is_a_failed_patch_and_rolling_back_ends_it(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), patched("i-1"), group("BakeStarted"), group("BakeEvaluationFailed"))
    assert (fleet.phase("workers"), fleet.kinds()) == ("InService", ["patch_failed"])
    fleet.sees(group("GroupRollbackStarted"), rolled_back("i-1"))
    assert fleet.kinds("open") == []


def test_a_batch_that_could_not_be_selected_is_the_same_rollout(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1", "i-2"), rollout_begins(), patched("i-1"), group("PatchBatchSelectionFailed"))
    fleet.sees(group("PatchBatchSelected"), touched("i-2"), group("GroupRollbackStarted"), rolled_back("i-2"))
    assert fleet.machine("workers", "rollback") == "RollingBack", "the first batch was touched as well"
    fleet.sees(rolled_back("i-1"))
    assert fleet.machine("workers", "rollback") == "RolledBack"


def test_a_later_update_makes_good_what_rolling_back_could_not(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), touched("i-1"), instance("InstanceRollbackStarted", "i-1"))
    fleet.sees(instance("InstanceRollbackFailed", "i-1"), group("GroupRollbackStarted"), group("GroupRollbackFailed"))
    assert fleet.phase("workers") == "Failed"
    fleet.sees(rollout_begins(), patched("i-1"), group("PatchCompleted"))
    assert (fleet.phase("workers"), fleet.phase("i-1")) == ("InService", "InService")
    assert fleet.kinds("open") == []


def test_a_lost_root_volume_event_is_missed(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), instance("PatchPrepared", "i-1"), instance("InstancePatched", "i-1"))
    assert fleet.phase("i-1") == "InService"
    assert "Prepared → ReplacingRootVolume → Updated" in fleet.only("missing_event").title


def test_a_lost_end_of_baking_is_missed(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), group("BakeStarted"), group("PatchBatchSelected"))
    assert fleet.only("missing_event").machine == "patch"
    assert fleet.phase("workers") == "Patching"


def test_health_says_nothing_about_an_update(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), touched("i-1"), health("i-1", "Unhealthy"))
    assert (fleet.phase("i-1"), fleet.machine("i-1", "health")) == ("Patching", "Unhealthy")


def test_the_clusters_own_word_for_an_update(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), group("GroupOperationStarted", "UpdateClusterSoftware"))
    assert fleet.phase("workers") == "Patching"
    fleet.sees(group("GroupOperationCompleted", "UpdateClusterSoftware"))
    assert fleet.phase("workers") == "InService"
    assert fleet.anomalies() == []


def test_an_instances_own_word_for_a_failed_update(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), instance("InstanceOperationFailed", "i-1", "UpdateClusterSoftware"))
    assert fleet.kinds("open") == ["operation_failed"]
    fleet.sees(patched("i-1"))
    assert fleet.kinds("open") == []


def test_skips_of_two_rollouts_are_two_and_end_each_with_its_own(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1", "i-2"), rollout_begins(), instance("PatchSkipped", "i-2").named("first"))
    fleet.sees(patched("i-1"), group("PatchCompleted"))
    end = fleet.clock
    fleet.sees(rollout_begins(), instance("PatchSkipped", "i-2").named("second"))
    first, second = fleet.anomalies("patch_skipped")
    assert (first.evidence, first.status, second.evidence, second.status) == (
        ("first",),
        "resolved",
        ("second",),
        "open",
    )
    assert first.resolved_at == moment(end).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    fleet.sees(patched("i-1"), group("PatchCompleted"))
    assert [a.status for a in fleet.anomalies("patch_skipped")] == ["resolved", "resolved"]


def test_a_failed_script_of_a_failed_replacement_ends_with_the_instance(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), terminated("i-1"), instance("ReplacementStarted", "i-2"), script("i-2", "Started"))
    fleet.sees(script("i-2", "Failed").at(7200), instance("ReplacementFailed", "i-2", "creation").at(7202))
    assert fleet.only("lifecycle_script_failed").status == "open"
    fleet.sees(terminated("i-2"))
    assert fleet.only("lifecycle_script_failed").status == "resolved"


def test_an_earlier_rollback_keeps_the_end_that_its_members_gave_it(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), touched("i-1"), group("BakeStarted"), group("BakeAlarm"))
    fleet.sees(group("GroupRollbackStarted"), rolled_back("i-1")[:-1])
    ends = {a.kind: a.resolved_at for a in fleet.anomalies() if a.resource_type == "InstanceGroup"}
    assert set(ends) == {"bake_alarm", "rollback_started"}
    assert None not in ends.values()
    fleet.waits(7 * 24 * 60)
    fleet.sees(rollout_begins(), patched("i-1"), group("PatchCompleted"))
    assert {a.kind: a.resolved_at for a in fleet.anomalies() if a.resource_type == "InstanceGroup"} == ends
