"""Event texts of software updates (patching): the common steps, EKS's own steps, and rollback.

Knows: the texts, word for word, and what they mean.  Must not know: how they are matched.
"""

from __future__ import annotations

from models.catalogue.template import Template, section

_common = section("Patching (common steps)", "InstanceGroup")
_step = section("Patching — EKS instance-level", "Instance")
_rollback = section("Patching — EKS rollback", "InstanceGroup")

PATCHING: tuple[Template, ...] = (
    _common(
        "PatchScheduled",
        "Instance group patching scheduled",
        "InstanceGroup <instance-group-name> in Cluster <cluster-name>"
        " has been scheduled for UpdateClusterSoftware to latest.",
        "The group will get newer software; nothing has changed yet.",
        example="InstanceGroup gpu in Cluster train has been scheduled for UpdateClusterSoftware to latest.",
        near_miss="InstanceGroup gpu in Cluster train has been scheduled for UpdateClusterSoftware.",
    ),
    _common(
        "PatchScheduleFailed",
        "Instance group patching schedule failed",
        "Failed to schedule UpdateClusterSoftware for IG <instance-group-name> in Cluster <cluster-name>.",
        "The software update of the group could not be planned.",
        level="Error",
        example="Failed to schedule UpdateClusterSoftware for IG gpu in Cluster train.",
        near_miss="Failed to schedule UpdateCluster for IG gpu in Cluster train.",
    ),
    _common(
        "PatchStarted",
        "Instance group patching started",
        "UpdateClusterSoftware initiated for IG <instance-group-name> in Cluster <cluster-name>"
        " using <strategy> strategy.",
        "The software update of the group has begun.",
        example="UpdateClusterSoftware initiated for IG gpu in Cluster train using RollingUpdate strategy.",
        near_miss="UpdateClusterSoftware initiated for IG gpu in Cluster train using strategy.",
    ),
    _common(
        "PatchStartFailed",
        "Instance group patching start failed",
        "Failed to initiate UpdateClusterSoftware for IG <instance-group-name> in Cluster <cluster-name>.",
        "The software update of the group did not begin.",
        level="Error",
        example="Failed to initiate UpdateClusterSoftware for IG gpu in Cluster train.",
        near_miss="Failed to initiate UpdateClusterSoftware in Cluster train.",
    ),
    _common(
        "PatchBatchSelected",
        "Next patching batch selected",
        "Next update batch selected for IG <instance-group-name> in Cluster <cluster-name>.",
        "HyperPod has chosen the instances of the group that it updates next.",
        example="Next update batch selected for IG gpu in Cluster train.",
        near_miss="Next batch selected for IG gpu in Cluster train.",
    ),
    _common(
        "PatchBatchSelectionFailed",
        "Next patching batch selection failed",
        "Failed to select the next update batch for IG <instance-group-name> in Cluster <cluster-name>.",
        "HyperPod found no instances to update next, and the update stands still.",
        level="Error",
        example="Failed to select the next update batch for IG gpu in Cluster train.",
        near_miss="Failed to select next update batch for IG gpu in Cluster train.",
    ),
    _common(
        "FailedInstancesQueued",
        "Failed instances queued for replacement",
        "Failed instances in IG <instance-group-name> in Cluster <cluster-name> queued for node replacement.",
        "Instances that the update broke will be replaced.",
        level="Warn",
        example="Failed instances in IG gpu in Cluster train queued for node replacement.",
        near_miss="Failed instances in IG gpu in Cluster train queued for node reboot.",
    ),
    _common(
        "FailedInstancesQueueingFailed",
        "Failed instance replacement queueing failed",
        "Failed to queue instances for node replacement in IG <instance-group-name> in Cluster <cluster-name>.",
        "Instances that the update broke will not be replaced by themselves.",
        level="Error",
        example="Failed to queue instances for node replacement in IG gpu in Cluster train.",
        near_miss="Failed to queue instances for replacement in IG gpu in Cluster train.",
    ),
    _common(
        "PatchCompleted",
        "Instance group patching completed",
        "UpdateClusterSoftware completed successfully for IG <instance-group-name> in Cluster <cluster-name>.",
        "All of the group runs the newer software.",
        example="UpdateClusterSoftware completed successfully for IG gpu in Cluster train.",
        near_miss="UpdateClusterSoftware completed for IG gpu in Cluster train.",
    ),
    _common(
        "PatchCompletionFailed",
        "Instance group patching completion failed",
        "Failed to complete UpdateClusterSoftware for IG <instance-group-name> in Cluster <cluster-name>.",
        "The software update of the group ended before all of it was done.",
        level="Error",
        example="Failed to complete UpdateClusterSoftware for IG gpu in Cluster train.",
        near_miss="Failed to completely UpdateClusterSoftware for IG gpu in Cluster train.",
    ),
    _common(
        "RootVolumeReplacementStarted",
        "Root volume replacement started",
        "Root volume replacement started for Instance <instance-id> in IG <instance-group-name>.",
        "The instance restarts from a new root volume and keeps its id; the lifecycle script runs again.",
        scope="Instance",
        example="Root volume replacement started for Instance i-0a in IG gpu.",
        near_miss="Volume replacement started for Instance i-0a in IG gpu.",
    ),
    _common(
        "RootVolumeReplacementFailed",
        "Root volume replacement failed",
        "Failed to start root volume replacement for Instance <instance-id> in IG <instance-group-name>.",
        "The instance could not get its new root volume and keeps the old software.",
        level="Error",
        scope="Instance",
        example="Failed to start root volume replacement for Instance i-0a in IG gpu.",
        near_miss="Failed to start volume replacement for Instance i-0a in IG gpu.",
    ),
    _common(
        "InstancePatched",
        "Instance patching succeeded",
        "Instance <instance-id> in IG <instance-group-name> updated successfully.",
        "The instance runs the newer software.",
        scope="Instance",
        example="Instance i-0a in IG gpu updated successfully.",
        near_miss="Instance i-0a in IG gpu updated.",
    ),
)

