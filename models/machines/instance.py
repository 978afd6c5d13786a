"""The seven machines of an instance, as literal tables, and the phase that follows from them.

Knows: which signal moves which machine where, and what makes a step legal.  Must not know: rows, events, time.
Each table lists every state; `{}` is a final one.  An edge that is not here is taken all the same and reported
(`models.fold`): reality wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from operator import itemgetter

from models.machines.signals import Signal as S
from models.states import Health as H
from models.states import InstancePatch as U
from models.states import InstancePhase
from models.states import LifecycleScript as L
from models.states import Provision as P
from models.states import Reboot as B
from models.states import Replace as R
from models.states import Rollback as K

Table = Mapping[str, Mapping[S, str]]

# Without metadata the request and the ENI cannot be told from other instances': birth at any of the three is legal.
_BIRTH: dict[S, str] = {
    S.CREATE_STARTED: P.REQUESTED,
    S.ENI_CREATED: P.NETWORK_READY,
    S.PROVISIONED: P.PROVISIONED,
    S.CREATE_FAILED: P.FAILED,
}
_LEAVING: dict[S, str] = {S.DELETE_STARTED: P.TERMINATING, S.DELETE_FAILED: P.FAILED}

PROVISION: Table = {
    P.UNKNOWN: {**_BIRTH, **_LEAVING},
    P.REQUESTED: {
        S.ENI_CREATED: P.NETWORK_READY,
        S.PROVISIONED: P.PROVISIONED,
        S.CREATE_FAILED: P.FAILED,
        **_LEAVING,
    },
    P.NETWORK_READY: {S.PROVISIONED: P.PROVISIONED, S.CREATE_FAILED: P.FAILED, **_LEAVING},
    # The script's success puts an instance in service; a group without scripts has only the creation's own word.
    P.PROVISIONED: {
        S.SCRIPT_SUCCEEDED: P.IN_SERVICE,
        S.CREATE_COMPLETED: P.IN_SERVICE,
        S.REPLACE_COMPLETED: P.IN_SERVICE,
        S.CREATE_FAILED: P.FAILED,
        **_LEAVING,
    },
    P.IN_SERVICE: {S.CREATE_FAILED: P.FAILED, **_LEAVING},
    # Failed is retried, not final: AWS asks for capacity again every 20 min and runs scripts again.
    P.FAILED: {
        S.CREATE_STARTED: P.REQUESTED,
        S.ENI_CREATED: P.NETWORK_READY,
        S.PROVISIONED: P.PROVISIONED,
        S.SCRIPT_STARTED: P.PROVISIONED,  # the next attempt, on the same EC2 instance
        S.SCRIPT_SUCCEEDED: P.IN_SERVICE,
        S.CREATE_COMPLETED: P.IN_SERVICE,
        S.REPLACE_COMPLETED: P.IN_SERVICE,
        S.DELETE_STARTED: P.TERMINATING,
        S.DELETE_COMPLETED: P.TERMINATED,  # a termination that failed is tried again within one operation
    },
    P.TERMINATING: {S.DELETE_COMPLETED: P.TERMINATED, S.ENI_DELETED: P.TERMINATED, S.DELETE_FAILED: P.FAILED},
    P.TERMINATED: {},  # a replacement is a new EC2 id
}

LIFECYCLE_SCRIPT: Table = {
    L.NOT_RUN: {S.SCRIPT_STARTED: L.RUNNING},
    L.RUNNING: {S.SCRIPT_SUCCEEDED: L.SUCCEEDED, S.SCRIPT_FAILED: L.FAILED},
    L.SUCCEEDED: {S.SCRIPT_STARTED: L.RUNNING},  # only inside an operation: see `SCRIPT_RUNS_IN`
    L.FAILED: {
        S.SCRIPT_STARTED: L.RUNNING,
        S.ROLLED_BACK: L.SUCCEEDED,  # the previous image is back in service, with or without another run
    },
}

REPLACE: Table = {
    R.NONE: {S.REPLACE_STARTED: R.REPLACING, S.REPLACE_FAILED: R.FAILED},  # the start itself may fail
    R.REPLACING: {S.REPLACE_COMPLETED: R.REPLACED, S.REPLACE_FAILED: R.FAILED},
    R.REPLACED: {S.REPLACE_STARTED: R.REPLACING, S.REPLACE_FAILED: R.FAILED},
    R.FAILED: {S.REPLACE_STARTED: R.REPLACING},
}

_PATCH_BEGINS: dict[S, str] = {
    S.PREPARED: U.PREPARED,
    S.ROOT_VOLUME_STARTED: U.REPLACING_ROOT_VOLUME,  # Slurm has no cordon before it
    S.SKIPPED: U.SKIPPED,
    S.STEP_FAILED: U.FAILED,
}

# Any news of a rollback says that the update has failed, even if the rollback's start was not seen.
_PATCH_UNDONE: dict[S, str] = {
    S.ROLLBACK_STARTED: U.FAILED,
    S.ROLLED_BACK: U.FAILED,
    S.ROLLBACK_FAILED: U.FAILED,
}

PATCH: Table = {
    U.NONE: _PATCH_BEGINS,
    U.PREPARED: {
        S.ROOT_VOLUME_STARTED: U.REPLACING_ROOT_VOLUME,
        S.SKIPPED: U.SKIPPED,
        S.STEP_FAILED: U.FAILED,
        **_PATCH_UNDONE,
        S.RESTORED: U.NONE,  # let go before anything was done to it
    },
    U.REPLACING_ROOT_VOLUME: {S.PATCHED: U.UPDATED, S.STEP_FAILED: U.FAILED, **_PATCH_UNDONE},
    U.UPDATED: _PATCH_BEGINS,
    U.SKIPPED: {signal: state for signal, state in _PATCH_BEGINS.items() if state != U.SKIPPED},
    U.FAILED: {S.PREPARED: U.PREPARED, S.ROOT_VOLUME_STARTED: U.REPLACING_ROOT_VOLUME, S.SKIPPED: U.SKIPPED},
}

ROLLBACK: Table = {
    K.NONE: {S.ROLLBACK_STARTED: K.ROLLING_BACK},
    K.ROLLING_BACK: {S.ROLLED_BACK: K.ROLLED_BACK, S.ROLLBACK_FAILED: K.FAILED},
    K.ROLLED_BACK: {S.ROLLBACK_STARTED: K.ROLLING_BACK},
    K.FAILED: {
        S.ROLLBACK_STARTED: K.ROLLING_BACK,
        S.PATCHED: K.NONE,  # a later update put it on a known image
    },
}

REBOOT: Table = {
    B.NONE: {S.REBOOT_STARTED: B.REBOOTING, S.REBOOT_FAILED: B.FAILED},  # the request itself may fail
    B.REBOOTING: {S.REBOOT_COMPLETED: B.REBOOTED, S.REBOOT_FAILED: B.FAILED},
    B.REBOOTED: {S.REBOOT_STARTED: B.REBOOTING, S.REBOOT_FAILED: B.FAILED},
    B.FAILED: {S.REBOOT_STARTED: B.REBOOTING},
}

_HEALTH: dict[S, str] = {S.HEALTHY: H.HEALTHY, S.DEGRADED: H.DEGRADED, S.UNHEALTHY: H.UNHEALTHY}

HEALTH: Table = {
    H.UNKNOWN: _HEALTH,
    H.HEALTHY: _HEALTH,
    H.DEGRADED: {**_HEALTH, S.REBOOT_COMPLETED: H.UNKNOWN},  # the agent has to look again
    H.UNHEALTHY: {**_HEALTH, S.REBOOT_COMPLETED: H.UNKNOWN},
}

MACHINES: Mapping[str, Table] = {
    "provision": PROVISION,
    "lifecycle_script": LIFECYCLE_SCRIPT,
    "replace": REPLACE,
    "patch": PATCH,
    "rollback": ROLLBACK,
    "reboot": REBOOT,
    "health": HEALTH,
}

START: Mapping[str, str] = {
    "provision": P.UNKNOWN,
    "lifecycle_script": L.NOT_RUN,
    "replace": R.NONE,
    "patch": U.NONE,
    "rollback": K.NONE,
    "reboot": B.NONE,
    "health": H.UNKNOWN,
}

# Where a signal leads when the present state has no edge for it; a machine that is not named here ignores the signal
# outside its edges.
TARGETS: Mapping[str, Mapping[S, str]] = {
    "provision": {
        S.CREATE_STARTED: P.REQUESTED,
        S.PROVISIONED: P.PROVISIONED,
        S.SCRIPT_STARTED: P.PROVISIONED,  # a script runs on an EC2 instance
        S.SCRIPT_SUCCEEDED: P.IN_SERVICE,
        S.CREATE_COMPLETED: P.IN_SERVICE,
        S.REPLACE_COMPLETED: P.IN_SERVICE,
        S.CREATE_FAILED: P.FAILED,
        S.DELETE_STARTED: P.TERMINATING,
        S.DELETE_COMPLETED: P.TERMINATED,
        S.DELETE_FAILED: P.FAILED,
    },
    "lifecycle_script": {
        S.SCRIPT_STARTED: L.RUNNING,
        S.SCRIPT_SUCCEEDED: L.SUCCEEDED,
        S.SCRIPT_FAILED: L.FAILED,
    },
    "replace": {
        S.REPLACE_STARTED: R.REPLACING,
        S.REPLACE_COMPLETED: R.REPLACED,
        S.REPLACE_FAILED: R.FAILED,
    },
    "patch": {
        S.PREPARED: U.PREPARED,
        S.ROOT_VOLUME_STARTED: U.REPLACING_ROOT_VOLUME,
        S.PATCHED: U.UPDATED,
        S.SKIPPED: U.SKIPPED,
        S.STEP_FAILED: U.FAILED,
    },
    "rollback": {
        S.ROLLBACK_STARTED: K.ROLLING_BACK,
        S.ROLLED_BACK: K.ROLLED_BACK,
        S.ROLLBACK_FAILED: K.FAILED,
    },
    "reboot": {
        S.REBOOT_STARTED: B.REBOOTING,
        S.REBOOT_COMPLETED: B.REBOOTED,
        S.REBOOT_FAILED: B.FAILED,
    },
    "health": {S.HEALTHY: H.HEALTHY, S.DEGRADED: H.DEGRADED, S.UNHEALTHY: H.UNHEALTHY},
}

# Signals that say nothing about a machine in these states.
IGNORED: Mapping[str, Mapping[S, frozenset[str]]] = {
    "provision": {
        S.CREATE_STARTED: frozenset({P.NETWORK_READY, P.PROVISIONED}),  # AWS may tell one change several times
        S.SCRIPT_STARTED: frozenset({P.IN_SERVICE, P.TERMINATING}),
        # What ends late on an instance that is already leaving does not bring it back.
        S.SCRIPT_SUCCEEDED: frozenset({P.TERMINATING}),
        S.CREATE_FAILED: frozenset({P.TERMINATING}),
    },
}

# An operation that completed says that the script it ran succeeded, from Running or Failed on.
CONCLUDES_SCRIPT = frozenset({S.CREATE_COMPLETED, S.REPLACE_COMPLETED, S.PATCHED, S.ROLLED_BACK})

# The second table: the joint states in which a script that has succeeded may run again.
SCRIPT_RUNS_IN: Mapping[str, frozenset[str]] = {
    "provision": frozenset({P.UNKNOWN, P.REQUESTED, P.NETWORK_READY, P.PROVISIONED, P.FAILED}),
    "replace": frozenset({R.REPLACING}),
    "patch": frozenset({U.PREPARED, U.REPLACING_ROOT_VOLUME}),
    "rollback": frozenset({K.ROLLING_BACK}),
}

# The machines that say an episode of which the provision steps are only part; there every provision step is optional.
PROVISION_OPTIONAL_IN: Mapping[str, frozenset[str]] = {"replace": frozenset({R.REPLACING, R.REPLACED, R.FAILED})}

BIRTHS = frozenset(
    {S.CREATE_STARTED, S.ENI_CREATED, S.PROVISIONED, S.CREATE_FAILED, S.REPLACE_STARTED, S.REPLACE_FAILED}
)
"""A first event with one of these is a birth; with any other the instance was there before: it is adopted."""


JOINT = itemgetter(*MACHINES)
"""The states of all machines together, in the order of the tables; there are few such, and many events."""


def phase(machines: Mapping[str, str]) -> InstancePhase:
    """The phase of an instance, by the contract's precedence."""
    return _phase(JOINT(machines))


