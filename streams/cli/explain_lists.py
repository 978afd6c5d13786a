"""What `explain` can explain: all of it in short, or one sort of words as a list.

Knows: what a sort of words is called, how a list of them is laid out.
Must not know: what anything means (`models.explain`).
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from streams.cli import table
from streams.cli.nouns import noun
from streams.cli.output import Screen
from streams.cli.table import Cell, phase, text

if TYPE_CHECKING:
    from models.explain import Topic

SORTS = {
    "kinds": ("kind", "what an anomaly is, and what opens and clears it"),
    "phases": ("phase", "the one word for what something is doing"),
    "machines": ("machine", "what a phase is made of"),
    "states": ("state", "where a machine is; narrow them as in provision/Failed"),
    "deadlines": ("deadline", "how long a state may take until `stuck` opens"),
    "codes": ("code", "the texts of HyperPod's events"),
}
COLUMNS = 100
"""Of wrapped text where the reader has no width."""


def listed(word: str) -> tuple[Topic, ...]:
    """The topics of a sort of words, or those of one kind of thing; empty where the word is neither."""
    from models.explain import every, explain

    called = word.casefold()
    if (sort := next((kind for plural, (kind, _) in SORTS.items() if called in (plural, kind)), None)) is not None:
        return every((sort,))
    if (meant := noun(word)) is None:
        return ()
    if meant.one == "anomaly":
        return every(("kind",))
    if meant.one == "rollout":
        return (*explain("group/patch"), *explain("group/rollback"), *explain("rollout"))
    return every(("phase", "machine"), meant.one)


def everything() -> tuple[Topic, ...]:
    """All topics, sort after sort."""
    from models.explain import every

    return tuple(topic for kind, _ in SORTS.values() for topic in every((kind,)))


def overview(topics: Iterable[Topic], screen: Screen) -> str:
    """Each sort, and its words; of those that are too many to read how many there are."""
    words: dict[str, dict[str, None]] = {}
    for topic in topics:
        words.setdefault(topic.type, {})[topic.name] = None
    parts = ["hyperpod-state explain WORD says what a word means. These can be explained:\n"]
    for name, (kind, said) in SORTS.items():
        head = f"{name} ({len(words[kind])}): {said}\n"
        rest = "  `hyperpod-state explain codes` lists them" if name == "codes" else "  ".join(words[kind])
        parts.append(head + _wrapped(rest, screen))
    parts.append("hyperpod-state explain kinds (phases …; instances …) lists one sort.\n")
    return "\n".join(parts)


def _wrapped(words: str, screen: Screen) -> str:
    width = screen.columns or COLUMNS
    lines = textwrap.wrap(words, max(width, 40), initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    return "".join(f"{line}\n" for line in lines)


def meanings(topics: Iterable[Topic], screen: Screen) -> str:
    """A word a line; columns that all have in common are left out."""
    shown = [*topics]
    columns = [("WORD", [Cell(topic.name) for topic in shown])]
    if len({topic.type for topic in shown}) > 1:
        columns.append(("SORT", [Cell(topic.type) for topic in shown]))
    if len({topic.of for topic in shown}) > 1:
        columns.append(("OF", [text(topic.of) for topic in shown]))
    columns += _limits(shown)
    columns.append(("MEANING", [Cell(topic.meaning) for topic in shown]))
    rows = [list(row) for row in zip(*(cells for _, cells in columns), strict=True)]
    return table.render([title for title, _ in columns], rows, screen)


def _limits(shown: list[Topic]) -> Iterator[tuple[str, list[Cell]]]:
    """What only kinds or only deadlines have."""
    kinds = {topic.type for topic in shown}
    if kinds == {"kind"}:
        words = [topic.details["severity"] for topic in shown]
        yield "SEVERITY", [phase(str(word)) if word else text(None) for word in words]
    if kinds == {"deadline"}:
        for title, name in (("SLOW", "slow_minutes"), ("STUCK", "stuck_minutes")):
            yield title, [text(_minutes(topic.details.get(name))) for topic in shown]


def _minutes(value: object) -> str | None:
    return f"{value:g} min" if isinstance(value, int | float) else None
