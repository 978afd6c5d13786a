"""What an event of each code does: the steps it makes, the anomaly that it opens, what it clears.

Knows: the functions that decide it (`signal_of`, `fault_of`, `covers`), asked with every operation and status word.
Must not know: rows, order, time.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from pydantic import Field

from models.catalogue import BY_CODE, EVENT_CODES, OPERATIONS
from models.catalogue.ranks import rank_of
from models.faults import covers, fault_of
from models.machines import cluster
from models.machines.graph import LEVELS
from models.machines.signals import Signal, signal_of
from models.observation import Observation
from models.public import PublicModel

LEVEL_OF = {"Cluster": "cluster", "InstanceGroup": "group", "Instance": "instance"}
STATUSES = ("Started", "Succeeded", "Failed", "Healthy", "Degraded", "Unhealthy", "InService")
CODES: tuple[str, ...] = (*BY_CODE, *EVENT_CODES)
_FEWER = {"lost": "1", "current": "1", "total": "2"}


class Move(PublicModel):
    """One step of one machine."""

    machine: str = Field(description="As level/name.")
    from_: str = Field(validation_alias="from", serialization_alias="from")
    to: str
    on: str = Field(description="The signal.")
    when: str | None = Field(default=None, description="The operation or status word that it takes; null: any.")
    events: tuple[str, ...] = Field(default=(), description="The codes of events that may make it.")


class Effect(NamedTuple):
    """What an event does, for one of its words."""

    signal: Signal | None
    opens: str | None
    covers: tuple[str, ...]


@cache
def effects(code: str) -> dict[str | None, Effect]:
    """Effect by operation or status word; by None alone where no word changes it.  KeyError for no code."""
    plain = _effect(code)
    found: dict[str | None, Effect] = {}
    for word in OPERATIONS:
        found[word] = _effect(code, operation=word)
    for word in STATUSES:
        found[word] = _effect(code, status=word)
    different = {word: effect for word, effect in found.items() if effect != plain}
    some = different if plain == Effect(None, None, ()) and different else {None: plain, **different}
    return {word: effect for word, effect in some.items() if word is None or effect != _common(different)}


def _common(different: dict[str | None, Effect]) -> Effect | None:
    """What a word that means nothing in particular does, as `other` does; it is not worth a line of its own."""
    return different.get("other")


def _effect(code: str, operation: str | None = None, status: str | None = None) -> Effect:
    rank_of(code)  # a KeyError for what is no code
    obs = _observation(code, operation, status)
    signal, spec = signal_of(obs), fault_of(obs)
    return Effect(signal, spec.kind if spec else None, covers(obs, signal))


@cache
def signals(code: str) -> frozenset[Signal]:
    """Every signal that an event of this code may be; none for an unknown code."""
    if code not in CODES:
        return frozenset()
    return frozenset(effect.signal for effect in effects(code).values() if effect.signal is not None)


def scope(code: str) -> str | None:
    """Cluster, InstanceGroup or Instance; None where the event is about several."""
    if code == "NodeHealth":
        return "Instance"
    return BY_CODE[code].scope if code in BY_CODE else None


def moves(code: str) -> tuple[Move, ...]:
    """Every step that an event of this code makes at its own level, in the order of the tables."""
    level = LEVEL_OF.get(scope(code) or "")
    return tuple(
        Move(machine=f"{level}/{name}", from_=origin, to=target, on=signal, when=word, events=(code,))
        for word, effect in effects(code).items()
        for name, table in LEVELS.get(level or "", {}).items()
        for origin, edges in table.items()
        for signal, target in edges.items()
        if signal == effect.signal
    )


def statuses(code: str) -> dict[str, str]:
    """For a code about clusters: the ClusterStatus that follows, by word; empty for the others."""
    if scope(code) != "Cluster":
        return {}
    by_word = {word: effect.signal for word, effect in effects(code).items() if effect.signal in cluster.STATUS}
    return {word or "any": cluster.STATUS[signal] for word, signal in by_word.items() if signal is not None}


@cache
def edges(machine: str) -> tuple[Move, ...]:
    """Every edge of `level/name`, with the codes of the events that carry its signal.  KeyError for no machine."""
    level, name = machine.split("/")
    return tuple(
        Move(machine=machine, from_=origin, to=target, on=signal, events=_carriers(level, signal))
        for origin, edges in LEVELS[level][name].items()
        for signal, target in edges.items()
    )


@cache
def _carriers(level: str, signal: Signal) -> tuple[str, ...]:
    return tuple(code for code in CODES if LEVEL_OF.get(scope(code) or "") == level and signal in signals(code))


@cache
def opens(code: str) -> dict[str, str | None]:
    """The kinds of anomaly that an event of this code opens, each with the words that it takes; None: any."""
    return _by_result({word: [effect.opens] if effect.opens else [] for word, effect in effects(code).items()})


@cache
def clears(code: str) -> dict[str, str | None]:
    """The codes whose faults an event of this code ends, each with the words that it takes; None: any."""
    return _by_result({word: _failing(scope(code), effect.covers) for word, effect in effects(code).items()})


def _by_result(by_word: dict[str | None, list[str]]) -> dict[str, str | None]:
    found: dict[str, list[str | None]] = {}
    for word, results in by_word.items():
        for result in results:
            found.setdefault(result, []).append(word)
    return {result: None if None in words else ", ".join(map(str, words)) for result, words in found.items()}


def _failing(level: str | None, topics: tuple[str, ...]) -> list[str]:
    """The codes of one scope whose faults one of the topics ends."""
    return [code for code in CODES if scope(code) == level and _topics(code).intersection(topics)]


@cache
def _topics(code: str) -> frozenset[str]:
    """The topics of the faults that an event of this code can be."""
    made = [_observation(code, operation=word) for word in (None, *OPERATIONS)]
    made += [_observation(code, status=word) for word in STATUSES]
    return frozenset(spec.topic for obs in made if (spec := fault_of(obs)) is not None)


def _observation(code: str, operation: str | None = None, status: str | None = None) -> Observation:
    return Observation(
        event_id="", detail_type="", cluster_arn="", code=code, operation=operation, status=status, text=_FEWER
    )
