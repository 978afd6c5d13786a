"""Stories of groups: operations that overlap, snapshots, members that tell."""

from __future__ import annotations

import pytest

from tests.fleet import Fleet
from tests.stories import (
    Event,
    born,
    cluster,
    described,
    group,
    instance,
    node_list,
    rollout_begins,
    script,
    shown,
    state_change,
    terminated,
)


def test_operations_overlap_and_the_newest_open_one_shows(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "creation"), group("GroupOperationStarted", "scaling"))
    assert fleet.phase("workers") == "Scaling"
    fleet.sees(group("GroupOperationCompleted", "creation"))
    assert fleet.phase("workers") == "Scaling"
    fleet.sees(group("GroupOperationCompleted", "scaling"))
    assert fleet.phase("workers") == "InService"
    assert fleet.anomalies() == []


def test_when_the_newer_operation_ends_the_older_one_shows_again(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "update"), group("GroupOperationStarted", "scaling"))
    fleet.sees(group("GroupOperationCompleted", "scaling"))
    assert fleet.phase("workers") == "Updating"
    fleet.sees(group("GroupOperationCompleted", "update"))
    assert (fleet.phase("workers"), fleet.kinds()) == ("InService", [])


def test_an_operation_that_fails_beside_another_leaves_the_other(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "update"), group("GroupOperationStarted", "scaling"))
    fleet.sees(group("GroupOperationFailed", "update"))
    assert (fleet.phase("workers"), fleet.kinds("open")) == ("Scaling", ["operation_failed"])
    fleet.sees(group("GroupOperationCompleted", "scaling"))
    assert fleet.kinds("open") == ["operation_failed"], "only its own success ends it"


def test_a_completion_without_its_start_is_missed(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "creation"), group("GroupOperationCompleted", "creation"))
    fleet.sees(group("GroupOperationCompleted", "scaling"))
    assert "None → Scaling → None" in fleet.only("missing_event").title


def test_one_completion_told_twice_is_not_missed(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "creation"))
    fleet.sees(group("GroupOperationCompleted", "creation"), group("GroupOperationCompleted", "creation"))
    assert fleet.anomalies() == []


def test_a_group_is_deleted_by_events(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "deletion"))
    assert fleet.phase("workers") == "Deleting"
    fleet.sees(group("GroupOperationCompleted", "deletion"))
    assert fleet.phase("workers") == "Deleted"
    fleet.sees(state_change("InService", workers=shown("Deleting", 0, 0)))
    assert fleet.phase("workers") == "Deleted", "views disagree for minutes"


def test_a_group_that_was_deleting_and_is_absent_is_deleted(fleet: Fleet) -> None:
    fleet.sees(
        state_change("InService", workers=shown("InService", 1, 1)), instance("KubernetesConfigUpdateFailed", "i-1")
    )
    fleet.sees(group("FsxUpdateStarted"), group("FsxUpdateFailed"))
    assert fleet.kinds("open") == ["operation_failed", "operation_failed"]
    fleet.sees(state_change("Updating", workers=shown("Deleting", 1, 0)))
    assert fleet.phase("workers") == "Deleting"
    fleet.sees(state_change("InService", others=shown("InService", 1, 1)))
    assert (fleet.phase("workers"), fleet.phase("others")) == ("Deleted", "InService")
    assert fleet.kinds("open") == []


@pytest.mark.parametrize("said", [[], [group("GroupOperationStarted", "deletion")]])
def test_a_group_is_gone_with_its_cluster(fleet: Fleet, said: list[Event]) -> None:
    fleet.sees(group("GroupOperationStarted", "creation"), born("i-1"), group("GroupOperationCompleted", "creation"))
    fleet.sees(cluster("ClusterOperationStarted", "deletion"), said, terminated("i-1"))
    fleet.sees(cluster("ClusterOperationCompleted", "deletion"))
    assert (fleet.phase("workers"), fleet.group().since) == ("Deleted", fleet.cluster().since)


def test_a_group_of_the_same_name_begins_anew(fleet: Fleet) -> None:
    fleet.sees(state_change("InService", workers=shown("InService", 1, 1)), group("NetworkConfigurationFailed"))
    fleet.sees(state_change("Updating", workers=shown("Deleting", 1, 0)), state_change("InService"))
    fleet.sees(group("GroupOperationStarted", "creation"))
    assert (fleet.phase("workers"), fleet.kinds("open")) == ("Creating", [])


@pytest.mark.parametrize(
    ("created", "ready"),
    [
        (group("GroupOperationStarted", "creation"), group("GroupOperationCompleted", "creation")),
        (
            state_change("Updating", workers=shown("Creating", 0, 1)),
            state_change("InService", workers=shown("InService", 1, 1)),
        ),
    ],
)
def test_the_deletion_of_a_group_whose_name_is_used_again_is_over(fleet: Fleet, created: Event, ready: Event) -> None:
    fleet.sees(state_change("InService", workers=shown("InService", 1, 1)), group("GroupOperationStarted", "scaling"))
    fleet.sees(group("GroupOperationStarted", "deletion"))
    fleet.waits(10)
    fleet.sees(state_change("InService"))
    assert fleet.phase("workers") == "Deleted"
    fleet.waits(100)
    fleet.sees(created)
    assert fleet.phase("workers") == "Creating"
    fleet.sees(ready)
    assert (fleet.phase("workers"), fleet.anomalies()) == ("InService", [])


