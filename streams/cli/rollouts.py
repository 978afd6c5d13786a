"""`get rollouts`: what the software updates of groups did.

Knows: the list, its filters, its columns.
Must not know: how a rollout is found, Kafka.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli import output, table
from streams.cli.ask import client_of, listing
from streams.cli.errors import PROBLEMS, CliError, note
from streams.cli.lists import Question
from streams.cli.manner import Manner, present
from streams.cli.names import groups as known_groups
from streams.cli.nothing import said
from streams.cli.options import DEFAULT_SERVER, AtWorker, Cluster, NoColor, Output, Server, StaleOk, Watch
from streams.cli.output import Format, Screen
from streams.cli.query import Query
from streams.cli.table import BAD, BUSY, ENDED, FINE, UNKNOWN, WARN, Cell, text
from streams.cli.times import age, stamp
from streams.cli.views import Column, Item
from streams.cli.watch import Subject, check, watch
from streams.cli.words import outcomes
from streams.client import Client

if TYPE_CHECKING:
    from models.public import RolloutItem

TONES = {
    "Completed": FINE,
    "Failed": BAD,
    "RollbackFailed": BAD,
    "RollingBack": WARN,
    "RolledBack": WARN,
    "Superseded": ENDED,
    "Unknown": UNKNOWN,
}
Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="GROUP", autocompletion=known_groups, help="Only of these instance groups."),
]
Outcome = Annotated[
    list[str],
    typer.Option(metavar="OUTCOME", autocompletion=outcomes, help="Only of this outcome, in any case; repeatable."),
]
_Column = tuple[str, Callable[["RolloutItem"], Cell]]


def rollouts(
    names: Names = None,
    cluster: Cluster = [],  # noqa: B006 - Typer copies it
    outcome: Outcome = [],  # noqa: B006
    watch_: Watch = False,
    at: AtWorker = None,
    stale_ok: StaleOk = False,
    form: Output = Format.table,
    query: Query = None,
    no_color: NoColor = False,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Software updates of instance groups, the newest of a group first: batches, bakes, rollbacks, what is left."""
    manner = Manner(form, query, no_color)
    if watch_:
        check(manner, at)
    client = client_of(server, at, stale_ok=stale_ok)
    groups = [*(names or [])]
    filters = {"group": groups, "cluster": cluster, "outcome": outcome}
    found = listing(client, "rollouts", filters)
    question = Question("rollouts", filters, groups)
    if watch_:
        if manner.tables and not found.items:
            note(f"{said(client, question, found, at) or 'No rollouts of these groups.'}  Waiting for the first.")
        watch(client, _subject(client, filters, manner), found, manner)
        return
    named = manner.wide or len({item["cluster_arn"] for item in found.items}) > 1
    present(
        manner,
        output.whole(found),
        lambda: rollout_table(found.items, found.as_of, manner.screen, manner.wide, named=named),
        none=lambda: said(client, question, found, at),
    )
    missing = [name for name in groups if name not in {item["instance_group"] for item in found.items}]
    if missing:
        fitting = " that fits" if outcome else ""
        raise CliError(
            f"no rollout of {', '.join(missing)} is known{fitting}", "see `hyperpod-state get groups`", PROBLEMS
        )


def _subject(client: Client, filters: dict[str, list[str]], manner: Manner) -> Subject:
    def still(items: list[Item]) -> list[Item]:
        own = {"cluster": sorted({each["cluster_arn"] for each in items})}
        wanted = {_key(each) for each in items}
        return [each for each in listing(client, "rollouts", own).items if _key(each) in wanted]

    return Subject(
        ask=lambda: listing(client, "rollouts", filters),
        columns=lambda found: _of_items(_columns(found.as_of, manner.wide, named=True)),
        key=_key,
        still=still if filters["outcome"] else lambda _: [],
        gone=lambda lost, _, now: [each for each in lost if _is_withdrawn(each, now)],
    )


def _key(item: Item) -> tuple[Any, ...]:
    return item["cluster_arn"], item["instance_group"], item["scheduled"] or item["begun"]


def _is_withdrawn(item: Item, others: Sequence[Item]) -> bool:
    """A worker keeps the newest of a group: what is older than all of them was only pushed out."""
    key = _key(item)
    times = [_key(each)[2] or "" for each in others if _key(each)[:2] == key[:2]]
    return (key[2] or "") >= min(times, default="")


def _of_items(columns: list[_Column]) -> list[Column]:
    from models.public import RolloutItem

    def of(cell: Callable[[RolloutItem], Cell]) -> Callable[[Item], Cell]:
        return lambda item: cell(RolloutItem.model_validate(item))

    return [(title, of(cell)) for title, cell in columns]


def rollout_table(items: list[dict[str, Any]], now: str | None, screen: Screen, wide: bool, *, named: bool) -> str:
    """The rollouts as a table; `named` adds their cluster."""
    columns = _of_items(_columns(now, wide, named))
    rows = [[cell(item) for _, cell in columns] for item in items]
    return table.render([title for title, _ in columns], rows, screen)


def _columns(now: str | None, wide: bool, named: bool) -> list[_Column]:
    first: list[_Column] = [("GROUP", lambda item: text(item.instance_group))]
    if named:
        first.append(("CLUSTER", lambda item: text(item.cluster_name or item.cluster_arn.rsplit("/", 1)[-1])))
    first += [
        ("OUTCOME", lambda item: Cell(item.outcome, TONES.get(item.outcome, BUSY))),
        ("BEGUN", lambda item: text(stamp(item.begun or item.scheduled))),
        ("TOOK", lambda item: text(age(item.begun, item.ended or now))),
        ("UPDATED", lambda item: text(f"{len(item.instances.updated)}/{item.total}")),
        ("SKIPPED", lambda item: text(len(item.instances.skipped))),
        ("FAILED", lambda item: text(len(item.instances.failed) + len(item.instances.rollback_failed))),
        ("BATCHES", lambda item: text(item.batches)),
        ("BAKES", lambda item: text(_bakes(item))),
        ("LEFT", lambda item: text("-" if item.residue is None else len(item.residue.instances))),
        ("ENDS", lambda item: text(stamp(item.ended or (item.estimate.ends_at if item.estimate else None)))),
    ]
    if not wide:
        return first
    return [
        *first,
        ("FROM", lambda item: text(item.from_image)),
        ("TO", lambda item: text(item.to_image)),
        ("TOLD", lambda item: text(_told(item, now))),
    ]


def _bakes(item: RolloutItem) -> str:
    return ", ".join(bake.result for bake in item.bakes)


def _told(item: RolloutItem, now: str | None) -> str:
    from models.explain import tell_rollout

    return tell_rollout(item, now)
