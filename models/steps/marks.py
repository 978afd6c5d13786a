"""What happened to an instance, and when: the facts that `models.judge` needs for longer than events are kept.

Knows: one step's before and after.  Must not know: what is made of the marks, other entities.
"""

from __future__ import annotations

from models.machines.signals import Signal as S
from models.observation import Observation
from models.rows import MARKS, UPDATES, Repair, Report, State
from models.runs import bounded, key_of
from models.states import Provision, Reboot
from models.steps.turns import Turn

REPORTS = 100
"""Snapshots whose counts a group keeps."""

# A node that is healthy again needs no repair.
_ENDS_A_REPAIR = frozenset(
    {S.REBOOT_STARTED, S.REBOOT_COMPLETED, S.DELETE_STARTED, S.DELETE_COMPLETED, S.REPLACE_STARTED, S.HEALTHY}
)
_GOOD = frozenset({S.HEALTHY, S.REBOOT_COMPLETED, S.SCRIPT_SUCCEEDED, S.CREATE_COMPLETED, S.REPLACE_COMPLETED})
_REPLACED = frozenset({S.REPLACE_COMPLETED})
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
MARKING = frozenset(UPDATE_STEPS) | _GOOD | _REPLACED
"""Signals that leave a mark though no machine may have moved."""
ASKING = frozenset({"NodeHealth", "HealthAgentUnhealthy"})
"""Codes of events that may ask for a repair."""
_SHARED = {
    "capacity_reservation": "capacity reservation",
    "ami": "AMI",
    "subnet": "subnet",
    "availability_zone": "availability zone",
}
_SHARED_KEYS = frozenset(_SHARED)


def mark_instance(state: State, turn: Turn | None, signal: S | None, obs: Observation) -> None:
    """Write down what a step of a living instance did."""
    time = obs.time
    if turn is not None and turn.marks:
        _mark_turn(state, turn, obs)
    if signal in UPDATE_STEPS:
        state.updates = (*state.updates, (time, UPDATE_STEPS[signal]))[-UPDATES:]
    if signal in _GOOD:
        state.good = (*state.good, time)[-MARKS:]
        if signal in _REPLACED:
            state.replaced = (*state.replaced, time)[-MARKS:]
    asked = asked_repair(obs) if obs.code in ASKING else None
    if asked is not None or (turn is not None and turn.failed):
        state.bad = (*state.bad, time)[-MARKS:]
    if asked is not None or state.repairs:
        _repairs(state, signal, asked, obs)


def _mark_turn(state: State, turn: Turn, obs: Observation) -> None:
    """When it came into service, began to leave, was updated, or was rolled back."""
    if turn.came:
        state.in_service = (*state.in_service, obs.time)[-MARKS:]
    if turn.leaves:
        state.left = obs.time
    if turn.touched:
        state.touched = (*state.touched, obs.time)[-MARKS:]
    if turn.rolled_back is not None:
        state.rolled_back = (*state.rolled_back, (obs.time, turn.rolled_back))[-MARKS:]
    for name in turn.flaps:
        state.entries = {**state.entries, name: (*state.entries.get(name, ()), key_of(obs))[-MARKS:]}


def mark_shared(state: State, obs: Observation) -> None:
    """What an event says of the place and the image."""
    if _SHARED_KEYS.isdisjoint(obs.details) and _SHARED_KEYS.isdisjoint(obs.text):
        return
    for key, name in _SHARED.items():
        value = obs.details.get(key) or obs.text.get(key)
        if isinstance(value, str) and value and value != state.shared.get(name):
            state.shared = {**state.shared, name: value}


def asked_repair(obs: Observation) -> str | None:
    """The repair action that a health event asks for, None where it asks for none."""
    if obs.code == "NodeHealth":
        action = obs.details.get("repair_action")
    elif obs.code == "HealthAgentUnhealthy":
        action = obs.text.get("repair_action")
    else:
        return None
    return action if isinstance(action, str) and action.strip().lower() not in ("", "none") else None


def _repairs(state: State, signal: S | None, action: str | None, obs: Observation) -> None:
    pending = state.repairs[-1] if state.repairs and state.repairs[-1].begun is None else None
    if pending is not None and signal in _ENDS_A_REPAIR:
        pending.begun = obs.time
        pending = None
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
