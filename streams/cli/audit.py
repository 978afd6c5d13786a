"""`audit`: whether what the worker keeps and says is what the events say.

Knows: how a report is printed.
Must not know: how it is found (`streams.audit`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.public import iso
from streams.cli import output, table
from streams.cli.errors import PROBLEMS
from streams.cli.kafka import Brokers, kafka_failures, settings_of
from streams.cli.manner import Manner, present
from streams.cli.options import From, NoColor, Output, To
from streams.cli.output import Format
from streams.cli.progress import Progress
from streams.cli.query import Query
from streams.cli.table import BAD, FINE, Cell

if TYPE_CHECKING:
    from streams.audit import Report

Show = Annotated[int, typer.Option("--show", min=0, metavar="N", help="Name so many differences; all are counted.")]


def audit(
    brokers: Brokers = None,
    since: From = None,
    until: To = None,
    show: Show = 20,
    form: Output = Format.table,
    query: Query = None,
    no_color: NoColor = False,
) -> None:
    """Compare the worker's tables and anomalies with the events they come from; exit 1 where they differ.

    Reads the topics again, from Kafka alone, and changes nothing; the worker may run meanwhile.  It has the
    worker's settings, from HYPERPOD_STATE_*.  What retention has deleted cannot be compared: it is counted as skipped.
    """
    from streams.audit import Window
    from streams.audit import audit as compare

    settings = settings_of({"brokers": brokers})
    with kafka_failures(), Progress("auditing", unit="records") as progress:
        report = compare(settings, Window(since, until), keep=show, progress=progress)
    manner = Manner(form, query, no_color)
    present(manner, plain(report), lambda: _tables(report, manner.screen), _lines(report))
    if not report.exact:
        raise typer.Exit(PROBLEMS)


def plain(report: Report) -> dict[str, Any]:
    """The report as JSON has it."""
    return {
        "exact": report.exact,
        "as_of": None if report.as_of is None else iso(report.as_of),
        "found": report.found,
        "counts": dict(report.counts),
        "checks": [
            {"check": name, "checked": t.checked, "skipped": dict(t.skipped), "differences": t.differences}
            for name, t in report.tallies.items()
        ],
        "differences": [asdict(each) for each in report.differences],
    }


def _lines(report: Report) -> Iterator[dict[str, Any]]:
    body = plain(report)
    checks, named = body.pop("checks"), body.pop("differences")
    yield {"type": "summary", **body}
    yield from ({"type": "check", **each} for each in checks)
    yield from ({"type": "difference", **each} for each in named)


def _tables(report: Report, screen: output.Screen) -> str:
    rows = [
        [
            Cell(name),
            Cell(str(tally.checked)),
            Cell(str(tally.skipped.total())),
            Cell(str(tally.differences), BAD if tally.differences else FINE),
        ]
        for name, tally in report.tallies.items()
    ]
    parts = [table.render(["CHECK", "COMPARED", "SKIPPED", "DIFFERENT"], rows, screen)]
    parts += [
        f"skipped, {name}: {count} {reason}\n"
        for name, tally in report.tallies.items()
        for reason, count in sorted(tally.skipped.items())
    ]
    return "".join([*parts, differences(report, screen), "\n", _verdict(report)])


def differences(report: Report, screen: output.Screen) -> str:
    """Those that are named, as a table."""
    if not report.differences:
        return ""
    named = [[Cell(d.check), Cell(d.thing), Cell(d.problem), Cell(d.detail)] for d in report.differences]
    return "\n" + table.render(["CHECK", "WHAT", "PROBLEM", "DETAIL"], named, screen)


def _verdict(report: Report) -> str:
    moment = "no events yet" if report.as_of is None else f"as of {iso(report.as_of)}"
    if report.exact:
        return f"EXACT, {moment}\n"
    hidden = report.found - len(report.differences)
    more = f", {hidden} of them not shown: --show" if hidden else ""
    return f"{report.found} DIFFERENCES, {moment}{more}\n"
