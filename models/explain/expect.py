"""What an entity waits for: the next steps by the graph, and until when they are in time.

Knows: public machine states, graphs, default deadlines.  Must not know: rows; the deadlines of a running worker may
differ, and it knows more signs of progress than the public items show.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

from pydantic import Field

from models import deadlines
from models.explain import codes
from models.explain.phases import machine_of
from models.explain.times import MINUTE_MS, milliseconds
from models.explain.words import SAID_BY_NO_EVENT
from models.machines.graph import graph, path
from models.public import InstanceItem, PublicModel, Time, iso
from models.steps.waits import PROGRESS

RESTING = frozenset({"InService", "Unknown", "Terminated", "Deleted"})
GOALS: Mapping[str, str] = {
    "instance/provision": "InService",
    "instance/lifecycle_script": "Succeeded",
    "instance/replace": "Replaced",
    "instance/patch": "Updated",
    "instance/rollback": "RolledBack",
    "instance/reboot": "Rebooted",
    "group/operation": "None",
    "group/patch": "Completed",
    "group/rollback": "RolledBack",
    "group/fsx": "Available",
    "cluster/operation": "None",
}
"""Where a machine is going while it is under way; one that leaves goes to its end."""
ENDS: Mapping[str, str] = {"Terminating": "Terminated", "Deleting": "Deleted"}
WAYS = 3
"""How many signals of one step are named."""


class Expectation(PublicModel):
    """What one machine waits for."""

    machine: str
    state: str
    steps: tuple[str, ...] = Field(description="What comes next, one step after the other; `or` where several may be.")
    deadline: str | None = Field(description="The name of its deadline, null where it has none.")
    counted_from: Time | None = Field(description="The last sign of progress that the public items show.")
    slow_at: Time | None
    stuck_at: Time | None


def of_instance(item: InstanceItem, instance_type: str = "") -> tuple[Expectation, ...]:
    """What the instance waits for, that which gives its phase last; empty for one at rest."""
    awaited = _awaited("instance", item.phase, item.machines)
    return tuple(
        _expectation("instance", name, state, _heard(item, name), instance_type) for name, state in awaited.items()
    )


def of_others(
    level: str, phase: str, machines: Mapping[str, str], heard: Time | None, instance_type: str = ""
) -> tuple[Expectation, ...]:
    """The same of a group or cluster, of which only the newest sign of life is known."""
    if f"{level}/{phase}" in SAID_BY_NO_EVENT:
        return (_told_otherwise(level, phase, heard),)
    awaited = _awaited(level, phase, machines)
    return tuple(_expectation(level, name, state, heard, instance_type) for name, state in awaited.items())


def _awaited(level: str, phase: str, machines: Mapping[str, str]) -> dict[str, str]:
    """Machine and state, that which gives the phase last."""
    main = machine_of(level, phase, machines)
    if level == "cluster" and machines.get("operation") == phase:
        main = "operation"
    if phase in RESTING:
        main = None
    if phase in ENDS and main:
        return {main: machines[main]}  # what leaves waits for nothing but its end
    waiting = {name: state for name, state in machines.items() if state in _waiting(level, name) and name != main}
    if level == "cluster":
        waiting = {}  # its status knows better than an operation whose end was lost
    return {**waiting, **({main: machines[main]} if main else {})} if phase not in ENDS.values() else {}


def _waiting(level: str, machine: str) -> Mapping[str, str]:
    return deadlines.WAITING[level].get(machine, {})


def _expectation(level: str, name: str, state: str, heard: Time | None, instance_type: str) -> Expectation:
    machine = f"{level}/{name}"
    failed = level == "instance" and state == "Failed" and name in deadlines.FAILS
    deadline = deadlines.FAILED if failed else _waiting(level, name).get(state)
    slow, stuck = _limits(deadline, heard, instance_type)
    said = SAID_BY_NO_EVENT.get(f"{machine}/{state}")
    steps = (said,) if said else _steps(machine, state)
    return Expectation(
        machine=machine, state=state, steps=steps, deadline=deadline, counted_from=heard, slow_at=slow, stuck_at=stuck
    )


def _told_otherwise(level: str, phase: str, heard: Time | None) -> Expectation:
    name = deadlines.CLUSTER_ROLLING_BACK if (level, phase) == ("cluster", "RollingBack") else None
    slow, stuck = _limits(name, heard, "")
    steps = (SAID_BY_NO_EVENT[f"{level}/{phase}"],)
    return Expectation(
        machine=level, state=phase, steps=steps, deadline=name, counted_from=heard, slow_at=slow, stuck_at=stuck
    )


def _limits(name: str | None, heard: Time | None, instance_type: str) -> tuple[Time | None, Time | None]:
    if name is None or heard is None:
        return None, None
    limit = deadlines.Thresholds().deadline(name, instance_type=instance_type)
    return _after(heard, limit.slow), _after(heard, limit.stuck)


def _after(time: Time, minutes: float | None) -> Time | None:
    return None if minutes is None else iso(milliseconds(time) + round(minutes * MINUTE_MS))


def _steps(machine: str, state: str) -> tuple[str, ...]:
    """The signals of each step to the goal; of a failed machine every way out of it, as one step."""
    if state == "Failed":
        return (_joined(edge.on for edge in codes.edges(machine) if edge.from_ == state and edge.to != "Failed"),)
    goal = ENDS.get(state) or GOALS.get(machine, state)
    states = path(machine, state, goal) or (state,)
    pairs = itertools.pairwise(states)
    return tuple(_joined(data["signal"] for data in graph(machine)[a][b].values()) for a, b in pairs)


def _joined(signals: Iterable[str]) -> str:
    return " or ".join(list(dict.fromkeys(map(str, signals)))[:WAYS])


def _heard(item: InstanceItem, machine: str) -> Time | None:
    """When the machine entered its state, or a later sign of progress of the same operation."""
    wait = deadlines.FAILED if item.machines[machine] == "Failed" else machine
    entered = [change.time for change in item.history if change.machine == machine]
    begun = entered[-1] if entered else item.since
    signs = [change.time for change in item.history if not PROGRESS[wait].isdisjoint(codes.signals(change.code))]
    return max([begun, *signs]) if begun else None
