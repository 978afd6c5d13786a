"""The lists that `get` shows: where each is asked for, what its items are called, its columns.

Knows: paths, filters, names.
Must not know: options, forms; Kafka.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from streams.cli import table, views
from streams.cli.ask import listing
from streams.cli.errors import PROBLEMS, CliError
from streams.cli.output import Screen
from streams.client import Client, Listing

Key = tuple[str | None, ...]


@dataclass(frozen=True)
class Kind:
    """One list: its path, the fields that a NAME may be, what makes an item this one, and how to ask for it alone."""

    path: str
    names: tuple[str, ...]
    key: Callable[[views.Item], Key]
    by: str
    """The filter that takes the last part of a key."""
    before: Callable[[views.Item], Key | None] = lambda _: None
    """The key that an item had before, where that can change."""


def _instance_key(item: views.Item) -> Key:
    """A slot is called by its logical id only until it has an instance."""
    own = item["instance_id"]
    return (item["cluster_arn"], own, None if own else item["node_logical_id"])


def _slot_key(item: views.Item) -> Key | None:
    """The key of an instance's slot before it had an instance."""
    slot = item["node_logical_id"]
    return (item["cluster_arn"], None, slot) if item["instance_id"] and slot else None


KINDS = {
    "clusters": Kind("clusters", ("cluster_name", "cluster_arn"), lambda item: (item["cluster_arn"],), "cluster"),
    "groups": Kind(
        "instance-groups", ("instance_group",), lambda item: (item["cluster_arn"], item["instance_group"]), "group"
    ),
    "instances": Kind("instances", ("instance_id", "node_logical_id"), _instance_key, "instance", _slot_key),
    "anomalies": Kind("anomalies", ("anomaly_id",), lambda item: (item["anomaly_id"],), "id"),
}
MANY = 50
"""Names in one question: an address has no room for any number."""


@dataclass(frozen=True)
class Question:
    """One list that is asked for, and the names that must be in it."""

    kind: str
    filters: dict[str, list[str]]
    names: list[str]


def asked(client: Client, question: Question) -> Listing:
    """What the worker answers."""
    return listing(client, KINDS[question.kind].path, question.filters)


def still_there(client: Client, of: str, items: list[views.Item]) -> list[views.Item]:
    """Those of them that are there, as they are now, whatever the filters that they have left.

    A slot may be its instance by now; the instances that were in it before are not that.
    """
    kind = KINDS[of]
    wanted = {kind.key(item) for item in items}
    names = sorted({next(name for name in reversed(kind.key(item)) if name) for item in items})
    found = [
        item
        for start in range(0, len(names), MANY)
        for item in listing(client, kind.path, {kind.by: names[start : start + MANY]}).items
    ]
    return [item for item in found if kind.key(item) in wanted or (kind.before(item) in wanted and not _is_past(item))]


def _is_past(item: views.Item) -> bool:
    """Whether an instance has left its slot to another."""
    return item["phase"] == "Terminated" or item["replaced_by"] is not None


def context(client: Client, kind: str, found: Listing) -> views.Context:
    """Tables say more than their items: names of clusters, and the anomaly that explains an entity."""
    known = found.items if kind == "clusters" else listing(client, "clusters", {}).items
    opened = found.items if kind == "anomalies" else listing(client, "anomalies", {"status": ["open"]}).items
    return views.context(found.as_of, known, opened)


def kind_table(kind: str, items: list[views.Item], ctx: views.Context, screen: Screen, wide: bool) -> str:
    """The items of one kind as a table."""
    columns = views.columns(kind, items, ctx, wide)
    rows = [[cell(item) for _, cell in columns] for item in items]
    return table.render([title for title, _ in columns], rows, screen)


def all_found(question: Question, items: list[views.Item]) -> None:
    """Ends the command with 1 where a name is not there."""
    kind = KINDS[question.kind]
    have = {item[key] for item in items for key in kind.names}
    if missing := [name for name in question.names if name not in have]:
        narrowed = any(given for name, given in question.filters.items() if name != kind.by)
        other = ", or leave out the filters: it may be there, but not as they want it" if narrowed else ""
        hint = f"list them with `hyperpod-state get {question.kind}`{other}"
        raise CliError(f"not found: {', '.join(missing)}", hint, PROBLEMS)
