"""Renderings of the catalogue's templates: the texts that the field could send, names and all.

Knows: how real texts differ from AWS's templates.  Must not know: how they are recognised; nothing here is taken from
the expressions that do it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from models.catalogue import CATALOGUE, FIELD, Names, Template

TEMPLATES = (*CATALOGUE, *FIELD)

# (cluster, group): AWS allows any of these, and each is also a word or a piece of some sentence.
LEGAL_NAMES = (
    ("train", "workers"),
    ("IG", "Instance"),
    ("Instance", "IG"),
    ("Cluster", "InstanceGroup"),
    ("failed", "and-IG-x"),
    ("completed-successfully", "in"),
    ("in", "Cluster"),
    ("instance", "failed"),
    ("successfully", "completed"),
    ("started", "successfully"),
    ("creation", "scaling"),
    ("Group", "Group"),
    ("and", "for"),
    ("to", "as"),
    ("i-1", "i-0123456789abcdef0"),
    ("EC2", "EC2InstanceId"),
    ("Failed", "AutoScaling"),
    ("a", "i"),
    ("0", "1"),
    ("train-2", "train"),
    ("x" + "-y" * 31, "Z" * 63),
)
GROUP_LABELS = ("IG", "InstanceGroup", "Instance Group")
INSTANCE_LABELS = ("EC2 Instance ", "EC2InstanceId ", "EC2 instance ", "Instance ", "instance ", "")
INSTANCE_IDS = ("i-0123456789abcdef0", "i-1", "i-12345678abcdefghi")
OPERATIONS = {
    "creation": "create",
    "update": "update",
    "deletion": "delete",
    "termination": "delete",
    "scaling": "scale",
    "scale in": "scale",
    "scale up": "scale",
    "replacement": "replace",
    "reboot": "reboot",
    "UpdateClusterSoftware": "update_software",
    "software update": "update_software",
    "FooBar": "other",
    "node pool (re)balancing": "other",
}
STOPS = ("", ".", "..", " .")

_FILLINGS = {
    "subnet-id": "subnet-0aa11bb22cc33dd44",
    "availability-zone": "usw2-az2",
    "security-group-ids": "[sg-0a1, sg-0b2]",
    "ami-id": "ami-0123456789abcdef0",
    "reservation-id": "cr-0123456789abcdef0",
    "strategy": "RollingUpdate",
    "alarm-names": "gpu-errors, job [failed] in Cluster x",
    "duration": "600",
    "drift-details": "partition 'dev' lists nodes [ip-10-0-1-7] that IG gpu in Cluster x has failed",
    "fault": "NvidiaErrorTerminate",
    "action": "Replace",
    "lost": "2",
    "current": "6",
    "total": "8",
    "groups": "3",
}
_TEXT_KEYS = {
    "cluster-name": "cluster_name",
    "instance-group-name": "instance_group",
    "instance-id": "instance_id",
    "subnet-id": "subnet",
    "availability-zone": "availability_zone",
    "security-group-ids": "security_groups",
    "ami-id": "ami",
    "reservation-id": "capacity_reservation",
    "strategy": "strategy",
    "alarm-names": "alarms",
    "duration": "seconds",
    "drift-details": "drift",
    "fault": "fault",
    "action": "repair_action",
    "lost": "lost",
    "current": "current",
    "total": "total",
    "groups": "groups",
}
_PLACEHOLDER = re.compile(r"<([a-z-]+)>")


class Rendering(NamedTuple):
    """A text, the record's own names, and what must be read."""

    code: str
    text: str
    names: Names
    operation: str | None
    operation_word: str | None
    status: str | None
    values: dict[str, str]


class Choice(NamedTuple):
    """One way to write a template down."""

    cluster: str = "train"
    group: str = "workers"
    group_label: str | None = None
    instance_label: str | None = None
    instance_id: str | None = "i-0123456789abcdef0"
    operation: str = "creation"
    operation_first: bool = False
    status: str = "Started"
    stop: str = ""
    spaces: str = " "


