"""One step of one cluster.

Knows: the cluster's tables and which groups its snapshots list.  Must not know: its groups' rows, now.
"""

from __future__ import annotations

from models.faults import covers, fault_of, topics_of
from models.machines import cluster as tables
from models.machines.signals import Signal as S
from models.machines.signals import signal_of
from models.observation import Observation
from models.rows import MARKS, Absence, State
from models.runs import clear, clear_all, is_open, key_of, note_fault
from models.states import ClusterPhase
from models.steps.common import SCOPES, SNAPSHOTS, Tables, close, identify, move
from models.steps.contradictions import compare_cluster
from models.steps.instance_group import note_anonymous
from models.steps.operations import operate
from models.steps.snapshot import set_operation, settled
from models.steps.waits import track_cluster

TABLES = Tables("cluster", tables.MACHINES, tables.TARGETS, tables.NEEDS, {})
_MOVED_BY = TABLES.beside_operation()

# One entry or policy of several went well: the machine is well when nothing of it is left failed.
_PARTLY_WELL = frozenset({S.ACCESS_CONFIGURED, S.AUTOSCALING_CONFIGURED})

POLLS = 500
"""Node lists whose times a cluster remembers."""
_ABSENT = 500
"""Vanished groups that a cluster remembers."""


def begin() -> State:
    """A cluster of which nothing is known."""
    return State(level="cluster", machines=dict(tables.START))


def step(state: State, obs: Observation) -> None:
    """Move a cluster by one observation, in place."""
    signal = signal_of(obs)
    if state.origin is None:
        born = signal in tables.BIRTHS or obs.details.get("cluster_status") == "Creating"
        state.origin = "observed" if born else "adopted"
    identify(state, obs)
    phase = state.phase
    if obs.code in SNAPSHOTS:
        phase = _snapshot(state, obs) or phase
    elif SCOPES.get(obs.code) == "Instance":
        note_anonymous(state, signal, obs)
    elif obs.code == "NodeList":
        _poll(state, obs)
    else:
        phase = _operate(state, signal, obs) or phase
    close(state, obs, phase)
    track_cluster(state, obs, snapshot=obs.code in SNAPSHOTS)
    if obs.code != "NodeList":
        compare_cluster(state, obs, snapshot=obs.code in SNAPSHOTS)


def _operate(state: State, signal: S | None, obs: Observation) -> str | None:
    clear(state, covers(obs, signal), obs.time)
    if signal is not None:
        operate(state, TABLES, signal, obs)
        for machine in _MOVED_BY[signal]:
            if signal not in _PARTLY_WELL or not is_open(state, *topics_of(machine)):
                move(state, TABLES, machine, signal, obs)
    spec = fault_of(obs)
    if spec is not None:
        note_fault(state, spec, obs, obs.text.get("drift"))
    if signal == S.DELETE_COMPLETED:
        clear_all(state, obs.time)
    return tables.STATUS.get(signal) if signal is not None and SCOPES.get(obs.code) == "Cluster" else None


def _snapshot(state: State, obs: Observation) -> str | None:
    status = obs.details.get("cluster_status")
    _list_groups(state, obs)
    if status not in list(ClusterPhase):
        return None
    _show_operation(state, str(status), obs)
    return str(status)


def _poll(state: State, obs: Observation) -> None:
    """A list is whole by itself, or by one that was whole and what is other since; of several any one will do."""
    since = obs.details.get("since")
    bases = (since, *obs.details.get("or_since", ()))
    if obs.details.get("complete") or any(base in state.polls for base in bases):
        state.polls = (*state.polls, obs.time)[-POLLS:]
        state.gaps = tuple((last, obs.time if until is None else until) for last, until in state.gaps)
        state.loose = ()
    elif since is not None:
        if not any(base in state.loose for base in bases) and (heard := (*state.polls[-1:], *state.loose)):
            state.gaps = (*state.gaps, (heard[-1], None))[-MARKS:]
        state.loose = (*state.loose, obs.time)[-POLLS:]


def _show_operation(state: State, status: str, obs: Observation) -> None:
    """Move the operation where no event is in charge of it, or where AWS's word says that its end was lost."""
    calm = settled(state, "operation", obs)
    if status in ("Creating", "Updating", "Deleting", "Failed"):
        if calm and (status == "Failed" or not state.operations):
            set_operation(state, status, obs)
        return
    created = calm and status == "InService" and state.machines["operation"] == "Creating"
    if created or "operation" in state.by_snapshot:
        set_operation(state, "None", obs)


def _list_groups(state: State, obs: Observation) -> None:
    """Remember since when a group that snapshots knew is missing from them."""
    groups = obs.details.get("groups")
    if not isinstance(groups, list):
        return
    names = sorted({str(group["name"]) for group in groups if group.get("name")})
    present = key_of(obs)
    for absence in state.absent.values():
        absence.again = absence.again or present
    for name in set(state.listed or []) - set(names):
        state.absent.setdefault(name, Absence(name, present))
    for name in names:
        absent = state.absent.pop(name, None)
        if absent is not None:
            absent.again, absent.back = absent.again if absent.again != present else None, present
            state.returns = (*state.returns, absent)[-MARKS:]
    kept = sorted(state.absent, key=lambda name: (state.absent[name].since, name))[-_ABSENT:]
    state.absent = {name: state.absent[name] for name in kept}
    state.listed, state.listed_at = names, obs.time
