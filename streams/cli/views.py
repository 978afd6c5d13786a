"""Which columns each kind of item has in a table.

Knows: the public fields of contract section 4, as plain dicts.
Must not know: where the items come from, terminals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from streams.cli.table import Cell, phase, text
from streams.cli.times import age

Item = dict[str, Any]
Column = tuple[str, Callable[[Item], Cell]]
SEVERITIES = ("info", "warning", "error", "critical")


@dataclass(frozen=True)
class Context:
    """What the columns need besides the item: the moment, cluster names by ARN, why an entity is as it is."""

    now: str | None
    names: dict[str, str] = field(default_factory=dict)
    why: dict[tuple[str, str], str] = field(default_factory=dict)


def context(now: str | None, clusters: Sequence[Item], anomalies: Sequence[Item]) -> Context:
    """Of open anomalies, the worst explains its entity; the later one where two are as bad."""
    names = {item["cluster_arn"]: item["cluster_name"] or _tail(item["cluster_arn"]) for item in clusters}
    opened = [item for item in anomalies if item["status"] == "open"]
    opened.sort(key=lambda item: (severity_rank(item["severity"]), item["opened_at"], item["anomaly_id"]))
    why = {(item["cluster_arn"], _entity(item)): str(item["title"]) for item in opened}
    return Context(now, names, why)


def severity_rank(word: str) -> int:
    """Rising with how bad it is; a word of a newer version counts as the least."""
    return SEVERITIES.index(word) if word in SEVERITIES else 0


def columns(kind: str, items: Sequence[Item], ctx: Context, wide: bool) -> list[Column]:
    """The columns of `clusters`, `groups`, `instances` or `anomalies`; the cluster's only where it tells them apart."""
    chosen = _KINDS[kind](ctx, wide)
    if kind != "clusters" and (wide or len({item["cluster_arn"] for item in items}) > 1):
        chosen.insert(1, ("CLUSTER", lambda item: text(_cluster(item, ctx))))
    if kind == "anomalies" and not wide and any(item["status"] != "open" for item in items):
        chosen.insert(1, _plain("STATUS", "status"))
    if kind == "anomalies" and not wide and any(item.get("silenced_by") for item in items):
        chosen.insert(1, ("SILENCED", lambda item: text("yes" if item.get("silenced_by") else "no")))
    return chosen


def lasting_columns(kind: str, ctx: Context, wide: bool, one_cluster: bool) -> list[Column]:
    """The same where more items come later; the status of an open anomaly says that it is silenced."""
    chosen = _KINDS[kind](ctx, wide)
    if kind != "clusters" and (wide or not one_cluster):
        chosen.insert(1, ("CLUSTER", lambda item: text(_cluster(item, ctx))))
    if kind == "anomalies" and not wide:
        chosen.insert(1, ("STATUS", lambda item: text(_status(item))))
    return chosen


def _status(item: Item) -> str:
    return "silenced" if item["status"] == "open" and item.get("silenced_by") else str(item["status"])


def _clusters(ctx: Context, wide: bool) -> list[Column]:
    short: list[Column] = [("CLUSTER", lambda item: text(_cluster(item, ctx))), *_state(ctx)]
    if wide:
        short += [*_machines("operation", "access", "autoscaling", "slurm_config"), _plain("ORIGIN", "origin")]
        return [*short, _plain("ARN", "cluster_arn")]
    return [*short, ("WHY", lambda item: text(ctx.why.get((item["cluster_arn"], ""), "")))]


def _groups(ctx: Context, wide: bool) -> list[Column]:
    short: list[Column] = [_plain("GROUP", "instance_group"), *_state(ctx), ("READY", _ready)]
    if wide:
        short += [_plain("CURRENT", "current_count"), _plain("MIN", "min_count")]
        short += _machines("operation", "network", "fsx", "patch", "rollback")
    return [*short, ("MEMBERS", _members), ("WHY", lambda item: text(_why(item, ctx, "instance_group")))]


def _instances(ctx: Context, wide: bool) -> list[Column]:
    short: list[Column] = [("INSTANCE", lambda item: text(_entity(item))), _plain("GROUP", "instance_group")]
    short += _state(ctx)
    if wide:
        short += _machines("provision", "lifecycle_script", "replace", "patch", "rollback", "reboot", "health")
        short += [_plain("SLOT", "node_logical_id"), _plain("REPLACES", "replaces")]
        short += [("OBSERVED", lambda item: text((item["observed"] or {}).get("status")))]
        short += [("SCHEDULABLE", lambda item: text("yes" if item["schedulable"] else "no"))]
    return [*short, ("WHY", lambda item: text(_instance_why(item, ctx)))]


def _anomalies(ctx: Context, wide: bool) -> list[Column]:
    short: list[Column] = [
        ("SEVERITY", lambda item: phase(item["severity"])),
        ("ENTITY", lambda item: text(_entity(item) or _cluster(item, ctx))),
        ("AGE", lambda item: text(age(item["opened_at"], ctx.now))),
    ]
    if wide:
        short += [
            _plain("KIND", "kind"),
            _plain("STATUS", "status"),
            _plain("CAUSE", "cause"),
            _plain("GROUP", "instance_group"),
        ]
        short += [_plain("COUNT", "count"), ("PLANNED", lambda item: text("yes" if item["planned"] else "no"))]
        short += [("SILENCED BY", lambda item: text(item.get("silenced_by")))]
        return [*short, _plain("ID", "anomaly_id"), _plain("TITLE", "title")]
    return [*short, _plain("KIND", "kind"), _plain("TITLE", "title")]


_KINDS = {"clusters": _clusters, "groups": _groups, "instances": _instances, "anomalies": _anomalies}


def _state(ctx: Context) -> list[Column]:
    return [
        ("PHASE", lambda item: phase(item["phase"])),
        ("SINCE", lambda item: text(age(item["since"], ctx.now))),
    ]


def _plain(title: str, key: str) -> Column:
    return (title, lambda item: text(item[key]))


def _machines(*names: str) -> list[Column]:
    return [_machine(name) for name in names]


def _machine(name: str) -> Column:
    return (name.upper(), lambda item: text(item["machines"].get(name)))


def _ready(item: Item) -> Cell:
    target = item["target_count"]
    return Cell(f"{item['members'].get('InService', 0)}/{'?' if target is None else target}")


def _members(item: Item) -> Cell:
    return text(", ".join(f"{count} {word}" for word, count in item["members"].items() if count))


def _instance_why(item: Item, ctx: Context) -> str:
    health = item["machines"].get("health")
    words = [health] if health in ("Degraded", "Unhealthy") else []
    words += [] if item["schedulable"] else ["cordoned"]
    words += [why] if (why := _why(item, ctx, "instance_id") or _why(item, ctx, "node_logical_id")) else []
    words += [f"replaced by {item['replaced_by']}"] if item["replaced_by"] else []
    return "; ".join(words)


def _why(item: Item, ctx: Context, key: str) -> str:
    return ctx.why.get((item["cluster_arn"], item[key]), "") if item[key] else ""


def _entity(item: Item) -> str:
    """The most particular name that the item has; empty for a cluster."""
    return item.get("instance_id") or item.get("node_logical_id") or item.get("instance_group") or ""


def _cluster(item: Item, ctx: Context) -> str:
    return item.get("cluster_name") or ctx.names.get(item["cluster_arn"]) or _tail(item["cluster_arn"])


def _tail(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]
