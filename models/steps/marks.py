"""What happened to an instance, and when: the facts that `models.judge` needs for longer than events are kept.

Knows: one step's before and after.  Must not know: what is made of the marks, other entities.
"""

from __future__ import annotations

from models.deadlines import FAILS
from models.machines.signals import Signal as S
from models.observation import Observation
from models.rows import MARKS, UPDATES, Key, Repair, Report, State
from models.runs import bounded, key_of
from models.states import InstancePatch, Provision, Reboot, Replace, Rollback

REPORTS = 100
"""Snapshots whose counts a group keeps."""

_TOUCHES = frozenset(
    {InstancePatch.PREPARED, InstancePatch.REPLACING_ROOT_VOLUME, InstancePatch.UPDATED, InstancePatch.FAILED}
)
# A node that is healthy again needs no repair.
_ENDS_A_REPAIR = frozenset(
    {S.REBOOT_STARTED, S.REBOOT_COMPLETED, S.DELETE_STARTED, S.DELETE_COMPLETED, S.REPLACE_STARTED, S.HEALTHY}
)
_FLAPS = frozenset({"Failed", Reboot.REBOOTING, Replace.REPLACING})
UPDATE_STEPS = {
    S.PREPARED: "Prepared",
    S.ROOT_VOLUME_STARTED: "ReplacingRootVolume",
    S.PATCHED: "Updated",
    S.SKIPPED: "Skipped",
    S.STEP_FAILED: "Failed",
    S.ROLLBACK_STARTED: "RollingBack",
    S.ROLLED_BACK: "RolledBack",
    S.ROLLBACK_FAILED: "RollbackFailed",
}
"""What a rollout or its rollback did, also where the machine stays: a node may be skipped twice in a row."""
_SHARED = {
    "capacity_reservation": "capacity reservation",
    "ami": "AMI",
    "subnet": "subnet",
    "availability_zone": "availability zone",
}


def mark_instance(state: State, before: dict[str, str], signal: S | None, obs: Observation) -> None:
    """Write down what a step of a living instance did."""
    _rollouts(state, before, obs.time)
    if signal in UPDATE_STEPS:
        state.updates = (*state.updates, (obs.time, UPDATE_STEPS[signal]))[-UPDATES:]
    _good_and_bad(state, before, signal, obs)
    _repairs(state, signal, obs)
    _entries(state, before, signal, key_of(obs))
    if signal == S.REPLACE_COMPLETED:
        state.replaced = (*state.replaced, obs.time)[-MARKS:]
    mark_shared(state, obs)


def mark_shared(state: State, obs: Observation) -> None:
    """What an event says of the place and the image."""
    for key, name in _SHARED.items():
        value = obs.details.get(key) or obs.text.get(key)
        if isinstance(value, str) and value:
            state.shared[name] = value


def _rollouts(state: State, before: dict[str, str], at: int) -> None:
    machines = state.machines
    if machines["patch"] in _TOUCHES and machines["patch"] != before["patch"]:
        state.touched = (*state.touched, at)[-MARKS:]
    ended = machines["rollback"] in (Rollback.ROLLED_BACK, Rollback.FAILED)
    if ended and machines["rollback"] != before["rollback"]:
        state.rolled_back = (*state.rolled_back, (at, machines["rollback"]))[-MARKS:]


def _good_and_bad(state: State, before: dict[str, str], signal: S | None, obs: Observation) -> None:
    provision = state.machines["provision"]
    if provision == Provision.IN_SERVICE != before["provision"]:
        state.in_service = (*state.in_service, obs.time)[-MARKS:]
    if provision == Provision.TERMINATING != before["provision"]:
        state.left = obs.time
    failed = any(state.machines[machine] == "Failed" != before[machine] for machine in FAILS)
    if failed or asked_repair(obs) is not None:
        state.bad = (*state.bad, obs.time)[-MARKS:]
    if signal in (S.HEALTHY, S.REBOOT_COMPLETED, S.SCRIPT_SUCCEEDED, S.CREATE_COMPLETED, S.REPLACE_COMPLETED):
        state.good = (*state.good, obs.time)[-MARKS:]


def asked_repair(obs: Observation) -> str | None:
    """The repair action that a health event asks for, None where it asks for none."""
    action = obs.details.get("repair_action") if obs.code == "NodeHealth" else None
    if obs.code == "HealthAgentUnhealthy":
        action = obs.text.get("repair_action")
    return action if isinstance(action, str) and action.strip().lower() not in ("", "none") else None


def _repairs(state: State, signal: S | None, obs: Observation) -> None:
    pending = state.repairs[-1] if state.repairs and state.repairs[-1].begun is None else None
    if pending is not None and signal in _ENDS_A_REPAIR:
        pending.begun = obs.time
        pending = None
    action = asked_repair(obs)
    if action is None:
        return
    if pending is not None:
        pending.evidence = bounded(pending.evidence, [obs.event_id])
    elif not _under_repair(state):
        health = state.machines["health"]
        state.repairs = (*state.repairs, Repair(key_of(obs), action, None, [obs.event_id], health))[-MARKS:]


def _under_repair(state: State) -> bool:
    """Whether what a repair asks for is happening: the agent may say so more than once."""
    leaving = state.machines["provision"] == Provision.TERMINATING
    return leaving or state.machines["reboot"] == Reboot.REBOOTING


def _entries(state: State, before: dict[str, str], signal: S | None, key: Key) -> None:
    for machine, word in state.machines.items():
        if word in _FLAPS and word != before[machine]:
            name = f"{machine} {word}"
            state.entries[name] = (*state.entries.get(name, ()), key)[-MARKS:]


def kept_reports(reports: tuple[Report, ...]) -> tuple[Report, ...]:
    """A group's reports without one too many: of those that say the same as their neighbours the closest.

    Where a count was told first is where a contradiction begins, and the one after it confirms it: they stay longest.
    """
    if len(reports) <= REPORTS:
        return reports
    same = [
        place
        for place in range(2, len(reports) - 1)
        if len({report.count for report in reports[place - 2 : place + 2]}) == 1
    ]
    gone = min(same, key=lambda place: (reports[place + 1].time - reports[place - 1].time, place), default=0)
    return reports[:gone] + reports[gone + 1 :]
