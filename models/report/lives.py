"""One instance's kept history as stays in states.

Knows: public histories, the rule of phases.  Must not know: other instances, anomalies, windows.

The machines before the first kept item are found backwards: what a machine left first is where it had been.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from models.explain.times import milliseconds
from models.machines.instance import START, phase
from models.public import HistoryItem, InstanceItem
from models.rows import HISTORY
from models.states import Health, InstancePhase, Provision

PHASE = "phase"
UP, LOST, LEAVING, UNKNOWN = "up", "lost", "leaving", "unknown"
_CONDITIONS = {
    InstancePhase.IN_SERVICE: UP,
    InstancePhase.TERMINATING: LEAVING,
    InstancePhase.TERMINATED: LEAVING,
    InstancePhase.UNKNOWN: UNKNOWN,
}


class Stay(NamedTuple):
    """One stay in one state of one machine."""

    machine: str
    state: str
    begun: int
    ended: int
    seen: bool
    """Whether an event is known that began it."""
    open: bool


class Segment(NamedTuple):
    """A stretch of time in one condition."""

    begun: int
    ended: int
    condition: str


@dataclass
class Life:
    """What is known of one instance, or of a slot without one."""

    item: InstanceItem
    begun: int
    ended: int
    """When it was over, else the moment of the answer."""
    stays: list[Stay] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    goes_on: bool = False
    cut: bool = False
    """Whether older history was dropped."""
    provisioned: int | None = None
    """When it was first provisioned, where its birth was seen."""


def life_of(item: InstanceItem, over: int | None, now: int) -> Life | None:
    """The life of an instance; `over` ends it from outside.  None where nothing ever happened to it."""
    if not item.history:
        return None
    item = item.model_copy(update={"history": tuple(item.history)})  # it is gone through more than once
    begun, last = milliseconds(item.history[0].time), milliseconds(item.history[-1].time)
    terminated = _terminated(item)
    end = terminated if terminated is not None else None if over is None else max(over, last)
    life = Life(item, begun, max(end if end is not None else now, begun), cut=len(item.history) >= HISTORY)
    life.goes_on = end is None
    life.ended = life.ended if end is not None else max(life.ended, last)
    if item.origin == "observed" and not life.cut:
        life.provisioned = _provisioned(item)
    _walk(life)
    return life


def phases(item: InstanceItem) -> Iterator[tuple[int, str]]:
    """Each phase and when it began, oldest first, from the first kept change on."""
    machines, last = _at_first(item), None
    for at, changes in _by_event(item.history):
        for change in changes:
            machines[str(change.machine)] = str(change.to)
        word, _ = _told(tuple(machines.values()))
        if word != last:
            yield at, word
            last = word


def _terminated(item: InstanceItem) -> int | None:
    if item.machines.get("provision") != Provision.TERMINATED:
        return None
    ends = [each.time for each in item.history if (each.machine, each.to) == ("provision", Provision.TERMINATED)]
    return milliseconds(ends[-1] if ends else item.history[0].time)


def _provisioned(item: InstanceItem) -> int | None:
    got = (Provision.PROVISIONED, Provision.IN_SERVICE)
    times = (each.time for each in item.history if each.machine == "provision" and each.to in got)
    first = next(times, None)
    return None if first is None else milliseconds(first)


def _walk(life: Life) -> None:
    """Stays of every machine and of the phase, and the segments, from the beginning to the end."""
    machines = _at_first(life.item)
    word, condition = _told(tuple(machines.values()))
    entered = {machine: (state, life.begun, False) for machine, state in machines.items()}
    entered[PHASE] = (word, life.begun, False)
    since = life.begun
    for at, changes in _by_event(life.item.history):
        if at > life.ended:
            break
        for change in changes:
            machines[str(change.machine)] = str(change.to)
        word, now = _told(tuple(machines.values()))
        for machine in {str(change.machine): None for change in changes}:
            _enter(life, entered, machine, machines[machine], at)
        _enter(life, entered, PHASE, word, at)
        if now != condition:
            life.segments.append(Segment(since, at, condition))
            since, condition = at, now
    life.segments.append(Segment(since, life.ended, condition))
    for machine, (state, begun, seen) in entered.items():
        _add(life, Stay(machine, state, begun, life.ended, seen, life.goes_on))


def _enter(life: Life, entered: dict[str, tuple[str, int, bool]], machine: str, state: str, at: int) -> None:
    before, begun, seen = entered[machine]
    if state != before:
        _add(life, Stay(machine, before, begun, at, seen, False))
        entered[machine] = (state, at, True)


def _add(life: Life, stay: Stay) -> None:
    """A state that was left in the very moment of the first event was no stay."""
    if stay.seen or stay.ended > stay.begun:
        life.stays.append(stay)


def _at_first(item: InstanceItem) -> dict[str, str]:
    machines = {machine: item.machines.get(machine, state) for machine, state in START.items()}
    for change in reversed(item.history):
        if change.machine in START:
            machines[str(change.machine)] = str(change.from_)
    return machines


def _by_event(history: Sequence[HistoryItem]) -> Iterator[tuple[int, list[HistoryItem]]]:
    """The changes of each event together: between them there is no state."""
    told = (each for each in history if each.machine in START)
    for _, changes in groupby(told, key=lambda each: (each.time, each.event_id)):
        found = list(changes)
        yield milliseconds(found[0].time), found


@lru_cache(maxsize=4096)  # joint states are few, events are many
def _told(states: tuple[str, ...]) -> tuple[str, str]:
    """The phase and the condition of a joint state, in the order of the machines."""
    machines = dict(zip(START, states, strict=True))
    word = phase(machines)
    found = _CONDITIONS.get(word, LOST)
    return str(word), LOST if found == UP and machines["health"] == Health.UNHEALTHY else found
