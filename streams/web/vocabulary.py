"""The routes that tell what words mean and what may follow what: the same for every fleet.

Knows: paths, how a machine is laid out in columns.
Must not know: the fleet.  Any worker answers by itself: these are tables of the program.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Annotated

import networkx as nx
from fastapi import APIRouter, Path, Response
from pydantic import Field

from models.explain import Topic, closest, explain
from models.machines.graph import MACHINES, graph
from models.public import PublicModel
from streams.web.answers import ApiError
from streams.web.lookup import respond

Word = Annotated[
    str, Path(description="A code, kind, phase, state, machine or deadline.", examples=["replace/replacing"])
]


class StateItem(PublicModel):
    """One state, and where it stands in a drawing: `column` is its distance from the start."""

    name: str
    column: int
    line: int
    final: bool
    meaning: str | None


class EdgeItem(PublicModel):
    """What leads from one state to another."""

    from_: str = Field(validation_alias="from", serialization_alias="from")
    to: str
    signals: tuple[str, ...]


class MachineItem(PublicModel):
    """One state machine."""

    machine: str
    start: str
    states: tuple[StateItem, ...]
    edges: tuple[EdgeItem, ...]


class Machines(PublicModel):
    """Every state machine."""

    items: tuple[MachineItem, ...]


class Topics(PublicModel):
    """Every meaning of a word."""

    items: tuple[Topic, ...]


def vocabulary_routes(routes: APIRouter) -> None:
    """Adds `/machines` and `/explain/{word}`."""

    @routes.get("/machines", responses={200: {"model": Machines}})
    async def machines() -> Response:
        """The transition tables, with a place for each state."""
        return respond(Machines(items=_machines()))

    @routes.get("/explain/{word:path}", name="explain", responses={200: {"model": Topics}})
    async def meanings(word: Word) -> Response:
        """What a code, kind, phase, state, machine or deadline means, as `hyperpod-state explain` says it."""
        found = explain(word)
        if not found:
            near = ", ".join(closest(word))
            hint = f"did you mean {near}?" if near else "`hyperpod-state explain` lists all of them"
            raise ApiError(404, "not_found", f"no word {word!r} is known", hint)
        return respond(Topics(items=found))


@cache
def _machines() -> tuple[MachineItem, ...]:
    return tuple(_machine(name) for name in MACHINES)


def _machine(name: str) -> MachineItem:
    drawn = graph(name)
    start = str(drawn.graph["start"])
    states = tuple(
        StateItem(
            name=str(state),
            column=column,
            line=line,
            final=drawn.out_degree(state) == 0,
            meaning=_meaning(name, str(state)),
        )
        for column, states in enumerate(nx.bfs_layers(drawn, start))
        for line, state in enumerate(states)
    )
    merged: dict[tuple[str, str], list[str]] = {}
    edges: Iterable[tuple[str, str, str]] = drawn.edges(data="signal")
    for origin, target, signal in edges:
        merged.setdefault((origin, target), []).append(signal)
    found = tuple(EdgeItem(from_=a, to=b, signals=tuple(signals)) for (a, b), signals in merged.items())
    return MachineItem(machine=name, start=start, states=states, edges=found)


def _meaning(machine: str, state: str) -> str | None:
    return next((topic.meaning for topic in explain(f"{machine}/{state}") if topic.type == "state"), None)
