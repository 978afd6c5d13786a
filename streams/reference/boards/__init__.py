"""Dashboards for Grafana, printed as JSON: which questions they answer, with which queries.

Knows: names of metrics, Grafana's model of a dashboard.
Must not know: how a sample is found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from streams.reference.boards import fleet, pipeline, rollout

FOLDER = "deploy/grafana/dashboards"
BOARDS: Mapping[str, Callable[[], str]] = {
    f"{FOLDER}/hyperpod-fleet.json": fleet.board,
    f"{FOLDER}/hyperpod-rollout.json": rollout.board,
    f"{FOLDER}/hyperpod-pipeline.json": pipeline.board,
}
