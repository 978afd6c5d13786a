"""Which words of AWS's API go with which states: literal tables.

Knows: status words and our states.  Must not know: rows, times, how long views may differ.

The tables are generous: where the API is not known to say one thing only, every word goes.  What they leave out cannot
both be true for long.
"""

from __future__ import annotations

from collections.abc import Mapping

from models.states import ClusterOperation, GroupOperation, GroupPatch, LifecycleScript, Provision, Rollback
from models.states import InstancePhase as P

UNLISTED = None
"""The word for an instance that node lists no longer have."""

ORDER = tuple(P)
"""The phases in the order in which a reader finds them elsewhere."""

_LIVES = frozenset(P) - {P.TERMINATED}
_UPDATES = frozenset({P.PATCHING, P.ROLLING_BACK})
# A termination that was announced takes its time, and the API goes on with what it said before.
_ANYTHING = frozenset({P.UNKNOWN, P.TERMINATING})
_COMES = frozenset({P.PROVISIONING, P.LIFECYCLE_SCRIPT, P.REPLACING})
_FAILURE = _ANYTHING | _UPDATES | {P.FAILED, P.REPLACING, P.REBOOTING, P.TERMINATED}

INSTANCE: Mapping[str | None, frozenset[P]] = {
    "Running": _ANYTHING | _UPDATES | {P.IN_SERVICE, P.REBOOTING, P.REPLACING},
    "Pending": _ANYTHING | _UPDATES | _COMES | {P.FAILED, P.REBOOTING},
    "Failure": _FAILURE,
    "Failed": _FAILURE,
    "ShuttingDown": _ANYTHING | {P.TERMINATED, P.FAILED, P.REPLACING, P.REBOOTING},
    # The group's rollout shows at all of its instances: see `ROLLOUT_WORD`.
    "SystemUpdating": _ANYTHING | _UPDATES | {P.FAILED, P.REBOOTING},
    "DeepHealthCheckInProgress": _LIVES,
    # Attempts that failed vanish between retries.
    "NotFound": _ANYTHING | {P.TERMINATED, P.FAILED, P.REPLACING, P.PROVISIONING},
    UNLISTED: _ANYTHING | {P.TERMINATED, P.FAILED, P.REPLACING, P.PROVISIONING},
}
"""A node's status and the phases that it goes with; a word that is not here contradicts nothing."""

ROLLOUT_WORD = "SystemUpdating"
"""Goes with any living phase while the group's software is updated or rolled back."""

FAILURE_WORDS = frozenset({"Failure", "Failed"})
"""Go with any phase of an instance of which something has failed, or that is not healthy."""


def agrees(word: str | None, phase: P, machines: Mapping[str, str], *, leaving_failed: bool) -> bool:
    """Whether a node's status goes with an instance's phase and machines.

    `leaving_failed`: provision has failed because the instance could not be terminated: it may well be running.
    """
    if word not in INSTANCE or phase in INSTANCE[word]:
        return True
    if word in FAILURE_WORDS:
        return "Failed" in machines.values() or machines["health"] in ("Degraded", "Unhealthy")
    if word == "Running" and phase == P.FAILED:
        came = machines["lifecycle_script"] != LifecycleScript.FAILED and machines["replace"] != "Failed"
        return came and (leaving_failed or machines["provision"] != Provision.FAILED)
    return False


_GOES = frozenset({GroupOperation.DELETING, GroupOperation.DELETED})
_ROLLS = frozenset({GroupPatch.IN_PROGRESS, GroupPatch.BAKING})

Against = Mapping[str, Mapping[str, frozenset[str]]]

GROUP_STATUS: Against = {
    # In Continuous mode a group that scales or is updated may stay InService.
    "InService": {
        "operation": _GOES,
        "patch": frozenset({GroupPatch.IN_PROGRESS}),
        "rollback": frozenset({Rollback.ROLLING_BACK}),
    },
    "Degraded": {"operation": frozenset({GroupOperation.DELETED})},
    "Failed": {"operation": frozenset({GroupOperation.DELETED})},
    "Creating": {"operation": _GOES},
    "Updating": {"operation": _GOES},
    "SystemUpdating": {"operation": _GOES},
}
"""A group's status: by machine, the states that it contradicts."""

SOFTWARE_UPDATE: Against = {
    "Succeeded": {"patch": _ROLLS, "rollback": frozenset({Rollback.ROLLING_BACK})},
    "Failed": {"patch": _ROLLS | {GroupPatch.COMPLETED}},
    "RollbackComplete": {"patch": _ROLLS | {GroupPatch.COMPLETED}},
}
"""The same for SoftwareUpdateStatus, which is about the last update that was asked for."""

UNDER_WAY = frozenset({"Pending", "InProgress", "RollbackInProgress"})
"""Words of SoftwareUpdateStatus with which a group in service may still be updated or rolled back."""

_CLUSTER_GOES = {"operation": frozenset({ClusterOperation.DELETING, ClusterOperation.DELETED})}
CLUSTER_STATUS: Against = dict.fromkeys(
    ("Creating", "InService", "Updating", "SystemUpdating", "RollingBack"), _CLUSTER_GOES
)
"""The same for ClusterStatus; the phase follows it, so only an end that events tell can contradict it."""
