"""`describe KIND NAME`: one entity in one sentence, and what the sentence rests on; or one anomaly.

Knows: what to ask for each kind, the order of the parts.
Must not know: how the sentence is found (`models.explain`).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from streams.cli import describe_anomaly, nouns, table, views
from streams.cli.ask import client_of, listing, one
from streams.cli.errors import PROBLEMS, CliError, named, usage
from streams.cli.history import changes
from streams.cli.manner import Manner, present
from streams.cli.names import described
from streams.cli.options import DEFAULT_SERVER, AtWorker, Cluster, Kind, NoColor, Output, Server, StaleOk
from streams.cli.output import Format, Screen
from streams.cli.query import Query
from streams.cli.table import Cell, phase, text
from streams.cli.text import printable

if TYPE_CHECKING:
    from models.explain import Story
    from models.public import Anomaly, HistoryItem, InstanceItem
    from streams.client import Client


class Described(StrEnum):
    """What can be described: what has a state, and what is wrong with it."""

    instance = "instance"
    group = "group"
    cluster = "cluster"
    anomaly = "anomaly"


ELSEWHERE = {"rollouts": "rollouts are shown with their group, and by `hyperpod-state get rollouts`"}


def _kinds(incomplete: str) -> list[str]:
    return nouns.beginning(Described, incomplete)


def describe(
    kind: Annotated[
        Described,
        typer.Argument(
            metavar="KIND",
            parser=nouns.reader(Described, ELSEWHERE),
            autocompletion=_kinds,
            help="instance, group, cluster or anomaly.",
        ),
    ],
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            autocompletion=described,
            help="An id, a slot's logical id, a name or an ARN; of an anomaly its anomaly_id, as pages have it.",
        ),
    ],
    cluster: Cluster = [],  # noqa: B006 - Typer copies it
    at: AtWorker = None,
    stale_ok: StaleOk = False,
    form: Output = Format.table,
    query: Query = None,
    no_color: NoColor = False,
    server: Server = DEFAULT_SERVER,
) -> None:
    """Say what one instance, group or cluster is doing, since when, why, and what comes next by when.

    Of an anomaly: what it is, with whom, what to check first, and what it stands for. Deadlines are the defaults; a
    worker with thresholds of its own judges by those.
    """
    client = client_of(server, at, stale_ok=stale_ok)
    name = named(name)
    if kind is Described.anomaly:
        _anomaly(client, name, cluster, Manner(form, query, no_color))
        return
    _entity(client, Kind(kind), name, cluster, Manner(form, query, no_color))


def _anomaly(client: Client, name: str, clusters: list[str], manner: Manner) -> None:
    body, as_of = describe_anomaly.told(client, name, clusters)
    present(manner, body, lambda: describe_anomaly.page(body, as_of, manner.screen, manner.wide), [body])


def _entity(client: Client, kind: Kind, name: str, cluster: list[str], manner: Manner) -> None:
    story, as_of = _story(client, kind, name, cluster)
    body = story.model_dump(mode="json")
    if kind is Kind.group:
        body["rollouts"] = listing(client, "rollouts", {"cluster": [story.cluster_arn], "group": [story.name]}).items
    present(manner, body, lambda: _text(body, as_of, manner.screen, manner.wide), [body])


def _story(client: Client, kind: Kind, name: str, clusters: list[str]) -> tuple[Story, str | None]:
    if kind is Kind.instance:
        return _instance(client, name, clusters)
    return _group(client, name, clusters) if kind is Kind.group else _cluster(client, name)


def _group(client: Client, name: str, clusters: list[str]) -> tuple[Story, str | None]:
    from models.explain import story_of_group
    from models.public import GroupItem

    found = listing(client, "instance-groups", {"group": [name], "cluster": clusters})
    item = GroupItem(**_only(Kind.group, name, found.items))
    own = {"cluster": [item.cluster_arn], "group": [name]}
    told = _history(client, f"instance-groups/{quote(name, safe='')}", item.cluster_arn)
    return story_of_group(item, _anomalies(client, own), _instances(client, own), found.as_of, told), found.as_of


def _cluster(client: Client, name: str) -> tuple[Story, str | None]:
    from models.explain import story_of_cluster
    from models.public import ClusterItem, GroupItem

    found = listing(client, "clusters", {"cluster": [name]})
    item = ClusterItem(**_only(Kind.cluster, name, found.items))
    own = {"cluster": [item.cluster_arn]}
    groups = [GroupItem(**each) for each in listing(client, "instance-groups", own).items]
    anomalies, members = _anomalies(client, own), _instances(client, own)
    told = _history(client, f"clusters/{quote(item.cluster_arn, safe='')}", item.cluster_arn)
    return story_of_cluster(item, anomalies, groups, members, found.as_of, told), found.as_of


def _instance(client: Client, name: str, clusters: list[str]) -> tuple[Story, str | None]:
    from models.explain import ChainItem, story_of_instance
    from models.public import InstanceItem

    answer = one(client, f"instances/{quote(name, safe='')}", clusters)
    item = InstanceItem(**answer["item"])
    own = item.instance_id or item.node_logical_id or name
    chain = one(client, f"lineage/{quote(own, safe='')}", [item.cluster_arn])["items"]
    anomalies = _anomalies(client, {"cluster": [item.cluster_arn], "instance": [own]})
    return story_of_instance(item, anomalies, [ChainItem(**each) for each in chain], answer["as_of"]), answer["as_of"]


def _history(client: Client, path: str, arn: str) -> list[HistoryItem]:
    from models.public import HistoryItem

    return [HistoryItem(**each) for each in one(client, f"{path}/history", [arn])["items"]]


def _anomalies(client: Client, filters: dict[str, list[str]]) -> list[Anomaly]:
    from models.public import Anomaly

    return [Anomaly(**each) for each in listing(client, "anomalies", {**filters, "status": ["open"]}).items]


def _instances(client: Client, filters: dict[str, list[str]]) -> list[InstanceItem]:
    from models.public import InstanceItem

    return [InstanceItem(**each) for each in listing(client, "instances", filters).items]


def _only(kind: Kind, name: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    if not items:
        raise CliError(f"no {kind} {name!r} is known", f"list them with `hyperpod-state get {kind}s`", PROBLEMS)
    if len(items) > 1:
        arns = ", ".join(item["cluster_arn"] for item in items)
        raise usage(f"{len(items)} {kind}s are called {name!r}", f"say which with --cluster, one of {arns}")
    return items[0]


def _text(body: dict[str, Any], as_of: str | None, screen: Screen, wide: bool) -> str:
    parts = [f"{printable(body['sentence'])}\n", _machines(body, screen)]
    if body["expects"]:
        parts.append(_expects(body["expects"], screen))
    if len(body["lineage"]) > 1:
        parts.append(f"LINEAGE ({len(body['lineage'])})\n{_lineage(body['lineage'], screen)}")
    if body.get("rollouts"):
        parts.append(_last_rollout(body["rollouts"], as_of))
    if body["anomalies"]:
        rows = [{key: value for key, value in each.items() if key != "evidence"} for each in body["anomalies"]]
        columns = views.columns("anomalies", rows, views.context(as_of, [], []), wide)
        cells = [[cell(each) for _, cell in columns] for each in rows]
        parts.append(f"OPEN ANOMALIES ({len(rows)})\n{table.render([title for title, _ in columns], cells, screen)}")
    if body["changes"]:
        shown = body["changes"] if body["kind"] != "instance" else [_without_name(each) for each in body["changes"]]
        parts.append(f"LAST CHANGES ({len(shown)})\n{changes(shown, screen)}")
    return "\n".join(parts)


def _last_rollout(items: list[dict[str, Any]], as_of: str | None) -> str:
    from models.explain import tell_rollout
    from models.public import RolloutItem

    words = printable(tell_rollout(RolloutItem.model_validate(items[0]), as_of))
    more = f"\n{len(items) - 1} earlier: see them with `hyperpod-state get rollouts`" if len(items) > 1 else ""
    return f"LAST ROLLOUT\n{words}{more}\n"


def _without_name(change: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in change.items() if key != "instance"}


def _machines(body: dict[str, Any], screen: Screen) -> str:
    rows = [[Cell("phase"), phase(body["phase"])]]
    rows += [[Cell(name), Cell(state)] for name, state in body["machines"].items()]
    if body["members"]:
        rows.append([Cell("members"), Cell(", ".join(f"{count} {word}" for word, count in body["members"].items()))])
    return table.render(["MACHINE", "STATE"], rows, screen)


def _expects(items: list[dict[str, Any]], screen: Screen) -> str:
    rows = [
        [text(item["machine"]), text(item["state"]), text(item["slow_at"]), text(item["stuck_at"]), _steps(item)]
        for item in items
    ]
    return table.render(["WAITING", "STATE", "SLOW AT", "STUCK AT", "NEXT"], rows, screen)


def _steps(item: dict[str, Any]) -> Cell:
    return text(", then ".join(item["steps"]))


def _lineage(chain: list[dict[str, Any]], screen: Screen) -> str:
    """Oldest first, each under the one whose place it took."""
    arrow = "└ " if screen.unicode else "` "
    rows = []
    for depth, item in enumerate(chain):
        name = item["instance_id"] or item["node_logical_id"]
        told = item["faults"] if item["lost_at"] else []  # what it recovered from has cost nobody its place
        causes = dict.fromkeys(f"{fault['kind']} ({fault['cause'] or 'unknown'})" for fault in told)
        rows.append(
            [
                Cell(f"{'  ' * (depth - 1)}{arrow}{name}" if depth else str(name)),
                phase(item["phase"]),
                text(item["attempt"]),
                text(item["in_service_at"]),
                text(item["lost_at"]),
                text(item["minutes_lost"]),
                text(item["lineage"]),
                text(", ".join(causes)),
            ]
        )
    return table.render(
        ["INSTANCE", "PHASE", "ATTEMPT", "IN SERVICE AT", "LOST AT", "MINUTES", "LINK BY", "CAUSE"], rows, screen
    )
