"""The four machines of a cluster, as literal tables.

Knows: which signal moves which machine where, and which ClusterStatus an operation means.  Must not know: rows, time.
"""

from __future__ import annotations

from collections.abc import Mapping

from models.machines.instance import Table
from models.machines.signals import Signal as S
from models.states import ClusterOperation as O
from models.states import ClusterPhase as P
from models.states import Configured as C
from models.states import SlurmConfig as D

_BEGINS: dict[S, str] = {
    S.CREATE_STARTED: O.CREATING,
    S.UPDATE_STARTED: O.UPDATING,
    S.DELETE_STARTED: O.DELETING,
    S.CREATE_FAILED: O.FAILED,
    S.UPDATE_FAILED: O.FAILED,
    S.DELETE_FAILED: O.FAILED,
}

OPERATION: Table = {
    O.NONE: _BEGINS,
    O.CREATING: {**_BEGINS, S.CREATE_COMPLETED: O.NONE},
    O.UPDATING: {**_BEGINS, S.UPDATE_COMPLETED: O.NONE},
    # What was under way when the deletion began may still fail.
    O.DELETING: {
        S.DELETE_COMPLETED: O.DELETED,
        S.DELETE_FAILED: O.FAILED,
        S.CREATE_FAILED: O.FAILED,
        S.UPDATE_FAILED: O.FAILED,
    },
    O.DELETED: {},  # a new cluster is a new ARN
    O.FAILED: {
        **_BEGINS,
        S.CREATE_COMPLETED: O.NONE,
        S.UPDATE_COMPLETED: O.NONE,
        S.DELETE_COMPLETED: O.DELETED,
    },
}

ACCESS: Table = {
    C.UNKNOWN: {S.ACCESS_CONFIGURED: C.CONFIGURED, S.ACCESS_FAILED: C.FAILED},
    C.CONFIGURED: {S.ACCESS_FAILED: C.FAILED},
    C.FAILED: {S.ACCESS_CONFIGURED: C.CONFIGURED},
}

AUTOSCALING: Table = {
    C.UNKNOWN: {S.AUTOSCALING_CONFIGURED: C.CONFIGURED, S.AUTOSCALING_FAILED: C.FAILED},
    C.CONFIGURED: {S.AUTOSCALING_FAILED: C.FAILED},
    C.FAILED: {S.AUTOSCALING_CONFIGURED: C.CONFIGURED},
}

SLURM_CONFIG: Table = {
    D.UNKNOWN: {S.SLURM_IN_SYNC: D.IN_SYNC, S.SLURM_DRIFTED: D.DRIFTED},
    D.IN_SYNC: {S.SLURM_DRIFTED: D.DRIFTED},
    D.DRIFTED: {S.SLURM_IN_SYNC: D.IN_SYNC},
}

MACHINES: Mapping[str, Table] = {
    "operation": OPERATION,
    "access": ACCESS,
    "autoscaling": AUTOSCALING,
    "slurm_config": SLURM_CONFIG,
}

START: Mapping[str, str] = {
    "operation": O.NONE,
    "access": C.UNKNOWN,
    "autoscaling": C.UNKNOWN,
    "slurm_config": D.UNKNOWN,
}

TARGETS: Mapping[str, Mapping[S, str]] = {
    "operation": {
        S.CREATE_STARTED: O.CREATING,
        S.CREATE_COMPLETED: O.NONE,
        S.CREATE_FAILED: O.FAILED,
        S.UPDATE_STARTED: O.UPDATING,
        S.UPDATE_COMPLETED: O.NONE,
        S.UPDATE_FAILED: O.FAILED,
        S.DELETE_STARTED: O.DELETING,
        S.DELETE_COMPLETED: O.DELETED,
        S.DELETE_FAILED: O.FAILED,
    },
    "access": {S.ACCESS_CONFIGURED: C.CONFIGURED, S.ACCESS_FAILED: C.FAILED},
    "autoscaling": {S.AUTOSCALING_CONFIGURED: C.CONFIGURED, S.AUTOSCALING_FAILED: C.FAILED},
    "slurm_config": {S.SLURM_IN_SYNC: D.IN_SYNC, S.SLURM_DRIFTED: D.DRIFTED},
}

NEEDS: Mapping[str, Mapping[S, str]] = {
    "operation": {S.CREATE_COMPLETED: O.CREATING, S.UPDATE_COMPLETED: O.UPDATING},
}

BIRTHS = frozenset({S.CREATE_STARTED})

# The ClusterStatus that follows from an operation's event; the newer of this and a state change decides the phase.
STATUS: Mapping[S, P] = {
    S.CREATE_STARTED: P.CREATING,
    S.CREATE_COMPLETED: P.IN_SERVICE,
    S.CREATE_FAILED: P.FAILED,
    S.UPDATE_STARTED: P.UPDATING,
    S.UPDATE_COMPLETED: P.IN_SERVICE,
    S.UPDATE_FAILED: P.FAILED,
    S.DELETE_STARTED: P.DELETING,
    S.DELETE_COMPLETED: P.DELETED,
    S.DELETE_FAILED: P.FAILED,
    S.PATCH_STARTED: P.SYSTEM_UPDATING,
    S.PATCH_COMPLETED: P.IN_SERVICE,
    S.PATCH_FAILED: P.FAILED,
}
