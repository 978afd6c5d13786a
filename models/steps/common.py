"""What the steps of every level share: moving a machine, history, notes on time and on unknown texts.

Knows: tables and `State`.  Must not know: which level it serves beyond the tables it is handed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from sys import intern
from typing import NamedTuple

from models.catalogue import BY_CODE
from models.machines.graph import path, way
from models.machines.instance import Table
from models.machines.signals import Signal
from models.observation import Observation
from models.rows import HISTORY, SHAPES, Change, DayNote, Shape, State
from models.runs import bounded, key_of, note_deviation

SCOPES = {code: template.scope for code, template in BY_CODE.items()} | {"NodeHealth": "Instance"}
"""What an event of each code is about: Cluster, InstanceGroup or Instance."""

SNAPSHOTS = frozenset({"ClusterStateChange", "ClusterSnapshot"})
"""Events that show a cluster and its groups as they are."""
_SHOWS = SNAPSHOTS | {"NodeList"}

NOTES = 40
"""Days of notes that a state keeps: a little more than the 30 that ended anomalies stay."""


class Tables(NamedTuple):
    """What `move` needs of a level."""

    level: str
    machines: Mapping[str, Table]
    targets: Mapping[str, Mapping[Signal, str]]
    needs: Mapping[str, Mapping[Signal, str]]
    ignored: Mapping[str, Mapping[Signal, frozenset[str]]]

    def beside_operation(self) -> dict[Signal, tuple[str, ...]]:
        """The machines but for `operation` that a signal may mean something to, in their order."""
        return {
            signal: tuple(machine for machine, _ in edges if machine != "operation")
            for signal, edges in self.edges_of().items()
        }

    def edges_of(self) -> dict[Signal, tuple[tuple[str, dict[str, str]], ...]]:
        """The machines that a signal may mean something to, in their order, and where it leads from which state.

        Most signals mean nothing to most machines.
        """
        found: dict[Signal, tuple[tuple[str, dict[str, str]], ...]] = {}
        for signal in Signal:
            led = {
                name: {state: edges[signal] for state, edges in table.items() if signal in edges}
                for name, table in self.machines.items()
            }
            found[signal] = tuple((name, led[name]) for name in led if led[name] or signal in self.targets[name])
        return found


def identify(state: State, obs: Observation) -> None:
    """Keep what the event says of the entity itself."""
    # Mostly that is what is known: one word for all who have it, and each new one gone with its event.
    if (name := obs.cluster_name) and name != state.cluster_name:
        state.cluster_name = intern(name)
    if (name := obs.instance_group) and name != state.instance_group:
        state.instance_group = intern(name)
    if (name := obs.node_logical_id) and name != state.node_logical_id:
        state.node_logical_id = intern(name)
    time = obs.time
    if state.oldest is None:
        state.oldest = time
    if state.newest is None or state.newest < time:
        state.newest = time
    if obs.clock_suspect or obs.shape is not None:
        note_flaws(state, obs)


def note_flaws(state: State, obs: Observation) -> None:
    """Count a clock that cannot be trusted and a text that nobody knows; neither has to do with order."""
    if obs.clock_suspect:
        state.clock = with_day(state.clock, obs)
    if obs.shape is not None:
        note_shape(state, obs)


def with_day(notes: Mapping[str, DayNote], obs: Observation) -> Mapping[str, DayNote]:
    """The notes with an event with a flaw of time counted under its UTC day; the oldest days leave."""
    day = datetime.fromtimestamp(obs.time / 1000, UTC).date().isoformat()
    note = notes.get(day)
    if note is None:
        more = {**notes, day: DayNote(key_of(obs), obs.time, evidence=[obs.event_id])}
        for old in sorted(more)[:-NOTES]:
            del more[old]
        return more
    note.count += 1
    note.first = min(note.first, key_of(obs))
    note.updated = max(note.updated, obs.time)
    note.evidence = bounded(note.evidence, [obs.event_id])
    return notes


def note_shape(state: State, obs: Observation) -> None:
    """Count an unrecognised event under its shape; an entity keeps its first hundred shapes."""
    shape = state.shapes.get(obs.shape or "")
    if shape is not None:
        shape.count += 1
        shape.first = min(shape.first, key_of(obs))
        shape.updated = max(shape.updated, obs.time)
        shape.evidence = bounded(shape.evidence, [obs.event_id])
    elif len(state.shapes) < SHAPES:
        state.shapes = {**state.shapes, obs.shape or "": Shape(key_of(obs), obs.time, evidence=[obs.event_id])}


def move(
    state: State,
    tables: Tables,
    machine: str,
    signal: Signal,
    obs: Observation,
    excuse: Callable[[str, str], bool] = lambda machine, target: False,
) -> bool:
    """Let one machine take a signal; True if it changed.

    An edge outside the table is taken and recorded as a deviation, unless no event has led to the present state (the
    entity is adopted and the machine has not moved yet, or only a snapshot put it there), or `excuse(machine, target)`
    says that the step is legal here.
    """
    present = state.machines[machine]
    target = tables.machines[machine][present].get(signal)
    legal = target is not None
    if target is None:
        target = tables.targets[machine].get(signal)
        if target is None or present in tables.ignored.get(machine, {}).get(signal, ()):
            return False
        if target == present and not _lacks_its_start(state, tables, machine, signal):
            _confirm(state, machine, signal)
            return False
        unseen = machine in state.by_snapshot or (state.origin == "adopted" and machine not in state.changed)
        legal = unseen or excuse(machine, target)
        if not legal:
            _deviate(state, tables, machine, present, signal, target, obs)
    enter(state, machine, target, obs, signal, legal=legal)
    return target != present


def _lacks_its_start(state: State, tables: Tables, machine: str, signal: Signal) -> bool:
    """A completion of something that never began, and that is no repetition of the last one."""
    return signal in tables.needs.get(machine, {}) and state.signals.get(machine) != signal


def _deviate(
    state: State, tables: Tables, machine: str, present: str, signal: Signal, target: str, obs: Observation
) -> None:
    goal = tables.needs.get(machine, {}).get(signal, target)
    full = f"{tables.level}/{machine}"
    steps = path(full, present, goal) if goal != target else way(full, present, signal, target)
    if steps is None:
        legal = path(full, next(iter(tables.machines[machine])), goal) or (target,)
        step = f"{present} → {target} (the legal way: {' → '.join(legal)})"
        note_deviation(state, "unexpected_transition", machine, step, target, obs)
        return
    walked = [*steps, target] if goal != target else list(steps)
    note_deviation(state, "missing_event", machine, " → ".join(walked), target, obs)


def enter(state: State, machine: str, target: str, obs: Observation, signal: Signal | None, *, legal: bool) -> None:
    """Put a machine into a state and write it down."""
    present = state.machines[machine]
    if signal is not None:
        _confirm(state, machine, signal)
    if target != present:
        state.machines = {**state.machines, machine: target}
        state.changed[machine] = obs.time
        write(state, Change(obs.time, obs.event_id, obs.code, machine, present, target, legal))


def _confirm(state: State, machine: str, signal: Signal) -> None:
    """From now on the machine's state is an event's word, not only a snapshot's."""
    state.signals[machine] = signal
    if machine in state.by_snapshot:
        state.by_snapshot = tuple(other for other in state.by_snapshot if other != machine)


def write(state: State, change: Change) -> None:
    """Append to the history; the oldest items leave."""
    state.history.append(change)
    if len(state.history) > HISTORY:
        del state.history[0]


def close(state: State, obs: Observation, phase: str) -> None:
    """End a step: an event that changed nothing is history too; a new phase begins now.

    A snapshot that shows what is known already is none: they come all the time.
    """
    unchanged = not state.history or state.history[-1].event_id != obs.event_id
    if unchanged and obs.code not in _SHOWS:
        write(state, Change(obs.time, obs.event_id, obs.code, None, None, None, True))
    if phase != state.phase or state.since is None:
        state.phase, state.since = phase, obs.time
