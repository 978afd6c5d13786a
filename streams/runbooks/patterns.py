"""Runbooks of what only shows in time or in several: stuck, flapping, storms, failing together, contradictions.

Knows: what to look at and to do.
Must not know: how a page looks.
"""

from __future__ import annotations

from collections.abc import Mapping

from models.public import AnomalyKind as K
from streams.runbooks.guide import Guide

GUIDES: Mapping[K, Guide] = {
    K.STUCK: Guide(
        means="""
Something waits for longer than it usually takes: a warning once it is slow, critical once it is stuck. Any sign of progress
starts the time again, so a slow node is not a stuck one. [Deadlines](../reference/anomalies.md#deadlines) can be set by cluster,
group and instance type.
""",
        shows="`state` is what it waits in, `expected` what would end it. If `parent_id` is set, that is the reason: go there.",
        look="""
hyperpod-state describe instance {INSTANCE}
hyperpod-state get anomalies {ANOMALY} -o yaml
# AWS's own word: has it moved, unheard?
aws sagemaker describe-cluster-node --cluster-name {CLUSTER} --node-id {INSTANCE}
aws sagemaker list-cluster-events --cluster-name {CLUSTER} --node-id {INSTANCE} --sort-order Descending
hyperpod-state doctor
""",
        act="""
# in its lifecycle script: look into the log first
aws logs get-log-events --log-group-name /aws/sagemaker/Clusters/{CLUSTER}/{CLUSTER_ID} --log-stream-name LifecycleConfig/{GROUP}/{INSTANCE}
# a node that hangs
aws sagemaker batch-reboot-cluster-nodes --cluster-name {CLUSTER} --node-ids {INSTANCE}
""",
        page_aws="It is critical, DescribeClusterNode says the same, and it is not your script that runs.",
    ),
    K.FLAPPING: Guide(
        means="""
The same failed, rebooting or replacing state for the third time within 24 hours. What is repaired is not what is broken: the
place (slot, host, reservation) or the script.
""",
        shows="One record, whatever the single faults did: they may all be resolved.",
        look="""
hyperpod-state history {INSTANCE}
hyperpod-state report --since 7d
aws sagemaker list-cluster-events --cluster-name {CLUSTER} --node-id {INSTANCE} --sort-order Descending
""",
        act="""
# keep work away from it meanwhile
kubectl cordon hyperpod-{INSTANCE}
# on Slurm, on the controller
sudo scontrol update nodename=ip-10-1-2-3 state=drain reason=flapping
""",
        page_aws="It is the same slot or host each time and not the script: ask for other hardware, with the instance ids of all attempts.",
        over="24 hours without another entry: it stays open longer than the fault.",
    ),
    K.REPLACEMENT_STORM: Guide(
        means="Five replacements began in a cluster within 24 hours, or in a group within 7 days. One is bad luck; five share something.",
        shows="The instances themselves may be well again. Capacity for the next replacement runs out first.",
        look="""
hyperpod-state report --since 7d
hyperpod-state get instances --cluster {CLUSTER} --phase Terminated -o wide
aws health describe-events --filter services=SAGEMAKER,EC2
""",
        act="""
# stop what is under your control: an update that goes on, a script that was changed, a job that breaks nodes
hyperpod-state get rollouts --cluster {CLUSTER}
""",
        page_aws="The replaced instances share a zone, a reservation or a fault type. Name all instance ids.",
        over="It ends when the window is empty: a day, or seven. Silence it once it is understood.",
    ),
    K.CORRELATED_FAILURE: Guide(
        means="""
Three instances or more that share something failed within 30 minutes. The title says what they share: a capacity reservation,
an image, a subnet, a zone, or only the group. One incident, one page: the single faults are its members (`parent_id`).
""",
        shows="Several records, of which this is the one to act on. It is also the incident that `make run` tells.",
        look="""
hyperpod-state get anomalies --cluster {CLUSTER} --group {GROUP}
hyperpod-state get instances --cluster {CLUSTER} --group {GROUP} --phase Failed
# what is shared: a reservation, a subnet
aws ec2 describe-capacity-reservations --capacity-reservation-ids cr-0123456789abcdef0
aws ec2 describe-subnets --subnet-ids subnet-0123456789abcdef0
aws health describe-events --filter services=SAGEMAKER,EC2
""",
        act="""
# do not repair the members one by one: mend what they share, and let HyperPod try again
hyperpod-state get groups {GROUP} --cluster {CLUSTER}
""",
        page_aws="What they share is AWS's (a reservation, a zone, an image of AWS) and it has not healed in 30 minutes.",
    ),
    K.DRIFT: Guide(
        means="""
What AWS's API or a state change shows contradicts what the events add up to, for 15 minutes or in the next snapshot. One of them
is behind. The views of the API themselves disagree for minutes around a change.
""",
        shows="The title says which count, status, image or node. Both sides are in `describe`.",
        look="""
hyperpod-state describe group {GROUP} --cluster {CLUSTER}
aws sagemaker describe-cluster --cluster-name {CLUSTER}
aws sagemaker list-cluster-nodes --cluster-name {CLUSTER} --include-node-logical-ids
hyperpod-state doctor
""",
        act="""
# what the API says now, without waiting for the next poll
hyperpod-state reconcile --cluster {CLUSTER} --once
# if events were lost: feed in those that AWS still has (the newest 500); what was there already counts as a duplicate
hyperpod-state backfill --cluster {CLUSTER}
""",
        page_aws="Two answers of the API contradict each other for an hour.",
    ),
}
