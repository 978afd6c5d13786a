"""`get KIND [NAME…]`: the state that a worker keeps, over HTTP.

Knows: which list a kind is, which filters it takes.
Must not know: how the worker found it; Kafka.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

import typer

from models.public_anomaly import Severity
from streams.cli import output, table, views
from streams.cli.ask import client_of, listing
from streams.cli.errors import EXIT_CODES, PROBLEMS, CliError, note, usage
from streams.cli.manner import Manner, present
from streams.cli.options import (
    DEFAULT_SERVER,
    AtWorker,
    Cluster,
    FailOn,
    Group,
    NoColor,
    Output,
    Phase,
    Server,
    StaleOk,
)
from streams.cli.output import Format
from streams.cli.query import Query
from streams.client import Client, Listing

PATHS = {"clusters": "clusters", "groups": "instance-groups", "instances": "instances", "anomalies": "anomalies"}
EMPTY = "nothing matches"
UNDER_WAY = 20
"""Records that ticks and markers of transactions keep under way; a lag beyond that is a backlog."""
Names = Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Only these.")]
StatusOption = Annotated[
    str, typer.Option(metavar="STATUS", help="open, resolved, retracted or all; named anomalies are always shown.")
]
SilencedOption = Annotated[
    bool | None, typer.Option("--silenced/--not-silenced", help="Only those that a silence holds over, or the others.")
]
STATUSES = ("open", "resolved", "retracted", "all")

app = typer.Typer(no_args_is_help=True, help="Show what the worker knows.", epilog=EXIT_CODES)


@dataclass(frozen=True)
class Question:
    """One list that is asked for, and the names that must be in it."""

    kind: str
    filters: dict[str, list[str]]
    names: list[str]
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Show:
    """Whom to ask, and how to print the answer."""

    server: str
    manner: Manner
    at: str | None
    stale_ok: bool


@app.command("clusters", epilog=EXIT_CODES)
def clusters(
    names: Names = None,
    cluster: Cluster = [],  # noqa: B006 - Typer copies it
    phase: Phase = [],  # noqa: B006
    at: AtWorker = None,
    stale_ok: StaleOk = False,
    form: Output = Format.table,
    query: Query = None,
    no_color: NoColor = False,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Clusters and their phase."""
    wanted = [*(names or [])]
    filters = {"cluster": [*wanted, *cluster], "phase": phase}
    _show(
        Question("clusters", filters, wanted, ("cluster_name", "cluster_arn")),
        Show(server, Manner(form, query, no_color), at, stale_ok),
    )


@app.command("groups", epilog=EXIT_CODES)
def groups(
    names: Names = None,
    cluster: Cluster = [],  # noqa: B006
    phase: Phase = [],  # noqa: B006
    at: AtWorker = None,
    stale_ok: StaleOk = False,
    form: Output = Format.table,
    query: Query = None,
    no_color: NoColor = False,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Instance groups, with their instances by phase."""
    wanted = [*(names or [])]
    filters = {"group": wanted, "cluster": cluster, "phase": phase}
    _show(
        Question("groups", filters, wanted, ("instance_group",)),
        Show(server, Manner(form, query, no_color), at, stale_ok),
    )


@app.command("instances", epilog=EXIT_CODES)
def instances(
    names: Names = None,
    cluster: Cluster = [],  # noqa: B006
    group: Group = [],  # noqa: B006
    phase: Phase = [],  # noqa: B006
    at: AtWorker = None,
    stale_ok: StaleOk = False,
    form: Output = Format.table,
    query: Query = None,
    no_color: NoColor = False,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Instances by EC2 id or logical id, and why they are as they are."""
    wanted = [*(names or [])]
    filters = {"instance": wanted, "cluster": cluster, "group": group, "phase": phase}
    _show(
        Question("instances", filters, wanted, ("instance_id", "node_logical_id")),
        Show(server, Manner(form, query, no_color), at, stale_ok),
    )


@app.command("anomalies", epilog=EXIT_CODES)
def anomalies(
    names: Names = None,
    cluster: Cluster = [],  # noqa: B006
    group: Group = [],  # noqa: B006
    kind: Annotated[list[str], typer.Option(metavar="KIND", help="Only this kind; repeatable.")] = [],  # noqa: B006
    severity: Annotated[
        list[Severity], typer.Option(metavar="SEVERITY", help="Only info, warning, error or critical; repeatable.")
    ] = [],  # noqa: B006
    status: StatusOption = "open",
    silenced: SilencedOption = None,
    fail_on: FailOn = None,
    at: AtWorker = None,
    stale_ok: StaleOk = False,
    form: Output = Format.table,
    query: Query = None,
    no_color: NoColor = False,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Anomalies, the open ones unless asked otherwise."""
    if status not in STATUSES:
        raise usage(f"--status {status!r} is not known", f"one of {', '.join(STATUSES)}")
    wanted = [*(names or [])]
    filters = {"id": wanted, "cluster": cluster, "group": group, "kind": kind, "severity": [str(s) for s in severity]}
    filters["silenced"] = [] if silenced is None else [str(silenced).lower()]
    filters["status"] = [] if wanted or status == "all" else [status]
    found = _show(
        Question("anomalies", filters, wanted, ("anomaly_id",)),
        Show(server, Manner(form, query, no_color), at, stale_ok),
    )
    fail_if(found, fail_on)


def fail_if(anomalies: Iterable[views.Item], least: Severity | None) -> None:
    """Ends with 1 where an open anomaly is at least that severe."""
    if least is None:
        return
    if any(a["status"] == "open" and views.severity_rank(a["severity"]) >= least.rank for a in anomalies):
        raise typer.Exit(PROBLEMS)


def _show(question: Question, show: Show) -> list[views.Item]:
    client, found = _ask(question, show)
    present(show.manner, output.whole(found), lambda: _table(client, question, found, show.manner))
    if show.manner.tables and found.lag > UNDER_WAY:
        note(f"note: {found.lag} records are still to be read, as of {found.as_of}")
    _all_found(question, found.items)
    return found.items


def _ask(question: Question, show: Show) -> tuple[Client, Listing]:
    client = client_of(show.server, show.at, stale_ok=show.stale_ok)
    return client, _list(client, question.kind, question.filters)


def _list(client: Client, kind: str, filters: dict[str, list[str]]) -> Listing:
    return listing(client, PATHS[kind], filters)


def _table(client: Client, question: Question, found: Listing, manner: Manner) -> str:
    """Tables say more than their items: names of clusters, and the anomaly that explains an entity."""
    items = found.items
    known = items if question.kind == "clusters" else _list(client, "clusters", {}).items
    open_ones = items if question.kind == "anomalies" else _list(client, "anomalies", {"status": ["open"]}).items
    ctx = views.context(found.as_of, known, open_ones)
    return kind_table(question.kind, items, ctx, manner.screen, manner.wide) if items else f"{EMPTY}\n"


def kind_table(kind: str, items: list[views.Item], ctx: views.Context, screen: output.Screen, wide: bool) -> str:
    """The items of one kind as a table."""
    columns = views.columns(kind, items, ctx, wide)
    rows = [[cell(item) for _, cell in columns] for item in items]
    return table.render([title for title, _ in columns], rows, screen)


def _all_found(question: Question, items: list[views.Item]) -> None:
    have = {item[key] for item in items for key in question.keys}
    missing = [name for name in question.names if name not in have]
    if missing:
        hint = f"list them with `hyperpod-state get {question.kind}`"
        raise CliError(f"not found: {', '.join(missing)}", hint, PROBLEMS)
