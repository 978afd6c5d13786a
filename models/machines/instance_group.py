"""The five machines of an instance group, as literal tables, and the phase that follows from them.

Knows: which signal moves which machine where.  Must not know: members, rows, events, time.
"""

from __future__ import annotations

from collections.abc import Mapping

from models.machines.instance import Table
from models.machines.signals import Signal as S
from models.states import Configured as C
from models.states import Fsx as F
from models.states import GroupOperation as G
from models.states import GroupPatch as U
from models.states import GroupPhase
from models.states import Rollback as K

# Operations overlap in Continuous provisioning: a group scales while it is being updated.
_BEGINS: dict[S, str] = {
    S.CREATE_STARTED: G.CREATING,
    S.UPDATE_STARTED: G.UPDATING,
    S.SCALE_STARTED: G.SCALING,
    S.DELETE_STARTED: G.DELETING,
    # The start itself may fail.
    S.CREATE_FAILED: G.FAILED,
    S.UPDATE_FAILED: G.FAILED,
    S.SCALE_FAILED: G.FAILED,
    S.DELETE_FAILED: G.FAILED,
}

OPERATION: Table = {
    G.NONE: _BEGINS,
    G.CREATING: {**_BEGINS, S.CREATE_COMPLETED: G.NONE},
    G.UPDATING: {**_BEGINS, S.UPDATE_COMPLETED: G.NONE},
    G.SCALING: {**_BEGINS, S.SCALE_COMPLETED: G.NONE},
    G.DELETING: {**_BEGINS, S.DELETE_COMPLETED: G.DELETED},
    G.DELETED: {S.CREATE_STARTED: G.CREATING},  # the name may be used again
    G.FAILED: {
        **_BEGINS,
        S.CREATE_COMPLETED: G.NONE,  # AWS retries inside the same operation
        S.UPDATE_COMPLETED: G.NONE,
        S.SCALE_COMPLETED: G.NONE,
        S.DELETE_COMPLETED: G.DELETED,
    },
}

NETWORK: Table = {
    C.UNKNOWN: {S.NETWORK_CONFIGURED: C.CONFIGURED, S.NETWORK_FAILED: C.FAILED},
    C.CONFIGURED: {S.NETWORK_FAILED: C.FAILED},
    C.FAILED: {S.NETWORK_CONFIGURED: C.CONFIGURED},
}

_FSX_BEGINS: dict[S, str] = {
    S.FSX_CREATE_STARTED: F.CREATING,
    S.FSX_UPDATE_STARTED: F.UPDATING,
    S.FSX_DELETE_STARTED: F.DELETING,
    S.FSX_CREATE_FAILED: F.FAILED,
    S.FSX_UPDATE_FAILED: F.FAILED,
    S.FSX_DELETE_FAILED: F.FAILED,
}

FSX: Table = {
    F.NONE: {S.FSX_CREATE_STARTED: F.CREATING, S.FSX_CREATE_FAILED: F.FAILED},
    F.CREATING: {S.FSX_CREATE_COMPLETED: F.AVAILABLE, S.FSX_CREATE_FAILED: F.FAILED},
    F.AVAILABLE: {
        S.FSX_UPDATE_STARTED: F.UPDATING,
        S.FSX_DELETE_STARTED: F.DELETING,
        S.FSX_UPDATE_FAILED: F.FAILED,
        S.FSX_DELETE_FAILED: F.FAILED,
    },
    F.UPDATING: {S.FSX_UPDATE_COMPLETED: F.AVAILABLE, S.FSX_UPDATE_FAILED: F.FAILED},
    F.DELETING: {S.FSX_DELETE_COMPLETED: F.DELETED, S.FSX_DELETE_FAILED: F.FAILED},
    F.DELETED: {S.FSX_CREATE_STARTED: F.CREATING, S.FSX_CREATE_FAILED: F.FAILED},
    F.FAILED: {
        **_FSX_BEGINS,
        S.FSX_CREATE_COMPLETED: F.AVAILABLE,
        S.FSX_UPDATE_COMPLETED: F.AVAILABLE,
        S.FSX_DELETE_COMPLETED: F.DELETED,
    },
}

_ROLLOUT_BEGINS: dict[S, str] = {
    S.PATCH_SCHEDULED: U.SCHEDULED,
    S.PATCH_STARTED: U.IN_PROGRESS,  # an update may be asked for without a schedule
    S.PATCH_FAILED: U.FAILED,
}

PATCH: Table = {
    U.NONE: _ROLLOUT_BEGINS,
    U.SCHEDULED: {S.PATCH_STARTED: U.IN_PROGRESS, S.PATCH_FAILED: U.FAILED},
    U.IN_PROGRESS: {
        S.BAKE_STARTED: U.BAKING,
        S.PATCH_COMPLETED: U.COMPLETED,
        S.PATCH_FAILED: U.FAILED,
        S.ROLLBACK_STARTED: U.FAILED,
    },
    U.BAKING: {
        S.BAKE_COMPLETED: U.IN_PROGRESS,  # the next batch, or the end
        S.BAKE_ALARM: U.FAILED,
        S.PATCH_FAILED: U.FAILED,
        S.ROLLBACK_STARTED: U.FAILED,
    },
    U.COMPLETED: _ROLLOUT_BEGINS,
    U.FAILED: {
        S.PATCH_SCHEDULED: U.SCHEDULED,
        S.PATCH_STARTED: U.IN_PROGRESS,
        S.BATCH_SELECTED: U.IN_PROGRESS,  # a step failed, the rollout went on
        S.BAKE_STARTED: U.BAKING,
        S.PATCH_COMPLETED: U.COMPLETED,
    },
}

