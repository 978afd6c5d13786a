"""`simulate`: a made-up fleet with its truth, to a file or to Kafka.

Knows: options, and what to say at the end.
Must not know: how a fleet is made up (`streams.simulate`).
"""

from __future__ import annotations

import re
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from models.timestamps import iso
from streams import times
from streams.cli.errors import CliError, usage
from streams.cli.kafka import kafka_failures, settings_of
from streams.cli.progress import Progress
from streams.simulate.delivery import Habits
from streams.simulate.run import START_MS, Faults, Settings, Simulation, Told
from streams.simulate.run import simulate as play

LOOK_SECONDS = 1.0


def _time(text: str) -> int:
    try:
        return times.parse(text, time.time())
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


Out = Annotated[Path | None, typer.Option(metavar="FILE", help="One JSON value a line; gzipped if it ends in .gz.")]
Truth = Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write what was true, as JSON.")]
Start = Annotated[
    int | None,
    typer.Option(parser=_time, metavar="TIME", help="When it begins.  [default: 2026-10-05T00:00:00Z]"),
]
Speed = Annotated[str, typer.Option(metavar="SPEED", help="With --brokers: as 60x, or max.")]
Forever = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="With --brokers: for ever, as time goes by; FILE remembers since when, so that the next run goes on.",
    ),
]
Limit = Annotated[
    int | None, typer.Option(min=1, help="Deliver no more values than that; the truth is of all of them.")
]


def simulate(
    seed: Annotated[int, typer.Option(help="The same seed and settings give the same bytes.")] = 1,
    clusters: Annotated[int, typer.Option(min=1, max=100, help="EKS and Slurm in turns.")] = 3,
    instances: Annotated[int, typer.Option(min=1, max=5000, help="In each cluster, at the beginning.")] = 60,
    hours: Annotated[
        float, typer.Option(min=1, max=24 * 31, help="How long the fleet is watched; of no meaning with --live.")
    ] = 24,
    faults: Annotated[Faults, typer.Option(help="How much goes wrong.")] = Faults.some,
    metadata: Annotated[Told, typer.Option(help="What EventMetadata carries; mixed: by cluster.")] = Told.full,
    duplicates: Annotated[
        float,
        typer.Option(min=0, max=1, metavar="SHARE", help="Events that come again, some of them saying less or more."),
    ] = 0.0,
    disorder: Annotated[
        float, typer.Option(min=0, max=1, metavar="SHARE", help="Events that come late: minutes, rarely hours.")
    ] = 0.0,
    loss: Annotated[float, typer.Option(min=0, max=1, metavar="SHARE", help="Events that never come.")] = 0.0,
    polls: Annotated[
        float | None,
        typer.Option(min=0.5, metavar="MINUTES", help="Snapshots of every cluster so often, up to 4 minutes behind."),
    ] = None,
    wrapped: Annotated[bool, typer.Option("--wrapped", help="In SQS, SNS, proxy and array wrappings.")] = False,
    start: Start = None,
    out: Out = None,
    truth: Truth = None,
    brokers: Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Send to this Kafka.")] = None,
    topic: Annotated[str, typer.Option(help="With --brokers: the topic.")] = "hyperpod.events.raw",
    speed: Speed = "max",
    live: Forever = None,
    limit: Limit = None,
) -> None:
    """Make up the events of a fleet, and what was true of it.

    Creation, scaling, updates, faults and repairs of EKS and Slurm clusters.  Nothing is random but by the seed.
    """
    if out is None and brokers is None:
        raise usage("nowhere to deliver to", "give --out FILE or --brokers HOST:PORT")
    pace = _pace(speed)
    habits = Habits(duplicates=duplicates, disorder=disorder, loss=loss, wrapped=wrapped)
    begins = START_MS if start is None else start
    wanted = Settings(seed, clusters, instances, hours, faults, metadata, begins, habits, polls)
    if live is not None:
        if brokers is None or any(each is not None for each in (out, truth, limit, pace)):
            raise usage("--live is for Kafka, and has neither a pace nor an end", "give --brokers alone")
        now = round(time.time() * 1000)
        _go_on(wanted if start is not None else replace(wanted, start_ms=now), live, brokers, topic)
        return
    made = play(wanted)
    _hand_out(made, limit, out, truth)
    if brokers is not None:
        _send(made, limit, brokers, topic, pace)
    sys.stderr.write(_said(made))


def _hand_out(made: Simulation, limit: int | None, out: Path | None, truth: Path | None) -> None:
    from streams.simulate.output import write_truth, write_values

    if out is not None:
        write_values(out, made.delivered.values[:limit])
    if truth is not None:
        write_truth(truth, made.truth)


def _go_on(wanted: Settings, path: Path, brokers: str, topic: str) -> None:
    """Until SIGTERM or Ctrl-C."""
    from streams.connection import options, require_listener
    from streams.interrupt import Ended, ended_by_signals
    from streams.simulate.live import BadFile, Live, Remembered
    from streams.simulate.output import NotDelivered, produce

    settings = settings_of({"brokers": brokers})
    try:
        with kafka_failures(), suppress(Ended), ended_by_signals():
            require_listener(settings)
            remembered = Remembered(path, wanted)
            sys.stderr.write(f"a fleet since {iso(remembered.begins)}, told from now on as it happens\n")
            live = Live(wanted, remembered)
            while True:
                live.step(round(time.time() * 1000), lambda values: produce(values, options(settings), topic, None))
                time.sleep(LOOK_SECONDS)
    except (NotDelivered, BadFile) as error:
        raise CliError(str(error)) from None


def _send(made: Simulation, limit: int | None, brokers: str, topic: str, pace: float | None) -> None:
    from streams.connection import options, require_listener
    from streams.simulate.output import NotDelivered, produce

    settings = settings_of({"brokers": brokers})
    try:
        with kafka_failures(), Progress("sending") as progress:
            require_listener(settings)
            produce(made.delivered.values[:limit], options(settings), topic, pace, progress)
    except NotDelivered as error:
        raise CliError(str(error)) from None


def _pace(speed: str) -> float | None:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)x?", speed)
    if speed == "max":
        return None
    if found is None or not float(found[1]):
        raise usage(f"{speed!r} is not a speed", "give max, or how many times as fast as it happened, such as 60x")
    return float(found[1])


def _said(made: Simulation) -> str:
    truth = made.truth
    fleet = f"{len(truth['clusters'])} clusters, {len(truth['instances'])} instances"
    faults = f"{len(truth['faults'])} faults ({len(truth['open_anomalies'])} open at the end)"
    return f"{fleet}, {truth['events']} events in {len(made.delivered.values)} values, {faults}\n"
