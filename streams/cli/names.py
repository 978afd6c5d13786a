"""Names that a shell can complete because a worker knows them: clusters, groups, instances, anomalies.

Knows: whom to ask, and that a prompt waits: not for long, and without a word where nobody answers.
Must not know: what a command does with a name.

Names come from events, which anybody may have written, and go into a shell: what is not plainly a name is left out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import typer

from streams.cli.nouns import noun
from streams.cli.words import Found, beginning

SECONDS = 0.5
"""For one answer; a worker on the same machine takes a tenth of it."""
MOST = 1000
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
SAID = 50
"""Characters of help: longer ones are wrapped, and a shell takes each line for another word."""
UNSAID = re.compile(r"[^A-Za-z0-9 .,;/()_-]+")
"""Scripts of shells evaluate what help says."""


def clusters(ctx: typer.Context, incomplete: str) -> Found:
    """Clusters by name, with their phase."""
    found = ((each["cluster_name"], each["phase"]) for each in _fleet(ctx))
    yield from _offered(found, incomplete)


def groups(ctx: typer.Context, incomplete: str) -> Found:
    """Instance groups, of the clusters that are named already."""
    found = ((group["instance_group"], f"{name} {group['phase']}") for name, group in _groups(ctx))
    yield from _offered(found, incomplete)


def instances(ctx: typer.Context, incomplete: str) -> Found:
    """Living instances and slots, of the clusters and groups that are named already."""
    wanted = ctx.params.get("group") or ()
    found = (
        (tile["instance_id"] or tile["node_logical_id"], f"{name} {group['instance_group'] or ''} {tile['phase']}")
        for name, group in _groups(ctx)
        if not wanted or group["instance_group"] in wanted
        for tile in group["tiles"]
    )
    yield from _offered(found, incomplete)


def anomalies(ctx: typer.Context, incomplete: str) -> Found:
    """Open anomalies by id, with what they are."""
    filters = {"status": ["open"], "limit": [str(MOST)]}
    found = ((each["anomaly_id"], f"{each['severity']} {each['title']}") for each in _asked(ctx, "anomalies", filters))
    yield from _offered(found, incomplete)


def with_history(ctx: typer.Context, incomplete: str) -> Found:
    """Names of the kind that is named already, by an option or by the word before; of any where none is."""
    said = noun((ctx.params.get("called") or [""])[0])
    kind = ctx.params.get("kind") or (said and said.one)
    for own, each in (("cluster", clusters), ("group", groups), ("instance", instances)):
        if kind is None or str(kind) == own:
            yield from each(ctx, incomplete)


def described(ctx: typer.Context, incomplete: str) -> Found:
    """The same, and the anomalies where those are meant."""
    yield from (anomalies if str(ctx.params.get("kind")) == "anomaly" else with_history)(ctx, incomplete)


def _groups(ctx: typer.Context) -> Iterator[tuple[str, dict[str, Any]]]:
    for cluster in _fleet(ctx):
        yield from ((cluster["cluster_name"] or "", group) for group in cluster["groups"])


def _fleet(ctx: typer.Context) -> list[dict[str, Any]]:
    return _asked(ctx, "fleet", {"cluster": [*(ctx.params.get("cluster") or ())]})


def _asked(ctx: typer.Context, path: str, filters: dict[str, list[str]]) -> list[dict[str, Any]]:
    from streams.cli.ask import tls_for, token
    from streams.cli.errors import CliError
    from streams.cli.options import DEFAULT_SERVER
    from streams.client import BadServer, Client, Refused, Unavailable

    server = ctx.params.get("server") or os.environ.get("HYPERPOD_STATE_SERVER") or DEFAULT_SERVER
    try:
        client = Client(str(server), SECONDS, token(), stale_ok=True, tls=tls_for(str(server)))
        items: list[dict[str, Any]] = client.get(path, filters)["items"]
    except (CliError, BadServer, Refused, Unavailable, LookupError):
        return []
    return items


def _offered(found: Iterator[tuple[str | None, str]], incomplete: str) -> Found:
    named = ((name, UNSAID.sub(" ", said).strip()[:SAID]) for name, said in found if name and NAME.fullmatch(name))
    yield from beginning(named, incomplete)
