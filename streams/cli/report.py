"""`report [FILE…]`: figures of reliability, from a worker or from files.

Knows: where a report comes from, its forms.
Must not know: how a figure is found (`models.report`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from streams.cli.ask import answer, client_of, listing
from streams.cli.errors import aside, usage
from streams.cli.fail_on import FailOn, fail_if
from streams.cli.manner import Manner, present
from streams.cli.nothing import no_cluster, unknown
from streams.cli.options import DEFAULT_SERVER, AtWorker, Cluster, Group, NoColor, Now, Output, Server, StaleOk
from streams.cli.output import Format
from streams.cli.progress import Progress
from streams.cli.query import Query
from streams.since import FORMS, since
from streams.times import parse

Files = Annotated[
    list[str] | None,
    typer.Argument(metavar="[FILE]...", help="Events to take the figures from, instead of asking a worker."),
]
Since = Annotated[str | None, typer.Option("--since", metavar="SINCE", help=f"The window's beginning: {FORMS}.")]
LISTS = (("figures", "figures"), ("states", "state"), ("offenders", "offender"))


def report(
    files: Files = None,
    begun: Since = None,
    cluster: Cluster = [],  # noqa: B006 - Typer copies it
    group: Group = [],  # noqa: B006
    now: Now = None,
    fail_on: FailOn = [],  # noqa: B006
    at: AtWorker = None,
    stale_ok: StaleOk = False,
    form: Output = Format.table,
    query: Query = None,
    no_color: NoColor = False,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Failures, time to repair and between failures, time in states, lost node-hours, capacity, repeat offenders.

    What each figure means is in docs/reference/report.md.  --fail-on looks at what is open at the report's end.
    --now is for files: a worker answers as of its own time.
    """
    if begun is not None:
        _check(begun)
    if now is not None and not files:
        raise usage("--now is for files", "name files, or leave it out: a worker answers as of its own time")
    where = {"cluster": cluster, "group": group}
    asked = {**where, "since": [begun] if begun is not None else []}
    if files:
        body, opened = _from_files(files, asked, now, at)
    else:
        client = client_of(server, at, stale_ok=stale_ok)
        body = answer(client, "report", asked)["item"]
        aside(unknown(client, cluster))  # else all zeros of no cluster would look like a good report
        opened = listing(client, "anomalies", {**where, "status": ["open"]}).items if fail_on else []
    from streams.cli.report_table import tables

    manner = Manner(form, query, no_color)
    present(manner, body, lambda: tables(body, manner.screen, manner.wide), _lines(body))
    fail_if(opened, fail_on)


def _check(text: str) -> None:
    try:
        since(text, 0)
    except ValueError as error:
        raise usage(f"--since: {error}", "for example --since 7d") from None


def _from_files(
    files: list[str], asked: dict[str, list[str]], now_ms: int | None, at: str | None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The report, and the anomalies of what it is about."""
    from models.public import iso
    from models.report import report as figures
    from streams.cli.replay import unreadable
    from streams.files import FilesError
    from streams.replay import fed
    from streams.web.filters import arns

    at_ms = None if at is None else parse(at, time.time())
    try:
        with Progress("reading", unit="bytes") as progress:
            job = fed(files, at_ms=at_ms, progress=progress)
    except (OSError, FilesError) as error:
        raise unreadable(error, files) from None
    picture, clock = job.picture(now_ms), job.clock(now_ms)
    clusters, groups = arns(asked["cluster"], picture), asked["group"]
    named = [{"cluster_name": each.cluster_name, "cluster_arn": each.cluster_arn} for each in picture.clusters]
    aside(no_cluster(asked["cluster"], named))
    found = figures(
        picture,
        iso(clock),
        since_ms=since(asked["since"][0], clock) if asked["since"] else None,
        clusters=clusters,
        groups=groups,
        keep_ms=None,
    )
    meant = (each for each in picture.anomalies if clusters is None or each.cluster_arn in clusters)
    anomalies = [each.model_dump(mode="json") for each in meant if not groups or each.instance_group in groups]
    return found.model_dump(mode="json"), anomalies


def _lines(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every record on its own line, its list's name in the singular as `type`."""
    lists = {name for name, _ in LISTS}
    yield {"type": "window", **{key: value for key, value in body.items() if key not in lists}}
    for name, word in LISTS:
        for item in body[name]:
            yield {"type": word, **item}
