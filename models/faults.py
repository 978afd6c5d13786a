"""Which event is a fault of which kind, what clears it, and what it is put down to.

Knows: catalogue codes, operation words, failure messages.  Must not know: rows, order, time, other entities.
The tables here are printed into the reference.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from models.machines.signals import Signal as S
from models.observation import Observation


class Spec(NamedTuple):
    """One code's fault.

    `family` joins faults of one operation into one run; `topic` is what a success has to cover to clear it.
    """

    kind: str
    family: str
    topic: str
    machine: str | None


# The most particular kind wins where a fault is made of several events (contract section 3).
PARTICULAR = ("lifecycle_script_failed", "replacement_failed", "rollback_failed", "patch_failed", "operation_failed")

STATUS_NOT_TOLD = "script_status"
"""The topic of a lifecycle script whose status could not be updated."""

_PLAIN: dict[str, Spec] = {
    "NetworkConfigurationFailed": Spec("operation_failed", "network", "network", "network"),
    "CustomAmiFailed": Spec("operation_failed", "ami", "ami", None),
    "PayloadSetupFailed": Spec("operation_failed", "create", "provision", "provision"),
    "EniCreationFailed": Spec("operation_failed", "create", "provision", "provision"),
    "InstanceProvisionFailed": Spec("operation_failed", "create", "provision", "provision"),
    "LifecycleScriptFailedWithLogs": Spec("lifecycle_script_failed", "script", "script", "lifecycle_script"),
    "LifecycleScriptStatusUpdateFailed": Spec("operation_failed", STATUS_NOT_TOLD, STATUS_NOT_TOLD, "lifecycle_script"),
    "TerminationFailed": Spec("operation_failed", "terminate", "terminate", "provision"),
    "RebootRequestFailed": Spec("operation_failed", "reboot", "reboot_request", "reboot"),
    "ReplacementStartFailed": Spec("replacement_failed", "replacement", "replacement", "replace"),
    "ReplacementFailed": Spec("replacement_failed", "replacement", "replacement", "replace"),
    "FsxCreationFailed": Spec("operation_failed", "fsx create", "fsx create", "fsx"),
    "FsxUpdateFailed": Spec("operation_failed", "fsx update", "fsx update", "fsx"),
    "FsxDeletionFailed": Spec("operation_failed", "fsx delete", "fsx delete", "fsx"),
    "PatchScheduleFailed": Spec("patch_failed", "patch", "patch", "patch"),
    "PatchStartFailed": Spec("patch_failed", "patch", "patch", "patch"),
    "PatchBatchSelectionFailed": Spec("patch_failed", "patch", "patch", "patch"),
    "FailedInstancesQueueingFailed": Spec("patch_failed", "patch", "patch", "patch"),
    "PatchCompletionFailed": Spec("patch_failed", "patch", "patch", "patch"),
    "RootVolumeReplacementFailed": Spec("patch_failed", "patch", "patch", "patch"),
    "PatchPreparationFailed": Spec("patch_failed", "patch", "patch", "patch"),
    "SchedulableRestoreFailed": Spec("patch_failed", "patch", "patch", "patch"),
    "BakeEvaluationFailed": Spec("patch_failed", "patch", "patch", "patch"),
    "PatchSkipped": Spec("patch_skipped", "skip", "skip", "patch"),
    "BakeAlarm": Spec("bake_alarm", "bake", "bake", "patch"),
    "GroupRollbackStarted": Spec("rollback_started", "rollback", "rollback", "rollback"),
    "InstanceRollbackStarted": Spec("rollback_started", "rollback", "rollback", "rollback"),
    "GroupRollbackFailed": Spec("rollback_failed", "rollback failed", "rollback failed", "rollback"),
    "InstanceRollbackFailed": Spec("rollback_failed", "rollback failed", "rollback failed", "rollback"),
    "SlrAccessEntryFailed": Spec("operation_failed", "access slr", "access slr", "access"),
    "EksAccessEntriesFailed": Spec("operation_failed", "access eks", "access eks", "access"),
    "KubernetesConfigUpdateFailed": Spec("operation_failed", "kubernetes", "kubernetes", None),
    "AutoscalingFailed": Spec("operation_failed", "autoscaling", "autoscaling", "autoscaling"),
    "KarpenterCrdInstallFailed": Spec("operation_failed", "karpenter crd", "karpenter crd", "autoscaling"),
    "KarpenterAccessPolicyUpdateFailed": Spec(
        "operation_failed", "karpenter access", "karpenter access", "autoscaling"
    ),
    "SlurmClusterCreationFailed": Spec("operation_failed", "op create", "op create", "operation"),
    "SlurmDriftDetected": Spec("slurm_drift", "slurm", "slurm", "slurm_config"),
    "EniDeletionFailed": Spec("resource_leak", "eni", "eni", None),
    "UnusedEniDeletionFailed": Spec("resource_leak", "eni", "eni", None),
    "HealthAgentUnhealthy": Spec("unhealthy_node", "health", "health", "health"),
}


def topics_of(machine: str) -> tuple[str, ...]:
    """What a machine of several parts fails by: it is well again when none of these is open."""
    return tuple(sorted({spec.topic for spec in _PLAIN.values() if spec.machine == machine}))


_GROUP_OR_CLUSTER = frozenset(
    {"ClusterOperationStartFailed", "ClusterOperationFailed", "GroupOperationStartFailed", "GroupOperationFailed"}
)
_INSTANCE_OPERATION = {
    "create": Spec("operation_failed", "create", "create", "provision"),
    "delete": Spec("operation_failed", "terminate", "terminate", "provision"),
    "reboot": Spec("operation_failed", "reboot", "reboot", "reboot"),
    "replace": Spec("replacement_failed", "replacement", "replacement", "replace"),
}
_INSTANCE_FAILURES = frozenset({"InstanceOperationStartFailed", "InstanceOperationFailed"})
# The status word decides.
_BY_STATUS: dict[str, dict[str, Spec]] = {
    "LifecycleScriptStatus": {"Failed": _PLAIN["LifecycleScriptFailedWithLogs"]},
    "NodeHealth": dict.fromkeys(("Unhealthy", "Degraded"), _PLAIN["HealthAgentUnhealthy"]),
}

# What each template opens, for the reference; codes whose word decides stand with the usual kind.
KINDS: dict[str, str] = {
    **{code: spec.kind for code, spec in _PLAIN.items()},
    **dict.fromkeys(sorted(_GROUP_OR_CLUSTER | _INSTANCE_FAILURES), "operation_failed"),
    "LifecycleScriptStatus": "lifecycle_script_failed",
    "NodeHealth": "unhealthy_node",
    "OrchestrationReadyLost": "orchestration_ready_lost",
}


def word_of(obs: Observation) -> str:
    """The operation that an event is about: the normalised one, or the text's own word where it is none of ours."""
    if obs.operation not in (None, "other"):
        return str(obs.operation)
    return (obs.operation_word or "other").lower()


