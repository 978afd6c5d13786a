"""What a snapshot's status words do to a group's or cluster's machines.

Knows: the words of DescribeCluster.  Must not know: members, absent groups (`models.judge`).

Views disagree for minutes around a change, and events are the finer source: a snapshot sets a machine only where no
event is in charge of it, or ends what an earlier snapshot began.
"""

from __future__ import annotations

from models.observation import Observation
from models.rows import MARKS, State
from models.states import GroupOperation, GroupPatch, Rollback
from models.steps.common import enter
from models.steps.operations import GONE, end_all

_OPERATING = ("Creating", "Updating", "Scaling", "Deleting")
_ROLLOUT_ENDS = ("Succeeded", "Failed", "RollbackComplete")
_ROLLING = ("Pending", "InProgress", "RollbackInProgress")

SETTLE_MS = 300_000
"""How long after an event a snapshot may still show what was before."""


def take_group(state: State, obs: Observation) -> None:
    """Let a group's entry in a snapshot move its machines."""
    status, update = obs.details.get("status"), obs.details.get("software_update_status")
    if status in ("Creating", "Updating", "Failed", "Deleting"):
        _begin_operation(state, status, obs)
    elif status in ("InService", "Degraded", "SystemUpdating"):
        _end_operation(state, obs)
    if status == "SystemUpdating" or update == "InProgress":
        _begin_patch(state, GroupPatch.IN_PROGRESS, obs)
    elif update == "Pending" and state.machines["patch"] != GroupPatch.IN_PROGRESS:
        _begin_patch(state, GroupPatch.SCHEDULED, obs)
    elif status in ("InService", "Degraded"):
        _end_patch(state, update, obs)
    _rollback(state, status, update, obs)


def set_operation(state: State, target: str, obs: Observation) -> None:
    """Put the operation where a snapshot has it, and remember that only a snapshot says so."""
    _set(state, "operation", target, obs)


def settled(state: State, machine: str, obs: Observation) -> bool:
    """True unless an event moved the machine just before."""
    changed = state.changed.get(machine)
    return machine in state.by_snapshot or changed is None or obs.time - changed > SETTLE_MS


def _set(state: State, machine: str, target: str, obs: Observation) -> None:
    if state.machines[machine] == target:
        return
    begun = state.operations.pop(state.machines[machine], None) if machine == "operation" else None
    if begun is not None:
        state.spans = (*state.spans, (state.machines[machine], begun, obs.time))[-MARKS:]
    enter(state, machine, target, obs, None, legal=True)
    if machine not in state.by_snapshot:
        state.by_snapshot = (*state.by_snapshot, machine)


def _begin_operation(state: State, status: str, obs: Observation) -> None:
    present = state.machines["operation"]
    in_charge = present in _OPERATING and "operation" not in state.by_snapshot
    if present == GroupOperation.DELETED and not settled(state, "operation", obs):
        return
    if status == "Failed" and in_charge and settled(state, "operation", obs):
        in_charge = False  # its failure is AWS's own word
    if status == "Creating" and present in GONE and settled(state, "operation", obs):
        end_all(state, obs.time)
        in_charge = False
    rolling = state.machines["patch"] in (GroupPatch.IN_PROGRESS, GroupPatch.BAKING)
    if status == "Updating" and (present == GroupOperation.SCALING or rolling):
        return  # it confirms any of the three
    if status != "Deleting" and (in_charge or not settled(state, "operation", obs)):
        return
    set_operation(state, status, obs)


def _end_operation(state: State, obs: Observation) -> None:
    """What a snapshot began, and of what events told a creation, or a failure that the group has got over."""
    over = state.machines["operation"] in (GroupOperation.CREATING, GroupOperation.FAILED)
    if "operation" in state.by_snapshot or (over and settled(state, "operation", obs)):
        set_operation(state, GroupOperation.NONE, obs)


def _begin_patch(state: State, target: str, obs: Observation) -> None:
    present = state.machines["patch"]
    rolling_back = state.machines["rollback"] == Rollback.ROLLING_BACK
    if present in (GroupPatch.IN_PROGRESS, GroupPatch.BAKING) or rolling_back:
        return
    if present == GroupPatch.SCHEDULED or settled(state, "patch", obs):
        _set(state, "patch", target, obs)


def _end_patch(state: State, update: object, obs: Observation) -> None:
    """A rollout that a snapshot began ends with it; one of events only if the snapshot says how it ended."""
    under_way = state.machines["patch"] in (GroupPatch.IN_PROGRESS, GroupPatch.BAKING)
    told = update in _ROLLOUT_ENDS and settled(state, "patch", obs)
    if not ("patch" in state.by_snapshot or (under_way and told)):
        return
    failed = update in ("Failed", "RollbackComplete", "RollbackInProgress")
    _set(state, "patch", GroupPatch.FAILED if failed else GroupPatch.COMPLETED, obs)


def _rollback(state: State, status: object, update: object, obs: Observation) -> None:
    rolling = state.machines["rollback"] == Rollback.ROLLING_BACK
    # Failed is the update's last word, seen after rollbacks that worked; a group in service has come through it.
    told = update == "Failed" or (update not in _ROLLING and _was_updating(state))
    over = update == "RollbackComplete" or (status == "InService" and told and settled(state, "rollback", obs))
    if status == "SystemUpdating" or update in _ROLLING:
        state.updating_at = obs.time
    if update == "RollbackInProgress" and not rolling and settled(state, "rollback", obs):
        _set(state, "rollback", Rollback.ROLLING_BACK, obs)
    elif over and rolling:
        _set(state, "rollback", Rollback.ROLLED_BACK, obs)


def _was_updating(state: State) -> bool:
    """Whether a snapshot showed the present rollout: only then does one without a word of it say that it is over."""
    begun = state.rollouts[-1].begun or state.rollouts[-1].rollback_begun or 0 if state.rollouts else 0
    return state.updating_at is not None and state.updating_at >= begun
