"""What kinds of things are called on a command line: in the plural, the singular, and short, as kubectl has it.

Knows: every word for each kind, and how one is read, completed and written in help.
Must not know: what a command does with a kind, workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, TypeVar

import typer
from typer.core import TyperGroup

Read = TypeVar("Read", bound=StrEnum)


@dataclass(frozen=True)
class Noun:
    """One kind of thing."""

    plural: str
    one: str
    short: tuple[str, ...]

    @property
    def others(self) -> tuple[str, ...]:
        """What it may be called besides its plural."""
        return (self.one, *self.short)


NOUNS = (
    Noun("clusters", "cluster", ("cl",)),
    Noun("groups", "group", ("ig", "instance-group", "instance-groups")),
    Noun("instances", "instance", ("node", "nodes", "no")),
    Noun("anomalies", "anomaly", ("an",)),
    Noun("rollouts", "rollout", ("ro",)),
)
HELP = f"The singular and shorter words do as well: {'; '.join(', '.join(each.others) for each in NOUNS)}."
_BY_WORD = {word: each for each in NOUNS for word in (each.plural, *each.others)}


def noun(word: str) -> Noun | None:
    """The kind that is called so, in any case."""
    return _BY_WORD.get(word.casefold())


def closest(word: str) -> list[str]:
    """The plurals most like a word that is none, best first."""
    found = get_close_matches(word.casefold(), _BY_WORD, 5, 0.7)
    return list(dict.fromkeys(_BY_WORD[each].plural for each in found))


def beginning(usual: Iterable[str], incomplete: str) -> list[str]:
    """What a shell offers: the usual words that begin so, and only where there are none the other words for them."""
    begun = incomplete.casefold()
    own = [*usual]
    if found := [word for word in own if word.startswith(begun)]:
        return found
    meant = [each for each in NOUNS if each.plural in own or each.one in own]
    return [word for each in meant for word in (each.one, each.plural, *each.short) if word.startswith(begun)]


def reader(allowed: type[Read], hints: dict[str, str] | None = None) -> Callable[[str], Read]:
    """Reads any word for one of the kinds allowed; `hints` say where others, by their plural, are to be had."""

    def read(word: str) -> Read:
        found = noun(word)
        if found is not None and found.one in list(allowed):
            return allowed(found.one)
        *most, last = (str(each) for each in allowed)
        hint = (hints or {}).get(found.plural if found else "") or f"say {', '.join(most)} or {last}"
        raise typer.BadParameter(f"{word!r} is no kind that can be meant here: {hint}")

    return read


class NounGroup(TyperGroup):
    """Commands that are kinds in the plural: any other word for a kind calls the same command."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command of that kind, by its own name whatever it was called."""
        found = noun(args[0])
        if found is None and args[0].isalnum() and not ctx.resilient_parsing:
            near = closest(args[0])
            hint = f"did you mean {' or '.join(near)}?" if near else f"say one of {', '.join(self.commands)}"
            ctx.fail(f"{args[0]!r} is no kind: {hint}")
        return super().resolve_command(ctx, [found.plural, *args[1:]] if found else args)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """The other words for kinds only where no plural begins so: nobody wants to read each kind five times."""
        from typer._click.shell_completion import CompletionItem

        offered = super().shell_complete(ctx, incomplete)
        return offered or [CompletionItem(word) for word in beginning(self.commands, incomplete)]
