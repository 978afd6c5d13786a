"""How long an entity has waited, and where it did not move in between.

Knows: waiting states, which events are progress.  Must not know: deadlines' lengths, now, other entities.

A row keeps the silences of a minute and more inside a wait; whether one was too long is judged later.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import TypeVar

from models.catalogue import BY_CODE
from models.deadlines import CLUSTER_ROLLING_BACK, FAILED, FAILS, WAITING
from models.machines.signals import Signal as S
from models.observation import Observation
from models.rows import MARKS, State, Wait
from models.runs import key_of
from models.states import ClusterPhase, InstancePhase
from models.steps.turns import Turn

MIN_SILENCE_MS = 60_000
_T = TypeVar("_T")

_BIRTH = frozenset(
    {S.CREATE_STARTED, S.ENI_CREATED, S.PROVISIONED, S.CREATE_COMPLETED, S.CREATE_FAILED, S.REPLACE_STARTED}
)
_SCRIPT = frozenset({S.SCRIPT_STARTED, S.SCRIPT_SUCCEEDED, S.SCRIPT_FAILED})
_END = frozenset({S.DELETE_STARTED, S.DELETE_COMPLETED, S.DELETE_FAILED, S.ENI_DELETED})
_REPLACE = frozenset({S.REPLACE_STARTED, S.REPLACE_COMPLETED, S.REPLACE_FAILED})
_PATCH = frozenset({S.PREPARED, S.ROOT_VOLUME_STARTED, S.PATCHED, S.SKIPPED, S.STEP_FAILED, S.RESTORED})
_ROLLBACK = frozenset({S.ROLLBACK_STARTED, S.ROLLED_BACK, S.ROLLBACK_FAILED, S.RESTORED})
_REBOOT = frozenset({S.REBOOT_STARTED, S.REBOOT_COMPLETED, S.REBOOT_FAILED})
_HEALTH = frozenset({S.HEALTHY, S.DEGRADED, S.UNHEALTHY})

PROGRESS: Mapping[str, frozenset[S]] = {
    "provision": _BIRTH | _END,
    "lifecycle_script": _SCRIPT,
    "replace": _REPLACE | _BIRTH | _SCRIPT | _END,
    "patch": _PATCH | _SCRIPT,
    "rollback": _ROLLBACK | _PATCH | _SCRIPT,
    "reboot": _REBOOT,
    FAILED: frozenset(S) - _HEALTH,
}
"""Which signals restart an instance's wait: those of the same operation."""

_MOVED_BY: Mapping[S | None, frozenset[str]] = {
    signal: frozenset(machine for machine, signals in PROGRESS.items() if signal in signals) for signal in (None, *S)
}

_BIRTH_CODES = frozenset({"CapacityReservationFound", "CapacityReservationNotFound"})
_SCRIPT_CODES = frozenset({"LifecycleScriptStatus", "LifecycleScriptFailedWithLogs"})
# What the service says on its own account: no step of anything.
_NO_STEP = frozenset({"OrchestrationReadyLost", "HealthAgentUnhealthy"})
_ROLLOUT = frozenset({"patch", "rollback"})


def track_instance(state: State, signal: S | None, turn: Turn | None, obs: Observation) -> None:
    """After a step of an instance or slot; what it waits for is the same unless a machine has moved."""
    heard = _MOVED_BY[signal]
    if obs.code in _BIRTH_CODES:
        heard = heard | {"provision", "replace", FAILED}
    if turn is not None:
        _track(state, turn.awaited, heard, obs)
        return
    for machine, wait in state.waits.items():
        if machine in heard:
            _hear(wait, obs.time)


def track_group(state: State, obs: Observation, *, snapshot: bool) -> None:
    """After a step of a group: an event of the same operation is progress, a snapshot is none."""
    before = state.waits.get("patch")
    _track(state, _of_machines(state.machines, "group"), set() if snapshot else steps_of_group(obs), obs)
    wait = state.waits.get("patch")
    if wait is None:
        return
    if before is not None and before is not wait:
        wait.batches = before.batches  # a bake between two batches does not begin another rollout
    if obs.code == "BakeStarted":
        wait.seconds = int(obs.text.get("seconds") or 0)
    wait.batches += obs.code == "PatchBatchSelected"


def track_cluster(state: State, obs: Observation, *, snapshot: bool) -> None:
    """After a step of a cluster."""
    awaited = _of_machines(state.machines, "cluster")
    if state.phase != ClusterPhase.CREATING:  # a state change knows better than an operation whose end was lost
        awaited.pop("operation", None)
    if state.phase == ClusterPhase.ROLLING_BACK:
        awaited[CLUSTER_ROLLING_BACK] = str(ClusterPhase.ROLLING_BACK)
    step = not snapshot and obs.code in BY_CODE and obs.code not in _NO_STEP
    _track(state, awaited, {"operation", CLUSTER_ROLLING_BACK} if step else set(), obs)


def steps_of_group(obs: Observation) -> set[str]:
    """The machines of a group whose operation an event is a step of."""
    template = BY_CODE.get(obs.code)
    if template is None or obs.code in _NO_STEP:
        return set()
    if obs.code.startswith("Fsx"):
        return {"fsx", "operation"}  # a group's creation waits for its file system
    if template.section.startswith("Patching") or obs.operation == "update_software":
        return set(_ROLLOUT)
    return {"operation", *_ROLLOUT} if obs.code in _SCRIPT_CODES else {"operation"}


def _of_machines(machines: Mapping[str, str], level: str) -> dict[str, str]:
    return {machine: machines[machine] for machine, words in WAITING[level].items() if machines[machine] in words}


def _track(state: State, awaited: Mapping[str, str], moved: Set[str], obs: Observation) -> None:
    waits, time = state.waits, obs.time
    for machine, wait in [*waits.items()] if waits else ():
        if awaited.get(machine) != wait.state:
            _hear(wait, time)
            _end(state, machine, wait, time)
        elif machine in moved:
            _hear(wait, time)
    for machine, word in awaited.items():
        if machine not in waits:
            wait = waits[machine] = Wait(machine, word, key_of(obs), time)
            if machine == FAILED:
                wait.failed = _failed(state)


def _failed(state: State) -> str | None:
    return next((name for name in FAILS if state.machines[name] == InstancePhase.FAILED), None)


def _hear(wait: Wait, at: int) -> None:
    """A sign of progress: the silence before it is kept if it was long."""
    silent = at - wait.restarted
    if silent >= MIN_SILENCE_MS:
        wait.silences = (*wait.silences, (wait.restarted, at))
        if len(wait.silences) > MARKS:
            wait.silences = _without(wait.silences, min(wait.silences, key=_length))
    if silent > 0:
        wait.restarted = at


def _end(state: State, machine: str, wait: Wait, at: int) -> None:
    wait.ended = at
    if wait.silences:
        state.past_waits = (*state.past_waits, wait)
        if len(state.past_waits) > MARKS:
            shortest = min(state.past_waits, key=lambda past: max(map(_length, past.silences)))
            state.past_waits = _without(state.past_waits, shortest)
    del state.waits[machine]


def _length(silence: tuple[int, int]) -> int:
    return silence[1] - silence[0]


def _without(items: tuple[_T, ...], gone: _T) -> tuple[_T, ...]:
    """All but the first that is equal."""
    place = items.index(gone)
    return items[:place] + items[place + 1 :]
