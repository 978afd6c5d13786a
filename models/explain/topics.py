"""A word of this project (code, kind, phase, state, machine, deadline) and all that it means.

Knows: which words there are, and which table answers for each.  Must not know: entities, times, terminals.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from difflib import get_close_matches
from functools import cache
from typing import Literal

from pydantic import Field

from models import deadlines
from models.catalogue import BY_CODE, EVENT_CODES, OPERATIONS, rank_of
from models.explain import codes
from models.explain.codes import Move
from models.explain.phases import PHASE_LEVELS, given_by
from models.explain.words import CHECK, MACHINES, OPENS, PHASES, RULES, STATES
from models.faults import KINDS
from models.judge.runbooks import page_of
from models.judge.texts import EXPECTED, SEVERITY
from models.machines.graph import STARTS, graph
from models.public import AnomalyKind, PublicModel

Value = str | int | float | bool | None
Detail = Value | list[str] | list[Move] | dict[str, Value]
TopicType = Literal["code", "kind", "phase", "state", "machine", "deadline"]
MATCHES = 5


class Topic(PublicModel):
    """One meaning of a word."""

    type: TopicType
    name: str
    of: str | None = Field(description="The level of a phase, the machine (level/name) of a state, else null.")
    meaning: str
    details: dict[str, Detail] = Field(description="What else there is to say, by type of topic.")


def explain(word: str) -> tuple[Topic, ...]:
    """Every meaning of the word, in any case; empty where there is none.

    `level/name`, `machine/state` and `level/machine/state` narrow a word that several things share.
    """
    return tuple(_built(kind, name, of) for kind, name, of in _index().get(_folded(word), ()))


def closest(word: str) -> list[str]:
    """The words most like one that means nothing, best first."""
    spelt = {_folded(name): name for name in words()}
    return [spelt[match] for match in get_close_matches(_folded(word), spelt, MATCHES, 0.6)]


def words() -> tuple[str, ...]:
    """Every word that `explain` knows, as it is written, without the narrowed ones."""
    return tuple(dict.fromkeys(name for _, name, _ in _entries()))


def every(types: Container[str], level: str | None = None) -> tuple[Topic, ...]:
    """All topics of these types; of a level, those of its phases, machines and states alone."""
    return tuple(
        _built(kind, name, of)
        for kind, name, of in _entries()
        if kind in types and (level is None or (of or "").partition("/")[0] == level)
    )


Entry = tuple[TopicType, str, str | None]


def _entries() -> Iterator[Entry]:
    yield from (("code", code, None) for code in codes.CODES)
    yield from (("kind", str(kind), None) for kind in AnomalyKind)
    yield from (("phase", phase, level) for level, phases in PHASES.items() for phase in phases)
    yield from (("machine", machine.split("/")[1], machine.split("/")[0]) for machine in MACHINES)
    yield from (("state", state, machine) for machine, states in STATES.items() for state in states)
    yield from (("deadline", name, None) for name in deadlines.NAMES)


@cache
def _index() -> dict[str, tuple[Entry, ...]]:
    """Entries by each folded word that means them."""
    found: dict[str, tuple[Entry, ...]] = {}
    for entry in _entries():
        _, name, of = entry
        below = (of or "").split("/")
        names = {name, *(("/".join([*below[start:], name])) for start in range(len(below)) if of)}
        for each in sorted(names):
            found[_folded(each)] = (*found.get(_folded(each), ()), entry)
    # A wait that only node lists tell of is named on anomalies by their word.
    found.setdefault(_folded(deadlines.DEEP_HEALTH_CHECK_WORD), (("deadline", deadlines.DEEP_HEALTH_CHECK, None),))
    return found


def _folded(word: str) -> str:
    return word.strip().casefold().replace("_", "").replace("-", "").replace(" ", "")


def _built(kind: TopicType, name: str, of: str | None) -> Topic:
    if kind == "code":
        return _code(name)
    if kind == "kind":
        return _kind(AnomalyKind(name))
    if kind == "phase":
        return _phase(str(of), name)
    if kind == "machine":
        return _machine(f"{of}/{name}")
    return _state(str(of), name) if kind == "state" else _deadline(name)


def _code(name: str) -> Topic:
    template = BY_CODE.get(name)
    details: dict[str, Detail] = {"event": template.event if template else None}
    details |= {"text": template.text if template else None, "section": template.section if template else None}
    details |= {"scope": codes.scope(name), "level": template.level if template else None, "rank": rank_of(name)}
    details["ranks"] = _ranks(name)
    details["moves"] = list(codes.moves(name))
    details["cluster_status"] = dict(codes.statuses(name))
    details["opens"] = [_with_words(kind, words) for kind, words in codes.opens(name).items()]
    details["clears"] = [_with_words(failed, words) for failed, words in codes.clears(name).items()]
    details["example"] = template.example if template else None
    meaning = template.meaning if template else EVENT_CODES[name].meaning
    return Topic(type="code", name=name, of=None, meaning=meaning, details=details)


def _ranks(name: str) -> dict[str, Value]:
    """The words that give an event of this code another rank."""
    found: dict[str, Value] = {word: rank_of(name, operation=word) for word in OPERATIONS}
    found |= {word: rank_of(name, status=word) for word in codes.STATUSES}
    return {word: rank for word, rank in found.items() if rank != rank_of(name)}


def _with_words(name: str, words: str | None) -> str:
    return f"{name} ({words})" if words else name


def _kind(kind: AnomalyKind) -> Topic:
    severity = SEVERITY.get(kind)
    texts = [name for name, opened in KINDS.items() if opened == kind]
    texts += [name for name in codes.CODES if kind in codes.opens(name) and name not in texts]
    details: dict[str, Detail] = {
        "severity": str(severity) if severity else None,
        "becomes": "critical once the second deadline has passed" if kind is AnomalyKind.STUCK else None,
        "opens_on": [_opener(name, kind) for name in texts],
        "clears_on": EXPECTED.get(kind, "at once: it is a note") if severity else None,
        "check_first": list(CHECK[kind]),
        "runbook": page_of(kind),
        "runbook_of_a_worker": f"/runbooks/{kind}",
        "note": None if severity else "this version does not find it",
    }
    return Topic(type="kind", name=kind, of=None, meaning=f"Opens when {OPENS[kind]}.", details=details)


def _opener(code: str, kind: AnomalyKind) -> str:
    named = _with_words(code, codes.opens(code).get(kind))
    return f"{named}: {BY_CODE[code].text}" if code in BY_CODE else named


def _phase(level: str, name: str) -> Topic:
    order = list(PHASES[level])
    waits = _limits(_phase_deadline(level, name))
    details: dict[str, Detail] = {
        "precedence": f"{order.index(name) + 1} of {len(order)}" if level != "cluster" else None,
        "given_by": list(given_by(level, name)),
        "rule": RULES.get(f"{level}/{name}"),
        "deadline": waits,
    }
    return Topic(type="phase", name=name, of=level, meaning=PHASES[level][name], details=details)


def _phase_deadline(level: str, name: str) -> str | None:
    """The deadline of a phase that has one of its own; the others have their machine's."""
    if (level, name) == ("instance", "Failed"):
        return deadlines.FAILED
    return deadlines.CLUSTER_ROLLING_BACK if (level, name) == ("cluster", "RollingBack") else None


