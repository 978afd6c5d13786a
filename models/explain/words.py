"""One sentence for every machine, state and phase, and for every kind of anomaly what opens it and what to look at.

Knows: meanings.  Must not know: which event leads where, what is deadly late: the tables of `models` say that.
A test holds these tables complete.
"""

from __future__ import annotations

from collections.abc import Mapping

from models.public import AnomalyKind as K

MACHINES: Mapping[str, str] = {
    "instance/provision": "An EC2 instance from its request to its termination.",
    "instance/lifecycle_script": "The last run of the lifecycle script on an instance.",
    "instance/replace": "The replacement that an instance is the new one of.",
    "instance/patch": "The last software update of one instance.",
    "instance/rollback": "The last rollback of one instance to its previous image.",
    "instance/reboot": "The last reboot of an instance.",
    "instance/health": "What the health agent said last; it never changes the phase.",
    "group/operation": "The operation that an instance group is inside.",
    "group/network": "Whether the group's network configuration could be used.",
    "group/fsx": "The group's FSx file system.",
    "group/patch": "The last software update (rollout) of a group.",
    "group/rollback": "The last rollback of a group's rollout.",
    "cluster/operation": "The operation that a cluster is inside.",
    "cluster/access": "Whether HyperPod's access entries in the EKS cluster are in place.",
    "cluster/autoscaling": "Whether autoscaling (Karpenter) is set up.",
    "cluster/slurm_config": "Slurm's configuration against the wanted one.",
}

_ROLLBACK = {
    "None": "It was never rolled back, or a later update has made that past.",
    "RollingBack": "It is on its way back to the previous image.",
    "RolledBack": "It is back on the previous image.",
    "Failed": "It could not be brought back: its image may be either one.",
}
_CONFIGURED = {
    "Unknown": "No event has said anything about it.",
    "Configured": "The last word was that it succeeded.",
    "Failed": "The last word was that it failed.",
}

STATES: Mapping[str, Mapping[str, str]] = {
    "instance/provision": {
        "Unknown": "Nothing is known of its birth: it was there before the first event that names it.",
        "Requested": "HyperPod has asked for it; EC2 has not given it yet.",
        "NetworkReady": "Its network interface exists; EC2 has not given the instance yet.",
        "Provisioned": "EC2 has given it; the lifecycle script comes next.",
        "InService": "It has been put in service.",
        "Failed": "Its creation or termination failed; HyperPod may try again.",
        "Terminating": "It is on its way out.",
        "Terminated": "It is gone for good: a replacement is a new EC2 id.",
    },
    "instance/lifecycle_script": {
        "NotRun": "No run has been reported.",
        "Running": "The script is running.",
        "Succeeded": "The last run ended well.",
        "Failed": "The last run failed; the logs are in CloudWatch.",
    },
    "instance/replace": {
        "None": "It is not the new one of any replacement.",
        "Replacing": "It is to take another's place and is being set up.",
        "Replaced": "It has taken the other's place.",
        "Failed": "This attempt at a replacement failed; another instance may be tried.",
    },
    "instance/patch": {
        "None": "No update has touched it.",
        "Prepared": "Cordoned and its pods evicted: the root volume comes next.",
        "ReplacingRootVolume": "Its root volume is being exchanged for the new image.",
        "Updated": "It runs the new image.",
        "Skipped": "A PodDisruptionBudget forbade the eviction, so it keeps the old image.",
        "Failed": "A step of the update failed.",
    },
    "instance/rollback": _ROLLBACK,
    "instance/reboot": {
        "None": "No reboot was seen.",
        "Rebooting": "It is rebooting.",
        "Rebooted": "The last reboot ended well.",
        "Failed": "The reboot, or the request for it, failed.",
    },
    "instance/health": {
        "Unknown": "The health agent has said nothing, or nothing since the last reboot.",
        "Healthy": "The health agent finds nothing wrong.",
        "Degraded": "The health agent finds it impaired.",
        "Unhealthy": "The health agent finds it broken and names a repair.",
    },
    "group/operation": {
        "None": "No operation is under way.",
        "Creating": "The group is being created.",
        "Updating": "The group's definition is being changed.",
        "Scaling": "The number of instances is being changed.",
        "Deleting": "The group is being deleted.",
        "Deleted": "The group is gone; its name may be used again.",
        "Failed": "The last operation failed; HyperPod may still retry within it.",
    },
    "group/network": _CONFIGURED,
    "group/fsx": {
        "None": "The group has no file system that an event named.",
        "Creating": "The file system is being created.",
        "Available": "The file system can be used.",
        "Updating": "The file system is being changed.",
        "Deleting": "The file system is being deleted.",
        "Deleted": "The file system is gone.",
        "Failed": "The last change of the file system failed.",
    },
    "group/patch": {
        "None": "No rollout was seen.",
        "Scheduled": "A rollout is planned and has not begun.",
        "InProgress": "Instances are updated, batch by batch.",
        "Baking": "A batch is done, and alarms are watched before the next one.",
        "Completed": "The last rollout ended well.",
        "Failed": "A step of the rollout failed, or it is being rolled back.",
    },
    "group/rollback": _ROLLBACK,
    "cluster/operation": {
        "None": "No operation is under way.",
        "Creating": "The cluster is being created.",
        "Updating": "The cluster's definition is being changed.",
        "Deleting": "The cluster is being deleted.",
        "Deleted": "The cluster is gone: a new one has a new ARN.",
        "Failed": "The last operation failed.",
    },
    "cluster/access": _CONFIGURED,
    "cluster/autoscaling": _CONFIGURED,
    "cluster/slurm_config": {
        "Unknown": "No validation was seen.",
        "InSync": "Slurm's configuration is the wanted one.",
        "Drifted": "Slurm's configuration is not the wanted one.",
    },
}

