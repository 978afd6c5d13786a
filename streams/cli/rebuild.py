"""`rebuild --tables NAME`: tables made anew beside those in use.

Knows: what to say of what was made, and what to do next.
Must not know: how it is made (`streams.rebuild`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.audit import differences, plain
from streams.cli.errors import note, usage
from streams.cli.kafka import Brokers, kafka_failures, settings_of
from streams.cli.manner import Manner, present
from streams.cli.options import NoColor, Output
from streams.cli.output import Format, Screen
from streams.cli.progress import Progress
from streams.cli.query import Query

if TYPE_CHECKING:
    from streams.rebuild import Rebuilt
    from streams.settings import Settings

Tables = Annotated[
    str, typer.Option("--tables", metavar="NAME", help="What to call them: up to 20 small letters and digits.")
]
Replace = Annotated[bool, typer.Option("--replace", help="Write over tables of that name, unless they are in use.")]
Show = Annotated[int, typer.Option("--show", min=0, metavar="N", help="Name so many differences; all are counted.")]


def rebuild(
    tables: Tables,
    replace: Replace = False,
    brokers: Brokers = None,
    show: Show = 20,
    form: Output = Format.table,
    query: Query = None,
    no_color: NoColor = False,
) -> None:
    """Make the worker's tables anew from the events, beside those in use.

    The workers may run meanwhile, and go on with their tables until they are restarted with HYPERPOD_STATE_TABLES=NAME.
    Says how the new rows differ from the present ones; rows whose events retention has deleted are carried over.
    """
    if not re.fullmatch("[a-z0-9]{1,20}", tables):
        raise usage(f"{tables!r} cannot be a name of tables", "up to 20 small letters and digits")
    from streams.rebuild import rebuild as make

    settings = settings_of({"brokers": brokers})
    with kafka_failures(), Progress("rebuilding", unit="records") as progress:
        made = make(settings, tables, replace=replace, keep=show, progress=progress)
    manner, body = Manner(form, query, no_color), _plain(made)
    present(manner, body, lambda: _text(made, manner.screen), [body])
    for line in _next(made, settings).splitlines():
        note(line)


def _text(made: Rebuilt, screen: Screen) -> str:
    lines = [f"tables {made.tables}: {made.rows} rows\n"]
    lines += [f"carried over: {count} {reason}\n" for reason, count in sorted(made.carried.items())]
    lines.append(f"different from the present tables: {made.report.found}\n")
    return "".join(lines) + differences(made.report, screen)


def _plain(made: Rebuilt) -> dict[str, Any]:
    body = plain(made.report)
    return {
        "tables": made.tables,
        "rows": made.rows,
        "carried": dict(made.carried),
        "found": body["found"],
        "differences": body["differences"],
    }


def _next(made: Rebuilt, settings: Settings) -> str:
    back = f"HYPERPOD_STATE_TABLES={settings.tables}" if settings.tables else "HYPERPOD_STATE_TABLES unset"
    return (
        f"next: restart the workers with HYPERPOD_STATE_TABLES={made.tables}; `hyperpod-state audit` takes the same\n"
        f"to go back: restart them with {back}"
    )
