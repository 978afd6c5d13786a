"""Stories of failing templates: each opens its kind on its entity, and the same thing's success ends it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from models.catalogue import BY_CODE
from models.faults import KINDS
from tests.fleet import Fleet
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


def test_every_template_that_names_a_kind_has_its_story() -> None:
    assert sorted(CASES) == sorted(KINDS)


@pytest.mark.parametrize("code", sorted(KINDS))
def test_a_failing_template_opens_exactly_its_kind_and_the_success_ends_it(fleet: Fleet, code: str) -> None:
    case = CASES[code]
    fleet.sees(case.before)
    earlier = fleet.kinds()
    assert set(earlier) <= {"rollback_started"}
    fleet.sees(case.fault)
    fault = fleet.only(case.kind)
    assert (fault.kind, fault.status) == (KINDS[code], "open")
    assert (fault.cause, fault.machine, fault.state) == (case.cause, case.machine, case.state)
    assert fault.resource_type == (BY_CODE[code].scope if code in BY_CODE else "Instance")
    assert fleet.kinds() == sorted([*earlier, case.kind])
    fleet.sees(case.ends)
    assert (fleet.kinds("open"), fleet.kinds("resolved")) == ([], sorted([*earlier, case.kind]))


INSTANCE_FAULTS = [
    code
    for code in sorted(KINDS)
    if (BY_CODE[code].scope if code in BY_CODE else "Instance") == "Instance" and KINDS[code] != "resource_leak"
]


@pytest.mark.parametrize("code", INSTANCE_FAULTS)
def test_the_end_of_the_instance_ends_what_was_wrong_with_it(fleet: Fleet, code: str) -> None:
    fleet.sees(CASES[code].before, CASES[code].fault, DELETED)
    owed = ["replacement_failed"] if KINDS[code] == "replacement_failed" else []
    assert fleet.kinds("open") == owed


@pytest.mark.parametrize("code", ["EniDeletionFailed", "UnusedEniDeletionFailed"])
def test_a_leak_outlives_its_instance_until_it_is_cleaned(fleet: Fleet, code: str) -> None:
    fleet.sees(ALIVE, DELETED, of_instance(code))
    assert fleet.kinds("open") == ["resource_leak"]
    fleet.sees(of_instance("EniDeleted"))
    assert fleet.kinds() == ["resource_leak"]
    assert fleet.kinds("open") == []


GROUP_FAULTS = [code for code in sorted(KINDS) if code in BY_CODE and BY_CODE[code].scope == "InstanceGroup"]


@pytest.mark.parametrize("code", GROUP_FAULTS)
def test_the_end_of_the_group_ends_what_was_wrong_with_it(fleet: Fleet, code: str) -> None:
    fleet.sees(CASES[code].before, CASES[code].fault)
    fleet.sees(group("GroupOperationStarted", "deletion"), group("GroupOperationCompleted", "deletion"))
    assert fleet.phase("workers") == "Deleted"
    assert fleet.kinds("open") == []


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("We currently do not have sufficient capacity to launch new ml.p5.48xlarge instances.", "capacity"),
        ("InsufficientInstanceCapacity: try again", "capacity"),
        ("EFA health checks did not run successfully. Ensure that your VPC and security groups are set up", "efa"),
        ("Lifecycle scripts did not run successfully. Ensure the scripts exist in S3.", "lifecycle_script"),
        ("Instance groups do not match those in the lifecycle script's provisioning_parameters.json", "configuration"),
        ("User: arn:aws:iam::1:role/x is not authorized to perform: ec2:CreateNetworkInterface", "permissions"),
        ("AccessDeniedException: no", "permissions"),
        ("Unable to assume role arn:aws:iam::1:role/x", "permissions"),
        ("The account-level service limit 'ml.p5.48xlarge for cluster usage' is 0 Instances", "quota"),
        ("ResourceLimitExceeded: too many", "quota"),
        ("You have exceeded your quota of network interfaces", "quota"),
        ("The subnet has no free addresses", "network"),
        ("Failed to mount FSx for Lustre", "fsx"),
        ("The image id ami-1 does not exist", "ami"),
        ("kubelet did not register", "kubernetes"),
        ("Something else", "unknown"),
    ],
)
def test_the_failure_message_tells_the_cause(fleet: Fleet, message: str, cause: str) -> None:
    fleet.sees(of_instance("InstanceOperationFailed", "creation").because(message))
    assert fleet.only("operation_failed").cause == cause


def test_the_template_tells_the_cause_where_the_message_does_not(fleet: Fleet) -> None:
    fleet.sees(of_instance("EniCreationFailed").because("Something else"))
    assert fleet.only("operation_failed").cause == "eni"
