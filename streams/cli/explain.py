"""`explain WORD`: what a code, state, kind, phase, machine or deadline means; needs no worker.

Knows: how a topic is laid out.
Must not know: what anything means (`models.explain`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.errors import usage
from streams.cli.manner import Manner, present
from streams.cli.options import Output
from streams.cli.output import Format
from streams.cli.query import Query
from streams.cli.words import explained

if TYPE_CHECKING:
    from models.explain import Topic

Word = Annotated[
    str,
    typer.Argument(
        metavar="WORD",
        autocompletion=explained,
        help="In any case; narrow it as in group/patch, provision/Failed, group/Failed.",
    ),
]
LABEL = 20
"""Columns of a label."""


def explain(word: Word, form: Output = Format.table, query: Query = None) -> None:
    """Say what a word means: an event's code, a kind of anomaly, a phase, a state, a machine or a deadline."""
    from models.explain import closest
    from models.explain import explain as meanings

    topics = meanings(word)
    if not topics:
        near = closest(word)
        hint = f"did you mean {', '.join(near)}?" if near else "give a code, kind, phase, state, machine or deadline"
        raise usage(f"nothing here is called {word!r}", hint)
    manner = Manner(form, query, no_color=True)
    items = [topic.model_dump(mode="json") for topic in topics]
    present(manner, {"items": items}, lambda: "\n".join(_text(topic, manner.wide) for topic in topics))


def _text(topic: Topic, wide: bool) -> str:
    """A heading, the meaning, then a line for each thing that is known; what is null or empty is left out."""
    lines = [f"{_heading(topic)}\n  {topic.meaning}\n"]
    for name, value in topic.model_dump(mode="json")["details"].items():
        if value not in (None, "", [], {}, False) and (wide or name not in ("example", "ranks")):
            lines += _detail(name.replace("_", " "), list(_values(topic.type, value)))
    return "".join(lines)


def _heading(topic: Topic) -> str:
    kind = {"kind": "kind of anomaly", "code": "event"}.get(topic.type, topic.type)
    return f"{topic.name} ({kind} of {topic.of})" if topic.of else f"{topic.name} ({kind})"


def _detail(label: str, values: list[str]) -> Iterator[str]:
    for place, value in enumerate(values):
        yield f"  {label if place == 0 else '':{LABEL}}{value}\n"


def _values(kind: str, value: Any) -> Iterator[str]:
    if isinstance(value, list):
        yield from _moves(kind, value) if isinstance(value[0], dict) else map(str, value)
    elif isinstance(value, dict) and "slow_minutes" in value:
        yield f"{value['name']}: slow after {_plain(value['slow_minutes'])} min without progress, " + (
            f"stuck after {_plain(value['stuck_minutes'])} min"
        )
    elif isinstance(value, dict):
        yield ", ".join(f"{name.replace('_', ' ')} {_plain(each)}" for name, each in value.items())
    else:
        yield _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _moves(kind: str, moves: list[dict[str, Any]]) -> Iterator[str]:
    """One line for the steps that differ in their origin only; what the heading says already is left out."""
    merged: dict[tuple[str, ...], list[str]] = {}
    for move in moves:
        machine = f"{move['machine']}: " if kind == "code" else ""
        word = f" ({move['when']})" if move["when"] else ""
        events = "" if kind == "code" else f": {', '.join(move['events'])}"
        merged.setdefault((machine, move["to"], f"on {move['on']}{word}{events}"), []).append(move["from"])
    for (machine, target, why), origins in merged.items():
        yield f"{machine}{', '.join(origins)} -> {target} {why}"