def _sentence(template: Template, choice: Choice) -> str:
    """The template's text with the chosen labels, order and omissions; placeholders still in it."""
    text = template.text.removesuffix(".") if not template.text.endswith("...") else template.text.removesuffix("...")
    if choice.group_label is not None:
        text = re.sub(r"(InstanceGroup|Instance Group|IG)(?= <instance-group-name>)", choice.group_label, text)
    if choice.operation_first:
        text = _operation_moved(template, text)
    if choice.instance_id is None:
        text = text.replace(" <instance-id>", "")
    elif choice.instance_label is not None:
        text = re.sub(
            r"\b(EC2 Instance|EC2InstanceId|Instance|instance) (?=<instance-id>)", choice.instance_label, text
        )
    return text


def _operation_moved(template: Template, text: str) -> str:
    if template.code in ("ReplacementStarted", "ReplacementStartFailed"):
        return text.replace("<instance-id>", "<operation> <instance-id>")
    if "<instance-id> <operation>" in text:
        return text.replace("<instance-id> <operation>", "<operation> <instance-id>")
    return text.replace("<operation> <instance-id>", "<instance-id> <operation>")


def render(template: Template, choice: Choice, *, with_names: bool = True) -> Rendering:
    """The text that the choice makes of the template, and what must be read from it."""
    fillings = {
        **_FILLINGS,
        "cluster-name": choice.cluster,
        "instance-group-name": choice.group,
        "instance-id": choice.instance_id or "",
        "operation": choice.operation,
        "status": "completed" if template.code == "AutoscalingSucceeded" else choice.status,
    }
    sentence = _sentence(template, choice)
    found = _PLACEHOLDER.findall(sentence)
    text = _PLACEHOLDER.sub(lambda each: fillings[each.group(1)], sentence) + choice.stop
    values = {_TEXT_KEYS[name]: fillings[name].strip("[]") for name in found if name in _TEXT_KEYS}
    if "<drift-details>" in template.text and choice.stop:
        values["drift"] = _FILLINGS["drift-details"]
    names = Names(choice.cluster, choice.group, choice.instance_id) if with_names else Names()
    word = choice.operation if "operation" in found else None
    return Rendering(
        template.code,
        text.replace(" ", choice.spaces),
        names,
        OPERATIONS[word] if word else None,
        word,
        _status(template, choice),
        values | ({"status": "completed"} if template.code == "AutoscalingSucceeded" else {}),
    )


def _status(template: Template, choice: Choice) -> str | None:
    if template.code == "LifecycleScriptFailedWithLogs":
        return "Failed"
    return choice.status.capitalize() if template.code == "LifecycleScriptStatus" else None


ADVERSARIAL = (
    Choice("IG", "Instance", "InstanceGroup", "EC2 instance "),
    Choice("failed", "and-IG-x", "IG", "", stop="."),
    Choice("Cluster", "InstanceGroup", "Instance Group", "Instance ", operation="UpdateClusterSoftware"),
    Choice("completed-successfully", "in", "IG", "EC2InstanceId ", spaces=" \t "),
    Choice("in", "Cluster", "Instance Group", "instance ", operation="scale in", status="SUCCEEDED"),
    Choice("instance", "failed", "IG", None, None, operation="deletion"),
    Choice("Group", "Group", "Instance Group", "", operation="software update", operation_first=True, stop=" ."),
    Choice("started", "successfully", "InstanceGroup", "EC2 Instance ", operation="FooBar", status="failed"),
)
"""Eight ways that go against one another in every template."""


