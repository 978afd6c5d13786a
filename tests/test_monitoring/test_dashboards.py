"""Grafana's dashboards: every query asks for what there is, every field is one that Grafana knows."""

from __future__ import annotations

import json
import re
from itertools import combinations
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from streams.metrics.collector import SERIES
from streams.reference.boards import BOARDS
from tests.test_monitoring import promql

LOADED: dict[str, dict[str, Any]] = {name: json.loads(print_()) for name, print_ in BOARDS.items()}
NOT_SHOWN = {"folded_offset", "stalled", "group_current_instances", "failures_unrepaired", "up_node_seconds"}
NOT_SHOWN |= {"capacity_longest_wait_seconds", "repeat_offenders", "figures_timestamp_seconds"}
"""For rules, or told better by the project's own dashboard."""


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def _asked(variable: dict[str, Any]) -> str:
    return variable["query"]["query"] if variable["type"] == "query" else ""


def queries(board: dict[str, Any]) -> list[tuple[str, str]]:
    """Where it stands, and the query."""
    found = [(panel["title"], target["expr"]) for panel in panels(board) for target in panel["targets"]]
    for variable in board["templating"]["list"]:
        if asked := re.fullmatch(r"label_values\((.*), (\w+)\)", _asked(variable)):
            found.append((variable["name"], f"count by ({asked[2]}) ({asked[1]})"))
    return found


ALL = [(name.rsplit("/", 1)[-1], *query) for name, board in LOADED.items() for query in queries(board)]


@pytest.mark.parametrize(("board", "place", "query"), ALL, ids=lambda each: str(each)[:40])
def test_a_query_asks_for_metrics_and_labels_that_there_are(board: str, place: str, query: str) -> None:
    assert promql.faults(promql.expanded(query)) == [], f"{board}: {place}"


def test_two_fleets_of_workers_can_be_told_apart() -> None:
    asked = [query for board, _, query in ALL if board == "hyperpod-pipeline.json" and 'job=~"$job"' in query]
    assert len(asked) > 20
    assert all('fleet=~"$fleet"' in query for query in asked)


def test_every_metric_is_shown_or_left_out_for_a_reason() -> None:
    shown = {metric for _, _, query in ALL for metric in promql.metrics(promql.expanded(query))}
    assert {
        name for name, series in SERIES.items() if not any(each.startswith(series.full) for each in shown)
    } == NOT_SHOWN


@pytest.mark.parametrize("name", LOADED)
def test_legends_name_labels_that_their_query_has(name: str) -> None:
    for panel in panels(LOADED[name]):
        for target in panel["targets"]:
            for label in re.findall(r"{{(\w+)}}", target.get("legendFormat", "")):
                assert promql.faults(f"sum by ({label}) ({promql.expanded(target['expr'])})") == []


@pytest.mark.parametrize("name", LOADED)
def test_columns_of_tables_are_labels_of_their_query(name: str) -> None:
    for panel in panels(LOADED[name]):
        for each in panel.get("transformations", []):
            columns = set(each["options"]["renameByName"]) - {"Value"}
            for label in columns:
                query = promql.expanded(panel["targets"][0]["expr"])
                assert promql.faults(f"sum by ({label}) ({query})") == []


@pytest.mark.parametrize("name", LOADED)
def test_every_field_is_one_of_grafanas_own_model(name: str) -> None:
    board = LOADED[name]
    register_default_plugins()  # options and queries too, by their types
    again = json.loads(json.dumps(Dashboard.from_json(board), cls=JSONEncoder))
    assert missing(board, again) == []


def missing(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """What Grafana's model does not give back as it was given."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return [each for key, value in ours.items() for each in missing(value, theirs.get(key), f"{path}.{key}")]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [
            each for i, (a, b) in enumerate(zip(ours, theirs, strict=True)) for each in missing(a, b, f"{path}[{i}]")
        ]
    return (
        [] if ours == theirs or (ours in ({}, [], "", None) and not theirs) else [f"{path}: {ours!r} became {theirs!r}"]
    )


@pytest.mark.parametrize("name", LOADED)
def test_panels_do_not_overlap_and_explain_themselves(name: str) -> None:
    board = LOADED[name]
    places = [panel["gridPos"] for panel in board["panels"]]
    assert all(each["x"] + each["w"] <= 24 for each in places)
    for a, b in combinations(places, 2):
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        assert beside or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    for panel in panels(board):
        assert panel["description"].endswith(".")
        assert panel["datasource"]["uid"] == "${datasource}"
    names = [variable["name"] for variable in board["templating"]["list"]]
    used = set(re.findall(r"\$(?!__)(\w+)", json.dumps([panel["targets"] for panel in panels(board)])))
    assert used <= set(names)
    assert names[0] == "datasource"
