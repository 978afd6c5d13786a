"""One step of one instance (or of a slot whose instance has no id yet).

Knows: the instance's tables, the joint rules, what its faults are.  Must not know: groups, other instances, now.
"""

from __future__ import annotations

from models.faults import STATUS_NOT_TOLD, covers, fault_of
from models.machines import instance as tables
from models.machines.instance import phase
from models.machines.signals import Signal as S
from models.machines.signals import signal_of
from models.observation import Observation
from models.rows import Change, State
from models.runs import clear, clear_all, is_open, note_deviation, note_fault
from models.states import LifecycleScript, Provision
from models.steps.common import Tables, close, enter, identify, move, write
from models.steps.marks import mark_instance
from models.steps.waits import track_instance

TABLES = Tables("instance", tables.MACHINES, tables.TARGETS, {}, tables.IGNORED)
_MOVED_BY = TABLES.moved_by()

_BIRTH_CODES = frozenset({"CapacityReservationFound", "CapacityReservationNotFound"})
_CONFIRMS_THE_END = frozenset(
    {"TerminationInProgress", "EniDeleted", "EniDeletionFailed", "UnusedEniDeleted", "UnusedEniDeletionFailed"}
)


def begin(level: str = "instance") -> State:
    """An instance of which nothing is known."""
    return State(level="slot" if level == "slot" else "instance", machines=dict(tables.START))


def step(state: State, obs: Observation) -> None:
    """Move an instance by one observation, in place."""
    signal = signal_of(obs)
    _first_sight(state, signal, obs)
    identify(state, obs)
    if state.machines["provision"] == Provision.TERMINATED and not _confirms(signal, obs):
        _zombie(state, obs)
    else:
        _live(state, signal, obs)
    close(state, obs, phase(state.machines))
    track_instance(state, signal, obs)


def _first_sight(state: State, signal: S | None, obs: Observation) -> None:
    if state.origin is not None:
        return
    born = signal in tables.BIRTHS or obs.code in _BIRTH_CODES
    state.origin = "observed" if born else "adopted"


def _confirms(signal: S | None, obs: Observation) -> bool:
    return obs.code in _CONFIRMS_THE_END or signal in (S.DELETE_STARTED, S.DELETE_COMPLETED)


def _zombie(state: State, obs: Observation) -> None:
    """Final is final: history, and a note."""
    write(state, Change(obs.time, obs.event_id, obs.code, None, None, None, True))
    note_deviation(state, "zombie", "provision", obs.code, Provision.TERMINATED, obs)
    state.runs[-1].topics, state.runs[-1].cleared = [], obs.time


def _live(state: State, signal: S | None, obs: Observation) -> None:
    before = dict(state.machines)
    if signal is not None and before["provision"] != Provision.TERMINATED:
        _move_all(state, signal, before, obs)
    if signal == S.PREPARED:
        state.schedulable = False
    elif signal == S.RESTORED:
        state.schedulable = True
    _faults(state, signal, obs)
    if state.machines["provision"] == Provision.TERMINATED and before["provision"] != Provision.TERMINATED:
        clear_all(state, obs.time)
    mark_instance(state, before, signal, obs)


def _move_all(state: State, signal: S, before: dict[str, str], obs: Observation) -> None:
    def optional(machine: str, target: str) -> bool:
        """Inside a replacement every provision step may be missing, except on the way out."""
        inside = any(before[m] in states for m, states in tables.PROVISION_OPTIONAL_IN.items())
        leaving = target in (Provision.TERMINATING, Provision.TERMINATED)
        return machine == "provision" and inside and not leaving and before["provision"] in _COMING

    if signal == S.SCRIPT_STARTED:
        _script_again(state, before, obs)
    for machine in _MOVED_BY[signal]:
        move(state, TABLES, machine, signal, obs, optional)
    if signal in tables.CONCLUDES_SCRIPT:
        _conclude_script(state, signal, obs)


_COMING = frozenset({Provision.UNKNOWN, Provision.REQUESTED, Provision.NETWORK_READY, Provision.PROVISIONED})


def _script_again(state: State, before: dict[str, str], obs: Observation) -> None:
    """The joint rule: a script that has succeeded runs again on create, replace, patch and rollback only."""
    if before["lifecycle_script"] != LifecycleScript.SUCCEEDED:
        return
    if not any(before[machine] in states for machine, states in tables.SCRIPT_RUNS_IN.items()):
        step_text = f"{LifecycleScript.SUCCEEDED} → {LifecycleScript.RUNNING}"
        note_deviation(state, "unexpected_transition", "lifecycle_script", step_text, LifecycleScript.RUNNING, obs)


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


def _faults(state: State, signal: S | None, obs: Observation) -> None:
    clear(state, covers(obs, signal), obs.time)
    spec = fault_of(obs)
    if spec is not None:
        note_fault(state, spec, obs, _detail(obs))


def _detail(obs: Observation) -> str | None:
    if obs.code == "NodeHealth":
        return str(obs.details.get("health_reason") or "") or None
    return obs.text.get("fault") or obs.text.get("alarms") or obs.text.get("drift")
