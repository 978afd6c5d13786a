"""A report as tables: what somebody who runs clusters reads first.

Knows: the report's fields, as plain dicts.
Must not know: where the report comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from models.explain.times import milliseconds, span
from streams.cli import table
from streams.cli.output import Screen
from streams.cli.table import BAD, WARN, Cell, text
from streams.cli.text import printable
from streams.cli.times import stamp

Item = dict[str, Any]
Column = tuple[str, Callable[[Item], Cell]]
SHOWN = 10
"""Repeat offenders in the plain table."""


def tables(body: Item, screen: Screen, wide: bool) -> str:
    """The window, then a table for each question."""
    if body["since"] is None:
        return "nothing is known that figures could be of\n"
    figures, offenders = body["figures"], body["offenders"]
    groups = [each for each in figures if each["by"] in ("cluster", "instance_group")]
    groups.sort(key=lambda each: (each["cluster_arn"], each["by"] != "cluster"))
    types = [each for each in figures if each["by"] == "instance_type"]
    causes = [each for each in figures if each["by"] == "cause" and (wide or each["cluster_arn"] is None)]
    states = [each for each in body["states"] if _is_shown(each, wide)]
    parts = [
        _window(body),
        _section("by cluster and group", _whole(("CLUSTER", _cluster), ("GROUP", _group), wide=wide), groups, screen),
        _section("by instance type", _whole(("TYPE", _plain("instance_type")), wide=wide), types, screen),
        _section("by cause", _cause(wide), causes, screen),
        _section("time in states" if wide else "time in phases", _dwell(wide), states, screen),
        _section("repeat offenders", _offender(wide), offenders if wide else offenders[:SHOWN], screen),
    ]
    if not wide and len(offenders) > SHOWN:
        parts.append(f"and {len(offenders) - SHOWN} more: see them with -o wide\n")
    return "\n".join(part for part in parts if part)


def _window(body: Item) -> str:
    length = span(max(0, milliseconds(body["until"]) - milliseconds(body["since"])))
    lines = [
        f"{stamp(body['since'])} to {stamp(body['until'])} ({length}), complete since {stamp(body['complete_since'])}"
    ]
    return "".join(f"{printable(line)}\n" for line in [*lines, *(f"note: {note}" for note in body["notes"])])


def _section(title: str, columns: list[Column], items: Iterable[Item], screen: Screen) -> str:
    rows = [[cell(item) for _, cell in columns] for item in items]
    return f"{title.upper()} ({len(rows)})\n{table.render([name for name, _ in columns], rows, screen)}" if rows else ""


def _is_shown(each: Item, wide: bool) -> bool:
    phases = each["machine"] == "phase"
    return (each["by"] == "fleet" and (wide or phases)) or (wide and phases and each["by"] == "instance_group")


def _whole(*names: Column, wide: bool) -> list[Column]:
    columns: list[Column] = [
        *names,
        ("INSTANCES", _plain("instances")),
        ("AVAILABLE", lambda item: text(_percent(item["availability"]))),
        ("LOST PLANNED", lambda item: text(_hours(item["lost_hours_planned"]))),
        ("LOST UNPLANNED", lambda item: text(_hours(item["lost_hours_unplanned"]))),
        *_failures(),
        ("NO CAPACITY", lambda item: text(_percent(item["capacity_shortage"]))),
        ("LONGEST WAIT", lambda item: text(_length(item["capacity_longest_wait_seconds"]))),
    ]
    if not wide:
        return columns
    more = (("PLACES", "places"), ("PROVISIONED", "provisioned"), ("CAPACITY FAILURES", "capacity_failures"))
    hours = (("NODE HOURS", "instance_hours"), ("UP HOURS", "up_hours"))
    return [*columns, *_repairs(), *((title, _plain(key)) for title, key in (*more, *hours))]


def _cause(wide: bool) -> list[Column]:
    columns: list[Column] = [("CAUSE", _plain("cause")), *_failures()]
    columns.append(("LOST UNPLANNED", lambda item: text(_hours(item["lost_hours_unplanned"]))))
    return [("CLUSTER", _cluster), ("GROUP", _group), *columns, *_repairs()] if wide else columns


def _failures() -> list[Column]:
    return [
        ("FAILURES", _plain("failures")),
        ("PLANNED", _plain("failures_planned")),
        ("OPEN", lambda item: Cell(str(item["failures_open"]), BAD if item["failures_open"] else "")),
        ("MTTR", lambda item: text(_length(item["mttr_seconds"]))),
        ("MTBF", lambda item: text(_hours(item["mtbf_hours"]))),
    ]


def _repairs() -> list[Column]:
    return [
        ("REPAIRS", _plain("repairs")),
        ("MEDIAN", lambda item: text(_length(item["repair_median_seconds"]))),
        ("P95", lambda item: text(_length(item["repair_p95_seconds"]))),
        ("LONGEST OPEN", lambda item: text(_length(item["longest_open_seconds"]))),
    ]


def _dwell(wide: bool) -> list[Column]:
    state: list[Column] = [
        ("STATE", _plain("state")),
        ("STAYS", _plain("n")),
        ("OPEN", _plain("open")),
        ("MEDIAN", lambda item: text(_length(item["median_seconds"]))),
        ("P95", lambda item: text(_length(item["p95_seconds"]))),
        ("LONGEST", lambda item: text(_length(item["longest_seconds"]))),
        ("NODE HOURS", lambda item: text(_hours(item["hours"]))),
    ]
    return [("CLUSTER", _cluster), ("GROUP", _group), ("MACHINE", _plain("machine")), *state] if wide else state


def _offender(wide: bool) -> list[Column]:
    columns: list[Column] = [
        ("PLACE", lambda item: text(item["node_logical_id"] or (item["instances"] or ("-",))[-1])),
        ("GROUP", _plain("instance_group")),
        ("FAILURES", lambda item: Cell(str(item["failures"]), WARN)),
        ("REPLACEMENTS", _plain("replacements")),
        ("LOST UNPLANNED", lambda item: text(_hours(item["lost_hours_unplanned"]))),
        ("LAST", lambda item: text(stamp(item["last_failure"]))),
        ("CAUSES", lambda item: text(", ".join(f"{count} {word}" for word, count in item["causes"].items()))),
    ]
    return (
        [("CLUSTER", _cluster), *columns, ("INSTANCES", lambda item: text(", ".join(item["instances"])))]
        if wide
        else columns
    )


def _plain(key: str) -> Callable[[Item], Cell]:
    return lambda item: text(item[key])


def _cluster(item: Item) -> Cell:
    return text(item["cluster_name"] or (item["cluster_arn"] or "").rsplit("/", 1)[-1] or "all")


def _group(item: Item) -> Cell:
    return text(item["instance_group"] or ("all" if item.get("by") in ("cluster", "fleet", "cause") else None))


def _length(seconds: float | None) -> str | None:
    return None if seconds is None else span(round(seconds * 1000))


def _hours(hours: float | None) -> str | None:
    return None if hours is None else f"{hours:.1f} h"


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{share * 100:.1f} %"
