"""Event texts of single instances: birth, end, reboot, replacement.

Knows: the texts, word for word, and what they mean.  Must not know: how they are matched.
"""

from __future__ import annotations

from models.catalogue.template import Template, section

_creation = section("Instance creation", "Instance")
_deletion = section("Instance deletion", "Instance")
_reboot = section("Instance reboot", "Instance")
_generic = section("Instance operation (generic)", "Instance")
_replacement = section("Instance replacement", "Instance")

INSTANCES: tuple[Template, ...] = (
    _creation(
        "InstanceOperationStarted",
        "Instance operation started",
        "Instance <operation> started successfully in Cluster <cluster-name> and IG <instance-group-name>",
        "HyperPod has begun to create, delete, reboot or replace one instance of the group.",
        example="Instance creation started successfully in Cluster train and IG gpu",
        near_miss="Instance started successfully in Cluster train and IG gpu",
    ),
    _creation(
        "InstanceOperationStartFailed",
        "Instance operation start failed",
        "Failed to start Instance <operation> in Cluster <cluster-name> and IG <instance-group-name>",
        "The operation on one instance of the group did not begin.",
        level="Error",
        example="Failed to start Instance creation in Cluster train and InstanceGroup gpu",
        near_miss="Failed to start Instance in Cluster train and IG gpu",
    ),
    _creation(
        "CapacityReservationFound",
        "Capacity reservation found",
        "Found CapacityReservation ID <reservation-id> for Cluster <cluster-name> and IG <instance-group-name>,"
        " using reserved capacity",
        "The instance takes its place in capacity that you reserved.",
        example="Found CapacityReservation ID cr-0123456789abcd for Cluster train and IG gpu, using reserved capacity",
        near_miss="Found CapacityReservation ID cr-0123456789abcdef0 for Cluster train and IG gpu",
    ),
    _creation(
        "CapacityReservationNotFound",
        "Capacity reservation not found",
        "No CapacityReservation found for Cluster <cluster-name> and IG <instance-group-name>, using on-demand pool",
        "No reservation fits, so the instance is asked from on-demand capacity, which may run out.",
        level="Warn",
        example="No CapacityReservation found for Cluster train and IG gpu, using on-demand pool",
        near_miss="No CapacityReservation found for Cluster train and IG gpu, using spot pool",
    ),
    _creation(
        "PayloadSetupFailed",
        "Instance payload setup failed",
        "Failed to process CapacityReservationDetails for Cluster <cluster-name> and IG <instance-group-name>",
        "The reservation named for the group could not be used, so the instance is not created.",
        level="Error",
        example="Failed to process CapacityReservationDetails for Cluster train and IG gpu",
        near_miss="Failed to process CapacityReservation for Cluster train and IG gpu",
    ),
    _creation(
        "EniCreated",
        "Customer ENI created",
        "Successfully created Customer ENI for instance in Cluster <cluster-name> and IG <instance-group-name>",
        "The instance has its network interface in your VPC.",
        example="Successfully created Customer ENI for instance in Cluster train and IG gpu",
        near_miss="Successfully created Customer ENI in Cluster train and IG gpu",
    ),
    _creation(
        "EniCreationFailed",
        "Customer ENI creation failed",
        "Failed to create Customer ENI for instance in Cluster <cluster-name> and IG <instance-group-name>",
        "No network interface could be made in your VPC: look at free addresses, quotas and permissions.",
        level="Error",
        example="Failed to create Customer ENI for instance in Cluster train and IG gpu",
        near_miss="Failed to create ENI for instance in Cluster train and IG gpu",
    ),
    _creation(
        "InstanceProvisioned",
        "EC2 instance provisioned",
        "EC2 Instance <instance-id> successfully provisioned in Cluster <cluster-name> and IG <instance-group-name>",
        "EC2 has given the instance; its lifecycle script comes next.",
        example="EC2 instance i-0123456789abcdef0 successfully provisioned in Cluster train and IG gpu",
        near_miss="EC2 Instance i-0123456789abcdef0 provisioned in Cluster train and IG gpu",
    ),
    _creation(
        "InstanceProvisionFailed",
        "EC2 instance creation failed",
        "Failed to provision EC2 Instance in Cluster <cluster-name> and IG <instance-group-name>",
        "EC2 did not give the instance, most often for want of capacity.",
        level="Error",
        example="Failed to provision EC2 Instance in Cluster train and IG gpu",
        near_miss="Failed to provision EC2 Instances in Cluster train and IG gpu",
    ),
    _creation(
        "LifecycleScriptStatus",
        "Lifecycle script status updated",
        "Instance lifecycle script execution for EC2 Instance <instance-id> has <status>",
        "Your lifecycle script has started, succeeded or failed on the instance.",
        example="Instance lifecycle script execution for i-0123456789abcdef0 has Started",
        near_miss="Instance lifecycle script execution for EC2 Instance i-0123456789abcdef0 has Stalled",
    ),
    _creation(
        "LifecycleScriptStatusUpdateFailed",
        "Lifecycle script status update failed",
        "Failed to update Instance lifecycle script execution status for EC2InstanceId <instance-id>",
        "HyperPod could not record how the lifecycle script went on the instance.",
        level="Error",
        example="Failed to update Instance lifecycle script execution status for EC2InstanceId i-0123456789abcdef0",
        near_miss="Failed to update Instance lifecycle script status for EC2InstanceId i-0123456789abcdef0",
    ),
    _creation(
        "LifecycleScriptFailedWithLogs",
        "Instance creation failed with lifecycle logs",
        "Instance lifecycle script execution for EC2 Instance <instance-id> has Failed."
        " To view lifecycle script logs, visit log group...",
        "Your lifecycle script failed on the instance, and the text says where its log is.",
        level="Error",
        example="Instance lifecycle script execution for EC2 Instance i-0123456789abcdef0 has Failed. To view lifecycle"
        " script logs, visit log group /aws/sagemaker/Clusters/train/ac7 log stream LifecycleConfig/gpu/i-0",
        near_miss="Instance lifecycle script execution for EC2 Instance i-0123456789abcdef0 has Succeeded."
        " To view lifecycle script logs, visit log group /aws/sagemaker/Clusters/train/ac7",
    ),
    _creation(
        "UnusedEniDeleted",
        "Unused ENI cleanup succeeded",
        "Successfully deleted unused Customer ENIs for EC2 Instance <instance-id>"
        " in Cluster <cluster-name> and IG <instance-group-name>",
        "Network interfaces that the instance did not need are gone from your VPC.",
        example="Successfully deleted unused Customer ENIs for EC2 Instance i-0a in Cluster train and IG gpu",
        near_miss="Successfully deleted Customer ENIs for EC2 Instance i-0a in Cluster train and IG gpu",
    ),
    _creation(
        "UnusedEniDeletionFailed",
        "Unused ENI cleanup failed",
        "Failed to delete unused Customer ENIs for EC2 Instance <instance-id>"
        " in Cluster <cluster-name> and IG <instance-group-name>",
        "Network interfaces that nobody uses stay in your VPC and keep their addresses.",
        level="Error",
        example="Failed to delete unused Customer ENIs for EC2 Instance i-0a in Cluster train and IG gpu",
        near_miss="Failed to delete unused ENIs for EC2 Instance i-0a in Cluster train and IG gpu",
    ),
    _deletion(
        "TerminationInProgress",
        "EC2 instance termination in progress",
        "Termination of EC2 Instance <instance-id> is currently in progress"
        " in Cluster <cluster-name> and IG <instance-group-name>",
        "The instance is shutting down and will not come back.",
        example="Termination of EC2 Instance i-0a is currently in progress in Cluster train and IG gpu",
        near_miss="Termination of EC2 Instance i-0a is in progress in Cluster train and IG gpu",
    ),
    _deletion(
        "TerminationFailed",
        "EC2 instance termination failed",
        "Failed to terminate EC2 Instance <instance-id> in Cluster <cluster-name> and IG <instance-group-name>",
        "The instance could not be shut down and may still cost money.",
        level="Error",
        example="Failed to terminate EC2 Instance i-0a in Cluster train and IG gpu",
        near_miss="Failed to terminate EC2 Instance i-0a in Cluster train",
    ),
    _deletion(
        "EniDeleted",
        "Customer ENI deleted",
        "Customer ENI successfully deleted for EC2 Instance <instance-id>"
        " in Cluster <cluster-name> and IG <instance-group-name>",
        "The network interface of the instance that goes is gone from your VPC.",
        example="Customer ENI successfully deleted for EC2InstanceId i-0a in Cluster train and IG gpu",
        near_miss="Customer ENI deleted for EC2 Instance i-0a in Cluster train and IG gpu",
    ),
    _deletion(
        "EniDeletionFailed",
        "Customer ENI deletion failed",
        "Failed to delete Customer ENI for EC2 Instance <instance-id>"
        " in Cluster <cluster-name> and IG <instance-group-name>",
        "The network interface of the instance that goes stays in your VPC and keeps its address.",
        level="Error",
        example="Failed to delete Customer ENI for EC2 Instance i-0a in Cluster train and IG gpu",
        near_miss="Failed to delete Customer ENI of EC2 Instance i-0a in Cluster train and IG gpu",
    ),
    _reboot(
        "RebootInProgress",
        "EC2 instance reboot in progress",
        "Reboot of EC2 Instance <instance-id> is currently in progress"
        " on Cluster <cluster-name> and IG <instance-group-name>",
        "The instance restarts and keeps its id; the lifecycle script does not run again.",
        example="Reboot of EC2 Instance i-0a is currently in progress on Cluster train and IG gpu",
        near_miss="Reboot of EC2 Instance i-0a is currently pending on Cluster train and IG gpu",
    ),
    _reboot(
        "RebootRequestFailed",
        "EC2 instance reboot request failed",
        "Failed to submit reboot request for EC2 Instance <instance-id>"
        " in Cluster <cluster-name> and IG <instance-group-name>",
        "The restart was not even begun; the instance is as it was before.",
        level="Error",
        example="Failed to submit reboot request for EC2 Instance i-0a in Cluster train and IG gpu",
        near_miss="Failed to submit replacement request for EC2 Instance i-0a in Cluster train and IG gpu",
    ),
    _generic(
        "InstanceOperationCompleted",
        "Instance operation completed",
        "Instance <operation> <instance-id> in Cluster <cluster-name> and IG <instance-group-name>"
        " completed successfully",
        "The operation on the instance is done.",
        example="Instance creation i-0a in Cluster train and IG gpu completed successfully",
        near_miss="Instance i-0a in Cluster train and IG gpu completed successfully",
    ),
    _generic(
        "InstanceOperationFailed",
        "Instance operation failed",
        "Instance <operation> <instance-id> in Cluster <cluster-name> and IG <instance-group-name> failed",
        "The operation on the instance broke off; its failure message, where there is one, says why.",
        level="Error",
        example="Instance creation in Cluster train and InstanceGroup gpu failed",
        near_miss="Instance creation in Cluster train failed",
    ),
    _replacement(
        "ReplacementStarted",
        "Instance replacement started",
        "Instance <instance-id> is starting as part of instance replacement"
        " in Cluster <cluster-name> and IG <instance-group-name>",
        "A new instance takes the place of another; with a delete word, it is the old one that goes.",
        example="Instance deletion is starting as part of instance replacement in Cluster train and IG gpu",
        near_miss="Instance i-0a is starting in Cluster train and IG gpu",
    ),
    _replacement(
        "ReplacementStartFailed",
        "Instance replacement start failed",
        "Instance <instance-id> failed to start as part of instance replacement"
        " in Cluster <cluster-name> and IG <instance-group-name>",
        "The new instance that should take another's place did not start.",
        level="Error",
        example="Instance i-0a failed to start as part of instance replacement in Cluster train and IG gpu",
        near_miss="Instance i-0a failed to start in Cluster train and IG gpu",
    ),
    _replacement(
        "ReplacementCompleted",
        "Instance replacement completed",
        "Instance <instance-id> <operation> completed successfully as part of instance replacement"
        " in Cluster <cluster-name> and IG <instance-group-name>",
        "The new instance is in its place; with a delete word, the old one is gone.",
        example="Instance i-0a creation completed successfully as part of instance replacement"
        " in Cluster train and IG gpu",
        near_miss="Instance i-0a creation completed as part of instance replacement in Cluster train and IG gpu",
    ),
    _replacement(
        "ReplacementFailed",
        "Instance replacement failed",
        "Instance <instance-id> <operation> failed as part of instance replacement"
        " in Cluster <cluster-name> and IG <instance-group-name>",
        "This attempt to replace the instance failed; HyperPod may try another one.",
        level="Error",
        example="Instance i-0a creation failed as part of instance replacement in Cluster train and IG gpu",
        near_miss="Instance i-0a creation failed as part of group replacement in Cluster train and IG gpu",
    ),
)
