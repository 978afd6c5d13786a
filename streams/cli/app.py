"""The commands put together.

Knows: names and order of commands.
Must not know: what they do.
"""

from __future__ import annotations

import typer

from streams.cli import alerts, deadletter, get, local, silence, version
from streams.cli.audit import audit
from streams.cli.backfill import backfill
from streams.cli.completion import completion
from streams.cli.describe import describe
from streams.cli.doctor import doctor
from streams.cli.errors import EXIT_CODES
from streams.cli.explain import explain
from streams.cli.history import history
from streams.cli.rebuild import rebuild
from streams.cli.reconcile import reconcile
from streams.cli.replay import replay
from streams.cli.report import report
from streams.cli.rollouts import rollouts
from streams.cli.simulate import simulate
from streams.cli.sql import sql
from streams.cli.topics import topics

app = typer.Typer(
    name="hyperpod-state",
    help="Reconstruct the state of SageMaker HyperPod clusters from their events, and report anomalies.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,  # that of Typer; see `streams.cli.shells`
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.callback()(version.options)
app.command("replay", epilog=EXIT_CODES)(replay)
app.command("simulate", epilog=EXIT_CODES)(simulate)
get.app.command("rollouts", epilog=EXIT_CODES)(rollouts)
app.add_typer(get.app, name="get")
app.command("describe", epilog=EXIT_CODES)(describe)
app.command("history", epilog=EXIT_CODES)(history)
app.command("report", epilog=EXIT_CODES)(report)
app.command("sql", epilog=EXIT_CODES)(sql)
app.command("explain", epilog=EXIT_CODES)(explain)
app.add_typer(deadletter.app, name="deadletter")
app.command("topics", epilog=EXIT_CODES)(topics)
app.command("doctor", epilog=EXIT_CODES)(doctor)
app.command("backfill", epilog=EXIT_CODES)(backfill)
app.add_typer(silence.app, name="silence")
app.add_typer(alerts.app, name="alerts")
app.command("worker", epilog=EXIT_CODES)(local.worker)
app.command("broker", epilog=EXIT_CODES)(local.broker)
app.command("audit", epilog=EXIT_CODES)(audit)
app.command("rebuild", epilog=EXIT_CODES)(rebuild)
app.command("reconcile", epilog=EXIT_CODES)(reconcile)
app.command("graph", epilog=EXIT_CODES)(local.graph)
app.command("completion", epilog=EXIT_CODES)(completion)
