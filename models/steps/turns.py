"""What it means that an instance's machines moved, all of them together.

Knows: the joint states before and after a step.  Must not know: events, times, rows.

There are few joint states and many events, so that each pair is thought about once.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import msgspec

from models.deadlines import FAILED, FAILS, WAITING
from models.machines import instance as tables
from models.machines.instance import JOINT, MACHINES, phase
from models.machines.signals import Signal
from models.states import InstancePatch, InstancePhase, LifecycleScript, Provision, Reboot, Replace, Rollback
from models.steps.common import Tables

States = tuple[str, ...]
"""The states of all machines, as `models.machines.instance.JOINT` gives them."""


class Joint(dict[str, str]):
    """The same by machine: one for all instances whose machines are in these states, so nobody writes into it."""

    __slots__ = ("plans", "states")

    def __init__(self, states: States) -> None:
        super().__init__(zip(MACHINES, states, strict=True))
        self.states, self.plans = states, Plans(states)


class Plans(dict["Signal", "Plan | None"]):
    """What each signal does in a joint state, as far as it was asked; see `plan_of`."""

    __slots__ = ("_states",)

    def __init__(self, states: States) -> None:
        super().__init__()
        self._states = states

    def __missing__(self, signal: Signal) -> Plan | None:
        plan = self[signal] = plan_of(self._states, signal)
        return plan


def joint_of(machines: Mapping[str, str]) -> Joint:
    """The one with these states."""
    return machines if isinstance(machines, Joint) else _joint(JOINT(machines))


_joint = lru_cache(maxsize=1 << 14)(Joint)

_TOUCHES = frozenset(
    {InstancePatch.PREPARED, InstancePatch.REPLACING_ROOT_VOLUME, InstancePatch.UPDATED, InstancePatch.FAILED}
)
_UNDONE = frozenset({Rollback.ROLLED_BACK, Rollback.FAILED})
_FLAPS = frozenset({"Failed", Reboot.REBOOTING, Replace.REPLACING})


class Turn(msgspec.Struct, frozen=True):
    """What follows from one joint state's coming after another."""

    phase: InstancePhase
    awaited: Mapping[str, str]
    """What the instance waits for now: machine and state."""
    came: bool
    """Into service."""
    leaves: bool
    ended: bool
    touched: bool
    """By a rollout."""
    rolled_back: str | None
    """How a rollback ended."""
    failed: bool
    flaps: tuple[str, ...]
    """States that may be entered too often, as `machine state`."""
    marks: bool
    """Whether any of it leaves a mark."""


@lru_cache(maxsize=1 << 14)
def turn_of(before: States, after: States) -> Turn:
    """What the step from one to the other means."""
    was = dict(zip(MACHINES, before, strict=True))
    now = {machine: state for machine, state in zip(MACHINES, after, strict=True) if state != was[machine]}
    provision = now.get("provision")
    came, leaves = provision == Provision.IN_SERVICE, provision == Provision.TERMINATING
    touched = now.get("patch") in _TOUCHES
    rolled_back = now["rollback"] if now.get("rollback") in _UNDONE else None
    failed = any(now.get(machine) == "Failed" for machine in FAILS)
    flaps = tuple(f"{machine} {state}" for machine, state in now.items() if state in _FLAPS)
    return Turn(
        phase=phase(is_now := {**was, **now}),
        awaited=_awaited(is_now),
        came=came,
        leaves=leaves,
        ended=provision == Provision.TERMINATED,
        touched=touched,
        rolled_back=rolled_back,
        failed=failed,
        flaps=flaps,
        marks=bool(came or leaves or touched or rolled_back or failed or flaps),
    )


TABLES = Tables("instance", tables.MACHINES, tables.TARGETS, {}, tables.IGNORED)
EDGES = TABLES.edges_of()
"""By signal: the machines that it may mean something to, and where it leads from which state."""


class Plan(msgspec.Struct, frozen=True):
    """What the tables alone make of a signal."""

    takers: tuple[str, ...]
    """Machines that take it."""
    moves: tuple[tuple[str, str, str], ...]
    """Those that it leads to another state: machine, before, after."""
    after: Joint
    turn: Turn | None
    """None where nothing moves."""


def plan_of(before: States, signal: Signal) -> Plan | None:
    """None where a step is outside of the tables, or a rule about the lifecycle script decides."""
    was = dict(zip(MACHINES, before, strict=True))
    if signal == Signal.SCRIPT_STARTED and runs_unasked(was):
        return None
    steps: list[tuple[str, str, str]] = []
    for machine, edges in EDGES[signal]:
        target = edges.get(was[machine])
        if target is None:
            target = tables.TARGETS[machine].get(signal)
            if target is None or was[machine] in tables.IGNORED.get(machine, {}).get(signal, ()):
                continue
            if target != was[machine]:
                return None
        steps.append((machine, was[machine], target))
    after = tuple({**was, **{machine: target for machine, _, target in steps}}.values())
    if signal in tables.CONCLUDES_SCRIPT and was["lifecycle_script"] in _UNCONCLUDED:
        return None
    moves = tuple(step for step in steps if step[1] != step[2])
    takers = tuple(machine for machine, _, _ in steps)
    return Plan(takers, moves, _joint(after), turn_of(before, after) if after != before else None)


_UNCONCLUDED = (LifecycleScript.RUNNING, LifecycleScript.FAILED)


def runs_unasked(machines: Mapping[str, str]) -> bool:
    """The joint rule: a script that has succeeded runs again on create, replace, patch and rollback only."""
    asked = any(machines[machine] in states for machine, states in tables.SCRIPT_RUNS_IN.items())
    return machines["lifecycle_script"] == LifecycleScript.SUCCEEDED and not asked


def _awaited(machines: Mapping[str, str]) -> Mapping[str, str]:
    """Once an instance leaves, it waits for nothing but its end."""
    provision = machines["provision"]
    if provision == Provision.TERMINATED:
        return {}
    if provision == Provision.TERMINATING:
        return {"provision": provision}
    waiting = WAITING["instance"]
    awaited = {machine: machines[machine] for machine, words in waiting.items() if machines[machine] in words}
    if phase(machines) == InstancePhase.FAILED:
        awaited[FAILED] = str(InstancePhase.FAILED)
    return awaited