PATCHING_EKS: tuple[Template, ...] = (
    _step(
        "PatchPrepared",
        "Instance patching preparation succeeded",
        "Instance <instance-id> in IG <instance-group-name> cordoned and pods evicted.",
        "The instance takes no pods until it is restored to schedulable state.",
        example="Instance i-0a in IG gpu cordoned and pods evicted.",
        near_miss="Instance i-0a in IG gpu cordoned.",
    ),
    _step(
        "PatchSkipped",
        "Instance patching skipped (PDB violation)",
        "UpdateClusterSoftware for Instance <instance-id> in IG <instance-group-name>"
        " skipped due to PodDisruptionBudget constraint.",
        "A PodDisruptionBudget keeps pods on the instance, so it keeps the old software.",
        level="Warn",
        example="UpdateClusterSoftware for Instance i-0a in IG gpu skipped due to PodDisruptionBudget constraint.",
        near_miss="UpdateClusterSoftware for Instance i-0a in IG gpu skipped.",
    ),
    _step(
        "PatchPreparationFailed",
        "Instance patching preparation failed",
        "Failed to prepare instance <instance-id> in IG <instance-group-name> for UpdateClusterSoftware.",
        "The instance could not be emptied of pods, so it was not updated.",
        level="Error",
        example="Failed to prepare instance i-0a in IG gpu for UpdateClusterSoftware.",
        near_miss="Failed to prepare instance i-0a in IG gpu.",
    ),
    _step(
        "SchedulableRestored",
        "Instance restored to schedulable state",
        "Instance <instance-id> in IG <instance-group-name> restored to schedulable state.",
        "The instance takes pods again.",
        example="Instance i-0a in IG gpu restored to schedulable state.",
        near_miss="Instance i-0a in IG gpu restored to unschedulable state.",
    ),
    _step(
        "SchedulableRestoreFailed",
        "Instance restore to schedulable failed",
        "Failed to restore instance <instance-id> in IG <instance-group-name> to schedulable state.",
        "The instance still takes no pods: uncordon it by hand.",
        level="Error",
        example="Failed to restore instance i-0a in IG gpu to schedulable state.",
        near_miss="Failed to restore instance i-0a in IG gpu.",
    ),
)