@pytest.mark.parametrize(
    ("status", "software", "phase"),
    [
        ("Creating", None, "Creating"),
        ("Updating", None, "Updating"),
        ("InService", None, "InService"),
        ("Degraded", None, "Degraded"),
        ("Failed", None, "Failed"),
        ("Deleting", None, "Deleting"),
        ("SystemUpdating", None, "Patching"),
        ("SystemUpdating", "InProgress", "Patching"),
        ("InService", "Pending", "InService"),
        ("InService", "Succeeded", "InService"),
        ("SystemUpdating", "RollbackInProgress", "RollingBack"),
    ],
)
def test_the_words_of_snapshots(fleet: Fleet, status: str, software: str | None, phase: str) -> None:
    fleet.sees(described("InService", workers=shown(status, 1, 1, software)))
    assert fleet.phase("workers") == phase
    assert fleet.kinds() == []
    fleet.sees(described("InService", workers=shown("InService", 1, 1)))
    assert fleet.phase("workers") == "InService"
    assert fleet.kinds() == []


def test_a_software_update_as_snapshots_tell_it(fleet: Fleet) -> None:
    words = ["Pending", "InProgress", "RollbackInProgress", "RollbackComplete"]
    states = []
    for word in words:
        status = "InService" if word in ("Pending", "RollbackComplete") else "SystemUpdating"
        fleet.sees(described("InService", workers=shown(status, 1, 1, word)))
        states.append((fleet.machine("workers", "patch"), fleet.machine("workers", "rollback")))
    assert states == [
        ("Scheduled", "None"),
        ("InProgress", "None"),
        ("InProgress", "RollingBack"),
        ("Failed", "RolledBack"),
    ]
    assert fleet.phase("workers") == "InService"


def test_updating_confirms_what_events_began(fleet: Fleet) -> None:
    fleet.sees(
        group("GroupOperationStarted", "scaling").counts(1, 2),
        state_change("InService", workers=shown("Updating", 1, 2)),
    )
    assert fleet.phase("workers") == "Scaling"
    fleet.sees(group("GroupOperationCompleted", "scaling").counts(2, 2), rollout_begins())
    fleet.sees(state_change("SystemUpdating", workers=shown("Updating", 2, 2)))
    assert fleet.phase("workers") == "Patching"


def test_a_snapshot_that_is_ahead_of_its_events_is_no_anomaly(fleet: Fleet) -> None:
    fleet.sees(state_change("SystemUpdating", workers=shown("SystemUpdating", 1, 1, "InProgress")), rollout_begins())
    fleet.sees(group("PatchCompleted"), state_change("InService", workers=shown("InService", 1, 1, "Succeeded")))
    assert (fleet.phase("workers"), fleet.machine("workers", "patch"), fleet.kinds()) == ("InService", "Completed", [])


def test_a_snapshot_ends_the_rollout_whose_end_was_lost(fleet: Fleet) -> None:
    fleet.sees(rollout_begins())
    fleet.waits(30)
    fleet.sees(described("InService", workers=shown("InService", 1, 1, "Succeeded")))
    assert (fleet.phase("workers"), fleet.machine("workers", "patch")) == ("InService", "Completed")


def test_a_scheduled_rollout_is_not_ended_by_the_one_before(fleet: Fleet) -> None:
    fleet.sees(group("PatchScheduled"))
    fleet.waits(60)
    fleet.sees(described("InService", workers=shown("InService", 1, 1, "Succeeded")))
    assert fleet.machine("workers", "patch") == "Scheduled"


def test_a_snapshot_says_that_a_creation_failed(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "creation"))
    fleet.waits(10)
    fleet.sees(described("Failed", workers=shown("Failed", 0, 1)))
    assert (fleet.phase("workers"), fleet.phase("train")) == ("Failed", "Failed")


def test_fewer_than_wanted_is_degraded_outside_an_operation(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "creation").counts(0, 2), born("i-1"), born("i-2"))
    assert fleet.phase("workers") == "Creating"
    fleet.sees(group("GroupOperationCompleted", "creation").counts(2, 2))
    assert fleet.phase("workers") == "InService"
    fleet.sees(instance("TerminationInProgress", "i-2"))
    assert fleet.phase("workers") == "Degraded"


def test_a_failed_member_degrades_its_group(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "creation"), born("i-1"), group("GroupOperationCompleted", "creation"))
    fleet.sees(instance("InstanceProvisioned", "i-2"), script("i-2", "Started"), script("i-2", "Failed"))
    assert (fleet.phase("workers"), fleet.group().members) == ("Degraded", {"InService": 1, "Failed": 1})


