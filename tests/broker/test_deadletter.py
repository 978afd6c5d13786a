"""Poison through a real worker: buried once each, its neighbours unharmed; looked at and fed again by command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from kafka import KafkaProducer

from tests.broker.figures import Run
from tests.broker.lab import Lab, arn, event

if TYPE_CHECKING:
    from tests.kafka import Broker

DEEP = b'{"a":' * 70 + b"1" + b"}" * 70
HUGE = b'{"detail-type": "' + b"x" * 2_000_000 + b'"}'
ESCAPES = b'"\x1b]0;owned\x07 \xe2\x80\xae"'
POISON: dict[str, list[bytes]] = {
    "invalid_utf8": [b'\xff\xfe{"detail":1}'],
    "not_json": [event(1, 1, 0)[:-20]],
    "too_deep": [DEEP],
    "too_large": [HUGE],
    "not_finite": [b'{"detail-type": "x", "detail": NaN}'],
    "not_an_object": [b"17", ESCAPES.replace(b"\x1b", b"\\u001b").replace(b"\x07", b"\\u0007")],
    "no_cluster": [
        b'{"detail-type": "SageMaker HyperPod Cluster Event", "detail": {}, "time": "2026-01-01T00:00:00Z"}'
    ],
    "wrong_type": [b'{"detail-type": 1, "detail": {}, "resources": ["x"]}'],
}
COUNT = sum(map(len, POISON.values()))


@dataclass
class Ended:
    code: int
    out: str
    err: str

    @property
    def items(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


class Command:
    """`hyperpod-state deadletter …` with the lab's settings."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def __call__(self, *words: str) -> Ended:
        command = [sys.executable, "-m", "streams.cli", "deadletter", *words]
        env = {**os.environ, **self.lab.env()}
        done = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, check=False
        )
        assert "Traceback" not in done.stderr
        return Ended(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def lab(kafka: Broker, tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(kafka.bootstrap, tmp_path)
    yield lab
    lab.stop()


@pytest.fixture
def command(lab: Lab) -> Command:
    return Command(lab)


def send(lab: Lab, records: list[tuple[bytes | None, bytes | None]]) -> None:
    producer = KafkaProducer(bootstrap_servers=lab.bootstrap, max_request_size=8_000_000)
    try:
        for key, value in records:
            producer.send(lab.topic("raw"), key=key, value=value, partition=0)
        producer.flush(60)
    finally:
        producer.close()


def poisoned(lab: Lab) -> None:
    """A worker that has read poison between good events, a null value and a null key among them."""
    bad = [value for values in POISON.values() for value in values]
    good = [event(1, number, step) for step in range(3) for number in range(1, 6)]
    mixed: list[tuple[bytes | None, bytes | None]] = [(b"key", None), (None, b""), (b"\xff\x00", good[0])]
    for place, value in enumerate(good[1:]):
        mixed += [(None, value), (b"k", bad[place % COUNT])] if place < COUNT else [(b"k", value)]
    lab.start()
    lab.wait_ready()
    send(lab, mixed)
    lab.wait_done()


def state(lab: Lab) -> list[Any]:
    """What does not change when nothing happens; revisions and ages aside."""
    items = [lab.get(f"/api/v1/{name}")["items"] for name in ("clusters", "instance-groups", "instances")]
    anomalies = lab.get("/api/v1/anomalies")["items"]
    return [*items, sorted((each["anomaly_id"], each["status"]) for each in anomalies)]


@pytest.mark.reliability(9, "poison of every kind between good events, a null value and a null key among them")
def test_poison_is_buried_once_looked_at_and_fed_again(lab: Lab, command: Command, figures: Run) -> None:
    poisoned(lab)
    worker = lab.process
    counts = lab.audit()
    figures.count("buried, once each", COUNT, "values")
    assert (counts["applied"], counts["dead_lettered"], counts["read"]) == (15, COUNT, 15 + COUNT)
    listed = command("list", "-o", "jsonl")
    assert Counter(item["reason"] for item in listed.items) == {reason: len(bad) for reason, bad in POISON.items()}
    assert {item["size"] for item in listed.items if item["reason"] == "too_large"} == {len(HUGE)}

    before = state(lab)
    for _ in range(2):  # still broken, so one more letter each time: but of the first one
        done = command("replay", "--all", "--yes", "-o", "json")
        assert done.code == 0, done.err
        assert len(json.loads(done.out)["items"]) == COUNT
        lab.wait_done()
        assert state(lab) == before
    letters = command("list", "-o", "jsonl", "--limit", "100").items
    firsts = {item["key"]: item for item in letters if item["replay_of"] is None}
    assert (len(letters), len(firsts)) == (3 * COUNT, COUNT)
    for item in letters:
        first = firsts[(item["replay_of"] or item["key"]).rpartition("/")[2]]
        assert (item["reason"], item["size"], item["time"]) == (first["reason"], first["size"], first["time"])
    assert lab.audit()["applied"] == 15
    assert worker is not None
    assert worker.poll() is None


def test_what_was_applied_meanwhile_counts_as_a_duplicate(lab: Lab, command: Command) -> None:
    """The fault of ours is made up: a letter with a good event in it, as a worker of another version would write."""
    lab.start()
    lab.wait_ready()
    lab.produce([event(1, 1, 0)], partition=0)
    lab.wait_done()
    for number in (0, 1):
        bury(lab, f"0-{900 + number}-0", event(1, 1, number))
    letters = command("list", "--reason", "wrong_type", "-o", "jsonl").items
    assert len(letters) == 2
    for _ in range(2):
        assert command("replay", "--reason", "wrong_type", "-y").code == 0
        lab.wait_done()
    counts = lab.audit_counts()
    assert (counts["applied"], counts["duplicate"], counts["dead_lettered"]) == (2, 3, 0)
    assert lab.get("/api/v1/instances")["items"][0]["phase"] == "LifecycleScript"


def bury(lab: Lab, key: str, value: bytes) -> None:
    from streams.codecs import dead_letter

    origin = {"topic": lab.topic("raw"), "incarnation": "x", "partition": 0, "offset": 900, "index": 0}
    producer = KafkaProducer(bootstrap_servers=lab.bootstrap)
    try:
        letter = dead_letter("wrong_type", origin, value, "2026-01-01T00:00:00.000Z")
        producer.send(lab.topic("deadletter"), key=key.encode(), value=letter, partition=0).get(timeout=30)
    finally:
        producer.close()


def test_the_commands_say_what_is_there(lab: Lab, command: Command) -> None:
    assert command("list").err == "No dead letters.\n"
    poisoned(lab)
    send_foreign(lab)
    table = command("list", "--limit", "3")
    assert (table.code, table.out.count("not_an_object")) == (0, 1)
    assert "\x1b" not in table.out
    assert "note: 3 of 10; the next page: --skip 3" in table.err
    body = json.loads(command("list", "-o", "json", "--reason", "not_an_object", "--skip", "1").out)
    assert (body["total"], body["reasons"][0]["count"], len(body["items"])) == (2, 2, 1)
    assert command("list", "--since", "+1h", "-o", "jsonl").out == ""

    key = next(item["key"] for item in command("list", "-o", "jsonl").items if "u001b" in item["begins"])
    shown = command("show", key)
    assert "what to do" in shown.out
    assert "\\u001b]0;owned" in shown.out
    assert json.loads(command("show", key, "-o", "json").out)["text"].startswith('"\\u001b')
    foreign = command("show", "0\x1b[2J")
    assert "\x1b" not in foreign.out
    assert "not_a_letter" in foreign.out

    trial = command("replay", key, "--dry-run", "-o", "jsonl").items
    assert trial == [{"key": key, "reason": "not_an_object", "fed_to": None, "left_out": None}]
    assert command("replay", "--reason", "not_a_letter", "--yes", "-o", "jsonl").items[0]["left_out"]
    assert (command("replay", key).code, command("replay").code, command("show", "9-9-9").code) == (2, 2, 1)
    assert "not found: 9-9-9" in command("replay", "9-9-9", "--yes").err


def send_foreign(lab: Lab) -> None:
    producer = KafkaProducer(bootstrap_servers=lab.bootstrap)
    try:
        producer.send(lab.topic("deadletter"), key=b"0\x1b[2J", value=b"\x1b[2J what is this", partition=1).get(30)
    finally:
        producer.close()


def test_an_event_that_the_fold_could_not_take_is_fed_as_it_was_read(lab: Lab, command: Command) -> None:
    """Its letter holds the record of the internal topic: what goes back is the event inside."""
    from streams.codecs import dead_letter

    lab.start()
    lab.wait_ready()
    lab.produce([event(1, 1, 0)], partition=0)
    lab.wait_done()
    [forwarded] = [record for record in lab.read("events") if record.key == arn(1).encode()]
    origin = {"topic": lab.topic("events"), "incarnation": "x", "partition": 0, "offset": 1, "index": 0}
    producer = KafkaProducer(bootstrap_servers=lab.bootstrap)
    try:
        letter = dead_letter("internal_error", origin, forwarded.value, None)
        producer.send(lab.topic("deadletter"), key=b"events-0-1", value=letter, partition=0).get(timeout=30)
    finally:
        producer.close()
    assert command("replay", "events-0-1", "--yes").code == 0
    lab.wait_done()
    counts = lab.audit_counts()
    assert (counts["applied"], counts["duplicate"], counts["dead_lettered"]) == (1, 1, 0)
