"""What a worker does not start with, or ends at: always with a reason, never hanging, never with a traceback."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import NewTopic

from streams.cli import main
from tests.broker.figures import Run
from tests.broker.lab import Lab, arn, event

if TYPE_CHECKING:
    from tests.kafka import Broker

DEEP = b'{"v":1,"event":' + b"[" * 50_000 + b"]" * 50_000 + b"}"
ENDLESS = b'{"silence_id":"a","matchers":{"kind":"*"},"starts_at":0,"until":1' + b"0" * 400 + b"}"


@pytest.fixture
def lab(kafka: Broker, tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(kafka.bootstrap, tmp_path)
    yield lab
    lab.stop(signal.SIGKILL)


def write(lab: Lab, topic: str, key: bytes | None, value: bytes, partition: int = 0) -> None:
    producer = KafkaProducer(bootstrap_servers=lab.bootstrap, acks="all")
    try:
        producer.send(topic, key=key, value=value, partition=partition).get(timeout=30)
    finally:
        producer.close()


def started_and_stopped(lab: Lab) -> None:
    lab.start()
    lab.wait_ready()
    lab.produce([event(1, number, 0) for number in range(20)])
    lab.wait_done()
    assert lab.stop() == 0


@pytest.mark.parametrize(
    ("value", "why"),
    [(b"garbage", "not a row of this table"), (b'{"v":99,"g":["x",1],"row":{}}', "a row of version 99")],
)
@pytest.mark.reliability(8, "a changelog record that is none of ours, or of a newer version")
def test_a_changelog_record_that_is_none_of_ours_ends_the_worker_and_is_named(
    lab: Lab, figures: Run, value: bytes, why: str
) -> None:
    started_and_stopped(lab)
    key = f"{arn(1)}|i-foreign".encode()
    write(lab, f"{lab.app_id}-instances-changelog", key, value, partition=1)
    began = time.monotonic()
    assert lab.start().wait(60) == 1
    figures.seconds("ended, the record named, after", time.monotonic() - began, at_most=60)
    last = lab.log().splitlines()[-1]
    assert "i-foreign" in last
    assert why in last
    assert "instances-changelog/1" in last


def test_a_progress_row_that_is_none_of_ours_ends_the_worker_and_is_named_by_it_and_by_doctor(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    started_and_stopped(lab)
    write(lab, f"{lab.app_id}-progress-changelog", b"progress", b"what is this", partition=1)
    assert lab.start().wait(60) == 1
    assert f"{lab.app_id}-progress-changelog/1: the row 'progress'" in lab.log().splitlines()[-1]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in lab.env().items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["hyperpod-state", "doctor", "-o", "json"])
        main()
    assert "progress row that cannot be read" in capsys.readouterr().out


def test_foreign_records_are_buried_and_the_worker_goes_on(lab: Lab) -> None:
    lab.start()
    lab.wait_ready()
    for foreign in (b"what is this", DEEP, b'{"v":1,"silence":{"silence_id":"\xff"}}'):
        write(lab, lab.topic("events"), None, foreign)
    write(lab, lab.topic("silences"), b"a", ENDLESS)
    lab.produce([event(1, number, 0) for number in range(5)])
    lab.wait_done()
    lab.wait_for(lambda: len(lab.read("deadletter")) == 4, "four dead letters")
    counts = lab.audit()
    assert (counts["applied"], counts["foreign"]) == (5, 3)
    reasons = sorted(json.loads(record.value)["reason"] for record in lab.read("deadletter"))
    assert reasons == ["foreign", "foreign", "foreign", "not_a_silence"]


@pytest.mark.reliability(13, "a topic deleted and made anew")
def test_a_topic_made_anew_is_refused_until_it_is_accepted(lab: Lab) -> None:
    started_and_stopped(lab)
    admin = KafkaAdminClient(bootstrap_servers=lab.bootstrap)
    try:
        admin.delete_topics([lab.topic("raw")])
        lab.wait_for(lambda: lab.topic("raw") not in admin.list_topics(), "the topic to be gone")
        admin.create_topics([NewTopic(lab.topic("raw"), 2, 1)], wait_for_metadata=True)
    finally:
        admin.close()
    assert lab.start().wait(60) == 1
    assert "HYPERPOD_STATE_ACCEPT_RECREATED_TOPICS" in lab.log().splitlines()[-1]
    lab.start(accept_recreated_topics=True)
    lab.wait_ready()
    lab.produce([event(2, number, 0) for number in range(7)])
    lab.wait_done()
    assert lab.audit_counts()["read"] == 27
    assert lab.audit_counts()["applied"] == 27


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"create_topics": "false"}, "missing and creation is disabled"),
        ({"partitions": 3, "status_topic": "other"}, "has 2 partitions, 3 are wanted"),
    ],
)
@pytest.mark.reliability(13, "a topic missing, or with another number of partitions")
def test_topics_that_are_not_as_they_must_be_are_said_and_nothing_starts(
    lab: Lab, changed: dict[str, Any], why: str
) -> None:
    if "partitions" in changed:
        started_and_stopped(lab)
    command = [sys.executable, "-m", "streams.cli", "worker"]
    done = subprocess.run(command, env=lab.env(**changed), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3
    assert why in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("after", ["starting", "http listening", "tables restored"])
def test_told_to_end_while_it_starts_it_ends_well(lab: Lab, after: str) -> None:
    lab.start()
    lab.wait_for(lambda: after in lab.log(), after)
    assert lab.stop(signal.SIGINT) == 0