def test_what_was_resolved_stays_so_when_the_group_is_scaled_later(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "creation").counts(0, 1), instance("InstanceProvisionFailed"))
    fleet.sees(born("i-1"), state_change("InService", workers=shown("InService", 1, 1)))
    ended = fleet.only("operation_failed").resolved_at
    assert ended is not None
    fleet.sees(state_change("InService", workers=shown("Updating", 1, 2)))
    assert fleet.only("operation_failed").resolved_at == ended


def test_fsx_from_its_creation_to_its_deletion(fleet: Fleet) -> None:
    states = []
    for code in ("FsxCreationStarted", "FsxCreationCompleted", "FsxUpdateStarted", "FsxUpdateCompleted",
                 "FsxDeletionStarted", "FsxDeletionCompleted"):  # fmt: skip
        fleet.sees(group(code))
        states.append(fleet.machine("workers", "fsx"))
    assert states == ["Creating", "Available", "Updating", "Available", "Deleting", "Deleted"]
    assert fleet.anomalies() == []


@pytest.mark.parametrize("code", ["NetworkConfigurationFound", "PlatformNetworkUsed", "NetworkConfigurationDetermined"])
def test_a_network_is_configured_in_one_of_three_ways(fleet: Fleet, code: str) -> None:
    fleet.sees(group("NetworkConfigurationFailed"), group(code))
    assert (fleet.machine("workers", "network"), fleet.kinds("open")) == ("Configured", [])


def test_a_node_list_only_says_what_was_observed(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), node_list(i_1="Failed", i_2="Running"))
    assert (fleet.phase("i-1"), fleet.phase("i-2")) == ("InService", "Unknown")
    observed = fleet.instance("i-1").observed
    assert observed is not None
    assert observed.status == "Failed"


def test_a_failed_attempt_with_a_successor_does_not_degrade_its_group(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "creation").counts(0, 1), born("i-1", "s-1")[:-2])
    fleet.sees(script("i-1", "Started"), script("i-1", "Failed"))
    fleet.sees(born("i-2", "s-1"), group("GroupOperationCompleted", "creation").counts(1, 1))
    assert fleet.group().members == {"Failed": 1, "InService": 1}
    assert fleet.phase("workers") == "InService"


def test_steps_that_are_missing_are_named_where_another_event_would_lead_straight_there(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "creation"), group("FsxUpdateFailed"))
    assert "fsx: None → Creating → Available → Failed" in fleet.only("missing_event").title


def recreated() -> list[Event]:
    return [
        group("GroupOperationStarted", "deletion"),
        group("GroupOperationCompleted", "deletion"),
        group("GroupOperationStarted", "creation").counts(0, 1),
        *born("i-2"),
        group("GroupOperationCompleted", "creation").counts(1, 1),
    ]


FAILED_BEFORE: dict[str, list[Event]] = {
    "a slot": [instance("InstanceProvisionFailed").slot("s-1")],
    "an instance": [*born("i-1")[:-2], script("i-1", "Started"), script("i-1", "Failed")],
    "nobody knows which instance": [instance("InstanceProvisionFailed")],
}


@pytest.mark.parametrize("name", FAILED_BEFORE)
def test_what_failed_in_a_group_is_over_also_when_there_is_another_one_of_its_name(fleet: Fleet, name: str) -> None:
    fleet.sees(group("GroupOperationStarted", "creation").counts(0, 1), FAILED_BEFORE[name])
    (failed,) = fleet.anomalies()
    assert failed.status == "open"
    fleet.sees(recreated()[:2])
    (gone,) = fleet.anomalies()
    assert gone.status == "resolved"
    fleet.sees(recreated()[2:])
    fleet.waits(300)
    fleet.sees(cluster("SlurmDriftPassed"))
    assert fleet.anomalies() == [gone]
    assert fleet.phase("workers") == "InService", "the former one's failed instance is not one of this group"


def test_what_a_group_waited_for_was_over_when_it_was_deleted(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "creation"), born("i-1"), group("GroupOperationCompleted", "creation"))
    fleet.sees(rollout_begins(), group("GroupRollbackStarted"), group("GroupOperationStarted", "scaling"))
    fleet.sees(recreated()[:2])
    fleet.waits(300)
    fleet.sees(state_change("Updating", workers=shown("Creating", 0, 1)), recreated()[2:])
    assert (fleet.phase("workers"), fleet.anomalies("stuck")) == ("InService", [])


def test_a_group_of_the_same_name_does_not_go_on_with_the_rollback_of_the_former_one(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "creation"), born("i-1"), group("GroupOperationCompleted", "creation"))
    fleet.sees(rollout_begins(), group("GroupRollbackStarted"), group("GroupRollbackFailed"))
    fleet.sees(recreated()[:3])
    assert fleet.phase("workers") == "Creating"
    fleet.sees(recreated()[3:])
    assert (fleet.phase("workers"), fleet.machine("workers", "rollback")) == ("InService", "None")
    assert fleet.kinds("open") == []
