"""From an event in an AWS account to the anomaly: rule, queue, pipe, function, Kafka, worker, without AWS itself."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from models.timestamps import parse_ms
from streams.feed import function
from streams.feed.sender import Access, Sender
from tests.broker.lab import START_MS, Lab, event
from tests.test_deploy import pipe as standin

if TYPE_CHECKING:
    from tests.kafka import Broker

SILENT = {"feed_silent_minutes": 0.1}
THEIRS, MOTOS = b"111122223333", standin.ACCOUNT.encode()
"""An account's heartbeats are about its own clusters: the lab's events move into the account that moto has."""


@pytest.fixture
def lab(kafka: Broker, tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(kafka.bootstrap, tmp_path, thresholds=SILENT)
    yield lab
    lab.stop()


@pytest.fixture
def sender(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sender]:
    """What the function has connected to."""
    sender = Sender(Access(lab.bootstrap, lab.topic("raw"), tls=False))
    monkeypatch.setattr(function, "_kept", [sender])
    yield sender
    sender.close()


def story() -> list[dict[str, Any]]:
    """An instance whose lifecycle script fails, one whose does not."""
    return [json.loads(event(1, instance, step).replace(THEIRS, MOTOS)) for step in range(3) for instance in (7, 8)]


def other() -> dict[str, Any]:
    """Of SageMaker too, but not of HyperPod."""
    detail = {"TrainingJobName": "job", "TrainingJobStatus": "Failed", "FailureReason": "none"}
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(START_MS / 1000))
    envelope = {"detail-type": "SageMaker Training Job State Change", "source": "aws.sagemaker", "time": stamp}
    return {**envelope, "resources": ["arn:aws:sagemaker:us-west-2:111122223333:training-job/job"], "detail": detail}


def forgets(batch: Any, context: Any) -> dict[str, Any]:
    """The function as it is when its answer gets lost: Kafka has the records, and the pipe hears of a failure."""
    function.handler(batch, context)
    return {"batchItemFailures": [{"itemIdentifier": ""}]}


def of(lab: Lab, kind: str, status: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = lab.get(f"/api/v1/anomalies?kind={kind}&status={status}")["items"]
    return items


def is_over(second: str) -> bool:
    """EventBridge cuts times to seconds: a heartbeat of the second in which a silence began came in time."""
    began = parse_ms(second)
    assert began is not None
    return time.time() * 1000 >= began + 1000


def test_an_event_in_the_account_becomes_an_anomaly(lab: Lab, sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.start()
    lab.wait_ready()
    with standin.account(monkeypatch) as account:
        for each in [*story(), other()]:
            account.happens(each)
        assert account.pipe.step(forgets) == 0
        assert account.pipe.drain(function.handler) == len(story())
        account.beats()
        assert account.pipe.drain(function.handler) == 1
    lab.wait_for(lambda: of(lab, "lifecycle_script_failed", "open"), "the anomaly of the failed script")
    (opened,) = of(lab, "lifecycle_script_failed", "open")
    assert (opened["instance_id"], opened["cluster_name"]) == ("i-00010000000000007", "lab-1")
    lab.wait_for(lambda: of(lab, "feed_silent", "open"), "the silence after one heartbeat")
    (silent,) = of(lab, "feed_silent", "open")
    lab.wait_for(lambda: is_over(silent["opened_at"]), "a heartbeat that is later than in time")
    with standin.account(monkeypatch) as account:
        account.beats()
        assert account.pipe.drain(function.handler) == 1
    lab.wait_for(lambda: of(lab, "feed_silent", "resolved"), "the next heartbeat")
    assert lab.stop() == 0
    counts = lab.audit()
    assert (counts["applied"], counts["duplicate"], counts.get("ignored", 0)) == (len(story()) + 2, len(story()), 0)
    assert {record.key for record in lab.read("raw")} == {story()[0]["resources"][0].encode(), None}
