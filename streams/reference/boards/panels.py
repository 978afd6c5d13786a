"""Grafana's model of a dashboard, as far as these use it.

Knows: fields of panels, targets and variables; how panels are laid out.
Must not know: any metric.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

SCHEMA_VERSION = 39
"""Of Grafana 11; older ones read it too, newer ones bring it up to date."""
COLUMNS = 24
HEIGHT = 8
TAG = "hyperpod-state"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
Json = dict[str, Any]
GREEN, YELLOW, ORANGE, RED = "green", "yellow", "orange", "red"


class Query(NamedTuple):
    """One query; `legend` names its series."""

    expr: str
    legend: str = ""


class Step(NamedTuple):
    """From which value on which colour; the first one has none."""

    value: float | None
    color: str


@dataclass
class Panel:
    """One panel; `options` and `custom` are those of its type."""

    title: str
    about: str
    queries: Sequence[Query]
    type: str = "timeseries"
    unit: str = "short"
    width: int = 8
    height: int = HEIGHT
    steps: Sequence[Step] = ()
    options: Json = field(default_factory=dict)
    custom: Json = field(default_factory=dict)
    transformations: list[Json] = field(default_factory=list)
    overrides: list[Json] = field(default_factory=list)


@dataclass
class Row:
    """Panels under one heading."""

    title: str
    panels: list[Panel]


def stat(
    title: str, about: str, query: str, *, unit: str = "short", steps: Sequence[Step] = (), legend: str = ""
) -> Panel:
    """One number, large."""
    options = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "colorMode": "value"}
    options |= {"graphMode": "area", "textMode": "auto", "justifyMode": "auto", "orientation": "auto"}
    return Panel(
        title,
        about,
        [Query(query, legend)],
        "stat",
        unit,
        width=4,
        height=4,
        steps=steps or [Step(None, GREEN)],
        options=options,
    )


def lines(title: str, about: str, *queries: Query, unit: str = "short", width: int = 8, stacked: bool = False) -> Panel:
    """Values over time."""
    custom: Json = {"lineWidth": 1, "fillOpacity": 40 if stacked else 8, "showPoints": "never", "spanNulls": False}
    custom["stacking"] = {"group": "A", "mode": "normal" if stacked else "none"}
    legend = {"displayMode": "list", "placement": "bottom", "showLegend": True}
    tooltip = {"mode": "multi", "sort": "desc"}
    return Panel(
        title, about, queries, unit=unit, width=width, options={"legend": legend, "tooltip": tooltip}, custom=custom
    )


def listing(
    title: str,
    about: str,
    query: str,
    columns: Sequence[tuple[str, str]],
    *,
    value: str,
    unit: str = "short",
    width: int = 12,
) -> Panel:
    """A table of the present values: `columns` are labels and their headings, `value` heads the value."""
    names = {**dict(columns), "Value": value}
    places = {name: place for place, name in enumerate(names)}
    organize = {"excludeByName": {"Time": True}, "indexByName": places, "renameByName": names}
    options = {"showHeader": True, "cellHeight": "sm", "sortBy": [{"displayName": value, "desc": True}]}
    return Panel(
        title,
        about,
        [Query(query)],
        "table",
        unit,
        width,
        options=options,
        transformations=[{"id": "organize", "options": organize}],
        overrides=[_colored(value)],
    )


def _colored(column: str) -> Json:
    return {
        "matcher": {"id": "byName", "options": column},
        "properties": [{"id": "custom.align", "value": "right"}, {"id": "custom.width", "value": 140}],
    }


def variable(name: str, label: str, query: str, *, many: bool = True) -> Json:
    """A choice among the values of a label."""
    everything = {"text": ["All"], "value": ["$__all"]}
    chosen = {"includeAll": True, "multi": True, "allValue": ".*", "current": everything}
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
        "hide": 0,
        **(chosen if many else {"includeAll": False, "multi": False}),
    }


def board(uid: str, title: str, about: str, variables: Sequence[Json], rows: Sequence[Row]) -> str:
    """The whole dashboard as JSON."""
    source = {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "hide": 0}
    link = {"type": "dashboards", "title": "hyperpod-state", "tags": [TAG], "asDropdown": True, "includeVars": True}
    link |= {"icon": "external link", "keepTime": True, "targetBlank": False, "tooltip": "", "url": ""}
    whole = {
        "uid": uid,
        "title": title,
        "description": about,
        "tags": [TAG],
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": [source, *variables]},
        "annotations": {"list": []},
        "links": [link],
        "panels": _laid_out(rows),
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _laid_out(rows: Sequence[Row]) -> list[Json]:
    """From left to right, then below the highest of a line."""
    numbers, placed, y = itertools.count(1), list[Json](), 0
    for row in rows:
        heading = {"type": "row", "title": row.title, "collapsed": False, "panels": [], "id": next(numbers)}
        placed.append({**heading, "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1}})
        x, y, high = 0, y + 1, 0
        for panel in row.panels:
            if x + panel.width > COLUMNS:
                x, y, high = 0, y + high, 0
            place = {"x": x, "y": y, "w": panel.width, "h": panel.height}
            placed.append({"id": next(numbers), "gridPos": place, **_panel(panel)})
            x, high = x + panel.width, max(high, panel.height)
        y += high
    return placed


def _panel(panel: Panel) -> Json:
    defaults: Json = {"unit": panel.unit}
    if panel.custom:
        defaults["custom"] = panel.custom
    if panel.steps:
        defaults["color"] = {"mode": "thresholds"}
        defaults["thresholds"] = {"mode": "absolute", "steps": [step._asdict() for step in panel.steps]}
    made = {
        "type": panel.type,
        "title": panel.title,
        "description": panel.about,
        "datasource": SOURCE,
        "targets": [_target(query, panel, letter) for query, letter in zip(panel.queries, "ABCDEFGH", strict=False)],
        "fieldConfig": {"defaults": defaults, "overrides": panel.overrides},
        "options": panel.options,
    }
    return made | ({"transformations": panel.transformations} if panel.transformations else {})


def _target(query: Query, panel: Panel, letter: str) -> Json:
    now = panel.type == "table"
    target: Json = {
        "refId": letter,
        "datasource": SOURCE,
        "expr": query.expr,
        "editorMode": "code",
        "format": "table" if now else "time_series",
    }
    target |= {"instant": now, "range": not now}
    return target | ({"legendFormat": query.legend} if query.legend else {})
