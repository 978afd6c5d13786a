"""`topics`: every topic of the worker, what it should be and what it is.

Knows: columns, exit codes.
Must not know: how topics are made and checked (`streams.topics`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli import output, table
from streams.cli.errors import PROBLEMS, note
from streams.cli.kafka import Brokers, kafka_failures, settings_of
from streams.cli.manner import Manner, present
from streams.cli.options import NoColor, Output
from streams.cli.output import Format
from streams.cli.query import Query
from streams.cli.table import BAD, ENDED, FINE, WARN, Cell, text

if TYPE_CHECKING:
    from streams.topics import Found

TONES = {"ok": FINE, "missing": WARN, "wrong": BAD, "unused": ENDED}


def topics(
    create: Annotated[bool, typer.Option("--create", help="Create those that are missing, then check all.")] = False,
    form: Output = Format.table,
    query: Query = None,
    no_color: NoColor = False,
    brokers: Brokers = None,
) -> None:
    """List the worker's topics: what each should be and what it is; exit 1 where one is missing or wrong.

    Their names and sizes are the worker's settings, HYPERPOD_STATE_*.  That of `alerts` may be missing: it is unused.
    """
    from streams.connection import admin_client
    from streams.topics import beside, create_missing, survey, wanted

    settings = settings_of({"brokers": brokers})
    spare = beside(settings)
    every = (*wanted(settings), *spare)
    with kafka_failures(), admin_client(settings) as admin:
        if create:
            create_missing(admin, settings, every)
        found = survey(admin, every)
    items = [_item(each, needed=each.topic not in spare) for each in found]
    manner = Manner(form, query, no_color)
    present(manner, {"items": items}, lambda: _table(items, manner.screen, manner.wide))
    if any(item["status"] in ("missing", "wrong") for item in items):
        _say(items)
        raise typer.Exit(PROBLEMS)


def _item(found: Found, *, needed: bool) -> dict[str, Any]:
    topic = found.topic
    status = "wrong" if found.faults else "ok" if found.exists else "missing" if needed else "unused"
    return {
        "topic": topic.name,
        "status": status,
        "partitions": found.partitions,
        "partitions_wanted": topic.partitions,
        "cleanup_policy": found.policy,
        "cleanup_policy_wanted": topic.policy,
        "replicas": found.replicas,
        "in_sync": found.in_sync,
        "topic_id": found.topic_id,
        "faults": list(found.faults),
    }


def _table(items: list[dict[str, Any]], screen: output.Screen, wide: bool) -> str:
    header = ["TOPIC", "STATUS", "PARTITIONS", "POLICY", "REPLICAS", *(["IN SYNC", "ID"] if wide else [])]
    names = ["replicas", *(["in_sync", "topic_id"] if wide else [])]
    rows = [
        [
            text(item["topic"]),
            Cell(item["status"], TONES[item["status"]]),
            _both(item, "partitions"),
            _both(item, "cleanup_policy"),
            *(text(item[name]) for name in names),
        ]
        for item in items
    ]
    return table.render(header, rows, screen)


def _both(item: dict[str, Any], name: str) -> Cell:
    """What is, and what should be where that differs."""
    found, wanted = item[name], item[f"{name}_wanted"]
    return text(wanted if found in (None, wanted) else f"{found}, not {wanted}")


def _say(items: list[dict[str, Any]]) -> None:
    for item in items:
        for fault in item["faults"]:
            note(fault)
    if any(item["status"] == "missing" for item in items):
        note("missing topics: `hyperpod-state topics --create`, or start the worker, creates them")
