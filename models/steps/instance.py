"""One step of one instance (or of a slot whose instance has no id yet).

Knows: the instance's tables, the joint rules, what its faults are.  Must not know: groups, other instances, now.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy

from models.faults import MAY_BE_FAULTS, STATUS_NOT_TOLD, covers, fault_of
from models.machines import instance as tables
from models.machines.signals import Signal as S
from models.machines.signals import signal_of
from models.observation import Observation
from models.rows import HISTORY, Change, State
from models.runs import clear, clear_all, is_open, note_deviation, note_fault
from models.states import LifecycleScript, Provision
from models.steps.common import close, enter, identify, move, write
from models.steps.marks import ASKING, MARKING, mark_instance, mark_shared
from models.steps.turns import EDGES, TABLES, Joint, Turn, joint_of, runs_unasked, turn_of
from models.steps.waits import track_instance

_BIRTH_CODES = frozenset({"CapacityReservationFound", "CapacityReservationNotFound"})
_CONFIRMS_THE_END = frozenset(
    {"TerminationInProgress", "EniDeleted", "EniDeletionFailed", "UnusedEniDeleted", "UnusedEniDeletionFailed"}
)


def begin(level: str = "instance") -> State:
    """An instance of which nothing is known."""
    state = copy(_UNKNOWN_SLOT if level == "slot" else _UNKNOWN)
    state.changed, state.signals, state.history, state.waits, state.operations, state.absent = {}, {}, [], {}, {}, {}
    return state


_UNKNOWN = State(level="instance", machines=joint_of(tables.START))
_UNKNOWN_SLOT = State(level="slot", machines=joint_of(tables.START))


def step(state: State, obs: Observation) -> None:
    """Move an instance by one observation, in place."""
    signal = signal_of(obs)
    if state.origin is None:
        _first_sight(state, signal, obs)
    identify(state, obs)
    if state.machines["provision"] != _TERMINATED:
        turn = _live(state, signal, obs)
    elif _confirms(signal, obs):
        turn = _leave(state, None, signal, obs)
    else:
        turn = None
        _zombie(state, obs)
    close(state, obs, state.phase if turn is None else turn.phase)
    track_instance(state, signal, turn, obs)


def _live(state: State, signal: S | None, obs: Observation) -> Turn | None:
    """Move the machines, and write down what that means."""
    before = state.machines
    if not isinstance(before, Joint):  # as it was read from a table
        before = state.machines = joint_of(before)
    turn = None if signal is None else _move(state, before, signal, obs)
    if turn is None and state.since is None:
        turn = turn_of(before.states, before.states)
    return _leave(state, turn, signal, obs)


def _leave(state: State, turn: Turn | None, signal: S | None, obs: Observation) -> Turn | None:
    """What a step leaves behind beside states."""
    if state.runs or obs.code in MAY_BE_FAULTS:
        _faults(state, turn, signal, obs)
    if (turn is not None and turn.marks) or signal in MARKING or state.repairs or obs.code in ASKING:
        mark_instance(state, turn, signal, obs)
    if obs.details or obs.text:
        mark_shared(state, obs)
    return turn


def _move(state: State, before: Joint, signal: S, obs: Observation) -> Turn | None:
    if signal in _SCHEDULES:
        state.schedulable = _SCHEDULES[signal]
    plan = before.plans[signal]
    if plan is None:
        _move_outside(state, before, signal, obs)
        after = state.machines = joint_of(state.machines)
        return None if after.states == before.states else turn_of(before.states, after.states)
    signals, changed, history = state.signals, state.changed, state.history
    for machine in plan.takers:
        signals[machine] = signal
    if plan.turn is None:
        return None
    time, event_id, code = obs.time, obs.event_id, obs.code
    state.machines = plan.after  # as `enter` does it for one machine
    for machine, origin, target in plan.moves:
        changed[machine] = time
        history.append(Change(time, event_id, code, machine, origin, target, True))
    if len(history) > HISTORY:
        del history[:-HISTORY]
    return plan.turn


_TERMINATED = Provision.TERMINATED


def _first_sight(state: State, signal: S | None, obs: Observation) -> None:
    born = signal in tables.BIRTHS or obs.code in _BIRTH_CODES
    state.origin = "observed" if born else "adopted"


def _confirms(signal: S | None, obs: Observation) -> bool:
    return obs.code in _CONFIRMS_THE_END or signal in (S.DELETE_STARTED, S.DELETE_COMPLETED)


def _zombie(state: State, obs: Observation) -> None:
    """Final is final: history, and a note."""
    write(state, Change(obs.time, obs.event_id, obs.code, None, None, None, True))
    note_deviation(state, "zombie", "provision", obs.code, Provision.TERMINATED, obs)
    state.runs[-1].topics, state.runs[-1].cleared = [], obs.time


def _move_outside(state: State, joint: Joint, signal: S, obs: Observation) -> None:
    """Steps that the tables do not have, or that the script has a say in."""
    if signal == S.SCRIPT_STARTED and runs_unasked(state.machines):
        step_text = f"{LifecycleScript.SUCCEEDED} → {LifecycleScript.RUNNING}"
        note_deviation(state, "unexpected_transition", "lifecycle_script", step_text, LifecycleScript.RUNNING, obs)
    for machine, _ in EDGES[signal]:
        move(state, TABLES, machine, signal, obs, _optional(joint))
    if signal in tables.CONCLUDES_SCRIPT:
        _conclude_script(state, signal, obs)


def _optional(joint: Joint) -> Callable[[str, str], bool]:
    """Inside a replacement every provision step may be missing, except on the way out."""

    def excuse(machine: str, target: str) -> bool:
        inside = any(joint[m] in states for m, states in tables.PROVISION_OPTIONAL_IN.items())
        leaving = target in (Provision.TERMINATING, Provision.TERMINATED)
        return machine == "provision" and inside and not leaving and joint["provision"] in _COMING

    return excuse


_SCHEDULES = {S.PREPARED: False, S.RESTORED: True}
_COMING = frozenset({Provision.UNKNOWN, Provision.REQUESTED, Provision.NETWORK_READY, Provision.PROVISIONED})


def _conclude_script(state: State, signal: S, obs: Observation) -> None:
    """What completed ran the script: its own success was not seen."""
    script = state.machines["lifecycle_script"]
    if script not in (LifecycleScript.RUNNING, LifecycleScript.FAILED):
        return
    if is_open(state, STATUS_NOT_TOLD):  # HyperPod said itself that it could not say how the script went
        enter(state, "lifecycle_script", LifecycleScript.SUCCEEDED, obs, signal, legal=True)
        return
    steps = [script, LifecycleScript.RUNNING, LifecycleScript.SUCCEEDED]
    text = " → ".join(dict.fromkeys(steps))
    note_deviation(state, "missing_event", "lifecycle_script", text, LifecycleScript.SUCCEEDED, obs)
    enter(state, "lifecycle_script", LifecycleScript.SUCCEEDED, obs, signal, legal=False)


def _faults(state: State, turn: Turn | None, signal: S | None, obs: Observation) -> None:
    if state.runs:
        clear(state, covers(obs, signal), obs.time)
    spec = fault_of(obs)
    if spec is not None:
        note_fault(state, spec, obs, _detail(obs))
    if turn is not None and turn.ended:
        clear_all(state, obs.time)


def _detail(obs: Observation) -> str | None:
    if obs.code == "NodeHealth":
        return str(obs.details.get("health_reason") or "") or None
    return obs.text.get("fault") or obs.text.get("alarms") or obs.text.get("drift")
