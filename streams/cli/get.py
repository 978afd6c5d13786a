"""`get KIND [NAME…]`: the state that a worker keeps, over HTTP.

Knows: which list a kind is, which filters it takes.
Must not know: how the worker found it; Kafka.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import typer

from models.public_anomaly import Severity
from streams.cli import names, nothing, output, views, words
from streams.cli.ask import client_of
from streams.cli.errors import EXIT_CODES, aside, named, note, usage
from streams.cli.fail_on import FailOn, fail_if, found
from streams.cli.lists import KINDS, Question, all_found, asked, context, kind_table, still_there
from streams.cli.manner import Manner, present
from streams.cli.nouns import HELP, NounGroup
from streams.cli.options import (
    DEFAULT_SERVER,
    AtWorker,
    Cluster,
    Group,
    NoColor,
    Output,
    Server,
    StaleOk,
    Watch,
    kind_option,
    phase_option,
)
from streams.cli.output import Format
from streams.cli.query import Query
from streams.cli.watch import Subject, check, watch
from streams.client import Client, Listing

UNDER_WAY = 20
"""Records that ticks and markers of transactions keep under way; a lag beyond that is a backlog."""


def _names(complete: Callable[[typer.Context, str], words.Found]) -> Any:
    return typer.Argument(metavar="NAME", autocompletion=complete, help="Only these.")


Clusters = Annotated[list[str] | None, _names(names.clusters)]
Groups = Annotated[list[str] | None, _names(names.groups)]
Instances = Annotated[list[str] | None, _names(names.instances)]
Anomalies = Annotated[list[str] | None, _names(names.anomalies)]
StatusOption = Annotated[
    str,
    typer.Option(
        metavar="STATUS",
        autocompletion=words.statuses,
        help="open, resolved, retracted or all; named anomalies are always shown.",
    ),
]
SilencedOption = Annotated[
    bool | None, typer.Option("--silenced/--not-silenced", help="Only those that a silence holds over, or the others.")
]
AnomalyKinds = Annotated[list[str], kind_option(words.kinds)]
ClusterPhase = Annotated[list[str], phase_option(words.cluster_phases)]
GroupPhase = Annotated[list[str], phase_option(words.group_phases)]
InstancePhase = Annotated[list[str], phase_option(words.instance_phases)]
STATUSES = ("open", "resolved", "retracted", "all")

app = typer.Typer(cls=NounGroup, no_args_is_help=True, help=f"Show what the worker knows.\n\n{HELP}", epilog=EXIT_CODES)


@dataclass(frozen=True)
class Show:
    """Whom to ask, and how to print the answer."""

    server: str
    manner: Manner
    at: str | None
    stale_ok: bool
    watch: bool


@app.command("clusters", epilog=EXIT_CODES)
def clusters(
    called: Clusters = None,
    cluster: Cluster = [],  # noqa: B006 - Typer copies it
    phase: ClusterPhase = [],  # noqa: B006
    watch_: Watch = False,
    at: AtWorker = None,
    stale_ok: StaleOk = False,
    form: Output = Format.table,
    query: Query = None,
    no_color: NoColor = False,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Clusters and their phase."""
    wanted = [*(called or [])]
    filters = {"cluster": [*wanted, *cluster], "phase": phase}
    _show(
        Question("clusters", filters, wanted),
        Show(server, Manner(form, query, no_color), at, stale_ok, watch_),
    )


