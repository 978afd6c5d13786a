"""The options that several commands share, declared once so that they mean and read the same everywhere.

Knows: Typer, names, help texts.
Must not know: what a command does with them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
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
    return typer.Option(metavar="PHASE", autocompletion=complete, help="Only this phase, in any case; repeatable.")


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
