"""One entry of the catalogue, and how a section of entries is written down.

Knows: the fields of an entry.  Must not know: which entries there are, how texts are matched.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from models.catalogue.ranks import rank_of

Level = Literal["Info", "Warn", "Error"]
Scope = Literal["Cluster", "InstanceGroup", "Instance"]


@dataclass(frozen=True, slots=True)
class Template:
    """One known event text.

    `text` is AWS's own template with `<placeholders>`; `example` is a text that it matches and `near_miss` one that it
    must not match: both are executed by the tests.
    """

    code: str
    """Unique and append-only: scripts and stored rows refer to it."""
    section: str
    event: str
    """AWS's own name of the event."""
    text: str
    scope: Scope
    level: Level
    """The level that such an event usually carries; the event's own level decides."""
    rank: int
    meaning: str
    """What it means for an operator, in one sentence."""
    example: str
    near_miss: str


def section(title: str, scope: Scope) -> Callable[..., Template]:
    """Writer of one section's entries; an entry may name another `scope` and a `level` other than Info."""
    return partial(_entry, title, scope)


def _entry(
    title: str,
    usual_scope: Scope,
    code: str,
    event: str,
    text: str,
    meaning: str,
    *,
    example: str,
    near_miss: str,
    level: Level = "Info",
    scope: Scope | None = None,
) -> Template:
    return Template(code, title, event, text, scope or usual_scope, level, rank_of(code), meaning, example, near_miss)
