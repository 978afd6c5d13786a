"""Runs of faults: opening, pairing within five seconds, clearing.

Knows: `State.runs` and the rules of contract section 3 that one entity's own events decide.
Must not know: other entities, deadlines, ids of anomalies (`models.judge`).
"""

from __future__ import annotations

from models.faults import PARTICULAR, SURVIVES_THE_END, Spec, cause_of
from models.held import Known
from models.observation import Observation
from models.rows import ENDED_RUNS, EVIDENCE, MARKS, Key, LastFault, Run, State

PAIR_MS = 5_000
"""Failures of one entity this soon after the first are one fault."""


def key_of(obs: Known) -> Key:
    """The judged order of an observation as rows keep it."""
    return Key(obs.time, obs.rank, obs.event_id)


def note_fault(state: State, spec: Spec, obs: Observation, detail: str | None = None) -> None:
    """Count a fault: as part of the newest one where it pairs with it, else in the open run of its kind, else anew."""
    last = state.last_fault
    if last is not None and spec.kind in PARTICULAR and obs.time - last.first.time <= PAIR_MS:
        home = _find(state, last.kind, last.family)
        if home is not None:
            _pair(state, home, last, spec, obs, detail)
            return
    run = _open(state, spec.kind, spec.family, key_of(obs), spec.machine)
    told_twice = spec.kind not in PARTICULAR and bool(run.fault_at) and obs.time - run.fault_at[-1] <= PAIR_MS
    _describe(state, run, spec, obs, detail)
    if told_twice:
        _extend(run, obs.time, [obs.event_id], [spec.topic])
        return
    _add(run, key_of(obs), [obs.event_id], [spec.topic])
    if spec.kind in PARTICULAR:
        state.last_fault = LastFault(key_of(obs), spec.kind, spec.family, [obs.event_id], [spec.topic])


def note_deviation(state: State, kind: str, machine: str, step: str, target: str, obs: Observation) -> None:
    """Record that a machine took a step its table does not have; the same step again joins the open run."""
    run = _open(state, kind, f"{machine} {step}", key_of(obs), machine)
    run.state, run.code, run.detail = target, obs.code, step
    _add(run, key_of(obs), [obs.event_id], ["deviation"])


def clear(state: State, topics: tuple[str, ...], at: int) -> None:
    """Cover topics; a run whose topics are all covered ends at that time."""
    for run in state.runs:
        if run.cleared is None and any(topic in topics for topic in run.topics):
            run.topics = [topic for topic in run.topics if topic not in topics]
            if not run.topics:
                run.cleared = run.updated = max(at, run.updated)


def clear_all(state: State, at: int) -> None:
    """The entity has ended, and with it all that was wrong with it but for `SURVIVES_THE_END`."""
    for run in state.runs:
        if run.cleared is None and run.kind not in SURVIVES_THE_END:
            run.topics, run.cleared = [], max(at, run.updated)
            run.updated = run.cleared


def is_open(state: State, *topics: str) -> bool:
    """Whether something of these topics is still wrong."""
    return any(run.cleared is None and any(topic in topics for topic in run.topics) for run in state.runs)


def trim(state: State) -> None:
    """Keep the newest ended runs only."""
    if len(state.runs) <= ENDED_RUNS:
        return
    ended = [run for run in state.runs if run.cleared is not None]
    gone = {id(run) for run in ended[: max(0, len(ended) - ENDED_RUNS)]}
    state.runs = tuple(run for run in state.runs if id(run) not in gone)


def bounded(evidence: list[str], more: list[str]) -> list[str]:
    """Evidence with more of it: each id once; the first and the newest are kept when there is too much."""
    joined = evidence + [event_id for event_id in more if event_id not in evidence]
    return joined if len(joined) <= EVIDENCE else [joined[0], *joined[len(joined) - EVIDENCE + 1 :]]


def _find(state: State, kind: str, family: str) -> Run | None:
    for run in reversed(state.runs):
        if run.cleared is None and run.kind == kind and run.family == family:
            return run
    return None


def _open(state: State, kind: str, family: str, first: Key, machine: str | None) -> Run:
    run = _find(state, kind, family)
    if run is None:
        run = Run(kind=kind, family=family, first=first, updated=first.time, topics=[], machine=machine, count=0)
        state.runs = (*state.runs, run)
        trim(state)
    return run


def _add(run: Run, first: Key, evidence: list[str], topics: list[str]) -> None:
    run.count += 1
    run.fault_at = [*run.fault_at, first.time][-MARKS:]
    _extend(run, first.time, evidence, topics)


def _extend(run: Run, time: int, evidence: list[str], topics: list[str]) -> None:
    run.updated = max(run.updated, time)
    run.evidence = bounded(run.evidence, evidence)
    run.topics = run.topics + [topic for topic in topics if topic not in run.topics]


def _describe(state: State, run: Run, spec: Spec, obs: Observation, detail: str | None) -> None:
    run.code, run.machine, run.state = obs.code, spec.machine, state.machines.get(spec.machine or "")
    run.detail = detail or run.detail
    cause = cause_of(obs)
    if run.cause in (None, "unknown") or cause != "unknown":
        run.cause = cause
    message = obs.details.get("failure_message")
    if isinstance(message, str):
        run.message = message[:1024]


def _pair(state: State, home: Run, last: LastFault, spec: Spec, obs: Observation, detail: str | None) -> None:
    """Another event of the newest fault; a more particular kind takes the whole fault with it."""
    last.evidence = [*last.evidence, obs.event_id]
    if PARTICULAR.index(spec.kind) >= PARTICULAR.index(last.kind):
        # What clears a fault follows the kind that it has in the end.
        topics = [spec.topic] if spec.kind == last.kind else []
        last.topics = last.topics + [topic for topic in topics if topic not in last.topics]
        _extend(home, obs.time, [obs.event_id], topics)
        if home.cause == "unknown" or "failure_message" in obs.details:
            _upgrade_cause(home, obs)
        return
    _take_back(state, home, last)
    run = _open(state, spec.kind, spec.family, last.first, spec.machine)
    run.cause = run.cause or home.cause
    _describe(state, run, spec, obs, detail)
    last.topics = [spec.topic]
    _add(run, last.first, last.evidence, last.topics)
    run.updated = max(run.updated, obs.time)
    last.kind, last.family = spec.kind, spec.family


def _upgrade_cause(run: Run, obs: Observation) -> None:
    cause = cause_of(obs)
    if cause != "unknown":
        run.cause = cause
        run.message = str(obs.details.get("failure_message") or run.message or "")[:1024] or None


def _take_back(state: State, home: Run, last: LastFault) -> None:
    home.count -= 1
    home.fault_at = home.fault_at[:-1]
    home.evidence = [event_id for event_id in home.evidence if event_id not in last.evidence]
    if home.count == 0:
        state.runs = tuple(run for run in state.runs if run is not home)
