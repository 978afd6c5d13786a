"""`alerts run|test|list`: open anomalies become pages in Alertmanager, PagerDuty, Slack or a webhook.

Knows: options, what is printed, exit codes.
Must not know: what is said to whom, services, Kafka (`streams.alerts`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.timestamps import iso
from streams import config_file
from streams.cli import output, table
from streams.cli.errors import EXIT_CODES, PROBLEMS, usage
from streams.cli.kafka import Brokers, kafka_failures, settings_of
from streams.cli.manner import Manner, present
from streams.cli.options import NoColor, Output
from streams.cli.output import Format
from streams.cli.query import Query
from streams.cli.table import text
from streams.cli.times import age

if TYPE_CHECKING:
    from streams.alerts.config import Config
    from streams.alerts.courier import Sink

app = typer.Typer(no_args_is_help=True, help="Page people of open anomalies.", epilog=EXIT_CODES)
ConfigFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="TOML with a table [alerts].  [env: HYPERPOD_STATE_CONFIG]")
]


@app.command("run", epilog=EXIT_CODES)
def run(
    config: ConfigFile = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Send nothing; print what would be sent as JSONL.")
    ] = False,
    once: Annotated[
        bool, typer.Option("--once", help="End when every sink knows what it has to know now; exit 1 if one refuses.")
    ] = False,
    metrics: Annotated[
        int | None, typer.Option(min=0, max=65535, metavar="PORT", help="Serve /metrics on this port.")
    ] = None,
    metrics_host: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Where to; whoever reaches it may read them.  [default: 127.0.0.1]"),
    ] = None,
    brokers: Brokers = None,
) -> None:
    """Page people of what is open, and take it back when it is over, until Ctrl-C.

    Sinks and whom they reach are in the table [alerts] of the settings file.  Run one: a second one takes over, and the
    first one ends.
    """
    if metrics_host is not None and metrics is None:
        raise usage("--metrics-host serves nothing without a port", "give --metrics PORT as well")
    loaded = _config(config)
    settings = settings_of({"brokers": brokers})
    from streams.alerts.run import Options
    from streams.alerts.run import run as work

    where = metrics_host or "127.0.0.1"
    chosen = Options(once=once, metrics_port=metrics, metrics_host=where, show=_line if dry_run else None)
    with kafka_failures():
        done = work(settings, loaded, chosen)
    if not done:
        raise typer.Exit(PROBLEMS)


@app.command("test", epilog=EXIT_CODES)
def try_(
    names: Annotated[list[str] | None, typer.Argument(metavar="SINK", help="Only these sinks.  [default: all]")] = None,
    seconds: Annotated[
        float, typer.Option(min=0, max=3600, help="How long the page stays open; Alertmanager tells nobody at once.")
    ] = 0.0,
    config: ConfigFile = None,
    form: Output = Format.table,
    query: Query = None,
    no_color: NoColor = False,
) -> None:
    """Send a test page to sinks and take it back; exit 1 where one cannot be reached or will not have it."""
    loaded = _config(config)
    known = [each.name for each in loaded.sinks]
    if strange := [name for name in names or () if name not in known]:
        raise usage(f"no sink is called {', '.join(strange)}", f"one of {', '.join(known)}")
    import asyncio

    from streams.alerts.run import sinks

    with kafka_failures():
        chosen = [each for each in sinks(loaded) if not names or each.name in names]
    results = asyncio.run(_tried(chosen, seconds))
    manner = Manner(form, query, no_color)
    rows = [_result(each) for each in results]
    present(manner, {"items": results}, lambda: table.render(["SINK", "ACTION", "RESULT"], rows, manner.screen))
    if any(each["error"] for each in results):
        raise typer.Exit(PROBLEMS)


@app.command("list", epilog=EXIT_CODES)
def list_(
    brokers: Brokers = None,
    form: Output = Format.table,
    query: Query = None,
    no_color: NoColor = False,
) -> None:
    """Pages that are open, by sink; one that may be, or not, is not sure."""
    settings = settings_of({"brokers": brokers})
    from streams.alerts.book import read

    with kafka_failures():
        pages, _ = read(settings)
    items = [
        {"sink": sink, "page": page.key, "sure": page.sure, "anomaly": page.anomaly.model_dump(mode="json")}
        for sink in sorted(pages)
        for page in sorted(pages[sink].values(), key=lambda each: (each.anomaly.opened_at, each.key))
    ]
    titles = ["SINK", "PAGE", "SURE", "SEVERITY", "KIND", "CLUSTER", "GROUP", "INSTANCE", "OPEN", "TITLE"]
    manner, now = Manner(form, query, no_color), iso(int(time.time() * 1000))
    rows = [_row(each, now) for each in items]
    drawn = partial(table.render, titles, rows, manner.screen)
    present(manner, {"items": items}, drawn, none=lambda: "No pages are open.")


def _config(path: Path | None) -> Config:
    if path is not None:
        os.environ[config_file.VARIABLE] = str(path)
    from streams.alerts.config import BadConfig, load

    try:
        return load()
    except (BadConfig, config_file.BadFile) as error:
        raise usage(str(error), "docs/alerts.md has examples") from None


async def _tried(chosen: Sequence[Sink], seconds: float) -> list[dict[str, str | None]]:
    from streams.alerts.trial import trial

    try:
        return await trial(chosen, seconds)
    finally:
        for sink in chosen:
            await sink.post.close()


def _line(item: dict[str, Any]) -> None:
    output.write_lines([item])


def _result(item: dict[str, Any]) -> list[Any]:
    words = table.Cell("ok", table.FINE) if item["error"] is None else table.Cell(item["error"], table.BAD)
    return [text(item["sink"]), text(item["action"]), words]


def _row(item: dict[str, Any], now: str) -> list[Any]:
    told = item["anomaly"]
    where = [told["cluster_name"] or told["cluster_arn"], told["instance_group"], told["instance_id"]]
    cells = [item["sink"], item["page"], "yes" if item["sure"] else "no", told["severity"], told["kind"], *where]
    return [text(cell) for cell in (*cells, age(told["opened_at"], now), told["title"])]
