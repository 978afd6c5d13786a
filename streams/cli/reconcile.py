"""`reconcile`: what the API says of clusters now, into the raw topic or files.

Knows: options, exit codes.
Must not know: what is asked and said (`streams.reconcile`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.account import Clusters, Profile, Region, Role
from streams.cli.errors import CliError, note
from streams.cli.kafka import Brokers, kafka_failures, settings_of
from streams.reconcile.events import Events

Out = Annotated[
    Path | None,
    typer.Option("--out", "--output", metavar="PATH", help="To a file (.jsonl) or a folder; nothing to Kafka."),
]


def reconcile(
    cluster: Clusters = [],  # noqa: B006 - Typer copies it
    once: Annotated[bool, typer.Option("--once", help="Ask every cluster once and end.")] = False,
    interval: Annotated[float, typer.Option(min=30, max=3600, help="Seconds between two polls of a cluster.")] = 60.0,
    confirm: Annotated[
        float, typer.Option(min=60, max=86_400, help="Seconds after which what has not changed is said again.")
    ] = 900.0,
    events: Annotated[
        Events, typer.Option(help="Ask for events that failed or were lost: errors with all that is known, all, none.")
    ] = Events.errors,
    out: Out = None,
    profile: Profile = None,
    role_arn: Role = None,
    region: Region = None,
    brokers: Brokers = None,
) -> None:
    """Ask AWS's API how clusters are, again and again, and say what is news.

    DescribeCluster and ListClusterNodes of each cluster once a minute, into the raw topic as snapshots: so counts,
    statuses and drift are known where no event tells them. Events that failed are asked for one by one, which finds
    those that were lost, and their reasons. Ends at SIGTERM or Ctrl-C.
    """
    settings = settings_of({"brokers": brokers})
    from streams.aws import Account
    from streams.reconcile.run import Options, run

    options = Options(tuple(cluster), once, interval, confirm, events, out)
    with kafka_failures():
        ran = run(settings, Account(profile, role_arn, region), options)
    if once:
        note(f"{ran.clusters} clusters asked, {ran.records} records sent")
    if ran.failures:
        raise CliError(f"questions that failed: {len(ran.failures)}; the first: {ran.failures[0]}")