@app.command("groups", epilog=EXIT_CODES)
def groups(
    called: Groups = None,
    cluster: Cluster = [],  # noqa: B006
    phase: GroupPhase = [],  # noqa: B006
    watch_: Watch = False,
    at: AtWorker = None,
    stale_ok: StaleOk = False,
    form: Output = Format.table,
    query: Query = None,
    no_color: NoColor = False,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Instance groups, with their instances by phase."""
    wanted = [*(called or [])]
    filters = {"group": wanted, "cluster": cluster, "phase": phase}
    _show(
        Question("groups", filters, wanted),
        Show(server, Manner(form, query, no_color), at, stale_ok, watch_),
    )


@app.command("instances", epilog=EXIT_CODES)
def instances(
    called: Instances = None,
    cluster: Cluster = [],  # noqa: B006
    group: Group = [],  # noqa: B006
    phase: InstancePhase = [],  # noqa: B006
    watch_: Watch = False,
    at: AtWorker = None,
    stale_ok: StaleOk = False,
    form: Output = Format.table,
    query: Query = None,
    no_color: NoColor = False,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Instances by EC2 id or logical id, and why they are as they are."""
    wanted = [*(called or [])]
    filters = {"instance": wanted, "cluster": cluster, "group": group, "phase": phase}
    _show(
        Question("instances", filters, wanted),
        Show(server, Manner(form, query, no_color), at, stale_ok, watch_),
    )


@app.command("anomalies", epilog=EXIT_CODES)
def anomalies(
    called: Anomalies = None,
    cluster: Cluster = [],  # noqa: B006
    group: Group = [],  # noqa: B006
    kind: AnomalyKinds = [],  # noqa: B006
    severity: Annotated[
        list[Severity], typer.Option(metavar="SEVERITY", help="Only info, warning, error or critical; repeatable.")
    ] = [],  # noqa: B006
    status: StatusOption = "open",
    silenced: SilencedOption = None,
    fail_on: FailOn = [],  # noqa: B006
    watch_: Watch = False,
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
    wanted = [*(called or [])]
    filters = {"id": wanted, "cluster": cluster, "group": group, "kind": kind, "severity": [str(s) for s in severity]}
    filters["silenced"] = [] if silenced is None else [str(silenced).lower()]
    filters["status"] = [] if wanted or status == "all" else [status]
    _show(
        Question("anomalies", filters, wanted),
        Show(server, Manner(form, query, no_color), at, stale_ok, watch_),
        fail_on,
    )


def _show(question: Question, show: Show, fail_on: Sequence[str] = ()) -> None:
    manner = show.manner
    for name in question.names:
        named(name)
    if show.watch:
        check(manner, show.at)
    client = client_of(show.server, show.at, stale_ok=show.stale_ok)
    answer = asked(client, question)
    none = partial(nothing.said, client, question, answer, show.at)
    if show.watch:
        all_found(question, answer.items)
        if manner.tables and not answer.items:
            note(f"{none()}  Waiting for the first.")
        enough = (lambda items: found(items, fail_on)) if fail_on else None
        watch(client, _subject(client, question, manner), answer, manner, enough)
        return
    present(manner, output.whole(answer), lambda: _table(client, question, answer, manner), none=none)
    if manner.tables and answer.lag > UNDER_WAY:
        aside(f"{answer.lag} records are still to be read, as of {answer.as_of}")
    if manner.tables and answer.items:
        aside(nothing.unknown(client, _beside_one(question)))
    all_found(question, answer.items)
    fail_if(answer.items, fail_on)


def _beside_one(question: Question) -> list[str]:
    """The clusters that were named, where some of them may be what the list is of, and others may not be there."""
    clusters = question.filters["cluster"]
    return clusters if len(clusters) > 1 and not question.names else []


def _subject(client: Client, question: Question, manner: Manner) -> Subject:
    """Without filters, what is no longer in the list is gone, and nobody need be asked."""
    kind = KINDS[question.kind]
    narrowed = any(given for name, given in question.filters.items() if name != kind.by)

    def columns(answer: Listing) -> list[views.Column]:
        ctx = context(client, question.kind, answer)
        return views.lasting_columns(question.kind, ctx, manner.wide, len(question.filters["cluster"]) == 1)

    return Subject(
        ask=lambda: asked(client, question),
        columns=columns,
        key=kind.key,
        still=(lambda items: still_there(client, question.kind, items)) if narrowed else lambda _: [],
        before=kind.before,
    )


def _table(client: Client, question: Question, answer: Listing, manner: Manner) -> str:
    ctx = context(client, question.kind, answer)
    return kind_table(question.kind, answer.items, ctx, manner.screen, manner.wide)