@lru_cache(maxsize=4096)
def _phase(states: tuple[str, ...]) -> InstancePhase:
    machines = dict(zip(MACHINES, states, strict=True))
    provision, script = machines["provision"], machines["lifecycle_script"]
    if provision in (P.TERMINATED, P.TERMINATING):
        return InstancePhase(provision)
    for machine, those, word in _OVERLAYS:
        if machines[machine] in those:
            return word
    if script == L.RUNNING:
        return InstancePhase.LIFECYCLE_SCRIPT
    if provision in (P.REQUESTED, P.NETWORK_READY, P.PROVISIONED):
        return InstancePhase.PROVISIONING
    if provision == P.IN_SERVICE or _lives_by_other_machines(machines):
        return InstancePhase.IN_SERVICE
    return InstancePhase.UNKNOWN


_OVERLAYS: tuple[tuple[str, frozenset[str], InstancePhase], ...] = (
    ("rollback", frozenset({K.ROLLING_BACK}), InstancePhase.ROLLING_BACK),
    ("patch", frozenset({U.PREPARED, U.REPLACING_ROOT_VOLUME}), InstancePhase.PATCHING),
    ("replace", frozenset({R.REPLACING}), InstancePhase.REPLACING),
    ("reboot", frozenset({B.REBOOTING}), InstancePhase.REBOOTING),
    ("provision", frozenset({P.FAILED}), InstancePhase.FAILED),
    ("lifecycle_script", frozenset({L.FAILED}), InstancePhase.FAILED),
    ("replace", frozenset({R.FAILED}), InstancePhase.FAILED),
    ("rollback", frozenset({K.FAILED}), InstancePhase.FAILED),
)


def _lives_by_other_machines(machines: Mapping[str, str]) -> bool:
    """An adopted instance whose birth nobody saw is in service once an operation on it has ended well."""
    return (
        machines["patch"] in (U.UPDATED, U.SKIPPED)
        or machines["rollback"] == K.ROLLED_BACK
        or machines["reboot"] == B.REBOOTED
        or machines["replace"] == R.REPLACED
    )
