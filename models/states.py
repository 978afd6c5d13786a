"""The vocabulary: every state of every machine, and the phases.

Knows: words only.  Must not know: which event leads where (`models.machines`), or how a phase is found.
The words are the public contract; AWS's where AWS has one.
"""

from __future__ import annotations

from enum import StrEnum


class Provision(StrEnum):
    """An EC2 instance of a group, from request to termination."""

    UNKNOWN = "Unknown"
    REQUESTED = "Requested"
    NETWORK_READY = "NetworkReady"
    PROVISIONED = "Provisioned"
    IN_SERVICE = "InService"
    FAILED = "Failed"
    TERMINATING = "Terminating"
    TERMINATED = "Terminated"


class LifecycleScript(StrEnum):
    """The lifecycle script's last run."""

    NOT_RUN = "NotRun"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


class Replace(StrEnum):
    """The replacement that this instance is the new one of."""

    NONE = "None"
    REPLACING = "Replacing"
    REPLACED = "Replaced"
    FAILED = "Failed"


class InstancePatch(StrEnum):
    """The last software update of one instance."""

    NONE = "None"
    PREPARED = "Prepared"
    REPLACING_ROOT_VOLUME = "ReplacingRootVolume"
    UPDATED = "Updated"
    SKIPPED = "Skipped"
    FAILED = "Failed"


class Rollback(StrEnum):
    """The last rollback, of an instance or of a group."""

    NONE = "None"
    ROLLING_BACK = "RollingBack"
    ROLLED_BACK = "RolledBack"
    FAILED = "Failed"


class Reboot(StrEnum):
    """The last reboot."""

    NONE = "None"
    REBOOTING = "Rebooting"
    REBOOTED = "Rebooted"
    FAILED = "Failed"


class Health(StrEnum):
    """What the health monitoring agent said last."""

    UNKNOWN = "Unknown"
    HEALTHY = "Healthy"
    DEGRADED = "Degraded"
    UNHEALTHY = "Unhealthy"


class GroupOperation(StrEnum):
    """The operation that a group is inside."""

    NONE = "None"
    CREATING = "Creating"
    UPDATING = "Updating"
    SCALING = "Scaling"
    DELETING = "Deleting"
    DELETED = "Deleted"
    FAILED = "Failed"


class Configured(StrEnum):
    """A configuration step that succeeds or fails: network, access entries, autoscaling."""

    UNKNOWN = "Unknown"
    CONFIGURED = "Configured"
    FAILED = "Failed"


class Fsx(StrEnum):
    """The group's FSx file system."""

    NONE = "None"
    CREATING = "Creating"
    AVAILABLE = "Available"
    UPDATING = "Updating"
    DELETING = "Deleting"
    DELETED = "Deleted"
    FAILED = "Failed"


class GroupPatch(StrEnum):
    """The last software update (rollout) of a group."""

    NONE = "None"
    SCHEDULED = "Scheduled"
    IN_PROGRESS = "InProgress"
    BAKING = "Baking"
    COMPLETED = "Completed"
    FAILED = "Failed"


class ClusterOperation(StrEnum):
    """The operation that a cluster is inside."""

    NONE = "None"
    CREATING = "Creating"
    UPDATING = "Updating"
    DELETING = "Deleting"
    DELETED = "Deleted"
    FAILED = "Failed"


class SlurmConfig(StrEnum):
    """Slurm's configuration against the desired one."""

    UNKNOWN = "Unknown"
    IN_SYNC = "InSync"
    DRIFTED = "Drifted"


class InstancePhase(StrEnum):
    """The one word that a user reads first; in order of precedence."""

    TERMINATED = "Terminated"
    TERMINATING = "Terminating"
    ROLLING_BACK = "RollingBack"
    PATCHING = "Patching"
    REPLACING = "Replacing"
    REBOOTING = "Rebooting"
    FAILED = "Failed"
    LIFECYCLE_SCRIPT = "LifecycleScript"
    PROVISIONING = "Provisioning"
    IN_SERVICE = "InService"
    UNKNOWN = "Unknown"


class GroupPhase(StrEnum):
    """The same for an instance group."""

    DELETED = "Deleted"
    DELETING = "Deleting"
    ROLLING_BACK = "RollingBack"
    BAKING = "Baking"
    PATCHING = "Patching"
    CREATING = "Creating"
    SCALING = "Scaling"
    UPDATING = "Updating"
    FAILED = "Failed"
    DEGRADED = "Degraded"
    IN_SERVICE = "InService"
    UNKNOWN = "Unknown"


class ClusterPhase(StrEnum):
    """AWS's ClusterStatus, with `Deleted` and `Unknown` added."""

    CREATING = "Creating"
    IN_SERVICE = "InService"
    UPDATING = "Updating"
    SYSTEM_UPDATING = "SystemUpdating"
    ROLLING_BACK = "RollingBack"
    FAILED = "Failed"
    DELETING = "Deleting"
    DELETED = "Deleted"
    UNKNOWN = "Unknown"