PATCHING_ROLLBACK: tuple[Template, ...] = (
    _rollback(
        "BakeStarted",
        "Bake time started",
        "Baking period started for IG <instance-group-name> in Cluster <cluster-name>."
        " Monitoring alarms [<alarm-names>] for <duration> seconds.",
        "Your alarms are watched for a while before the update goes on.",
        example="Baking period started for IG gpu in Cluster train. Monitoring alarms [a1, a2] for 600 seconds.",
        near_miss="Baking period started for IG gpu in Cluster train. Monitoring alarms for 600 seconds.",
    ),
    _rollback(
        "BakeCompleted",
        "Bake time completed",
        "Baking period completed for IG <instance-group-name> in Cluster <cluster-name>."
        " No alarms triggered during the <duration>-second baking period.",
        "No alarm went off, so the update goes on.",
        example="Baking period completed for IG gpu in Cluster train."
        " No alarms triggered during the 600-second baking period.",
        near_miss="Baking period completed for IG gpu in Cluster train.",
    ),
    _rollback(
        "BakeAlarm",
        "Bake time alarm triggered",
        "Baking period failed for IG <instance-group-name> in Cluster <cluster-name>."
        " Alarms [<alarm-names>] entered ALARM state. Initiating auto-rollback.",
        "An alarm went off after the update, so the group goes back to its former software.",
        level="Error",
        example="Baking period failed for IG gpu in Cluster train."
        " Alarms [a1] entered ALARM state. Initiating auto-rollback.",
        near_miss="Baking period failed for IG gpu in Cluster train. Alarms [a1] entered ALARM state.",
    ),
    _rollback(
        "BakeEvaluationFailed",
        "Bake time evaluation failed",
        "Failed to evaluate alarms during baking period for IG <instance-group-name> in Cluster <cluster-name>.",
        "Nobody knows whether the update is good, because your alarms could not be read.",
        level="Error",
        example="Failed to evaluate alarms during baking period for IG gpu in Cluster train.",
        near_miss="Failed to evaluate alarms for IG gpu in Cluster train.",
    ),
    _rollback(
        "GroupRollbackStarted",
        "Instance group patching rollback initiated",
        "UpdateClusterSoftware failed for IG <instance-group-name> in Cluster <cluster-name>. Initiating rollback.",
        "The update failed, and the group goes back to its former software.",
        level="Error",
        example="UpdateClusterSoftware failed for IG gpu in Cluster train. Initiating rollback.",
        near_miss="UpdateClusterSoftware failed for IG gpu in Cluster train.",
    ),
    _rollback(
        "GroupRollbackFailed",
        "Instance group patching rollback failed",
        "Rollback failed for IG <instance-group-name> in Cluster <cluster-name>."
        " Some instances may be in FailedMaintenance state.",
        "Some of the group has neither the newer nor the former software in working order: look at each instance.",
        level="Error",
        example="Rollback failed for IG gpu in Cluster train. Some instances may be in FailedMaintenance state.",
        near_miss="Rollback failed for IG gpu in Cluster train.",
    ),
    _rollback(
        "InstanceRollbackStarted",
        "Instance patching rollback initiated",
        "Instance <instance-id> in IG <instance-group-name> failed to update. Rollback initiated.",
        "The instance goes back to its former software.",
        level="Error",
        scope="Instance",
        example="Instance i-0a in IG gpu failed to update. Rollback initiated.",
        near_miss="Instance i-0a in IG gpu failed to update.",
    ),
    _rollback(
        "InstanceRolledBack",
        "Instance patching rollback succeeded",
        "Instance <instance-id> in IG <instance-group-name> rolled back successfully to previous AMI.",
        "The instance runs its former software again.",
        scope="Instance",
        example="Instance i-0a in IG gpu rolled back successfully to previous AMI.",
        near_miss="Instance i-0a in IG gpu rolled back successfully.",
    ),
    _rollback(
        "InstanceRollbackFailed",
        "Instance patching rollback failed",
        "UpdateClusterSoftware rollback failed for instance <instance-id> in IG <instance-group-name>.",
        "The instance could not go back to its former software: replace it.",
        level="Error",
        scope="Instance",
        example="UpdateClusterSoftware rollback failed for instance i-0a in IG gpu.",
        near_miss="UpdateClusterSoftware rollback failed for IG gpu.",
    ),
)
