"""`doctor`: one line for each thing that must be right, and what to type where it is not.

Knows: which checks there are, how a finding looks.
Must not know: how anything is checked (`streams.doctor`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from streams.cli.ask import tls_for, token
from streams.cli.errors import PROBLEMS
from streams.cli.kafka import Brokers, settings_of
from streams.cli.manner import Manner, present
from streams.cli.options import DEFAULT_SERVER, NoColor, Output, Server
from streams.cli.output import Format, Screen
from streams.cli.query import Query
from streams.cli.table import BAD, FINE, WARN, coloured
from streams.cli.text import printable

if TYPE_CHECKING:
    from streams.doctor.check import Check

TONES = {"ok": FINE, "warn": WARN, "fail": BAD}


def doctor(
    server: Server = DEFAULT_SERVER,
    brokers: Brokers = None,
    form: Output = Format.table,
    query: Query = None,
    no_color: NoColor = False,
) -> None:
    """Check Kafka, topics, the worker, the feed, dead letters and clocks; exit 1 where something fails.

    Warnings are for you to judge, and do not change the exit code.  Nothing is written anywhere.
    """
    found = list(_checks(server, brokers))
    failed = any(each.status == "fail" for each in found)
    manner, checks = Manner(form, query, no_color), [each.item() for each in found]
    present(manner, {"ok": not failed, "checks": checks}, lambda: "".join(_lines(found, manner.screen)), checks)
    if failed:
        raise typer.Exit(PROBLEMS)


def _checks(server: str, brokers: str | None) -> Iterator[Check]:
    from streams.doctor.brokers import kafka_checks
    from streams.doctor.worker import versions, worker_checks

    settings = settings_of({"brokers": brokers})
    yield versions()
    yield from kafka_checks(settings)
    yield from worker_checks(server, token(), tls_for(server))


def _lines(found: list[Check], screen: Screen) -> Iterator[str]:
    width = max(len(each.check) for each in found)
    for each in found:
        word = coloured(each.status.value, TONES[each.status], screen)
        yield f"{word}{' ' * (4 - len(each.status))}  {each.check:{width}}  {printable(each.message)}\n"
        if each.next:
            yield f"{'':{width + 10}}{'→' if screen.unicode else '->'} {printable(each.next)}\n"
