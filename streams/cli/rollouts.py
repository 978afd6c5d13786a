"""`get rollouts`: what the software updates of groups did.

Knows: the list, its filters, its columns.
Must not know: how a rollout is found, Kafka.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli import output, table
from streams.cli.ask import client_of, listing
from streams.cli.errors import PROBLEMS, CliError
from streams.cli.manner import Manner, present
from streams.cli.options import DEFAULT_SERVER, AtWorker, Cluster, NoColor, Output, Server, StaleOk
from streams.cli.output import Format, Screen
from streams.cli.query import Query
from streams.cli.table import BAD, BUSY, ENDED, FINE, UNKNOWN, WARN, Cell, text
from streams.cli.times import age

if TYPE_CHECKING:
    from models.public import RolloutItem

EMPTY = "no rollouts are known\n"
TONES = {
    "Completed": FINE,
    "Failed": BAD,
    "RollbackFailed": BAD,
    "RollingBack": WARN,
    "RolledBack": WARN,
    "Superseded": ENDED,
    "Unknown": UNKNOWN,
}
Names = Annotated[list[str] | None, typer.Argument(metavar="GROUP", help="Only of these instance groups.")]
Outcome = Annotated[list[str], typer.Option(metavar="OUTCOME", help="Only of this outcome, in any case; repeatable.")]
_Column = tuple[str, Callable[["RolloutItem"], Cell]]


def rollouts(
    names: Names = None,
    cluster: Cluster = [],  # noqa: B006 - Typer copies it
    outcome: Outcome = [],  # noqa: B006
    at: AtWorker = None,
    stale_ok: StaleOk = False,
    form: Output = Format.table,
    query: Query = None,
    no_color: NoColor = False,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Software updates of instance groups, the newest of a group first: batches, bakes, rollbacks, what is left."""
    client = client_of(server, at, stale_ok=stale_ok)
    groups = [*(names or [])]
    found = listing(client, "rollouts", {"group": groups, "cluster": cluster, "outcome": outcome})
    manner = Manner(form, query, no_color)
    named = manner.wide or len({item["cluster_arn"] for item in found.items}) > 1
    present(
        manner,
        output.whole(found),
        lambda: rollout_table(found.items, found.as_of, manner.screen, manner.wide, named=named),
    )
    missing = [name for name in groups if name not in {item["instance_group"] for item in found.items}]
    if missing:
        raise CliError(f"no rollout of {', '.join(missing)} is known", "see `hyperpod-state get groups`", PROBLEMS)


def rollout_table(items: list[dict[str, Any]], now: str | None, screen: Screen, wide: bool, *, named: bool) -> str:
    """The rollouts as a table; `named` adds their cluster."""
    from models.public import RolloutItem

    if not items:
        return EMPTY
    columns = _columns(now, wide, named)
    told = [RolloutItem.model_validate(item) for item in items]
    return table.render([title for title, _ in columns], [[cell(item) for _, cell in columns] for item in told], screen)


def _columns(now: str | None, wide: bool, named: bool) -> list[_Column]:
    first: list[_Column] = [("GROUP", lambda item: text(item.instance_group))]
    if named:
        first.append(("CLUSTER", lambda item: text(item.cluster_name or item.cluster_arn.rsplit("/", 1)[-1])))
    first += [
        ("OUTCOME", lambda item: Cell(item.outcome, TONES.get(item.outcome, BUSY))),
        ("BEGUN", lambda item: text((item.begun or item.scheduled or "-")[:19])),
        ("TOOK", lambda item: text(age(item.begun, item.ended or now))),
        ("UPDATED", lambda item: text(f"{len(item.instances.updated)}/{item.total}")),
        ("SKIPPED", lambda item: text(len(item.instances.skipped))),
        ("FAILED", lambda item: text(len(item.instances.failed) + len(item.instances.rollback_failed))),
        ("BATCHES", lambda item: text(item.batches)),
        ("BAKES", lambda item: text(_bakes(item))),
        ("LEFT", lambda item: text("-" if item.residue is None else len(item.residue.instances))),
        ("ENDS", lambda item: text((item.ended or (item.estimate and item.estimate.ends_at) or "-")[:19])),
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