PHASES: Mapping[str, Mapping[str, str]] = {
    "instance": {
        "Terminated": "It is gone for good.",
        "Terminating": "It is on its way out.",
        "RollingBack": "It is on its way back to the previous image.",
        "Patching": "It is being updated, and takes no work.",
        "Replacing": "It is to take another's place and is being set up.",
        "Rebooting": "It is rebooting.",
        "Failed": "Its creation, script, replacement or rollback failed.",
        "LifecycleScript": "Its lifecycle script is running.",
        "Provisioning": "EC2 or the network interface is still to come, or the script has not begun.",
        "InService": "It serves, and nothing is under way.",
        "Unknown": "What was heard of it does not tell.",
    },
    "group": {
        "Deleted": "The group is gone.",
        "Deleting": "The group is being deleted.",
        "RollingBack": "A rollout is being undone.",
        "Baking": "A batch is done, and alarms are watched before the next one.",
        "Patching": "A rollout is under way.",
        "Creating": "The group is being created.",
        "Scaling": "The number of instances is being changed.",
        "Updating": "The group's definition is being changed.",
        "Failed": "The last operation or rollback failed.",
        "Degraded": "A snapshot says so, a live member has failed, or fewer are in service than wanted.",
        "InService": "It serves, with as many instances as wanted where that is known.",
        "Unknown": "What was heard of it does not tell.",
    },
    "cluster": {
        "Creating": "The cluster is being created.",
        "InService": "The cluster serves.",
        "Updating": "The cluster's definition is being changed.",
        "SystemUpdating": "The cluster's software is being updated.",
        "RollingBack": "The cluster's last change is being undone.",
        "Failed": "The last operation failed.",
        "Deleting": "The cluster is being deleted.",
        "Deleted": "The cluster is gone.",
        "Unknown": "What was heard of it does not tell.",
    },
}

