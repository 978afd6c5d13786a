"""`backfill`: history from before, out of AWS's control plane or out of exports.

Knows: options, what to say of what was done.
Must not know: how events are found and delivered (`streams.backfill`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.timestamps import iso
from streams.cli import table
from streams.cli.account import Clusters, Profile, Region, Role
from streams.cli.errors import PROBLEMS, CliError, note, usage
from streams.cli.kafka import Brokers, kafka_failures, settings_of
from streams.cli.manner import Manner, present
from streams.cli.options import End, NoColor, Output, Start
from streams.cli.output import Format, Screen
from streams.cli.progress import Progress
from streams.cli.query import Query
from streams.cli.table import BAD, WARN, Cell, text

if TYPE_CHECKING:
    from streams.aws import Account
    from streams.backfill.control_plane import Window
    from streams.backfill.exports import Source
    from streams.backfill.items import Tally
    from streams.backfill.run import Filled, Step
    from streams.backfill.spool import Spool

Out = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Into files there, one a cluster, as `replay` reads them; nothing to Kafka."),
]
State = Annotated[
    Path,
    typer.Option(metavar="DIR", help="Where events wait until all clusters are done; the same command goes on there."),
]
Files = Annotated[
    list[Path],
    typer.Option("--from-files", metavar="PATH", help="Exported events instead of AWS's: file or folder; repeatable."),
]
Objects = Annotated[
    list[str], typer.Option("--from-s3", metavar="S3URI", help="The same from S3, s3://BUCKET/PREFIX; repeatable.")
]


@dataclass(frozen=True)
class _Wish:
    """What is to be filled in."""

    clusters: list[str]
    window: Window
    account: Account
    files: list[Path]
    objects: list[str]


def backfill(
    cluster: Clusters = [],  # noqa: B006 - Typer copies it
    start: Start = None,
    end: End = None,
    from_files: Files = [],  # noqa: B006
    from_s3: Objects = [],  # noqa: B006
    out: Out = None,
    state: State = Path(".run/backfill"),
    profile: Profile = None,
    role_arn: Role = None,
    region: Region = None,
    brokers: Brokers = None,
    form: Output = Format.table,
    query: Query = None,
    no_color: NoColor = False,
) -> None:
    """Fill in what happened before: the events that AWS still knows, or that were exported, into the raw topic.

    Asks ListClusterEvents and DescribeClusterEvent; AWS keeps the 500 newest events of a cluster.  What the topic has
    already counts as a duplicate, and adds what it had left out.  Begun again, a run that was killed, or that could not
    do all clusters, goes on where it was.
    """
    from streams.aws import Account
    from streams.backfill.control_plane import Window
    from streams.backfill.items import Tally

    if start is not None and end is not None and start > end:
        raise usage("--start is after --end", "give the earlier time as --start")
    wish = _Wish(cluster, Window(start, end), Account(profile, role_arn, region), from_files, from_s3)
    tally = Tally()
    with kafka_failures(), _spooled(out or state) as spool:
        filled = _to_topic(wish, spool, tally, brokers) if out is None else _to_folder(wish, spool, tally)
    _show(filled, tally, Manner(form, query, no_color))
    _end(filled, named=bool(cluster))


def _to_folder(wish: _Wish, spool: Spool, tally: Tally) -> list[Filled]:
    from streams.backfill.run import to_folder

    return _filled(wish, spool, tally, partial(to_folder, spool=spool))


def _to_topic(wish: _Wish, spool: Spool, tally: Tally, brokers: str | None) -> list[Filled]:
    """Kafka is looked at first: who has no topic need not ask AWS for an hour."""
    from streams.backfill.delivery import delivering
    from streams.backfill.run import is_done, tidy_up, to_topic

    with delivering(settings_of({"brokers": brokers})) as delivery:
        deliver = partial(to_topic, spool=spool, delivery=delivery, topic=delivery.topic())
        filled = _filled(wish, spool, tally, deliver)
    if all(map(is_done, filled)):
        tidy_up(filled, spool)
    return filled


def _filled(wish: _Wish, spool: Spool, tally: Tally, deliver: Step) -> list[Filled]:
    """Cluster by cluster, each in the spool and then where it is to go."""
    from streams.aws import Aws
    from streams.backfill.run import Asking, fill, nothing_to_find, unpack

    with Progress("filling in", unit="bytes" if wish.files or wish.objects else "events") as progress:
        if wish.files or wish.objects:
            filled = unpack(_sources(wish), spool, wish.clusters, wish.window, tally, progress)
            fill(filled, nothing_to_find, deliver)
        else:
            asking = Asking(Aws(wish.account).api("sagemaker"), spool, wish.window, tally, progress)
            filled = asking.clusters(wish.clusters)
            fill(filled, asking.find, deliver)
    return filled


def _sources(wish: _Wish) -> list[Source]:
    from streams.aws import Aws
    from streams.backfill.exports import in_s3, local

    found = [source for path in wish.files for source in local(path)]
    if wish.objects:
        api = Aws(wish.account).api("s3")
        found += [source for address in wish.objects for source in in_s3(api, address)]
    return found


@contextmanager
def _spooled(folder: Path) -> Iterator[Spool]:
    from streams.backfill.spool import Spool

    spool = Spool(folder)
    try:
        yield spool
    finally:
        spool.close()


def _show(filled: Sequence[Filled], tally: Tally, manner: Manner) -> None:
    rows = [_item(each) for each in filled]
    document = {"items": rows, "values": asdict(tally)}
    none = "No cluster was found, so nothing was delivered."
    present(manner, document, lambda: _table(rows, manner.screen), none=lambda: none)
    for each in filled:
        if each.left_out:
            note(f"{each.cluster} is left out: {each.left_out}")
        elif each.older_are_gone:
            note(f"{each.cluster}: AWS keeps no more events than these; older ones can only come from an export")
    if tally.unreadable:
        note(f"{tally.unreadable} of {tally.read} values cannot be read, and are left out")


def _end(filled: Sequence[Filled], *, named: bool) -> None:
    """Raises what the command ends with, where not every cluster is done."""
    from streams.backfill.run import Status, is_done

    left = [each for each in filled if not is_done(each)]
    if left:
        begun = [f"{each.cluster}: {each.failed}" for each in left if each.status is Status.failed]
        others = [f"{len(left) - len(begun)} not begun"] if len(left) > len(begun) else []
        raise CliError(
            "\n".join([f"{len(left)} of {len(filled)} clusters not done", *begun, *others]),
            "once that is put right, the same command again goes on from there",
        )
    if named and any(each.left_out for each in filled):
        raise typer.Exit(PROBLEMS)


def _item(filled: Filled) -> dict[str, Any]:
    times = {name: None if (at := getattr(filled, name)) is None else iso(at) for name in ("oldest", "newest")}
    return {**asdict(filled), **times}


def _table(rows: list[dict[str, Any]], screen: Screen) -> str:
    header = ["CLUSTER", "FOUND", "RESUMED", "DELIVERED", "OLDEST", "NEWEST", "NOTE"]
    columns = ("cluster", "listed", "resumed", "delivered", "oldest", "newest")
    return table.render(header, [[*(text(row[name]) for name in columns), _note(row)] for row in rows], screen)


def _note(row: dict[str, Any]) -> Cell:
    if row["failed"]:
        return Cell("failed", BAD)
    if row["left_out"]:
        return Cell(str(row["left_out"]), WARN)
    if row["status"] == "not_begun":
        return Cell("not begun", WARN)
    before = f"{row['delivered_before']} delivered before" if row["delivered_before"] else None
    return Cell("older ones are gone", WARN) if row["older_are_gone"] else text(before)
