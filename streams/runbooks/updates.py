"""Runbooks of software updates: batches, skips, bakes, rollbacks.

Knows: what to look at and to do.
Must not know: how a page looks.
"""

from __future__ import annotations

from collections.abc import Mapping

from models.public import AnomalyKind as K
from streams.runbooks.guide import Guide

GUIDES: Mapping[K, Guide] = {
    K.PATCH_FAILED: Guide(
        means="""
A step of a software update failed: it could not be scheduled, begun, or finished, a root volume was not exchanged, an instance
did not become schedulable again, or the bake could not be evaluated.
""",
        shows="The group may run two images. `get rollouts` counts who is updated, skipped, failed and left.",
        look="""
hyperpod-state get rollouts {GROUP} --cluster {CLUSTER}
hyperpod-state describe group {GROUP} --cluster {CLUSTER}
aws sagemaker describe-cluster --cluster-name {CLUSTER} --query "InstanceGroups[].[InstanceGroupName,SoftwareUpdateStatus,CurrentImageId,DesiredImageId]"
kubectl get nodes
""",
        act="""
# once the reason is gone
aws sagemaker update-cluster-software --cluster-name {CLUSTER} --instance-groups InstanceGroupName={GROUP}
# an instance that stayed cordoned
kubectl uncordon hyperpod-{INSTANCE}
""",
        page_aws="An instance has been without its root volume for 45 minutes, or the update neither goes on nor rolls back.",
    ),
    K.PATCH_SKIPPED: Guide(
        means="A PodDisruptionBudget forbade the eviction, so this instance keeps the old image while the others get the new one.",
        shows="The rollout goes on. The instance's patch is `Skipped`; the group ends with two images.",
        look="""
hyperpod-state get rollouts {GROUP} --cluster {CLUSTER}
kubectl get pdb -A
kubectl get pods -A -o wide --field-selector spec.nodeName=hyperpod-{INSTANCE}
""",
        act="""
# make room (more replicas, a wider budget, a moment without the job), then update the group again
aws sagemaker update-cluster-software --cluster-name {CLUSTER} --instance-groups InstanceGroupName={GROUP}
""",
        page_aws="Never: it is your own budget that says so.",
    ),
    K.BAKE_ALARM: Guide(
        means="""
An alarm that you named in the update's deployment configuration went off while a batch was baking. HyperPod goes back to the
former image by itself.
""",
        shows="The title names the alarms. A `rollback_started` of the group, and one of each touched instance, follow as its members.",
        look="""
hyperpod-state get rollouts {GROUP} --cluster {CLUSTER}
aws cloudwatch describe-alarms --alarm-names demo-nccl-errors
aws cloudwatch describe-alarm-history --alarm-name demo-nccl-errors
""",
        act="""
# watch the way back
hyperpod-state get instances --group {GROUP} --cluster {CLUSTER} --phase RollingBack
""",
        page_aws="The alarm is right, and the fault is in AWS's image: name both image ids.",
    ),
    K.ROLLBACK_STARTED: Guide(
        means="An update was given up, and a group or an instance is on its way back to the former image.",
        shows="Phase `RollingBack`. The reason is the record in `parent_id`, mostly a `bake_alarm` or a `patch_failed`.",
        look="""
hyperpod-state get rollouts {GROUP} --cluster {CLUSTER}
hyperpod-state get instances --group {GROUP} --cluster {CLUSTER} --phase RollingBack
aws sagemaker describe-cluster --cluster-name {CLUSTER} --query "InstanceGroups[].[InstanceGroupName,SoftwareUpdateStatus,CurrentImageId,DesiredImageId]"
""",
        act="# nothing, while it moves: the lifecycle script runs again on every instance, so it takes as long as the update did",
        page_aws="It has not moved for an hour; `stuck` says so as well.",
        over="HyperPod sends no event for the end of a group's rollback: it is over when every touched member is back, or gone.",
    ),
    K.ROLLBACK_FAILED: Guide(
        means="An instance, or the group, could not be brought back. Its image may be either one. This rarely heals by itself.",
        shows="The instance's phase is `Failed`. The group is short of it.",
        look="""
hyperpod-state describe instance {INSTANCE}
aws sagemaker describe-cluster-node --cluster-name {CLUSTER} --node-id {INSTANCE}
aws sagemaker describe-cluster-event --cluster-name {CLUSTER} --event-id {EVENT}
""",
        act="""
# another instance comes with the group's image; all volumes of this one are lost
aws sagemaker batch-replace-cluster-nodes --cluster-name {CLUSTER} --node-ids {INSTANCE}
""",
        page_aws="At once if more than one instance of the group is affected, or the replacement fails as well.",
    ),
}
