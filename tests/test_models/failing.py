"""Every failing template once: what it opens, and what ends that.

Knows: AWS's texts and the contract's table of kinds, written down a second time.  Must not know: how faults are found.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.stories import ClusterEvent, Event, born, cluster, group, health, instance, script


@dataclass(frozen=True)
class Case:
    """A failing event, what it has to open, and what ends that."""

    fault: Event
    kind: str
    cause: str
    ends: list[Event]
    machine: str | None = None
    state: str | None = None
    before: list[Event] = field(default_factory=list)


def of_instance(code: str, operation: str | None = None) -> ClusterEvent:
    return instance(code, "i-1", operation)


DELETED = [of_instance("TerminationInProgress"), of_instance("InstanceOperationCompleted", "deletion")]
RETRIED = [of_instance("InstanceProvisioned"), script("i-1", "Started"), script("i-1", "Succeeded")]
ALIVE = born("i-1")
ROLLOUT = [group("PatchScheduled"), group("PatchStarted")]
BATCH = [*ROLLOUT, group("PatchBatchSelected")]
CORDONED = [*ALIVE, *BATCH, of_instance("PatchPrepared")]
ROLLED_BACK = [of_instance("InstanceRollbackStarted"), of_instance("InstanceRolledBack")]
PATCHED = [of_instance("RootVolumeReplacementStarted"), of_instance("InstancePatched")]
BAKING = [*BATCH, group("BakeStarted")]

CASES: dict[str, Case] = {
    "ClusterOperationStartFailed": Case(
        cluster("ClusterOperationStartFailed", "update"),
        "operation_failed",
        "unknown",
        [cluster("ClusterOperationStarted", "update"), cluster("ClusterOperationCompleted", "update")],
        "operation",
        "Failed",
    ),
    "ClusterOperationFailed": Case(
        cluster("ClusterOperationFailed", "creation"),
        "operation_failed",
        "unknown",
        [cluster("ClusterOperationStarted", "creation"), cluster("ClusterOperationCompleted", "creation")],
        "operation",
        "Failed",
        [cluster("ClusterOperationStarted", "creation")],
    ),
    "GroupOperationStartFailed": Case(
        group("GroupOperationStartFailed", "scaling"),
        "operation_failed",
        "unknown",
        [group("GroupOperationStarted", "scaling"), group("GroupOperationCompleted", "scaling")],
        "operation",
        "Failed",
    ),
    "GroupOperationFailed": Case(
        group("GroupOperationFailed", "scaling"),
        "operation_failed",
        "unknown",
        [group("GroupOperationCompleted", "scaling")],
        "operation",
        "Failed",
        [group("GroupOperationStarted", "scaling")],
    ),
    "NetworkConfigurationFailed": Case(
        group("NetworkConfigurationFailed"),
        "operation_failed",
        "network",
        [group("NetworkConfigurationFound")],
        "network",
        "Failed",
    ),
    "CustomAmiFailed": Case(group("CustomAmiFailed"), "operation_failed", "ami", [group("CustomAmiFound")]),
    "InstanceOperationStartFailed": Case(
        of_instance("InstanceOperationStartFailed", "creation"),
        "operation_failed",
        "unknown",
        RETRIED,
        "provision",
        "Failed",
    ),
    "PayloadSetupFailed": Case(
        of_instance("PayloadSetupFailed"), "operation_failed", "capacity", RETRIED, "provision", "Failed"
    ),
    "EniCreationFailed": Case(
        of_instance("EniCreationFailed"), "operation_failed", "eni", RETRIED, "provision", "Failed"
    ),
    "InstanceProvisionFailed": Case(
        of_instance("InstanceProvisionFailed"), "operation_failed", "unknown", RETRIED, "provision", "Failed"
    ),
    "LifecycleScriptStatusUpdateFailed": Case(
        of_instance("LifecycleScriptStatusUpdateFailed"),
        "operation_failed",
        "lifecycle_script",
        [script("i-1", "Succeeded")],
        "lifecycle_script",
        "Running",
        [of_instance("InstanceProvisioned"), script("i-1", "Started")],
    ),
    "LifecycleScriptFailedWithLogs": Case(
        of_instance("LifecycleScriptFailedWithLogs"),
        "lifecycle_script_failed",
        "lifecycle_script",
        [script("i-1", "Started"), script("i-1", "Succeeded")],
        "lifecycle_script",
        "Failed",
        [of_instance("InstanceProvisioned"), script("i-1", "Started")],
    ),
    "UnusedEniDeletionFailed": Case(
        of_instance("UnusedEniDeletionFailed"), "resource_leak", "eni", [of_instance("UnusedEniDeleted")]
    ),
    "TerminationFailed": Case(
        of_instance("TerminationFailed"),
        "operation_failed",
        "unknown",
        [of_instance("InstanceOperationCompleted", "termination")],
        "provision",
        "Failed",
        [of_instance("TerminationInProgress")],
    ),
    "EniDeletionFailed": Case(
        of_instance("EniDeletionFailed"),
        "resource_leak",
        "eni",
        [of_instance("EniDeleted")],
        before=[of_instance("TerminationInProgress")],
    ),
    "RebootRequestFailed": Case(
        of_instance("RebootRequestFailed"),
        "operation_failed",
        "unknown",
        [of_instance("RebootInProgress")],
        "reboot",
        "Failed",
        ALIVE,
    ),
    "InstanceOperationFailed": Case(
        of_instance("InstanceOperationFailed", "reboot"),
        "operation_failed",
        "unknown",
        [of_instance("RebootInProgress"), of_instance("InstanceOperationCompleted", "reboot")],
        "reboot",
        "Failed",
        [*ALIVE, of_instance("RebootInProgress")],
    ),
    "ReplacementStartFailed": Case(
        of_instance("ReplacementStartFailed"),
        "replacement_failed",
        "unknown",
        [of_instance("ReplacementStarted"), of_instance("ReplacementCompleted", "creation")],
        "replace",
        "Failed",
    ),
    "ReplacementFailed": Case(
        of_instance("ReplacementFailed", "creation"),
        "replacement_failed",
        "unknown",
        [of_instance("ReplacementStarted"), of_instance("ReplacementCompleted", "creation")],
        "replace",
        "Failed",
        [of_instance("ReplacementStarted")],
    ),
    "FsxCreationFailed": Case(
        group("FsxCreationFailed"),
        "operation_failed",
        "fsx",
        [group("FsxCreationStarted"), group("FsxCreationCompleted")],
        "fsx",
        "Failed",
        [group("FsxCreationStarted")],
    ),
    "FsxUpdateFailed": Case(
        group("FsxUpdateFailed"),
        "operation_failed",
        "fsx",
        [group("FsxUpdateCompleted")],
        "fsx",
        "Failed",
        [group("FsxUpdateStarted")],
    ),
    "FsxDeletionFailed": Case(
        group("FsxDeletionFailed"),
        "operation_failed",
        "fsx",
        [group("FsxDeletionCompleted")],
        "fsx",
        "Failed",
        [group("FsxDeletionStarted")],
    ),
    "PatchScheduleFailed": Case(
        group("PatchScheduleFailed"), "patch_failed", "unknown", [*BATCH, group("PatchCompleted")], "patch", "Failed"
    ),
    "PatchStartFailed": Case(
        group("PatchStartFailed"),
        "patch_failed",
        "unknown",
        [*BATCH, group("PatchCompleted")],
        "patch",
        "Failed",
        ROLLOUT[:1],
    ),
    "PatchBatchSelectionFailed": Case(
        group("PatchBatchSelectionFailed"),
        "patch_failed",
        "unknown",
        [group("PatchBatchSelected"), group("PatchCompleted")],
        "patch",
        "Failed",
        ROLLOUT,
    ),
    "FailedInstancesQueueingFailed": Case(
        group("FailedInstancesQueueingFailed"),
        "patch_failed",
        "unknown",
        [group("PatchCompleted")],
        "patch",
        "InProgress",
        BATCH,
    ),
    "PatchCompletionFailed": Case(
        group("PatchCompletionFailed"), "patch_failed", "unknown", [group("PatchCompleted")], "patch", "Failed", BATCH
    ),
    "RootVolumeReplacementFailed": Case(
        of_instance("RootVolumeReplacementFailed"), "patch_failed", "unknown", PATCHED, "patch", "Failed", CORDONED
    ),
    "PatchPreparationFailed": Case(
        of_instance("PatchPreparationFailed"),
        "patch_failed",
        "kubernetes",
        [of_instance("PatchPrepared"), *PATCHED],
        "patch",
        "Failed",
        [*ALIVE, *BATCH],
    ),
    "SchedulableRestoreFailed": Case(
        of_instance("SchedulableRestoreFailed"),
        "patch_failed",
        "kubernetes",
        [of_instance("SchedulableRestored")],
        "patch",
        "Updated",
        [*CORDONED, *PATCHED],
    ),
    "PatchSkipped": Case(
        of_instance("PatchSkipped"),
        "patch_skipped",
        "kubernetes",
        [group("PatchCompleted")],
        "patch",
        "Skipped",
        [*ALIVE, *BATCH],
    ),
    "BakeEvaluationFailed": Case(
        group("BakeEvaluationFailed"), "patch_failed", "unknown", [group("PatchCompleted")], "patch", "Failed", BAKING
    ),
    "BakeAlarm": Case(group("BakeAlarm"), "bake_alarm", "unknown", ROLLOUT, "patch", "Failed", BAKING),
    "GroupRollbackStarted": Case(
        group("GroupRollbackStarted"), "rollback_started", "unknown", ROLLOUT, "rollback", "RollingBack", BATCH
    ),
    "GroupRollbackFailed": Case(
        group("GroupRollbackFailed"),
        "rollback_failed",
        "unknown",
        [*BATCH, group("PatchCompleted")],
        "rollback",
        "Failed",
        [*BATCH, group("GroupRollbackStarted")],
    ),
    "InstanceRollbackStarted": Case(
        of_instance("InstanceRollbackStarted"),
        "rollback_started",
        "unknown",
        [of_instance("InstanceRolledBack")],
        "rollback",
        "RollingBack",
        CORDONED,
    ),
    "InstanceRollbackFailed": Case(
        of_instance("InstanceRollbackFailed"),
        "rollback_failed",
        "unknown",
        [of_instance("PatchPrepared"), *PATCHED],
        "rollback",
        "Failed",
        [*CORDONED, of_instance("InstanceRollbackStarted")],
    ),
    "SlrAccessEntryFailed": Case(
        cluster("SlrAccessEntryFailed", "creation"),
        "operation_failed",
        "permissions",
        [cluster("SlrAccessEntrySucceeded", "creation")],
        "access",
        "Failed",
    ),
    "EksAccessEntriesFailed": Case(
        cluster("EksAccessEntriesFailed", "update"),
        "operation_failed",
        "permissions",
        [cluster("EksAccessEntriesSucceeded", "update")],
        "access",
        "Failed",
    ),
    "KubernetesConfigUpdateFailed": Case(
        of_instance("KubernetesConfigUpdateFailed"),
        "operation_failed",
        "kubernetes",
        [of_instance("KubernetesConfigUpdated")],
        before=ALIVE,
    ),
    "AutoscalingFailed": Case(
        cluster("AutoscalingFailed", "enable"),
        "operation_failed",
        "unknown",
        [cluster("AutoscalingSucceeded", "enable")],
        "autoscaling",
        "Failed",
    ),
    "KarpenterCrdInstallFailed": Case(
        cluster("KarpenterCrdInstallFailed"),
        "operation_failed",
        "kubernetes",
        [cluster("KarpenterCrdInstalled")],
        "autoscaling",
        "Failed",
    ),
    "KarpenterAccessPolicyUpdateFailed": Case(
        cluster("KarpenterAccessPolicyUpdateFailed", "associate"),
        "operation_failed",
        "permissions",
        [cluster("KarpenterAccessPolicyUpdated", "Associated")],
        "autoscaling",
        "Failed",
    ),
    "SlurmDriftDetected": Case(
        cluster("SlurmDriftDetected"),
        "slurm_drift",
        "configuration",
        [cluster("SlurmDriftPassed")],
        "slurm_config",
        "Drifted",
    ),
    "SlurmClusterCreationFailed": Case(
        cluster("SlurmClusterCreationFailed"),
        "operation_failed",
        "unknown",
        [cluster("ClusterOperationStarted", "creation"), cluster("ClusterOperationCompleted", "creation")],
        "operation",
        "Failed",
        [cluster("ClusterOperationStarted", "creation")],
    ),
    "LifecycleScriptStatus": Case(
        script("i-1", "Failed"),
        "lifecycle_script_failed",
        "lifecycle_script",
        [script("i-1", "Started"), script("i-1", "Succeeded")],
        "lifecycle_script",
        "Failed",
        [of_instance("InstanceProvisioned"), script("i-1", "Started")],
    ),
    "NodeHealth": Case(
        health("i-1", "Unhealthy"),
        "unhealthy_node",
        "unknown",
        [health("i-1", "Healthy")],
        "health",
        "Unhealthy",
        ALIVE,
    ),
    "HealthAgentUnhealthy": Case(
        instance("HealthAgentUnhealthy", "i-1", action="None"),
        "unhealthy_node",
        "unknown",
        [health("i-1", "Healthy")],
        "health",
        "Unhealthy",
        ALIVE,
    ),
    "OrchestrationReadyLost": Case(
        cluster("OrchestrationReadyLost"),
        "orchestration_ready_lost",
        "unknown",
        [cluster("OrchestrationReadyLost", lost="0", current="8")],
    ),
}
