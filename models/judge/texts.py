"""The words of anomalies: severity, title, and what would clear them.

Knows: kinds.  Must not know: how an anomaly is found.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from models.catalogue import BY_CODE
from models.public import AnomalyKind as K
from models.public import Severity

SEVERITY: Mapping[K, Severity] = {
    K.OPERATION_FAILED: Severity.ERROR,
    K.LIFECYCLE_SCRIPT_FAILED: Severity.ERROR,
    K.REPLACEMENT_FAILED: Severity.ERROR,
    K.PATCH_FAILED: Severity.ERROR,
    K.PATCH_SKIPPED: Severity.WARNING,
    K.BAKE_ALARM: Severity.ERROR,
    K.ROLLBACK_STARTED: Severity.WARNING,
    K.ROLLBACK_FAILED: Severity.CRITICAL,
    K.UNEXPECTED_TRANSITION: Severity.WARNING,
    K.MISSING_EVENT: Severity.WARNING,
    K.UNHEALTHY_NODE: Severity.ERROR,
    K.STUCK: Severity.WARNING,  # critical once the second deadline has passed
    K.REPAIR_NOT_STARTED: Severity.CRITICAL,
    K.FLAPPING: Severity.ERROR,
    K.REPLACEMENT_STORM: Severity.CRITICAL,
    K.CORRELATED_FAILURE: Severity.CRITICAL,
    K.DRIFT: Severity.WARNING,
    K.SLURM_DRIFT: Severity.WARNING,
    K.RESOURCE_LEAK: Severity.WARNING,
    K.ORCHESTRATION_READY_LOST: Severity.WARNING,
    K.UNRECOGNIZED_EVENT: Severity.INFO,
    K.FEED_SILENT: Severity.CRITICAL,
    K.STALE: Severity.INFO,
    K.ZOMBIE: Severity.INFO,
    K.LATE_EVENT: Severity.INFO,
    K.CLOCK_SUSPECT: Severity.INFO,
}

EXPECTED: Mapping[K, str] = {
    K.OPERATION_FAILED: "the same operation succeeds, or the entity is terminated or deleted",
    K.LIFECYCLE_SCRIPT_FAILED: "the script succeeds, or the instance is replaced or terminated",
    K.REPLACEMENT_FAILED: "a later replacement completes",
    K.PATCH_FAILED: "it is updated, restored to schedulable or rolled back",
    K.PATCH_SKIPPED: "the instance is updated, or the rollout ends",
    K.BAKE_ALARM: "the rollback ends, or the next rollout begins",
    K.ROLLBACK_STARTED: "it is rolled back",
    K.ROLLBACK_FAILED: "a later success, or who could not go back is replaced or terminated",
    K.UNEXPECTED_TRANSITION: "a late event explains it",
    K.MISSING_EVENT: "the missing event arrives",
    K.UNHEALTHY_NODE: "the node is healthy again, rebooted, replaced or terminated",
    K.STUCK: "the next step, or the state is left",
    K.REPAIR_NOT_STARTED: "a reboot, replacement or termination starts",
    K.FLAPPING: "24 h without another entry",
    K.REPLACEMENT_STORM: "no replacement starts until the window is empty",
    K.CORRELATED_FAILURE: "every member clears",
    K.DRIFT: "snapshots and events agree again",
    K.SLURM_DRIFT: "drift validation passes, or Slurm is reconfigured",
    K.RESOURCE_LEAK: "the clean-up succeeds",
    K.ORCHESTRATION_READY_LOST: "every node is ready again; of scaling: counts are equal and half an hour is quiet",
    K.UNRECOGNIZED_EVENT: "the catalogue learns the text",
    K.FEED_SILENT: "the next heartbeat",
    K.STALE: "its next event that is read in time",
}

_TITLES: Mapping[K, str] = {
    K.OPERATION_FAILED: "{event}",
    K.LIFECYCLE_SCRIPT_FAILED: "Lifecycle script failed",
    K.REPLACEMENT_FAILED: "Instance replacement failed",
    K.PATCH_FAILED: "Software update failed: {event}",
    K.PATCH_SKIPPED: "Software update skipped: a PodDisruptionBudget forbids eviction",
    K.BAKE_ALARM: "Alarms during baking: {detail}",
    K.ROLLBACK_STARTED: "Software update is being rolled back",
    K.ROLLBACK_FAILED: "Rollback failed",
    K.UNEXPECTED_TRANSITION: "Unexpected step of {machine}: {detail}",
    K.MISSING_EVENT: "An event is missing on the way of {machine}: {detail}",
    K.UNHEALTHY_NODE: "Node is {state}: {detail}",
    K.STUCK: "{state} for too long",
    K.REPAIR_NOT_STARTED: "Repair was asked for ({detail}) and nothing began",
    K.FLAPPING: "Flapping: {detail}",
    K.REPLACEMENT_STORM: "Replacement storm: {detail}",
    K.CORRELATED_FAILURE: "Failed together: {detail}",
    K.DRIFT: "Snapshots contradict events: {detail}",
    K.SLURM_DRIFT: "Slurm configuration drifted: {detail}",
    K.RESOURCE_LEAK: "Network interfaces may be left behind: {event}",
    K.ORCHESTRATION_READY_LOST: "Nodes lost orchestration-ready status",
    K.UNRECOGNIZED_EVENT: "Unknown event text: {detail}",
    K.FEED_SILENT: "Nothing can be known: no heartbeat from {detail}",
    K.STALE: "Only history was read: no deadlines until the next timely event",
    K.ZOMBIE: "Event of a terminated instance: {event}",
    K.LATE_EVENT: "Events came after the bound had passed",
    K.CLOCK_SUSPECT: "Event times cannot be trusted",
}

_EVENTS = {"SlurmClusterCreationFailed": "Slurm cluster creation failed, and was rolled back"}
"""Instead of AWS's name of an event, where that sounds as if all were well."""

_OPERATIONS = {
    "create": "creation",
    "scale": "scaling",
    "delete": "deletion",
    "terminate": "deletion",
    "replace": "replacement",
    "update_software": "software update",
}
"""Families of faults as people call the operation; the others are called so already."""

_AGENT = re.compile(r"\(HMA\) has detected fault type (.+?)(?: on this node\b|\.?$)")

TITLE_LIMIT = 300


def title(
    kind: K,
    *,
    code: str,
    machine: str | None,
    state: str | None,
    detail: str | None,
    count: int,
    family: str = "",
) -> str:
    """One line for people; `family` is that of a fault."""
    values = {
        "event": _event(code, family.removeprefix("op ")),
        "machine": machine or "the entity",
        "state": state or "Unhealthy",
        "detail": _short(kind, detail) if detail else "no detail given",
    }
    text = _TITLES[kind].format_map(values)
    return (f"{text} ({count} times)" if count > 1 else text)[:TITLE_LIMIT]


def _event(code: str, operation: str) -> str:
    """AWS's name of an event, with the operation that it is about."""
    template = BY_CODE.get(code)
    name = _EVENTS.get(code) or (template.event if template else code)
    known = operation not in ("", "other")
    return name.replace(" operation ", f" {_OPERATIONS.get(operation, operation)} ") if known else name


def _short(kind: K, detail: str) -> str:
    """Of the health monitoring agent's sentence the fault alone, as the agent's own event has it.

    An unknown text is shown as it is: that one says something of a fault does not make it known.
    """
    said = _AGENT.search(detail) if kind == K.UNHEALTHY_NODE else None
    return said[1] if said else detail
