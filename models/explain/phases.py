"""Which machine gives a phase: asked of the functions that decide it, state by state.

Knows: `phase` of instances and groups, ClusterStatus by signal.  Must not know: entities, events.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from models.machines import cluster, instance, instance_group
from models.states import ClusterPhase, GroupPhase, InstancePhase

PHASE_LEVELS: Mapping[str, tuple[str, ...]] = {
    "instance": tuple(InstancePhase),
    "group": tuple(GroupPhase),
    "cluster": tuple(ClusterPhase),
}


@cache
def given_by(level: str, phase: str) -> tuple[str, ...]:
    """The machine states that alone give the phase, as `machine state`; of a cluster, the signals that do."""
    if level == "cluster":
        return tuple(f"on {signal}" for signal, status in cluster.STATUS.items() if status == phase)
    tables = instance.MACHINES if level == "instance" else instance_group.MACHINES
    start = instance.START if level == "instance" else instance_group.START
    return tuple(
        f"{machine} {state}"
        for machine, table in tables.items()
        for state in table
        if state != start[machine] and _alone(level, {**start, machine: state}) == phase
    )


def _alone(level: str, machines: Mapping[str, str]) -> str:
    if level == "instance":
        return instance.phase(machines)
    return instance_group.phase(machines, reported=None, degraded=False, alive=False)


def machine_of(level: str, phase: str, machines: Mapping[str, str]) -> str | None:
    """The machine whose present state gives the phase; None where several or none do."""
    return next((name for name, state in machines.items() if f"{name} {state}" in given_by(level, phase)), None)
