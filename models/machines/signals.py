"""What an observation means to the machines: one signal an event.

Knows: catalogue codes and operation words.  Must not know: states, rows, texts.
"""

from __future__ import annotations

from enum import StrEnum

from models.held import Known
from models.observation import Observation


class Signal(StrEnum):
    """The alphabet of all machines."""

    CREATE_STARTED = "create started"
    CREATE_COMPLETED = "create completed"
    CREATE_FAILED = "create failed"
    UPDATE_STARTED = "update started"
    UPDATE_COMPLETED = "update completed"
    UPDATE_FAILED = "update failed"
    SCALE_STARTED = "scale started"
    SCALE_COMPLETED = "scale completed"
    SCALE_FAILED = "scale failed"
    DELETE_STARTED = "delete started"
    DELETE_COMPLETED = "delete completed"
    DELETE_FAILED = "delete failed"
    ENI_CREATED = "ENI created"
    ENI_DELETED = "ENI deleted"
    PROVISIONED = "provisioned"
    SCRIPT_STARTED = "script started"
    SCRIPT_SUCCEEDED = "script succeeded"
    SCRIPT_FAILED = "script failed"
    REPLACE_STARTED = "replacement started"
    REPLACE_COMPLETED = "replacement completed"
    REPLACE_FAILED = "replacement failed"
    REBOOT_STARTED = "reboot started"
    REBOOT_COMPLETED = "reboot completed"
    REBOOT_FAILED = "reboot failed"
    PREPARED = "cordoned and evicted"
    ROOT_VOLUME_STARTED = "root volume replacement started"
    PATCHED = "updated"
    SKIPPED = "update skipped"
    STEP_FAILED = "update step failed"
    RESTORED = "restored to schedulable"
    ROLLBACK_STARTED = "rollback started"
    ROLLED_BACK = "rolled back"
    ROLLBACK_FAILED = "rollback failed"
    PATCH_SCHEDULED = "rollout scheduled"
    PATCH_STARTED = "rollout started"
    BATCH_SELECTED = "batch selected"
    PATCH_COMPLETED = "rollout completed"
    PATCH_FAILED = "rollout failed"
    BAKE_STARTED = "bake started"
    BAKE_COMPLETED = "bake completed"
    BAKE_ALARM = "bake alarm"
    NETWORK_CONFIGURED = "network configured"
    NETWORK_FAILED = "network failed"
    FSX_CREATE_STARTED = "FSx create started"
    FSX_CREATE_COMPLETED = "FSx create completed"
    FSX_CREATE_FAILED = "FSx create failed"
    FSX_UPDATE_STARTED = "FSx update started"
    FSX_UPDATE_COMPLETED = "FSx update completed"
    FSX_UPDATE_FAILED = "FSx update failed"
    FSX_DELETE_STARTED = "FSx delete started"
    FSX_DELETE_COMPLETED = "FSx delete completed"
    FSX_DELETE_FAILED = "FSx delete failed"
    ACCESS_CONFIGURED = "access configured"
    ACCESS_FAILED = "access failed"
    AUTOSCALING_CONFIGURED = "autoscaling configured"
    AUTOSCALING_FAILED = "autoscaling failed"
    SLURM_IN_SYNC = "Slurm in sync"
    SLURM_DRIFTED = "Slurm drifted"
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


S = Signal

# One meaning whatever the operation word says.
_PLAIN: dict[str, Signal] = {
    "PayloadSetupFailed": S.CREATE_FAILED,
    "EniCreated": S.ENI_CREATED,
    "EniCreationFailed": S.CREATE_FAILED,
    "InstanceProvisioned": S.PROVISIONED,
    "InstanceProvisionFailed": S.CREATE_FAILED,
    "LifecycleScriptFailedWithLogs": S.SCRIPT_FAILED,
    "TerminationInProgress": S.DELETE_STARTED,
    "TerminationFailed": S.DELETE_FAILED,
    "EniDeleted": S.ENI_DELETED,
    "RebootInProgress": S.REBOOT_STARTED,
    "RebootRequestFailed": S.REBOOT_FAILED,
    "NetworkConfigurationFound": S.NETWORK_CONFIGURED,
    "NetworkConfigurationFailed": S.NETWORK_FAILED,
    "PlatformNetworkUsed": S.NETWORK_CONFIGURED,
    "NetworkConfigurationDetermined": S.NETWORK_CONFIGURED,
    "FsxCreationStarted": S.FSX_CREATE_STARTED,
    "FsxCreationFailed": S.FSX_CREATE_FAILED,
    "FsxCreationCompleted": S.FSX_CREATE_COMPLETED,
    "FsxDeletionStarted": S.FSX_DELETE_STARTED,
    "FsxDeletionFailed": S.FSX_DELETE_FAILED,
    "FsxDeletionCompleted": S.FSX_DELETE_COMPLETED,
    "FsxUpdateStarted": S.FSX_UPDATE_STARTED,
    "FsxUpdateFailed": S.FSX_UPDATE_FAILED,
    "FsxUpdateCompleted": S.FSX_UPDATE_COMPLETED,
    "PatchScheduled": S.PATCH_SCHEDULED,
    "PatchScheduleFailed": S.PATCH_FAILED,
    "PatchStarted": S.PATCH_STARTED,
    "PatchStartFailed": S.PATCH_FAILED,
    "PatchBatchSelected": S.BATCH_SELECTED,
    "PatchBatchSelectionFailed": S.PATCH_FAILED,
    "PatchCompleted": S.PATCH_COMPLETED,
    "PatchCompletionFailed": S.PATCH_FAILED,
    "RootVolumeReplacementStarted": S.ROOT_VOLUME_STARTED,
    "RootVolumeReplacementFailed": S.STEP_FAILED,
    "InstancePatched": S.PATCHED,
    "PatchPrepared": S.PREPARED,
    "PatchSkipped": S.SKIPPED,
    "PatchPreparationFailed": S.STEP_FAILED,
    "SchedulableRestored": S.RESTORED,
    "BakeStarted": S.BAKE_STARTED,
    "BakeCompleted": S.BAKE_COMPLETED,
    "BakeAlarm": S.BAKE_ALARM,
    "BakeEvaluationFailed": S.PATCH_FAILED,
    "GroupRollbackStarted": S.ROLLBACK_STARTED,
    "GroupRollbackFailed": S.ROLLBACK_FAILED,
    "InstanceRollbackStarted": S.ROLLBACK_STARTED,
    "InstanceRolledBack": S.ROLLED_BACK,
    "InstanceRollbackFailed": S.ROLLBACK_FAILED,
    "SlrAccessEntrySucceeded": S.ACCESS_CONFIGURED,
    "SlrAccessEntryFailed": S.ACCESS_FAILED,
    "EksAccessEntriesSucceeded": S.ACCESS_CONFIGURED,
    "EksAccessEntriesFailed": S.ACCESS_FAILED,
    "AutoscalingSucceeded": S.AUTOSCALING_CONFIGURED,
    "AutoscalingFailed": S.AUTOSCALING_FAILED,
    "KarpenterCrdInstalled": S.AUTOSCALING_CONFIGURED,
    "KarpenterCrdInstallFailed": S.AUTOSCALING_FAILED,
    "KarpenterAccessPolicyUpdated": S.AUTOSCALING_CONFIGURED,
    "KarpenterAccessPolicyUpdateFailed": S.AUTOSCALING_FAILED,
    "SlurmDriftPassed": S.SLURM_IN_SYNC,
    "SlurmReconfigured": S.SLURM_IN_SYNC,
    "SlurmDriftDetected": S.SLURM_DRIFTED,
    "SlurmClusterCreationFailed": S.CREATE_FAILED,
    "HealthAgentUnhealthy": S.UNHEALTHY,
}