MAY_BE_FAULTS = frozenset(_PLAIN) | frozenset(KINDS)
"""Codes of events that are faults, or may be by another word of theirs."""


def fault_of(obs: Observation) -> Spec | None:
    """The fault that an observation is, or None."""
    plain = _PLAIN.get(obs.code)
    if plain is not None:
        return plain
    if (words := _BY_STATUS.get(obs.code)) is not None:
        return words.get(obs.status or "")
    if obs.code in _GROUP_OR_CLUSTER:
        topic = f"op {word_of(obs)}"
        return Spec("operation_failed", topic, topic, "operation")
    if obs.code in _INSTANCE_FAILURES:
        topic = f"op {word_of(obs)}"
        return _INSTANCE_OPERATION.get(obs.operation or "") or Spec("operation_failed", topic, topic, None)
    if obs.code == "OrchestrationReadyLost" and obs.text.get("current") != obs.text.get("total"):
        return Spec("orchestration_ready_lost", "ready", "ready", None)
    return None


_SIGNAL_COVERS: dict[S, tuple[str, ...]] = {
    S.PROVISIONED: ("provision",),
    S.SCRIPT_STARTED: (STATUS_NOT_TOLD,),
    S.SCRIPT_SUCCEEDED: ("script", STATUS_NOT_TOLD, "provision", "create"),
    S.CREATE_COMPLETED: ("create", "provision", "script", STATUS_NOT_TOLD, "op create"),
    S.UPDATE_COMPLETED: ("op update",),
    S.SCALE_COMPLETED: ("op scale",),
    S.DELETE_COMPLETED: ("terminate", "op delete"),
    S.REPLACE_COMPLETED: ("replacement", "create", "provision", "script", STATUS_NOT_TOLD, "op replace", "health"),
    S.REBOOT_STARTED: ("reboot_request",),
    S.REBOOT_COMPLETED: ("reboot", "reboot_request", "health"),
    S.PATCHED: ("patch", "skip", "script", STATUS_NOT_TOLD, "rollback", "rollback failed", "op update_software"),
    S.RESTORED: ("patch",),
    S.ROLLED_BACK: ("patch", "skip", "script", STATUS_NOT_TOLD, "rollback", "rollback failed"),
    S.PATCH_SCHEDULED: ("bake", "rollback"),
    S.PATCH_STARTED: ("bake", "rollback"),
    S.PATCH_COMPLETED: ("patch", "bake", "rollback", "rollback failed", "op update_software"),
    S.NETWORK_CONFIGURED: ("network",),
    S.FSX_CREATE_COMPLETED: ("fsx create",),
    S.FSX_UPDATE_COMPLETED: ("fsx update",),
    S.FSX_DELETE_COMPLETED: ("fsx delete",),
    S.SLURM_IN_SYNC: ("slurm",),
    S.HEALTHY: ("health",),
}

