"""`topics` and `doctor` on a real Kafka: what is right is ok, what was broken is named with the way out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic

from tests.broker.lab import Lab, event

if TYPE_CHECKING:
    from tests.kafka import Broker

TOKEN = "a-token-that-nobody-may-see"


@pytest.fixture
def lab(kafka: Broker, tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(kafka.bootstrap, tmp_path, http_token=TOKEN)
    yield lab
    lab.stop()


def run(lab: Lab, *words: str) -> tuple[int, str, str]:
    server = {"HYPERPOD_STATE_SERVER": f"http://127.0.0.1:{lab.port}"}
    command = [sys.executable, "-m", "streams.cli", *words]
    env = {**os.environ, **lab.env(), **server}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in done.stderr
    assert TOKEN not in done.stdout + done.stderr
    return done.returncode, done.stdout, done.stderr


def doctor(lab: Lab) -> tuple[int, dict[str, dict[str, Any]]]:
    code, out, _ = run(lab, "doctor", "-o", "json")
    body = json.loads(out)
    assert body["ok"] == (code == 0)
    for check in body["checks"]:
        assert (check["next"] is None) == (check["status"] == "ok"), check
    return code, {check["check"]: check for check in body["checks"]}


def test_topics_are_listed_created_and_verified(lab: Lab) -> None:
    admin = KafkaAdminClient(bootstrap_servers=lab.bootstrap)
    try:
        admin.create_topics([NewTopic(lab.topic("status"), 5, 1)], wait_for_metadata=True)
        code, out, err = run(lab, "topics", "-o", "jsonl")
        items = {item["topic"]: item for item in map(json.loads, out.splitlines())}
        assert (code, items[lab.topic("raw")]["status"], items[lab.topic("status")]["status"]) == (
            1,
            "missing",
            "wrong",
        )
        assert "never grow a topic in place" in err
        assert "cleanup.policy=compact" in err
        assert "topics --create" in err
        admin.delete_topics([lab.topic("status")])
        lab.wait_for(lambda: lab.topic("status") not in admin.list_topics(), "the topic to be gone")
    finally:
        admin.close()
    code, out, _ = run(lab, "topics", "--create", "-o", "yaml")
    assert (code, {item["status"] for item in yaml.safe_load(out)["items"]}) == (0, {"ok"})
    code, out, err = run(lab, "topics", "-o", "wide")
    assert (code, err, len(out.splitlines())) == (0, "", 1 + len(items))


def test_a_worker_at_work_is_well(lab: Lab) -> None:
    lab.start()
    lab.wait_for(lambda: "tables restored" in lab.log(), "the worker")
    lab.produce([event(1, number, 0) for number in range(5)])
    lab.wait_for(lambda: doctor(lab)[0] == 0 and lab.behind() == 0, "nothing to complain of")
    _, found = doctor(lab)
    assert {name for name, check in found.items() if check["status"] != "ok"} == set()
    assert {"versions", "brokers", "topics", "workers", "feed", "clock", "incarnation", "dead letters", "http"} < set(
        found
    )
    assert "4." in found["kafka version"]["message"]
    text = run(lab, "doctor")[1]
    assert len(text.splitlines()) == len(found)


def test_each_trouble_is_named_with_what_to_type_next(lab: Lab) -> None:
    code, found = doctor(lab)
    assert (code, found["topics"]["status"], found["topics"]["next"]) == (1, "fail", "hyperpod-state topics --create")
    assert run(lab, "topics", "--create")[0] == 0
    code, found = doctor(lab)
    assert (code, found["workers"]["status"], found["workers"]["next"]) == (1, "fail", "hyperpod-state worker")
    assert (found["feed"]["status"], found["http"]["status"]) == ("warn", "warn")

    lab.start()
    lab.produce([b"broken", *(event(1, number, 0) for number in range(20))], partition=0)
    lab.wait_for(lambda: lab.behind() == 0 and lab.read("deadletter"), "the events")
    lab.stop()
    assert "deadletter list" in doctor(lab)[1]["dead letters"]["next"]

    producer = KafkaProducer(bootstrap_servers=lab.bootstrap)
    ahead = int(1000 * (time.time() + 600))
    for number in range(1100):
        producer.send(lab.topic("raw"), value=event(2, number, 0), partition=0, timestamp_ms=ahead)
    producer.flush(60)
    producer.close()
    _, found = doctor(lab)
    assert found[f"lag of {lab.topic('raw')}"]["status"] == "warn"
    assert "ahead of this machine's clock" in found["clock"]["message"]


def test_a_topic_made_anew_is_noticed(lab: Lab) -> None:
    lab.start()
    lab.produce([event(1, 1, 0)])
    lab.wait_for(lambda: lab.behind() == 0 and lab.table("raw_progress"), "the event")
    lab.stop()
    admin = KafkaAdminClient(bootstrap_servers=lab.bootstrap)
    try:
        admin.delete_topics([lab.topic("raw")])
        lab.wait_for(lambda: lab.topic("raw") not in admin.list_topics(), "the topic to be gone")
        admin.create_topics([NewTopic(lab.topic("raw"), lab.partitions, 1)], wait_for_metadata=True)
    finally:
        admin.close()
    assert "ACCEPT_RECREATED" in doctor(lab)[1]["incarnation"]["next"]


def test_without_kafka_the_rest_is_still_checked(lab: Lab) -> None:
    lab.settings["brokers"] = "127.0.0.1:1"
    code, found = doctor(lab)
    assert (code, found["brokers"]["status"], found["versions"]["status"]) == (1, "fail", "ok")
    assert run(lab, "topics")[0] == 3