def all_renderings(template: Template) -> Iterator[Rendering]:
    """Every pair of names in every writing; operations, ids, statuses and stops take turns."""
    turns = enumerate(product(LEGAL_NAMES, GROUP_LABELS, (*INSTANCE_LABELS, None), (False, True)))
    for turn, ((cluster, group), group_label, instance_label, first) in turns:
        choice = Choice(
            cluster,
            group,
            group_label,
            instance_label,
            None if instance_label is None else INSTANCE_IDS[turn % len(INSTANCE_IDS)],
            list(OPERATIONS)[turn % len(OPERATIONS)],
            first and instance_label != "",
            ("Started", "Succeeded", "Failed")[turn % 3],
            STOPS[turn % len(STOPS)],
        )
        yield render(template, choice, with_names=turn % 5 != 0)


# Texts that resemble one of ours and are none; the comment says in what.
NEAR_MISSES = (
    "cluster train creation failed",  # letter case
    "The Cluster train creation failed",  # a word before
    "Cluster train creation failed yesterday",  # a word after
    "Cluster train creation failed...",  # cut off
    "Cluster train creation failed!",  # no full stop
    "Cluster my train creation failed because of capacity",  # a reason
    "Cluster train creation failed. Cluster train creation failed.",  # two in one
    "Cluster train creation started successfully. Cluster train creation completed successfully",
    "Instance i-1 in IG gpu updated successfully. Instance i-2 in IG gpu updated successfully.",
    "Cluster-train creation failed",  # no word
    "Clusters train creation failed",  # another word
    "InstanceGroups gpu scaling started successfully in Cluster train",
    "InstanceGroup my gpu,s scaling started successfully in Cluster train",  # no legal name, no operation
    "Instance Group gpu scaling in Cluster train, completed successfully",
    "InstanceGroup gpu scaling started successfully in Cluster",  # no name
    "Instance Group scaling in Cluster train and IG gpu failed",  # neither a group's nor an instance's
    "Failed to start Instance Group scaling in Cluster train and IG gpu",
    "Failed to start",
    "Failed to start Cluster",
    "Failed to AutoScaling in Cluster train",
    "Failed to start Cluster train AutoScaling in Cluster train",  # two readings would fit loosely
    "AutoScaling enable successfully in Cluster train",  # no status
    "Instance creation i-1 i-2 in Cluster train and IG gpu failed",  # two ids
    "Instance creation vol-0123456789abcdef0, in Cluster train and IG gpu failed",
    "Instance lifecycle script execution for EC2 Instance i-1 has Stalled",  # unknown status
    "Instance lifecycle script execution for EC2 Instance i-1 has In Progress",
    "Instance lifecycle script execution for EC2 Instance i-1 has",
    "Instance lifecycle script execution for EC2 Instance i-1 has Failed. To view lifecycle script logs",
    "Instance lifecycle script execution for EC2 Instance i-1 has Started. To view lifecycle script logs, visit log"
    " group /aws/x",
    "Termination of is currently in progress in Cluster train and IG gpu",  # no word for the instance
    "Root volume replacement started for Instance i-1 in IG gpu in Cluster train.",  # more than the sentence has
    "Baking period started for IG gpu in Cluster train. Monitoring alarms [a] for many seconds.",
    "Baking period started for IG gpu in Cluster train. Monitoring alarms [a] for ٦٠٠ seconds.",
    "Baking period started for IG gpu in Cluster train. Monitoring alarms [a] for 6000000000 seconds.",
    "Slurm configuration drift detected in partition dev",
    "Slurm was reconfigured successfully. Slurm config not updated to match desired state",
    "Failed to update access policies with AmazonSageMakerHyperPodServiceRole access entry in EKS cluster"
    " c successfully",
    "SageMaker endpoint train update completed successfully",  # another service's resource
    "Your training job train has failed",
    "EC2 Instance i-0123456789abcdef0 state changed to running",  # another service
    "EKS cluster train update completed successfully",
    "FSx file system creation started for IG gpu in Cluster train",
    "Cluster \x01c creation failed",  # nobody may forge a mask
    "Cluster tr\u200bain creation failed",  # an invisible character
    "",
    " ",
    ".",
)