CODE_COVERS: dict[str, tuple[str, ...]] = {
    "CustomAmiFound": ("ami",),
    "UnusedEniDeleted": ("eni",),
    "EniDeleted": ("eni",),
    "KubernetesConfigUpdated": ("kubernetes",),
    "SlrAccessEntrySucceeded": ("access slr",),
    "EksAccessEntriesSucceeded": ("access eks",),
    "AutoscalingSucceeded": ("autoscaling",),
    "KarpenterCrdInstalled": ("karpenter crd",),
    "KarpenterAccessPolicyUpdated": ("karpenter access",),
}
_COMPLETIONS = frozenset({"ClusterOperationCompleted", "GroupOperationCompleted", "InstanceOperationCompleted"})


def covers(obs: Observation, signal: S | None) -> tuple[str, ...]:
    """The topics whose faults end with this observation."""
    topics = _SIGNAL_COVERS.get(signal, ()) if signal is not None else ()
    if obs.code in CODE_COVERS:
        topics += CODE_COVERS[obs.code]
    if obs.code in _COMPLETIONS:
        topics += (f"op {word_of(obs)}",)
    if obs.code == "OrchestrationReadyLost" and obs.text.get("current") == obs.text.get("total"):
        topics += ("ready",)
    return topics


SURVIVES_THE_END = frozenset({"resource_leak", "replacement_failed"})
"""Kinds that the end of the entity does not clear: leaked ENIs stay, and a replacement is still owed."""

SURVIVES_THE_GROUP = frozenset({"resource_leak"})
"""Kinds that not even the end of the group or of the cluster clears."""

_MESSAGE_CAUSES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), cause)
    for pattern, cause in (
        (r"sufficient capacity|insufficient\w*capacity|capacity reservation|not enough capacity", "capacity"),
        (r"\bEFA\b", "efa"),
        (r"do not match|provisioning_parameters\.json|invalid configuration|misconfigur", "configuration"),
        (r"lifecycle script", "lifecycle_script"),
        (r"not authorized|access ?denied|permission|assume ?role|unauthorized", "permissions"),
        (r"quota|limit ?exceeded|exceeds? the limit|service limit|resource limit", "quota"),
        (r"\bENIs?\b|network interface", "eni"),
        (r"\bFSx\b|lustre", "fsx"),
        (r"\bAMI\b|\bami-|image id", "ami"),
        (r"kubernetes|\bEKS\b|kubelet", "kubernetes"),
        (r"subnet|security group|\bVPC\b|\bDNS\b|network", "network"),
    )
)

_CODE_CAUSES = {
    "NetworkConfigurationFailed": "network",
    "CustomAmiFailed": "ami",
    "PayloadSetupFailed": "capacity",
    "EniCreationFailed": "eni",
    "EniDeletionFailed": "eni",
    "UnusedEniDeletionFailed": "eni",
    "LifecycleScriptStatus": "lifecycle_script",
    "LifecycleScriptStatusUpdateFailed": "lifecycle_script",
    "LifecycleScriptFailedWithLogs": "lifecycle_script",
    "FsxCreationFailed": "fsx",
    "FsxUpdateFailed": "fsx",
    "FsxDeletionFailed": "fsx",
    "SlrAccessEntryFailed": "permissions",
    "EksAccessEntriesFailed": "permissions",
    "KarpenterAccessPolicyUpdateFailed": "permissions",
    "KarpenterCrdInstallFailed": "kubernetes",
    "KubernetesConfigUpdateFailed": "kubernetes",
    "PatchPreparationFailed": "kubernetes",
    "PatchSkipped": "kubernetes",
    "SchedulableRestoreFailed": "kubernetes",
    "SlurmDriftDetected": "configuration",
}


def cause_of(obs: Observation) -> str:
    """What a fault is put down to: its FailureMessage first, then its template, else `unknown`."""
    message = obs.details.get("failure_message")
    if isinstance(message, str):
        for pattern, cause in _MESSAGE_CAUSES:
            if pattern.search(message[:2048]):
                return cause
    return _CODE_CAUSES.get(obs.code, "unknown")
