"""The machines as graphs: shortest legal paths, and pictures.

Knows: the transition tables, networkx.  Must not know: rows, events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

import networkx as nx

from models.machines import cluster, instance, instance_group, picture
from models.machines.instance import Table

LEVELS: Mapping[str, Mapping[str, Table]] = {
    "cluster": cluster.MACHINES,
    "group": instance_group.MACHINES,
    "instance": instance.MACHINES,
}
STARTS: Mapping[str, Mapping[str, str]] = {
    "cluster": cluster.START,
    "group": instance_group.START,
    "instance": instance.START,
}
_STEP = 1000
"""What a step of a path weighs; one into a failure weighs a little more, for nobody saw one."""

MACHINES: tuple[str, ...] = tuple(f"{level}/{name}" for level, tables in LEVELS.items() for name in tables)
"""Every machine as `level/name`."""


@cache
def graph(machine: str) -> nx.MultiDiGraph[str]:
    """The graph of `level/name`: a node a state, an edge a signal.  KeyError for a machine that is none."""
    level, name = machine.split("/")
    drawn: nx.MultiDiGraph[str] = nx.MultiDiGraph(name=machine, start=STARTS[level][name])
    table = LEVELS[level][name]
    drawn.add_nodes_from(table)
    for state, edges in table.items():
        for signal, target in edges.items():
            drawn.add_edge(state, target, signal=signal, weight=_STEP + (target == "Failed"))
    return drawn


@cache
def path(machine: str, origin: str, target: str) -> tuple[str, ...] | None:
    """The states of a shortest legal path from `origin` to `target`, both included; None where there is none.

    Of several shortest paths one without a failure, else the one that the table names first.
    """
    try:
        return tuple(nx.shortest_path(graph(machine), origin, target, weight="weight"))
    except nx.NetworkXNoPath:
        return None


@cache
def way(machine: str, origin: str, signal: str, target: str) -> tuple[str, ...] | None:
    """The states that `signal` would have come through to `target`, both ends included; else `path`.

    A direct edge that only another signal has would name no step at all.
    """
    direct = path(machine, origin, target)
    if direct is None or len(direct) > 2:
        return direct
    edges: Iterable[tuple[str, str, str]] = graph(machine).edges(data="signal")
    sources = [a for a, b, by in edges if (b, by) == (target, signal) and a != "Failed"]
    ways = [steps for source in sources if (steps := path(machine, origin, source)) and "Failed" not in steps[1:]]
    return (*min(ways, key=len), target) if ways else direct


def resolve(name: str) -> list[str]:
    """The machines that a user's word means: `level/name`, or a bare name at every level that has it."""
    return [full for full in MACHINES if name in (full, full.split("/")[1])]


def render(machine: str, fmt: str) -> str:
    """The machine as `mermaid`, `dot` or `svg` text.  KeyError for an unknown machine or format."""
    return {"mermaid": _mermaid, "dot": _dot, "svg": _svg}[fmt](graph(machine))


def _labels(drawn: nx.MultiDiGraph[str]) -> list[tuple[str, str, str]]:
    """One entry a pair of states, the signals joined, in the order of the table."""
    merged: dict[tuple[str, str], list[str]] = {}
    edges: Iterable[tuple[str, str, str]] = drawn.edges(data="signal")
    for origin, target, signal in edges:
        merged.setdefault((str(origin), str(target)), []).append(str(signal))
    return [(origin, target, ", ".join(signals)) for (origin, target), signals in merged.items()]


def _mermaid(drawn: nx.MultiDiGraph[str]) -> str:
    lines = ["stateDiagram-v2", f"    [*] --> {drawn.graph['start']}"]
    lines += [f"    {origin} --> {target}: {label}" for origin, target, label in _labels(drawn)]
    lines += [f"    {state} --> [*]" for state in drawn if drawn.out_degree(state) == 0]
    return "\n".join(lines) + "\n"


def _dot(drawn: nx.MultiDiGraph[str]) -> str:
    lines = [f'digraph "{drawn.graph["name"]}" {{', "  rankdir=LR;", "  node [shape=box, style=rounded];"]
    lines += [f'  "{state}"{_peripheries(drawn, state)};' for state in drawn]
    lines += [f'  "{origin}" -> "{target}" [label="{label}"];' for origin, target, label in _labels(drawn)]
    return "\n".join([*lines, "}"]) + "\n"


def _peripheries(drawn: nx.MultiDiGraph[str], state: str) -> str:
    return " [peripheries=2]" if drawn.out_degree(state) == 0 else ""


def _svg(drawn: nx.MultiDiGraph[str]) -> str:
    return picture.svg(drawn.graph["name"], list(drawn), drawn.graph["start"], _labels(drawn))
