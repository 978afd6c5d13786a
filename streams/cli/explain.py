"""`explain [WORD]`: what a code, state, kind, phase, machine or deadline means; needs no worker.

Knows: how a topic is laid out.
Must not know: what anything means (`models.explain`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli import nouns
from streams.cli.errors import usage
from streams.cli.manner import Manner, present
from streams.cli.options import Output
from streams.cli.output import Format
from streams.cli.query import Query
from streams.cli.words import explained

if TYPE_CHECKING:
    from models.explain import Topic

Word = Annotated[
    str | None,
    typer.Argument(
        metavar="WORD",
        autocompletion=explained,
        help="In any case; narrow it as in group/patch, provision/Failed, group/Failed.  Without it: all there are.",
    ),
]
LABEL = 20
"""Columns of a label."""


def explain(word: Word = None, form: Output = Format.table, query: Query = None) -> None:
    """Say what a word means: an event's code, a kind of anomaly, a phase, a state, a machine or a deadline.

    kinds, phases, machines, states, deadlines and codes list those; instances, groups and clusters their phases and
    machines; anomalies their kinds; rollouts what they move.
    """
    manner = Manner(form, query, no_color=True)
    topics, drawn = _meant(word, manner)
    present(manner, {"items": [topic.model_dump(mode="json") for topic in topics]}, drawn)


def _meant(word: str | None, manner: Manner) -> tuple[Sequence[Topic], Callable[[], str]]:
    """The topics of the word, and how people read them."""
    from models.explain import explain as meanings
    from streams.cli.explain_lists import everything, listed, overview
    from streams.cli.explain_lists import meanings as table

    if word is None:
        topics = everything()
        return topics, lambda: overview(topics, manner.screen)
    if topics := meanings(word):
        return topics, lambda: "\n".join(_text(topic, manner.wide) for topic in topics)
    if topics := listed(word):
        return topics, lambda: table(topics, manner.screen)
    raise usage(f"nothing here is called {word!r}", _nearest(word))


def _nearest(word: str) -> str:
    from models.explain import closest
    from streams.cli.explain_lists import SORTS

    near = closest(word) or get_close_matches(word.casefold(), SORTS) or nouns.closest(word)
    other = "`hyperpod-state explain` lists what can be explained"
    return f"did you mean {' or '.join(f'`{each}`' for each in near)}?  {other}" if near else other


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