def _state(machine: str, name: str) -> Topic:
    level, short = machine.split("/")
    edges = codes.edges(machine)
    deadline = deadlines.WAITING.get(level, {}).get(short, {}).get(name)
    details: dict[str, Detail] = {
        "phase": [phase for phase in PHASE_LEVELS[level] if f"{short} {name}" in given_by(level, phase)],
        "is_start": STARTS[level][short] == name,
        "is_final": not any(edge.from_ == name for edge in edges),
        "entered_by": [edge for edge in edges if edge.to == name and edge.from_ != name],
        "left_by": [edge for edge in edges if edge.from_ == name and edge.to != name],
        "deadline": _limits(deadline),
        "no_deadline_because": None if deadline else _no_deadline(machine, name),
    }
    return Topic(type="state", name=name, of=machine, meaning=STATES[machine][name], details=details)


def _no_deadline(machine: str, state: str) -> str:
    if why := deadlines.NO_DEADLINE.get(f"{machine}/{state}"):
        return why
    level, name = machine.split("/")
    if level == "instance" and name in deadlines.FAILS and state == "Failed":
        return f"phase Failed has one: `{deadlines.FAILED}`"
    if machine == "instance/health" and state in ("Degraded", "Unhealthy"):
        return "`repair_not_started` watches a repair that was asked for"
    return "nothing is awaited here"


def _limits(name: str | None) -> dict[str, Value] | None:
    if name is None:
        return None
    limit = deadlines.Thresholds().deadline(name)
    return {"name": name, "slow_minutes": limit.slow, "stuck_minutes": limit.stuck}


def _machine(machine: str) -> Topic:
    level, name = machine.split("/")
    drawn = graph(machine)
    details: dict[str, Detail] = {
        "states": [f"{state}: {meaning}" for state, meaning in STATES[machine].items()],
        "start": STARTS[level][name],
        "final": [str(state) for state in drawn if drawn.out_degree(state) == 0],
        "moves": list(codes.edges(machine)),
        "draw": f"hyperpod-state graph {machine}",
    }
    return Topic(type="machine", name=name, of=level, meaning=MACHINES[machine], details=details)


def _deadline(name: str) -> Topic:
    limits = deadlines.Thresholds()
    waiting = [
        f"{level}/{machine}/{state}"
        for level, machines in deadlines.WAITING.items()
        for machine, states in machines.items()
        for state, deadline in states.items()
        if deadline == name
    ]
    own = {
        deadlines.FAILED: "phase instance/Failed",
        deadlines.CLUSTER_ROLLING_BACK: "phase cluster/RollingBack",
        deadlines.DEEP_HEALTH_CHECK: f"node status {deadlines.DEEP_HEALTH_CHECK_WORD}",
    }
    others = [
        f"{_whose(each)}: slow {each.deadlines[name].slow:g}, stuck {each.deadlines[name].stuck:g} minutes"
        for each in limits.overrides
        if name in each.deadlines
    ]
    details: dict[str, Detail] = {**(_limits(name) or {}), "states": [*waiting, *([own[name]] if name in own else [])]}
    details["overrides"] = others
    details["extra"] = _EXTRA.get(name)
    meaning = "Minutes without a sign of progress until `stuck` opens as a warning, and until it is critical."
    return Topic(type="deadline", name=name, of=None, meaning=meaning, details=details)


_EXTRA = {
    "baking": "the seconds that the event's text names are added",
    "rollout": "stuck is at least one and a half times 25 minutes for each batch",
}


def _whose(override: deadlines.Override) -> str:
    fields = (("cluster", override.cluster), ("group", override.group), ("instance type", override.instance_type))
    return ", ".join(f"{name} {pattern}" for name, pattern in fields if pattern != "*")
