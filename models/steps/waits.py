"""How long an entity has waited, and where it did not move in between.

Knows: waiting states, which events are progress.  Must not know: deadlines' lengths, now, other entities.

A row keeps the silences of a minute and more inside a wait; whether one was too long is judged later.
"""

from __future__ import annotations

from collections.abc import Mapping

from models.deadlines import CLUSTER_ROLLING_BACK, FAILED, WAITING
from models.machines.signals import Signal as S
from models.observation import Observation
from models.rows import MARKS, State, Wait
from models.runs import key_of

MIN_SILENCE_MS = 60_000

_BIRTH = frozenset(
    {S.CREATE_STARTED, S.ENI_CREATED, S.PROVISIONED, S.CREATE_COMPLETED, S.CREATE_FAILED, S.REPLACE_STARTED}
)
_SCRIPT = frozenset({S.SCRIPT_STARTED, S.SCRIPT_SUCCEEDED, S.SCRIPT_FAILED})
_END = frozenset({S.DELETE_STARTED, S.DELETE_COMPLETED, S.DELETE_FAILED, S.ENI_DELETED})
_REPLACE = frozenset({S.REPLACE_STARTED, S.REPLACE_COMPLETED, S.REPLACE_FAILED})
_PATCH = frozenset({S.PREPARED, S.ROOT_VOLUME_STARTED, S.PATCHED, S.SKIPPED, S.STEP_FAILED, S.RESTORED})
_ROLLBACK = frozenset({S.ROLLBACK_STARTED, S.ROLLED_BACK, S.ROLLBACK_FAILED, S.RESTORED})
_REBOOT = frozenset({S.REBOOT_STARTED, S.REBOOT_COMPLETED, S.REBOOT_FAILED})
_ANY = frozenset(S)

PROGRESS: Mapping[str, frozenset[S]] = {
    "provision": _BIRTH | _END,
    "lifecycle_script": _SCRIPT,
    "replace": _REPLACE | _BIRTH | _SCRIPT | _END,
    "patch": _PATCH | _SCRIPT,
    "rollback": _ROLLBACK | _PATCH | _SCRIPT,
    "reboot": _REBOOT,
    FAILED: _ANY,
}
"""Which signals restart an instance's wait: those of the same operation."""

_BIRTH_CODES = frozenset({"CapacityReservationFound", "CapacityReservationNotFound"})


def track_instance(state: State, signal: S | None, obs: Observation) -> None:
    """After a step of an instance or slot."""
    moved = {machine for machine, signals in PROGRESS.items() if signal in signals}
    if obs.code in _BIRTH_CODES:
        moved |= {"provision", "replace"}
    _track(state, "instance", moved, obs)


def track_group(state: State, obs: Observation, *, snapshot: bool) -> None:
    """After a step of a group: any event of its own is progress, a snapshot is none."""
    _track(state, "group", set() if snapshot else set(WAITING["group"]), obs)
    wait = state.waits.get("patch")
    if wait is None:
        return
    if obs.code == "BakeStarted":
        wait.seconds = int(obs.text.get("seconds") or 0)
    wait.batches += obs.code == "PatchBatchSelected"


def track_cluster(state: State, obs: Observation, *, snapshot: bool) -> None:
    """After a step of a cluster."""
    _track(state, "cluster", set() if snapshot else {"operation", CLUSTER_ROLLING_BACK}, obs)


def _track(state: State, level: str, moved: set[str], obs: Observation) -> None:
    waiting = {machine: state.machines[machine] for machine in WAITING[level]}
    awaited = {machine: word for machine, word in waiting.items() if word in WAITING[level][machine]}
    if level == "instance" and state.phase == "Failed":
        awaited[FAILED] = "Failed"
    if level == "cluster" and state.phase == "RollingBack":
        awaited[CLUSTER_ROLLING_BACK] = "RollingBack"
    for machine, wait in list(state.waits.items()):
        left = awaited.get(machine) != wait.state
        if left or machine in moved:
            _hear(wait, obs.time)
        if left:
            _end(state, machine, wait, obs.time)
    for machine, word in awaited.items():
        if machine not in state.waits:
            state.waits[machine] = Wait(machine, word, key_of(obs), obs.time)


def _hear(wait: Wait, at: int) -> None:
    """A sign of progress: the silence before it is kept if it was long."""
    if at - wait.restarted >= MIN_SILENCE_MS:
        wait.silences = [*wait.silences, (wait.restarted, at)][-MARKS:]
    wait.restarted = max(wait.restarted, at)


def _end(state: State, machine: str, wait: Wait, at: int) -> None:
    wait.ended = at
    if wait.silences:
        state.past_waits = [*state.past_waits, wait][-MARKS:]
    del state.waits[machine]
