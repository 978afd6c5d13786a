"""The sentences that HyperPod says, and the ways in which the field says them differently.

Knows: AWS's templates and the variants that were seen.
Must not know: how anybody reads them.

In a template `{c}`, `{g}` and `{i}` are the cluster, the group and the instance; `%G`, `%L` and `%S` are the word
before a group (IG, InstanceGroup, Instance Group as AWS writes it there), `%E` and `%I` the one before an instance id.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

_IN = "in Cluster {c} and IG {g}"

TEXTS: Mapping[str, str] = {
    "cluster started": "Cluster {c} {op} started successfully",
    "cluster completed": "Cluster {c} {op} completed successfully",
    "cluster failed": "Cluster {c} {op} failed",
    "group started": "%L {g} {op} started successfully in Cluster {c}",
    "group completed": "%S {g} {op} in Cluster {c} completed successfully",
    "network found": "Found Subnet {subnet} in AZ {zone} with SecurityGroupIds {sg} for %G {g} in Cluster {c}",
    "ami found": "Found Custom AMI Override {ami} for %G {g} in Cluster {c}",
    "network failed": "Failed to process Instance Group Network Configuration details for %G {g} in Cluster {c}",
    "network determined": "Instance Group network configuration successfully determined for %G {g} in Cluster {c}",
    "instance started": f"Instance {{op}} started successfully {_IN}",
    "reservation found": "Found CapacityReservation ID {cr} for Cluster {c} and %G {g}, using reserved capacity",
    "no reservation": "No CapacityReservation found for Cluster {c} and %G {g}, using on-demand pool",
    "eni created": f"Successfully created Customer ENI for instance {_IN}",
    "eni failed": f"Failed to create Customer ENI for instance {_IN}",
    "provisioned": f"%E {{i}} successfully provisioned {_IN}",
    "provision failed": f"Failed to provision EC2 Instance {_IN}",
    "creation failed": "Instance {op} in Cluster {c} and %L {g} failed",
    "script": "Instance lifecycle script execution for %E {i} has {status}",
    "script failed": "Instance lifecycle script execution for %E {i} has Failed. To view lifecycle script logs, visit "
    "log group /aws/sagemaker/Clusters/{c}/{cid} and log stream LifecycleConfig/{g}/{i}",
    "terminating": f"Termination of %E {{i}} is currently in progress {_IN}",
    "termination failed": f"Failed to terminate %E {{i}} {_IN}",
    "eni deleted": f"Customer ENI successfully deleted for %E {{i}} {_IN}",
    "eni deletion failed": f"Failed to delete Customer ENI for %E {{i}} {_IN}",
    "reboot failed": f"Failed to submit reboot request for %E {{i}} {_IN}",
    "rebooting": "Reboot of %E {i} is currently in progress on Cluster {c} and %G {g}",
    "instance completed": f"Instance {{op}} {{i}} {_IN} completed successfully",
    "instance failed": f"Instance {{op}} {{i}} {_IN} failed",
    "replacement started": f"%I {{i}} is starting as part of instance replacement {_IN}",
    "replacement going": f"Instance {{op}} is starting as part of instance replacement {_IN}",
    "replacement completed": f"%I {{i}} {{op}} completed successfully as part of instance replacement {_IN}",
    "replacement failed": f"%I {{i}} {{op}} failed as part of instance replacement {_IN}",
    "fsx creation": "FSx creation started for %G {g} in Cluster {c}",
    "fsx failed": "Failed to create FSx for %G {g} in Cluster {c}",
    "fsx created": "FSx creation successfully completed for %G {g} in Cluster {c}",
    "fsx deletion": "FSx deletion started for %G {g} in Cluster {c}",
    "fsx deleted": "FSx deletion successfully completed for %G {g} in Cluster {c}",
    "patch scheduled": "%L {g} in Cluster {c} has been scheduled for UpdateClusterSoftware to latest.",
    "patch started": "UpdateClusterSoftware initiated for %G {g} in Cluster {c} using {strategy} strategy.",
    "batch selected": "Next update batch selected for %G {g} in Cluster {c}.",
    "patch completed": "UpdateClusterSoftware completed successfully for %G {g} in Cluster {c}.",
    "volume started": "Root volume replacement started for %I {i} in %G {g}.",
    "volume failed": "Failed to start root volume replacement for %I {i} in %G {g}.",
    "patched": "%I {i} in %G {g} updated successfully.",
    "cordoned": "%I {i} in %G {g} cordoned and pods evicted.",
    "skipped": "UpdateClusterSoftware for %I {i} in %G {g} skipped due to PodDisruptionBudget constraint.",
    "restored": "%I {i} in %G {g} restored to schedulable state.",
    "baking": "Baking period started for %G {g} in Cluster {c}. Monitoring alarms [{alarms}] for {seconds} seconds.",
    "baked": "Baking period completed for %G {g} in Cluster {c}. "
    "No alarms triggered during the {seconds}-second baking period.",
    "alarm": "Baking period failed for %G {g} in Cluster {c}. "
    "Alarms [{alarms}] entered ALARM state. Initiating auto-rollback.",
    "group rollback": "UpdateClusterSoftware failed for %G {g} in Cluster {c}. Initiating rollback.",
    "rollback": "%I {i} in %G {g} failed to update. Rollback initiated.",
    "rolled back": "%I {i} in %G {g} rolled back successfully to previous AMI.",
    "slr access": "SLR Access Entry {op} successful for Cluster {c}",
    "eks access": "EKS Access Entries {op} successful for Cluster {c}",
    "kubernetes": "Successfully updated Kubernetes config for instance {i} in Cluster {c} and %G {g}",
    "kubernetes failed": "Failed to update Kubernetes config for instance {i} in Cluster {c} and %G {g}",
    "autoscaling": "AutoScaling {op} enabled successfully in Cluster {c}",
    "parameters found": "Found provisioning_parameters.json in LifeCycleScript S3 Path for controller group {g}",
    "munge": "Successfully created and stored munge key",
    "drift passed": "Slurm configuration drift validation passed",
    "drift detected": "Slurm configuration drift detected: {drift}",
    "reconfigured": "Slurm was reconfigured successfully. Slurm config updated to match desired state",
    "unhealthy": "%I {i} is unhealthy. HyperPod Health Monitoring Agent (HMA) has detected fault type {fault} on this "
    "node and is unhealthy. Repair action: {repair}.",
    "ready lost": "{lost} node(s) lost orchestration-ready status. Current: {ready}/{total} orchestration-ready across "
    "{groups} instance group(s).",
    "burn-in": "Instance {i} in IG {g} has entered the burn-in lounge",
}
"""What is said, by our own name for it; `burn-in` is a sentence that no catalogue has."""

_GROUP_WORDS = {"%G": "IG", "%L": "InstanceGroup", "%S": "Instance Group"}
_INSTANCE_WORDS = {"%E": "EC2 Instance", "%I": "Instance"}
_SEEN_INSTANCE_WORDS = ("EC2 Instance", "EC2InstanceId", "EC2 instance", "Instance", "")
_OPERATIONS = {
    "create": ("creation", "create", "Creation"),
    "delete": ("deletion", "termination", "delete"),
    "scale": ("scaling", "scale", "Scaling"),
    "update": ("update", "updating", "Update"),
    "replace": ("replacement", "replace"),
    "reboot": ("reboot", "Reboot"),
}
_EXACT = frozenset({"burn-in"})


def say(name: str, wording: Random, *, share: float, may_omit_id: bool, **names: object) -> str:
    """One sentence; in a share of cases in another wording than AWS's catalogue has.

    `op` among the names is one of create, delete, scale, update, replace, reboot, or a word to use as it is.  Draws the
    same number of random values whatever it says, so that settings do not shift what follows.
    """
    varied, group, instance, stop, omit, op = (wording.random() for _ in range(6))
    field = varied < share and name not in _EXACT
    text = TEXTS[name]
    omitted = field and may_omit_id and omit < 0.1 and text.count("{i}") == 1 and "%" in text
    if omitted or not names.get("i"):
        text = text.replace(" {i}", "")
        instance = 0.0
    text = _worded(text, field, group, instance)
    words = _OPERATIONS.get(str(names.get("op")), (str(names.get("op")),))
    told = text.format(**{**names, "op": words[int(op * len(words)) if field else 0]})
    return _stopped(told) if field and stop < 0.5 else told


def _worded(text: str, field: bool, group: float, instance: float) -> str:
    for mark, word in _GROUP_WORDS.items():
        text = text.replace(mark, _pick(tuple(_GROUP_WORDS.values()), group) if field else word)
    for mark, word in _INSTANCE_WORDS.items():
        text = text.replace(mark, _pick(_SEEN_INSTANCE_WORDS, instance) if field else word)
    return text.replace("  ", " ").strip()


def _stopped(text: str) -> str:
    """The full stop that was there goes, the one that was not comes."""
    return text[:-1] if text.endswith(".") else f"{text}."


def _pick(words: tuple[str, ...], at: float) -> str:
    return words[int(at * len(words))]
