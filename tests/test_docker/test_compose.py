"""docker/compose.yaml as it is: brought up, given events, a worker killed, stopped and started again.

The tests are in the order of a story: each goes on with what the one before has left.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.broker.lab import event
from tests.test_docker.engine import Images
from tests.test_docker.stack import OURS, TOKEN, WORKERS, Stack, up

pytestmark = pytest.mark.docker
PARTITIONS = {0, 1, 2, 3}
STEPS = range(3)
ASKS_WITHOUT = """
from urllib import error, request
for path in ("healthz", "api/v1/clusters"):
    try:
        print(request.urlopen("http://worker-2:8780/" + path).status)
    except error.HTTPError as refused:
        print(refused.code)
"""
BROKEN = 7
"""Of `event`'s instances the one whose lifecycle script fails."""


@pytest.fixture(scope="module")
def stack(images: Images, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with up(images, tmp_path_factory.mktemp("stack")) as found:
        yield found


def both_at_work(stack: Stack) -> bool:
    """Every partition has one owner, and each worker owns some."""
    one, other = (stack.partitions(worker) for worker in WORKERS)
    return bool(one and other) and one | other == PARTITIONS and not one & other


def state(stack: Stack, worker: str) -> list[dict[str, Any]]:
    """What is known of all instances, but for how old it is."""
    return stack.listed(worker, "instances")


@pytest.mark.parametrize("service", OURS)
def test_every_service_is_healthy_and_closed(stack: Stack, service: str) -> None:
    assert stack.health(service) == "healthy"
    with stack.container(service) as container:
        host = container.attrs["HostConfig"]
        assert (host["ReadonlyRootfs"], host["CapDrop"], host["Privileged"]) == (True, ["ALL"], False)
        assert container.exec_run("id -u").output.strip() == b"10001"
        assert container.exec_run("touch /opt/here /etc/here /tmp/here").exit_code != 0
        assert TOKEN not in json.dumps(container.attrs)


def test_both_workers_share_the_partitions(stack: Stack) -> None:
    stack.wait_for(lambda: both_at_work(stack), "both workers to have partitions")


def test_without_the_token_nothing_is_answered(stack: Stack) -> None:
    done = stack.within("worker-1", "python", "-c", ASKS_WITHOUT)
    assert done.split() == ["200", "401"]


def test_a_failure_becomes_an_anomaly(stack: Stack) -> None:
    stack.produce(*(event(cluster, BROKEN, step) for cluster in range(4) for step in STEPS))
    query = "&kind=lifecycle_script_failed&status=open"
    for worker in WORKERS:
        found = stack.wait_for(lambda at=worker: _four(stack.listed(at, "anomalies", query)), f"anomalies of {worker}")
        assert {item["cluster_name"] for item in found} == {f"lab-{number}" for number in range(4)}
    command = ("hyperpod-state", "get", "anomalies", "--kind", "lifecycle_script_failed", "-o", "json")
    assert len(json.loads(stack.within("worker-2", *command))["items"]) == 4


def _four(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return items if len(items) == 4 else []


def test_the_simulator_fills_the_fleet_stays_and_goes_on_where_it_was(stack: Stack) -> None:
    """It is ended before anything else is looked at: its fleet would go on meanwhile."""

    def begun() -> int:
        return stack.tell("logs", "simulator").stdout.count("a fleet since")

    for times in (1, 2):
        done = stack.tell("up", "-d", "--wait", "simulator")
        assert done.returncode == 0, done.stdout + done.stderr
        stack.wait_for(partial(lambda wanted: begun() == wanted, times), "its beginning")
        stack.wait_for(lambda: len(stack.listed("worker-2", "clusters")) == 7, "three more clusters")
        stack.wait_for(lambda: stack.counts("worker-1").get("read", 0) > 500, "their events")
        assert stack.tell("stop", "simulator").returncode == 0
        with stack.container("simulator") as container:
            assert container.attrs["State"]["ExitCode"] == 0
    assert stack.tell("up", "-d", "simulator").returncode == 0
    assert stack.tell("stop", "simulator").returncode == 0
    with stack.container("simulator") as container:  # at once, also while it is being started
        assert container.attrs["State"]["ExitCode"] in (0, 128 + signal.SIGTERM)
    stack.wait_for(stack.exact, "an exact audit")
    assert stack.tell("rm", "--force", "simulator").returncode == 0


def test_prometheus_scrapes_both_workers_and_tells_alertmanager(stack: Stack) -> None:
    """Debian's programs, where the official images would be: the same configuration, mounts and rights."""

    def healthy() -> set[str]:
        targets = (stack.ask("prometheus", "/api/v1/targets") or {"data": {"activeTargets": []}})["data"][
            "activeTargets"
        ]
        return {target["labels"]["instance"] for target in targets if target["health"] == "up"}

    stack.wait_for(lambda: healthy() == {f"{worker}:8780" for worker in WORKERS}, "both workers to be scraped")
    groups = stack.ask("prometheus", "/api/v1/rules")["data"]["groups"]
    assert {rule["health"] for group in groups for rule in group["rules"]} <= {"ok", "unknown"}
    assert {group["file"].rpartition("/")[2] for group in groups} == {"fleet.rules.yml", "pipeline.rules.yml"}
    told = stack.ask("prometheus", "/api/v1/alertmanagers")["data"]["activeAlertmanagers"]
    assert [each["url"] for each in told] == ["http://alertmanager:9093/api/v2/alerts"]
    assert stack.ask("alertmanager", "/api/v2/status")["config"]["original"]


def test_compose_understands_the_other_kafka(stack: Stack) -> None:
    done = stack.tell("-f", "docker/compose.kafka.yaml", "config", "--format", "json")
    assert done.returncode == 0, done.stderr
    kafka = json.loads(done.stdout)["services"]["kafka"]
    assert kafka["image"].startswith("apache/kafka:")
    assert not {"build", "user", "read_only"} & {name for name, value in kafka.items() if value}
    assert kafka.get("command") is None
    assert [volume["target"] for volume in kafka["volumes"]] == ["/var/lib/kafka/data"]


def test_a_killed_worker_is_replaced_by_the_other_and_comes_back(stack: Stack) -> None:
    before = state(stack, "worker-1")
    with stack.container("worker-1") as container:
        container.kill()
        stack.wait_for(lambda: stack.partitions("worker-2") == PARTITIONS, "worker-2 to have all partitions")
        assert state(stack, "worker-2") == before
        stack.produce(*(event(4, number, step) for number in range(3) for step in STEPS))
        stack.wait_for(lambda: len(state(stack, "worker-2")) == len(before) + 3, "what came meanwhile")
        container.start()
    stack.wait_for(lambda: both_at_work(stack), "worker-1 to be back")
    after = stack.wait_for(lambda: state(stack, "worker-1"), "an answer of worker-1")
    assert after == state(stack, "worker-2")
    assert [item for item in after if item["cluster_arn"] in {each["cluster_arn"] for each in before}] == before
    stack.wait_for(stack.exact, "an exact audit")


def test_a_killed_kafka_comes_back_with_everything(stack: Stack) -> None:
    before = state(stack, "worker-1")
    with stack.container("kafka") as container:
        container.kill()
        container.start()
    stack.wait_for(lambda: stack.health("kafka") == "healthy", "Kafka to answer")
    stack.wait_for(lambda: both_at_work(stack) and state(stack, "worker-1") == before, "the same answer")
    stack.produce(*(event(5, number, step) for number in range(3) for step in STEPS))
    stack.wait_for(lambda: len(state(stack, "worker-1")) == len(before) + 3, "new events")
    stack.wait_for(stack.exact, "an exact audit")


@pytest.mark.parametrize("service", ["worker-2", "worker-1", "kafka"])
def test_a_service_that_is_told_to_end_ends_in_order(stack: Stack, service: str) -> None:
    stack.tell("stop", service)
    with stack.container(service) as container:
        assert container.attrs["State"]["ExitCode"] == 0  # killed for being late, it would be 137


def test_everything_is_there_again_after_a_new_start(stack: Stack) -> None:
    stack.compose.start()
    stack.wait_for(lambda: both_at_work(stack), "both workers to have partitions")
    assert len(state(stack, "worker-2")) > 180
    stack.wait_for(stack.exact, "an exact audit")