_STARTED = {
    "create": S.CREATE_STARTED,
    "update": S.UPDATE_STARTED,
    "scale": S.SCALE_STARTED,
    "delete": S.DELETE_STARTED,
    "replace": S.REPLACE_STARTED,
    "reboot": S.REBOOT_STARTED,
    "update_software": S.PATCH_STARTED,
}
_COMPLETED = {
    "create": S.CREATE_COMPLETED,
    "update": S.UPDATE_COMPLETED,
    "scale": S.SCALE_COMPLETED,
    "delete": S.DELETE_COMPLETED,
    "replace": S.REPLACE_COMPLETED,
    "reboot": S.REBOOT_COMPLETED,
    "update_software": S.PATCH_COMPLETED,
}
_FAILED = {
    "create": S.CREATE_FAILED,
    "update": S.UPDATE_FAILED,
    "scale": S.SCALE_FAILED,
    "delete": S.DELETE_FAILED,
    "replace": S.REPLACE_FAILED,
    "reboot": S.REBOOT_FAILED,
    "update_software": S.PATCH_FAILED,
}

# The operation word decides.
_BY_OPERATION: dict[str, dict[str, Signal]] = {
    "ClusterOperationStarted": _STARTED,
    "ClusterOperationStartFailed": _FAILED,
    "ClusterOperationCompleted": _COMPLETED,
    "ClusterOperationFailed": _FAILED,
    "GroupOperationStarted": _STARTED,
    "GroupOperationStartFailed": _FAILED,
    "GroupOperationCompleted": _COMPLETED,
    "GroupOperationFailed": _FAILED,
    "InstanceOperationStarted": _STARTED,
    "InstanceOperationStartFailed": _FAILED,
    "InstanceOperationCompleted": _COMPLETED,
    "InstanceOperationFailed": _FAILED,
}

# Replacement events name the new instance, unless their operation word is a delete one: then it is the one that goes.
_REPLACEMENT = {
    "ReplacementStarted": (S.REPLACE_STARTED, S.DELETE_STARTED),
    "ReplacementStartFailed": (S.REPLACE_FAILED, S.DELETE_FAILED),
    "ReplacementCompleted": (S.REPLACE_COMPLETED, S.DELETE_COMPLETED),
    "ReplacementFailed": (S.REPLACE_FAILED, S.DELETE_FAILED),
}

# The status word decides.
_BY_STATUS: dict[str, dict[str, Signal]] = {
    "LifecycleScriptStatus": {"Started": S.SCRIPT_STARTED, "Succeeded": S.SCRIPT_SUCCEEDED, "Failed": S.SCRIPT_FAILED},
    "NodeHealth": {"Healthy": S.HEALTHY, "Degraded": S.DEGRADED, "Unhealthy": S.UNHEALTHY},
}

_LEAVING = frozenset({S.DELETE_STARTED, S.DELETE_COMPLETED, S.DELETE_FAILED, S.ENI_DELETED})


def signal_of(obs: Observation) -> Signal | None:
    """The signal of an observation, or None where it moves no machine."""
    plain = _PLAIN.get(obs.code)
    if plain is not None:
        return plain
    if (words := _BY_STATUS.get(obs.code)) is not None:
        return words.get(obs.status or "")
    return _by_operation(obs)


def is_leaving(obs: Known) -> bool:
    """Whether an event is about the end of its entity; no status word says so."""
    return (_PLAIN.get(obs.code) or _by_operation(obs)) in _LEAVING


def _by_operation(obs: Known) -> Signal | None:
    if (words := _BY_OPERATION.get(obs.code)) is not None:
        return words.get(obs.operation or "")
    if (pair := _REPLACEMENT.get(obs.code)) is not None:
        return pair[obs.operation == "delete"]
    return None
