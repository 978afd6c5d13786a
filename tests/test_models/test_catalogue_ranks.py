"""Events of one millisecond: causes are judged before their effects."""

from __future__ import annotations

import pytest

from models.catalogue import BY_CODE, EVENT_CODES, RANKS, rank_of

CHAINS = {
    "birth": (
        ("ClusterStateChange", "Creating", None),
        ("ClusterOperationStarted", None, "create"),
        ("GroupOperationStarted", None, "create"),
        ("NetworkConfigurationFound", None, None),
        ("NetworkConfigurationDetermined", None, None),
        ("InstanceOperationStarted", None, "create"),
        ("CapacityReservationNotFound", None, None),
        ("EniCreated", None, None),
        ("InstanceProvisioned", None, None),
        ("LifecycleScriptStatus", "Started", None),
        ("LifecycleScriptStatus", "Succeeded", None),
        ("InstanceOperationCompleted", None, "create"),
        ("GroupOperationCompleted", None, "create"),
        ("ClusterOperationCompleted", None, "create"),
        ("ClusterStateChange", "InService", None),
        ("NodeList", None, None),
        ("ClusterSnapshot", None, None),
    ),
    "a birth that fails": (
        ("InstanceOperationStarted", None, "create"),
        ("InstanceProvisionFailed", None, None),
        ("LifecycleScriptStatus", "Started", None),
        ("LifecycleScriptStatus", "Failed", None),
        ("LifecycleScriptFailedWithLogs", "Failed", None),
        ("InstanceOperationFailed", None, "create"),
        ("UnusedEniDeleted", None, None),
        ("TerminationInProgress", None, None),
    ),
    "replacement": (
        ("NodeHealth", "Unhealthy", None),
        ("ReplacementStarted", None, "delete"),
        ("ReplacementStarted", None, None),
        ("InstanceProvisioned", None, None),
        ("LifecycleScriptStatus", "Started", None),
        ("LifecycleScriptStatus", "Succeeded", None),
        ("ReplacementCompleted", None, "create"),
        ("NodeHealth", "Healthy", None),
        ("TerminationInProgress", None, None),
        ("EniDeleted", None, None),
        ("InstanceOperationCompleted", None, "delete"),
    ),
    "reboot": (
        ("HealthAgentUnhealthy", None, None),
        ("InstanceOperationStarted", None, "reboot"),
        ("RebootInProgress", None, None),
        ("InstanceOperationCompleted", None, "reboot"),
    ),
    "rollout": (
        ("PatchScheduled", None, None),
        ("PatchStarted", None, None),
        ("PatchPrepared", None, None),
        ("RootVolumeReplacementStarted", None, None),
        ("LifecycleScriptStatus", "Started", None),
        ("LifecycleScriptStatus", "Succeeded", None),
        ("InstancePatched", None, None),
        ("BakeStarted", None, None),
        ("BakeCompleted", None, None),
        ("PatchBatchSelected", None, None),
        ("PatchCompleted", None, None),
        ("SchedulableRestored", None, None),
    ),
    "rollback": (
        ("LifecycleScriptStatus", "Failed", None),
        ("BakeStarted", None, None),
        ("BakeAlarm", None, None),
        ("GroupRollbackStarted", None, None),
        ("InstanceRollbackStarted", None, None),
        ("InstanceRolledBack", None, None),
        ("SchedulableRestored", None, None),
        ("GroupRollbackFailed", None, None),
        ("GroupOperationFailed", None, None),
    ),
    "end": (
        ("ClusterOperationStarted", None, "delete"),
        ("GroupOperationStarted", None, "delete"),
        ("InstanceOperationStarted", None, "delete"),
        ("TerminationInProgress", None, None),
        ("EniDeleted", None, None),
        ("InstanceOperationCompleted", None, "delete"),
        ("FsxDeletionStarted", None, None),
        ("FsxDeletionCompleted", None, None),
        ("GroupOperationCompleted", None, "delete"),
        ("ClusterOperationCompleted", None, "delete"),
    ),
    "Slurm": (("SlurmDriftDetected", None, None), ("SlurmReconfigured", None, None), ("SlurmDriftPassed", None, None)),
}


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS.keys())
def test_causes_rank_before_their_effects(chain: tuple[tuple[str, str | None, str | None], ...]) -> None:
    ranks = [rank_of(*event) for event in chain]
    assert ranks == sorted(set(ranks))


def test_ranks_are_unique_and_of_known_codes() -> None:
    codes = {name.partition(":")[0] for name in RANKS}
    assert len(set(RANKS.values())) == len(RANKS)
    assert list(RANKS.values()) == sorted(RANKS.values())
    assert codes == set(BY_CODE) | set(EVENT_CODES)
    assert codes <= set(RANKS)
    assert {name.partition(":")[2] for name in RANKS} <= {
        *("", "create", "delete", "replace", "reboot", "Started", "Succeeded", "Failed"),
        *("Healthy", "Unhealthy", "Degraded"),
        *("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting", "InService"),
    }


def test_an_unknown_word_leaves_the_rank_of_the_code() -> None:
    assert rank_of("LifecycleScriptStatus", "Stalled", "other") == BY_CODE["LifecycleScriptStatus"].rank
    with pytest.raises(KeyError):
        rank_of("NoSuchCode")