# Phases that no single machine gives; a phase that is not named here follows from its machine's state.
RULES: Mapping[str, str] = {
    "group/Degraded": "a snapshot that says Degraded, a live member in phase Failed, or fewer members in service than"
    " the target outside an operation",
    "group/InService": "a snapshot, a completed operation or a member in service says that it serves",
    "cluster/InService": "a state change or a completed operation, whichever is newer",
    "cluster/RollingBack": "a state change: no cluster operation has this name",
}

SAID_BY_NO_EVENT: Mapping[str, str] = {
    "group/rollback/RollingBack": "every touched member is rolled back (HyperPod has no event for it)",
    "group/Degraded": "as many members in service as wanted",
    "cluster/RollingBack": "a state change to another status",
    "cluster/SystemUpdating": "the end of its groups' rollouts, or a state change to another status",
}
"""What ends a waiting state that the tables alone would not tell."""

OPENS: Mapping[K, str] = {
    K.OPERATION_FAILED: "an event says that a step failed: of a cluster, a group, an instance, or what belongs to them",
    K.LIFECYCLE_SCRIPT_FAILED: "an event says that an instance's lifecycle script failed",
    K.REPLACEMENT_FAILED: "an event says that a replacement failed, or could not begin",
    K.PATCH_FAILED: "an event says that a step of a software update failed",
    K.PATCH_SKIPPED: "an event says that a PodDisruptionBudget kept an instance out of an update",
    K.BAKE_ALARM: "an event says that an alarm went off while a batch was baking",
    K.ROLLBACK_STARTED: "an event says that a group or an instance goes back to its former image",
    K.ROLLBACK_FAILED: "an event says that a group or an instance could not be brought back",
    K.UNEXPECTED_TRANSITION: "a machine took a step for which its table has no path",
    K.MISSING_EVENT: "a machine took a step for which its table has a path with steps that nobody reported",
    K.STUCK: "a waiting state outlives its deadline",
    K.UNHEALTHY_NODE: "a health event or HyperPod's monitoring says that a node is unhealthy or degraded",
    K.REPAIR_NOT_STARTED: "a health event asks for a repair, and no reboot, replacement or termination begins in time",
    K.FLAPPING: "the same failed, rebooting or replacing state is entered again and again",
    K.REPLACEMENT_STORM: "many replacements start in one cluster or group",
    K.CORRELATED_FAILURE: "several instances that share something fail together",
    K.DRIFT: (
        "a snapshot or state change contradicts what the events say: in counts, in groups or nodes that it no longer"
        " lists, in a status, or in images; for 15 minutes, or in the next snapshot"
    ),
    K.SLURM_DRIFT: "an event says that Slurm's configuration is not what it should be",
    K.RESOURCE_LEAK: "an event says that a network interface could not be deleted",
    K.ORCHESTRATION_READY_LOST: "an event says that orchestration-ready status was lost",
    K.UNRECOGNIZED_EVENT: "an event's text is not in the catalogue; once per shape and cluster",
    K.STALE: "the newest event of an entity was read more than 24 h after it happened",
    K.FEED_SILENT: "an account and region that has sent heartbeats sends no more; one for each cluster there",
    K.ZOMBIE: "an event names an instance that has been terminated",
    K.LATE_EVENT: "an event is older than the bound, so that it changes history and counters only",
    K.CLOCK_SUSPECT: "EventTime and envelope differ by more than 24 h, or EventTime cannot be read",
}
"""What opens each kind, whole without the list of its codes."""

