"""The options that several commands share, declared once so that they mean and read the same everywhere.

Knows: Typer, names, help texts.
Must not know: what a command does with them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated, Any

import typer

from streams import times
from streams.cli import names
from streams.cli.output import Format
from streams.cli.words import Found

DEFAULT_SERVER = "http://127.0.0.1:8780"


class Kind(StrEnum):
    """What has a state and a history."""

    instance = "instance"
    group = "group"
    cluster = "cluster"


Output = Annotated[Format, typer.Option("--output", "-o", help="How to print it.", show_default=True)]
NoColor = Annotated[bool, typer.Option("--no-color", help="Plain text, as NO_COLOR and pipes get anyway.")]
Server = Annotated[str, typer.Option(envvar="HYPERPOD_STATE_SERVER", metavar="URL", help="The worker to ask.")]
Watch = Annotated[
    bool,
    typer.Option("--watch", "-w", help="Go on: a row for each change, until Ctrl-C.  With -o jsonl one object each."),
]
StaleOk = Annotated[
    bool,
    typer.Option("--stale-ok", help="While partitions have no owner, show what was last known; stderr says of which."),
]
Cluster = Annotated[
    list[str],
    typer.Option(metavar="NAME", autocompletion=names.clusters, help="Only this cluster, by name or ARN; repeatable."),
]
Group = Annotated[
    list[str], typer.Option(metavar="NAME", autocompletion=names.groups, help="Only this instance group; repeatable.")
]


def phase_option(complete: Callable[[str], Found]) -> Any:
    """`--phase`, with the phases that there are."""
    return _option("PHASE", complete, "Only this phase, in any case; repeatable.", str.casefold)


def kind_option(complete: Callable[[str], Found]) -> Any:
    """`--kind`, with the kinds of anomalies that there are."""
    return _option("KIND", complete, "Only this kind; repeatable.", str)


def _option(name: str, complete: Callable[[str], Found], help_: str, spelt: Callable[[str], str]) -> Any:
    """A filter by words of a closed vocabulary: one that is not in it would find nothing, and nobody would know why."""

    def known(words: list[str]) -> list[str]:
        there = {spelt(word): word for word, _ in complete("")}
        for word in words:
            if spelt(word) not in there:
                near = [there[each] for each in get_close_matches(spelt(word), there, 3)]
                hint = f"did you mean {' or '.join(near)}?" if near else f"say one of {', '.join(there.values())}"
                raise typer.BadParameter(f"{word!r} is no {name.lower()}: {hint}")
        return words

    return typer.Option(metavar=name, callback=known, autocompletion=complete, help=help_)


def _time(text: str) -> int:
    try:
        return times.parse(text, time.time())
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


From = Annotated[int | None, typer.Option("--from", parser=_time, metavar="TIME", help="Only what came from then on.")]
To = Annotated[int | None, typer.Option("--to", parser=_time, metavar="TIME", help="Only what was over by then.")]
Start = Annotated[int | None, typer.Option(parser=_time, metavar="TIME", help="Only what happened from then on.")]
End = Annotated[int | None, typer.Option(parser=_time, metavar="TIME", help="Only what happened until then.")]
Now = Annotated[
    int | None,
    typer.Option(parser=_time, metavar="TIME", help="The clock for deadlines.  [default: the newest event's time]"),
]


def _any_time(text: str) -> str:
    """Checked here, but sent as it was given: what is relative counts from the moment that the worker shows."""
    _time(text)
    return text.strip()


AtWorker = Annotated[
    str | None,
    typer.Option(
        "--at",
        parser=_any_time,
        metavar="TIME",
        help="Answer as of then: ISO 8601, an epoch, or a distance from the present such as -2h.",
    ),
]
At = Annotated[
    int | None,
    typer.Option(parser=_time, metavar="TIME", help="Answer as of then, from the events up to then."),
]
Since = Annotated[
    int | None,
    typer.Option(parser=_time, metavar="TIME", help="Only what was written at or after then, such as -1h."),
]
