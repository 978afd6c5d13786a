"""One step of one instance group.

Knows: the group's tables, counts, rollouts, and the faults of instances that only their group is known of.
Must not know: its members' rows, other groups, now.
"""

from __future__ import annotations

import msgspec

from models.faults import cause_of, covers, fault_of
from models.machines import instance_group as tables
from models.machines.instance_group import phase
from models.machines.signals import Signal as S
from models.machines.signals import signal_of
from models.observation import Observation
from models.rows import ANONYMOUS, MARKS, Anonymous, Former, Report, State
from models.runs import clear, clear_all, key_of, note_fault
from models.states import GroupOperation
from models.steps.common import SCOPES, SNAPSHOTS, Tables, close, enter, identify, move
from models.steps.contradictions import compare_group
from models.steps.marks import kept_reports, mark_shared
from models.steps.operations import GONE, operate
from models.steps.rollouts import note_rollouts
from models.steps.snapshot import take_group
from models.steps.waits import track_group

TABLES = Tables("group", tables.MACHINES, tables.TARGETS, tables.NEEDS, {})
_MOVED_BY = TABLES.beside_operation()

_ANEW = tuple(machine for machine in tables.MACHINES if machine != "operation")
_SERVES = frozenset({S.CREATE_COMPLETED, S.UPDATE_COMPLETED, S.SCALE_COMPLETED, S.PATCH_COMPLETED})


def begin() -> State:
    """A group of which nothing is known."""
    return State(level="group", machines=dict(tables.START))


def step(state: State, obs: Observation) -> None:
    """Move a group by one observation, in place."""
    before, since = state.machines, state.changed.get("operation", obs.time)
    signal = signal_of(obs)
    of_an_instance = SCOPES.get(obs.code) == "Instance"  # of one that nobody can name: its birth is not the group's
    if state.origin is None:
        born = (signal in tables.BIRTHS and not of_an_instance) or obs.details.get("status") == "Creating"
        state.origin = "observed" if born else "adopted"
    # A snapshot's unknown words are its cluster's: counted there, once.
    snapshot = obs.code in SNAPSHOTS
    identify(state, msgspec.structs.replace(obs, shape=None) if snapshot and obs.shape is not None else obs)
    _count(state, obs)
    if snapshot:
        _snapshot(state, obs)
    elif of_an_instance:
        note_anonymous(state, signal, obs)
    else:
        _operate(state, signal, obs)
    if state.machines["operation"] == GroupOperation.CREATING and before["operation"] in GONE:
        _begin_anew(state, Former(since, before["operation"] == GroupOperation.DELETED, obs.time), obs)
    note_rollouts(state, before, signal, obs)
    serving = state.served or state.reported in ("InService", "Degraded")
    close(state, obs, phase(state.machines, reported=state.reported, degraded=False, alive=serving))
    mark_shared(state, obs)
    track_group(state, obs, snapshot=snapshot)
    compare_group(state, obs, snapshot=snapshot)


def _begin_anew(state: State, former: Former, obs: Observation) -> None:
    """Another group of the same name: what was wrong with the former one, and what was done to it, is over."""
    clear_all(state, obs.time)
    state.former = (*state.former, former)[-MARKS:]
    for machine in _ANEW:
        enter(state, machine, tables.START[machine], obs, None, legal=True)
    state.by_snapshot = tuple(machine for machine in state.by_snapshot if machine not in _ANEW)


def note_anonymous(state: State, signal: S | None, obs: Observation) -> None:
    """Keep what an event says of an instance that nobody can name: a fault, or a success."""
    spec = fault_of(obs)
    covered = covers(obs, signal)
    if spec is None and not covered:
        return
    message = obs.details.get("failure_message", obs.details.get("health_reason"))
    note = Anonymous(
        key_of(obs),
        obs.code,
        spec.kind if spec else None,
        spec.family if spec else None,
        [spec.topic] if spec else list(covered),
        cause_of(obs) if spec else None,
        message[:1024] if isinstance(message, str) else None,
    )
    state.anonymous = (*state.anonymous, note)[-ANONYMOUS:]


def _count(state: State, obs: Observation) -> None:
    details = obs.details
    current = details.get("instance_count", details.get("current_count"))
    given = {
        "current_count": current,
        "target_count": details.get("target_count"),
        "min_count": details.get("min_count"),
    }
    for name, value in given.items():
        if isinstance(value, int) and not isinstance(value, bool):
            if name == "target_count" and state.target_count != value:
                state.targets = (*state.targets, (obs.time, value))[-MARKS:]
            setattr(state, name, value)
    _even(state, obs.time)


def _even(state: State, at: int) -> None:
    """Keep since when, and until when, as many were there as wanted."""
    even = state.current_count is not None and state.current_count == state.target_count
    begun = state.even[-1][0] if state.even and state.even[-1][1] is None else None
    if even and begun is None:
        state.even = (*state.even, (at, None))[-MARKS:]
    elif begun is not None and not even:
        state.even = (*state.even[:-1], (begun, at))


def _snapshot(state: State, obs: Observation) -> None:
    status = obs.details.get("status")
    state.reported = status if isinstance(status, str) else None
    state.instance_type = obs.details.get("instance_type") or state.instance_type
    if isinstance(count := obs.details.get("current_count"), int):
        state.reports = kept_reports((*state.reports, Report(obs.time, count, obs.event_id)))
    take_group(state, obs)


def _operate(state: State, signal: S | None, obs: Observation) -> None:
    if signal is not None:
        operate(state, TABLES, signal, obs)
        for machine in _MOVED_BY[signal]:
            move(state, TABLES, machine, signal, obs)
    state.served = state.served or signal in _SERVES
    clear(state, covers(obs, signal), obs.time)
    spec = fault_of(obs)
    if spec is not None:
        note_fault(state, spec, obs, obs.text.get("alarms"))
    if state.machines["operation"] == GroupOperation.DELETED and signal == S.DELETE_COMPLETED:
        clear_all(state, obs.time)