CHECK: Mapping[K, tuple[str, ...]] = {
    K.OPERATION_FAILED: (
        "the FailureMessage of the event in `evidence`: `cause` is taken from it",
        "capacity and quotas of the instance type, free addresses of the subnet, the execution role's permissions",
    ),
    K.LIFECYCLE_SCRIPT_FAILED: (
        "the script's log: CloudWatch group /aws/sagemaker/Clusters/NAME/ID, stream LifecycleConfig/GROUP/INSTANCE",
        "whether the script in S3 changed, and whether the execution role may read it",
    ),
    K.REPLACEMENT_FAILED: (
        "capacity for the instance type in the group's zone: a replacement needs a free instance",
        "whether another attempt runs already: `describe instance` shows the chain",
    ),
    K.PATCH_FAILED: (
        "which instances are on which image: a failed rollout leaves a group mixed",
        "whether a rollback has begun, and the events in `evidence`",
    ),
    K.PATCH_SKIPPED: (
        "PodDisruptionBudgets that allow no eviction: `kubectl get pdb -A`",
        "whether the pods can move, then start the update of the group again",
    ),
    K.BAKE_ALARM: (
        "the CloudWatch alarms named in the title: what they measure, and whether the new image causes it",
        "the rollback that follows",
    ),
    K.ROLLBACK_STARTED: ("why the update was given up: the anomaly in `parent_id`", "that every member comes back"),
    K.ROLLBACK_FAILED: (
        "the image of each member with DescribeClusterNode: some may be on either one",
        "whether to replace the instance by hand; this rarely heals by itself",
    ),
    K.UNEXPECTED_TRANSITION: (
        "`hyperpod-state history NAME`: what came before",
        "whether events are lost on the way: the feed's dead-letter queue and failed invocations",
    ),
    K.MISSING_EVENT: (
        "whether events are lost on the way: the feed's dead-letter queue and failed invocations",
        "nothing, where it stays with one event: the state is right all the same",
    ),
    K.STUCK: (
        "what it waits for: `describe` says the next step",
        "the anomaly in `parent_id`, if there is one: that is the reason",
        "DescribeClusterNode for AWS's own word; a case with AWS Support once it is critical",
    ),
    K.UNHEALTHY_NODE: (
        "the fault in the title, and the job that ran there",
        "whether automatic node recovery is on: then a reboot or replacement follows by itself",
    ),
    K.REPAIR_NOT_STARTED: (
        "whether automatic node recovery is on for the cluster",
        "whether a job or a PodDisruptionBudget holds the node; else reboot or replace it by hand",
    ),
    K.FLAPPING: (
        "whether it is the same place each time (slot, host, reservation): then ask AWS for other hardware",
        "the lifecycle script, where it is the script that fails",
    ),
    K.REPLACEMENT_STORM: (
        "what the replaced instances share: zone, subnet, reservation, image, script",
        "the AWS Health Dashboard of the region",
    ),
    K.CORRELATED_FAILURE: (
        "what the title says they share: reservation, image, subnet, zone or group",
        "what changed there last",
    ),
    K.DRIFT: (
        "which is right: DescribeCluster and ListClusterNodes now",
        "which words go with which state: the tables in the reference of anomalies",
        "whether events are lost on the way",
    ),
    K.SLURM_DRIFT: ("the difference in the title", "who edits slurm.conf by hand"),
    K.RESOURCE_LEAK: (
        "network interfaces of the subnet that are `available`: each holds an address",
        "the execution role's ec2:DeleteNetworkInterface",
    ),
    K.ORCHESTRATION_READY_LOST: (
        "`kubectl get nodes`: which are NotReady, and why",
        "whether a scaling or an update explains it (`planned`)",
    ),
    K.UNRECOGNIZED_EVENT: ("the text in the title: AWS may have a new wording", "whether a newer version knows it"),
    K.FEED_SILENT: ("the rule, queue and pipe of that account and region", "the heartbeat's own schedule"),
    K.STALE: ("nothing: this is history that was read late", "the feed, if it should have been live"),
    K.ZOMBIE: ("nothing, unless there are many: then whether two instances share an id in the feed",),
    K.LATE_EVENT: ("how the feed delivers: a queue that was drained late, a replay", "the state at that time by hand"),
    K.CLOCK_SUSPECT: ("the producer's clock, or how it rewrites `time`",),
}
"""What to look at first, in this order."""
