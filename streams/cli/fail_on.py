"""`--fail-on`: which open anomalies end a command with 1.

Knows: severities, kinds.
Must not know: where anomalies come from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer

from models.public_anomaly import AnomalyKind, Severity
from streams.cli.errors import PROBLEMS
from streams.cli.words import fail_on_words

RANKS = {str(each): each.rank for each in Severity}


def _known(words: list[str]) -> list[str]:
    for word in words:
        if word not in RANKS and word not in list(AnomalyKind):
            allowed = f"one of {', '.join(RANKS)}, or a kind such as {AnomalyKind.STUCK}"
            raise typer.BadParameter(f"{word!r} is neither a severity nor a kind: give {allowed}")
    return words


FailOn = Annotated[
    list[str],
    typer.Option(
        metavar="SEVERITY|KIND",
        callback=_known,
        autocompletion=fail_on_words,
        help="Exit 1 if an open anomaly of this severity or worse, or of this kind, is among them; repeatable.",
    ),
]


def found(anomalies: Iterable[dict[str, Any]], words: Sequence[str]) -> bool:
    """Whether one of them is open and meant."""
    least = min((RANKS[word] for word in words if word in RANKS), default=None)
    return any(each["status"] == "open" and _meant(each, words, least) for each in anomalies)


def fail_if(anomalies: Iterable[dict[str, Any]], words: Sequence[str]) -> None:
    """Ends with 1 where one is found."""
    if words and found(anomalies, words):
        raise typer.Exit(PROBLEMS)


def _meant(anomaly: dict[str, Any], words: Sequence[str], least: int | None) -> bool:
    rank = RANKS.get(anomaly["severity"], 0)  # a word of a newer version counts as the least
    return anomaly["kind"] in words or (least is not None and rank >= least)
