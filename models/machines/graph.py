"""The machines as graphs: shortest legal paths, and pictures.

Knows: the transition tables, networkx.  Must not know: rows, events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from html import escape

import networkx as nx

from models.machines import cluster, instance, instance_group
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


_BOX_W, _BOX_H, _GAP_X, _GAP_Y, _MARGIN = 170, 40, 110, 60, 30


def _layers(drawn: nx.MultiDiGraph[str]) -> dict[str, tuple[int, int]]:
    """Top left corner of every state's box: a column a distance from the start."""
    places: dict[str, tuple[int, int]] = {}
    for column, states in enumerate(nx.bfs_layers(drawn, drawn.graph["start"])):
        for line, state in enumerate(states):
            places[str(state)] = (_MARGIN + column * (_BOX_W + _GAP_X), _MARGIN + line * (_BOX_H + _GAP_Y))
    return places


def _svg(drawn: nx.MultiDiGraph[str]) -> str:
    places = _layers(drawn)
    width = max(x for x, _ in places.values()) + _BOX_W + _MARGIN
    height = max(y for _, y in places.values()) + _BOX_H + _MARGIN + _GAP_Y
    body = [_svg_edge(places[o], places[t], label) for o, t, label in _labels(drawn) if o != t]
    body += [_svg_box(state, *place) for state, place in places.items()]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" font-family="sans-serif">\n'
        f"<title>{escape(drawn.graph['name'])}</title>\n"
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z"/></marker></defs>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _svg_box(state: str, x: int, y: int) -> str:
    return (
        f'<g><rect x="{x}" y="{y}" width="{_BOX_W}" height="{_BOX_H}" rx="8" fill="#fff" stroke="#333"/>'
        f'<text x="{x + _BOX_W // 2}" y="{y + 25}" font-size="13" text-anchor="middle">{escape(state)}</text></g>'
    )


def _svg_edge(origin: tuple[int, int], target: tuple[int, int], label: str) -> str:
    """Forward edges leave on the right, backward ones bend below the boxes; the signals show on hovering."""
    forward = target[0] > origin[0]
    x1, y1 = origin[0] + (_BOX_W if forward else _BOX_W // 2), origin[1] + (_BOX_H // 2 if forward else _BOX_H)
    x2, y2 = target[0] + (0 if forward else _BOX_W // 2), target[1] + (_BOX_H // 2 if forward else _BOX_H)
    bend = 0 if forward else _GAP_Y
    middle = f"{(x1 + x2) // 2},{max(y1, y2) + bend}" if bend else f"{(x1 + x2) // 2},{(y1 + y2) // 2}"
    return (
        f'<path d="M{x1},{y1} Q{middle} {x2},{y2}" fill="none" stroke="#777" marker-end="url(#tip)">'
        f"<title>{escape(label)}</title></path>"
    )
