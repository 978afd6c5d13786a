"""A worker's store on a real Kafka: what the topics hold is in it once, whatever happens to the worker or the file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.broker.lab import Lab, event

if TYPE_CHECKING:
    from tests.kafka import Broker

TRANSITIONS = "SELECT transition_id, revision, status FROM transitions ORDER BY ALL"
ANOMALIES = "SELECT anomaly_id, revision, status FROM anomalies ORDER BY ALL"


@pytest.fixture
def lab(kafka: Broker, tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(kafka.bootstrap, tmp_path, settle_seconds=0, store="true")
    yield lab
    lab.stop()


def sql(lab: Lab, query: str, form: str = "json") -> subprocess.CompletedProcess[str]:
    """By the command, as a user asks."""
    command = [sys.executable, "-m", "streams.cli", "sql", query, "-o", form]
    env = {**os.environ, "HYPERPOD_STATE_SERVER": f"http://127.0.0.1:{lab.port}"}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


def rows(lab: Lab, query: str) -> list[tuple[Any, ...]]:
    done = sql(lab, query)
    assert done.returncode == 0, done.stderr
    return [tuple(item.values()) for item in json.loads(done.stdout)["items"]]


def published(lab: Lab) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """What the topics hold: the last revision of each transition, every revision of each anomaly."""
    last = {}
    for record in sorted((json.loads(r.value) for r in lab.read("transitions")), key=lambda each: each["revision"]):
        last[record["transition_id"]] = record
    transitions = sorted((name, each["revision"], each["status"]) for name, each in last.items())
    told = [json.loads(record.value) for record in lab.read("anomalies") if record.value is not None]
    return transitions, sorted({(each["anomaly_id"], each["revision"], each["status"]) for each in told})


def agrees(lab: Lab) -> bool:
    """Judgements go on, so both sides are looked at until they are of one moment."""
    if sql(lab, "SELECT 1").returncode != 0:
        return False
    transitions, anomalies = published(lab)
    return bool(anomalies) and (rows(lab, TRANSITIONS), rows(lab, ANOMALIES)) == (transitions, anomalies)


def wait_agreed(lab: Lab) -> None:
    lab.wait_for(lambda: agrees(lab), "the store to hold what the topics hold")


def story(steps: range) -> list[bytes]:
    return [event(cluster, instance, step) for step in steps for cluster in range(2) for instance in range(8)]


def test_the_store_holds_what_the_topics_hold_through_kills_and_a_lost_file(lab: Lab) -> None:
    lab.start()
    lab.wait_ready()
    lab.produce(story(range(6)), partition=0)
    lab.wait_done()
    wait_agreed(lab)

    lab.produce(story(range(6, 30)), partition=0)
    lab.stop(signal.SIGKILL)
    lab.start()
    lab.wait_ready()
    lab.wait_done()
    wait_agreed(lab)

    assert lab.stop() == 0
    (lab.folder / "worker" / "store.duckdb").unlink()
    lab.start()
    lab.wait_ready()
    wait_agreed(lab)

    kill(lab)
    (lab.folder / "worker" / "store.duckdb").write_bytes(b"no database")
    lab.start()
    lab.wait_ready()
    wait_agreed(lab)
    assert (lab.folder / "worker" / "store.duckdb.unreadable").read_bytes() == b"no database"
    assert "store cannot be read and is filled again" in lab.log()

    counted = sql(lab, "SELECT count(*) AS n FROM transitions WHERE status = 'accepted'", "csv")
    accepted = [each for each in published(lab)[0] if each[2] == "accepted"]
    assert counted.stdout == f"n\n{len(accepted)}\n"
    assert "complete up to 20" in counted.stderr
    refused = sql(lab, "FROM read_text('/etc/hostname')")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert lab.stop() == 0


def test_a_store_that_ends_costs_the_worker_nothing_and_never_outlives_it(lab: Lab) -> None:
    process = lab.start()
    lab.wait_ready()
    lab.produce(story(range(3)), partition=0)
    lab.wait_done()
    wait_agreed(lab)
    (store,) = children(process.pid)
    os.kill(store, signal.SIGKILL)
    lab.wait_for(lambda: sql(lab, "SELECT 1").returncode == 3, "the command to say that nobody answers")
    lab.produce(story(range(3, 6)), partition=0)
    lab.wait_done()
    wait_agreed(lab)
    assert lab.audit()["applied"] == 96
    assert process.poll() is None
    kill(lab)


def kill(lab: Lab) -> None:
    """The worker alone is killed; its store ends by itself."""
    assert lab.process is not None
    (store,) = children(lab.process.pid)
    lab.stop(signal.SIGKILL)
    lab.wait_for(lambda: not Path(f"/proc/{store}").exists(), "the store to end with its worker")


def children(pid: int) -> list[int]:
    """The processes that a worker has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_worker_without_a_store_says_how_to_get_one(lab: Lab) -> None:
    lab.start(store="false")
    lab.wait_ready()
    refused = sql(lab, "SELECT 1")
    assert refused.returncode == 1
    assert "HYPERPOD_STATE_STORE=false" in refused.stderr
    assert not (lab.folder / "worker" / "store.duckdb").exists()
    assert lab.stop() == 0
