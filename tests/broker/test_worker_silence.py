"""A stream that falls silent, on a real Kafka: what waits for its next event is stuck all the same."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.broker.lab import START_MS, Lab, event

if TYPE_CHECKING:
    from tests.kafka import Broker

pytestmark = pytest.mark.kafka
SECONDS = json.dumps({"deadlines": {"lifecycle_script": {"slow": 0.1, "stuck": 0.2}}})


@pytest.fixture
def lab(kafka: Broker, tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(kafka.bootstrap, tmp_path, thresholds=SECONDS)
    yield lab
    lab.stop(signal.SIGKILL)


def stuck(lab: Lab) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = lab.get("/api/v1/anomalies?kind=stuck&status=open")["items"]
    return items


def now() -> int:
    """The seconds that `event` counts in."""
    return (int(time.time() * 1000) - START_MS) // 1000


def script(status: str) -> bytes:
    """What an instance's script does, now."""
    return event(1, 1, now(), text=f"Instance lifecycle script execution for i-00010000000000001 has {status}")


def test_ticks_alone_open_stuck_make_it_critical_and_remember_it(lab: Lab) -> None:
    lab.start()
    lab.wait_ready()
    lab.produce([script("Started")])
    lab.wait_for(lambda: [item["severity"] for item in stuck(lab)] == ["critical"], "the second deadline")
    (found,) = stuck(lab)
    told = [json.loads(record.value) for record in lab.read("anomalies") if record.value]
    mine = [each for each in told if each["anomaly_id"] == found["anomaly_id"]]
    assert (mine[-1]["severity"], mine[-1]["status"]) == ("critical", "open")
    assert len(lab.read("raw")) == 1  # nothing else was ever said
    lab.stop(signal.SIGKILL)
    lab.start()
    lab.wait_ready()
    lab.wait_for(lambda: stuck(lab) == [found], "the same anomaly after a kill")
    lab.produce([script("Succeeded")])
    lab.wait_for(lambda: stuck(lab) == [], "the next step to end it")
    assert lab.stop() == 0