ROLLBACK: Table = {
    K.NONE: {S.BAKE_ALARM: K.ROLLING_BACK, S.ROLLBACK_STARTED: K.ROLLING_BACK},
    # HyperPod sends no event for the end of a group's rollback: members decide (`models.judge`), or the next rollout.
    K.ROLLING_BACK: {
        S.ROLLBACK_FAILED: K.FAILED,
        S.PATCH_SCHEDULED: K.ROLLED_BACK,
        S.PATCH_STARTED: K.ROLLED_BACK,
    },
    K.ROLLED_BACK: {S.BAKE_ALARM: K.ROLLING_BACK, S.ROLLBACK_STARTED: K.ROLLING_BACK},
    K.FAILED: {
        S.BAKE_ALARM: K.ROLLING_BACK,
        S.ROLLBACK_STARTED: K.ROLLING_BACK,
        S.PATCH_COMPLETED: K.NONE,  # a later rollout put every member on a known image
    },
}

MACHINES: Mapping[str, Table] = {
    "operation": OPERATION,
    "network": NETWORK,
    "fsx": FSX,
    "patch": PATCH,
    "rollback": ROLLBACK,
}

START: Mapping[str, str] = {
    "operation": G.NONE,
    "network": C.UNKNOWN,
    "fsx": F.NONE,
    "patch": U.NONE,
    "rollback": K.NONE,
}

TARGETS: Mapping[str, Mapping[S, str]] = {
    "operation": {
        S.CREATE_STARTED: G.CREATING,
        S.CREATE_COMPLETED: G.NONE,
        S.CREATE_FAILED: G.FAILED,
        S.UPDATE_STARTED: G.UPDATING,
        S.UPDATE_COMPLETED: G.NONE,
        S.UPDATE_FAILED: G.FAILED,
        S.SCALE_STARTED: G.SCALING,
        S.SCALE_COMPLETED: G.NONE,
        S.SCALE_FAILED: G.FAILED,
        S.DELETE_STARTED: G.DELETING,
        S.DELETE_COMPLETED: G.DELETED,
        S.DELETE_FAILED: G.FAILED,
    },
    "network": {S.NETWORK_CONFIGURED: C.CONFIGURED, S.NETWORK_FAILED: C.FAILED},
    "fsx": {
        S.FSX_CREATE_STARTED: F.CREATING,
        S.FSX_CREATE_COMPLETED: F.AVAILABLE,
        S.FSX_CREATE_FAILED: F.FAILED,
        S.FSX_UPDATE_STARTED: F.UPDATING,
        S.FSX_UPDATE_COMPLETED: F.AVAILABLE,
        S.FSX_UPDATE_FAILED: F.FAILED,
        S.FSX_DELETE_STARTED: F.DELETING,
        S.FSX_DELETE_COMPLETED: F.DELETED,
        S.FSX_DELETE_FAILED: F.FAILED,
    },
    "patch": {
        S.PATCH_SCHEDULED: U.SCHEDULED,
        S.PATCH_STARTED: U.IN_PROGRESS,
        S.BATCH_SELECTED: U.IN_PROGRESS,
        S.BAKE_STARTED: U.BAKING,
        S.BAKE_COMPLETED: U.IN_PROGRESS,
        S.BAKE_ALARM: U.FAILED,
        S.PATCH_COMPLETED: U.COMPLETED,
        S.PATCH_FAILED: U.FAILED,
    },
    "rollback": {S.BAKE_ALARM: K.ROLLING_BACK, S.ROLLBACK_STARTED: K.ROLLING_BACK, S.ROLLBACK_FAILED: K.FAILED},
}

# A completion has to find its own operation: its target alone would not tell (every one ends in None).
NEEDS: Mapping[str, Mapping[S, str]] = {
    "operation": {
        S.CREATE_COMPLETED: G.CREATING,
        S.UPDATE_COMPLETED: G.UPDATING,
        S.SCALE_COMPLETED: G.SCALING,
    },
}

BIRTHS = frozenset({S.CREATE_STARTED})

OPERATING = frozenset({G.CREATING, G.UPDATING, G.SCALING, G.DELETING})


def phase(machines: Mapping[str, str], *, reported: str | None, degraded: bool, alive: bool) -> GroupPhase:
    """The phase of a group, by the contract's precedence.

    `reported` is the status word of the newest snapshot, `degraded` what the members say, `alive` whether anything
    says that the group serves (a snapshot, a completed operation, a member in service).
    """
    operation, patch, rollback = machines["operation"], machines["patch"], machines["rollback"]
    if operation in (G.DELETED, G.DELETING):
        return GroupPhase(operation)
    if rollback == K.ROLLING_BACK:
        return GroupPhase.ROLLING_BACK
    if patch == U.BAKING:
        return GroupPhase.BAKING
    if patch == U.IN_PROGRESS:
        return GroupPhase.PATCHING
    if operation in OPERATING:
        return GroupPhase(operation)
    if operation == G.FAILED or rollback == K.FAILED:
        return GroupPhase.FAILED
    if degraded or reported == "Degraded":
        return GroupPhase.DEGRADED
    return GroupPhase.IN_SERVICE if alive else GroupPhase.UNKNOWN
