"""A real Prometheus scrapes a worker with a token; every query of a dashboard and every rule is asked of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from models.public import Picture
from streams.metrics.collector import SERIES
from streams.replay import Replay
from streams.settings import Settings
from streams.simulate.run import Faults, simulate
from streams.simulate.run import Settings as Fleet
from streams.web.api import create_api
from streams.web.doors import behind
from tests.test_monitoring.prometheus import ROOT, RULES, Server, server
from tests.test_monitoring.promql import expanded
from tests.test_monitoring.test_dashboards import ALL
from tests.test_streams.serving import Held, listening

TOKEN = "a-token-of-some-length"
HOURS = 30
ABSENT = {"phase_p95_seconds", "rollout_expected_end_timestamp_seconds", "rollout_under_way", "rollout_residue"}
"""Of a fleet at one moment there may be none."""


def simulated() -> tuple[Picture, str]:
    """A fleet after a day with many faults, and the time of its last event."""
    made = simulate(Fleet(seed=7, clusters=3, instances=24, hours=HOURS, faults=Faults.many))
    job = Replay()
    for _, value in made.delivered.values:
        job.feed("simulated", value)
    picture = job.picture()
    return picture, max(item.last_event_time for item in picture.instances if item.last_event_time)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    picture, now = simulated()
    held = Held(shown=picture, as_of=now)
    held.picture = lambda: picture  # type: ignore[method-assign]
    with listening(behind(Settings(http_token=TOKEN), create_api(held))) as address:
        config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
        config["global"] = {"scrape_interval": "5s", "evaluation_interval": "2s"}  # a busy machine takes its time
        config["rule_files"] = [str(path) for path in RULES]
        worker = config["scrape_configs"][0]
        worker["static_configs"][0]["targets"] = [address.removeprefix("http://")]
        worker["authorization"] = {"credentials": TOKEN}
        with server(tmp_path_factory.mktemp("prometheus"), yaml.safe_dump(config)) as started:
            started.wait_for("hyperpod_state_figures_timestamp_seconds")
            yield started


def test_every_metric_of_a_worker_arrives(prometheus: Server) -> None:
    names = {"histogram": "_count"}
    lacking = {
        name for name, series in SERIES.items() if not prometheus.query(series.full + names.get(series.kind, ""))
    }
    assert lacking <= ABSENT


@pytest.mark.parametrize(("board", "place", "query"), ALL, ids=lambda each: str(each)[:40])
def test_every_query_of_a_dashboard_is_answered(prometheus: Server, board: str, place: str, query: str) -> None:
    prometheus.query(expanded(query))


def test_the_fleet_is_the_one_that_the_worker_tells_of(prometheus: Server) -> None:
    picture, _ = simulated()
    serving = [item for item in picture.instances if item.phase == "InService"]
    [total] = prometheus.query('sum(hyperpod_state_instances{phase="InService"})')
    assert int(total["value"][1]) == len(serving)
    opened = [item for item in picture.anomalies if item.status == "open"]
    [total] = prometheus.query("sum(hyperpod_state_open_anomalies)")
    assert int(total["value"][1]) == len(opened)


def test_rules_are_evaluated_and_fire(prometheus: Server) -> None:
    prometheus.wait_for('ALERTS{alertname=~"HyperpodAnomaly.*", alertstate="firing"}')
    rules = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
    assert {rule["health"] for rule in rules} == {"ok"}


def test_a_worker_with_a_token_is_scraped_and_one_that_is_not_there_is_down(prometheus: Server) -> None:
    prometheus.wait_for('up{job="hyperpod-state-alerts"} == 0')  # until it was tried, its health is not known
    targets = {each["scrapePool"]: each for each in prometheus.get("targets")["activeTargets"]}
    assert targets["hyperpod-state"]["health"] == "up"
    assert targets["hyperpod-state-alerts"]["health"] == "down"  # nobody listens there
