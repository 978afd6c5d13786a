"""Runbooks of what fails or breaks: operations, scripts, replacements, nodes, network interfaces.

Knows: what to look at and to do.
Must not know: how a page looks.
"""

from __future__ import annotations

from collections.abc import Mapping

from models.public import AnomalyKind as K
from streams.runbooks.guide import Guide

REPLACE_WARNING = "Replacing destroys all volumes of the instance; a Slurm controller cannot be replaced."

GUIDES: Mapping[K, Guide] = {
    K.OPERATION_FAILED: Guide(
        means="""
HyperPod said that a step failed: of the cluster, a group, an instance, its network interface, its image, a file system or
its access to Kubernetes. Failed is not final: HyperPod asks for capacity again about every 20 minutes, and an instance of
the same slot that succeeds resolves this.
""",
        shows="""
`title` names the step, `cause` says why as far as AWS's FailureMessage does (`capacity`, `quota`, `permissions`, `network`, …),
`count` how often. Several instances that share something are one `correlated_failure` with these as members.
""",
        look="""
hyperpod-state get groups {GROUP} --cluster {CLUSTER}
hyperpod-state history {INSTANCE}
# AWS's own words; the id is in `evidence`
aws sagemaker describe-cluster-event --cluster-name {CLUSTER} --event-id {EVENT}
aws sagemaker list-cluster-events --cluster-name {CLUSTER} --instance-group-name {GROUP} --sort-order Descending --max-results 20
# cause quota
aws service-quotas list-service-quotas --service-code sagemaker
# cause network or eni: free addresses of the subnet
aws ec2 describe-subnets --subnet-ids subnet-0123456789abcdef0
""",
        act="""
# capacity: wait for the next try, or lower the target until there is some; the group's definition is the file
aws sagemaker update-cluster --cluster-name {CLUSTER} --instance-groups file://groups.json
""",
        page_aws="""
`capacity` of reserved instances that you pay for, at once. Otherwise when the same step has failed for an hour with the
same message and neither quota, addresses nor permissions explain it.
""",
        over="A fault that is known by its group alone ends when as many succeed as failed.",
    ),
    K.LIFECYCLE_SCRIPT_FAILED: Guide(
        means="""
The lifecycle script of an instance ended in failure. It runs when an instance is created, replaced or updated, never on a
reboot. HyperPod tries again about every ten minutes, often with another instance in the same slot.
""",
        shows="""
The instance's phase is `Failed` (inside a replacement, an update or a rollback it keeps that phase). `runbook` of the record is
the address of the script's log in CloudWatch.
""",
        look="""
hyperpod-state describe instance {INSTANCE}
# the log: the group ends in the cluster's id, which is the end of its ARN
aws logs get-log-events --log-group-name /aws/sagemaker/Clusters/{CLUSTER}/{CLUSTER_ID} --log-stream-name LifecycleConfig/{GROUP}/{INSTANCE}
# which script runs
aws sagemaker describe-cluster-node --cluster-name {CLUSTER} --node-id {INSTANCE}
""",
        act="""
# mend the script where the group's SourceS3Uri points to; the next try takes the new one. To try at once:
aws sagemaker batch-replace-cluster-nodes --cluster-name {CLUSTER} --node-ids {INSTANCE}
""",
        page_aws=f"Only where the log is empty or missing: then the script was never started. {REPLACE_WARNING}",
    ),
    K.REPLACEMENT_FAILED: Guide(
        means="""
An instance that was to take another's place did not get there: no capacity, a failed script, a failed EFA check. HyperPod
usually tries another instance; every attempt is a link of the chain.
""",
        shows="The group is one short. `describe instance` shows who was to be replaced, and whether another attempt runs.",
        look="""
hyperpod-state describe instance {INSTANCE}
hyperpod-state get instances --group {GROUP} --phase Replacing
aws sagemaker list-cluster-nodes --cluster-name {CLUSTER} --instance-group-name-contains {GROUP} --include-node-logical-ids
aws sagemaker describe-cluster-event --cluster-name {CLUSTER} --event-id {EVENT}
""",
        act="""
# only if no attempt has run for the last 30 minutes
aws sagemaker batch-replace-cluster-nodes --cluster-name {CLUSTER} --node-ids {INSTANCE}
""",
        page_aws=f"`cause` is `efa`, or three attempts in one slot failed without a script to blame. {REPLACE_WARNING}",
    ),
    K.UNHEALTHY_NODE: Guide(
        means="""
The health monitoring agent finds the node broken (`Unhealthy`) or impaired (`Degraded`). With automatic node recovery a
reboot or a replacement follows by itself, within a minute as a rule.
""",
        shows="""
`title` has the fault type, `state` the word. The node's phase does not change by that: a broken node may still be in service.
On EKS the node carries a label that says what it waits for.
""",
        look="""
hyperpod-state describe instance {INSTANCE}
kubectl get nodes -L sagemaker.amazonaws.com/node-health-status
kubectl get pods -A -o wide --field-selector spec.nodeName=hyperpod-{INSTANCE}
# on Slurm
sinfo -R
# does the cluster repair by itself? NodeRecovery
aws sagemaker describe-cluster --cluster-name {CLUSTER} --query NodeRecovery
""",
        act="""
# NodeRecovery is None: do what the event's repair action says
aws sagemaker batch-reboot-cluster-nodes --cluster-name {CLUSTER} --node-ids {INSTANCE}
aws sagemaker batch-replace-cluster-nodes --cluster-name {CLUSTER} --node-ids {INSTANCE}
""",
        page_aws=f"The same slot is unhealthy again after a replacement. {REPLACE_WARNING}",
    ),
    K.REPAIR_NOT_STARTED: Guide(
        means="""
A health event asked for a reboot or a replacement ten minutes ago (`repair_minutes`), and none has begun. Usually it takes
half a minute.
""",
        shows="The `unhealthy_node` of the same instance is open as well. The job that runs there may hang.",
        look="""
hyperpod-state describe instance {INSTANCE}
aws sagemaker describe-cluster --cluster-name {CLUSTER} --query NodeRecovery
# has it begun after all, unheard?
aws sagemaker list-cluster-events --cluster-name {CLUSTER} --node-id {INSTANCE} --sort-order Descending
hyperpod-state doctor
kubectl get pdb -A
""",
        act="""
# drain first what can be saved
kubectl drain hyperpod-{INSTANCE} --ignore-daemonsets --delete-emptydir-data
aws sagemaker batch-replace-cluster-nodes --cluster-name {CLUSTER} --node-ids {INSTANCE}
""",
        page_aws=f"NodeRecovery is `Automatic`, nothing holds the node, and the call above is refused. {REPLACE_WARNING}",
    ),
    K.RESOURCE_LEAK: Guide(
        means="""
A network interface of an instance that is gone could not be deleted. It costs nothing but holds an address of the subnet;
enough of them, and nothing new can be created there.
""",
        shows="Nothing else looks wrong. The instance may be `Terminated` already: the leak outlives it.",
        look="""
aws ec2 describe-network-interfaces --filters Name=status,Values=available Name=subnet-id,Values=subnet-0123456789abcdef0
aws ec2 describe-subnets --subnet-ids subnet-0123456789abcdef0
""",
        act="""
# only what is `available` and described as SageMaker's
aws ec2 delete-network-interface --network-interface-id eni-0123456789abcdef0
""",
        page_aws="The interface is `in-use` by something that you cannot see, and the subnet runs out of addresses.",
        over="Deleted by hand, HyperPod says nothing of it: silence it then.",
    ),
    K.ORCHESTRATION_READY_LOST: Guide(
        means="""
Nodes that are there are not ready for Kubernetes. While a group scales this is noise (HyperPod says it of every node that is
still coming): then it is `planned` and of severity info.
""",
        shows="The title counts: so many of so many nodes are ready. Pods stay Pending, or move.",
        look="""
kubectl get nodes -L sagemaker.amazonaws.com/node-health-status
kubectl describe node hyperpod-{INSTANCE}
hyperpod-state get groups --cluster {CLUSTER}
aws sagemaker describe-cluster --cluster-name {CLUSTER} --query InstanceGroups
""",
        act="""
# a node that stays NotReady for no reason of yours
aws sagemaker batch-reboot-cluster-nodes --cluster-name {CLUSTER} --node-ids {INSTANCE}
""",
        page_aws="Counts are equal, nothing scales, and nodes stay NotReady after a reboot.",
    ),
    K.SLURM_DRIFT: Guide(
        means="Slurm's configuration on the controller is not the one that HyperPod wants: most often somebody edited it by hand.",
        shows="The title has the difference. Jobs may be refused, or placed on nodes that are not there.",
        look="""
hyperpod-state history {CLUSTER}
# on the controller
sinfo -R
scontrol show config
scontrol ping
""",
        act="""
# undo the edit, or put it where HyperPod's lifecycle configuration makes the file; then, on the controller
sudo scontrol reconfigure
""",
        page_aws="Nobody has edited anything, and the drift comes back after a reconfigure.",
    ),
}
