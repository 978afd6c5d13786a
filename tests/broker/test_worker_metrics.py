"""The metrics of a worker on a real Kafka: they add up, and its death does not make them fall."""

from __future__ import annotations

import signal
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from streams.metrics.series import PREFIX
from tests.broker.lab import Lab, event
from tests.builders import heartbeat, raw
from tests.test_streams.otlp import Receiver, attributes

if TYPE_CHECKING:
    from tests.kafka import Broker

Samples = dict[tuple[str, ...], float]


@pytest.fixture
def lab(kafka: Broker, tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(kafka.bootstrap, tmp_path)
    yield lab
    lab.stop(signal.SIGKILL)


def scraped(lab: Lab) -> Samples:
    """All samples, by name and values of the labels; topics without the lab's name."""
    with urllib.request.urlopen(f"http://127.0.0.1:{lab.port}/metrics", timeout=10) as answer:
        text = answer.read().decode().replace(f"{lab.app_id}.", "")
    found = text_string_to_metric_families(text)
    return {
        (sample.name.removeprefix(f"{PREFIX}_"), *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in found
        for sample in family.samples
    }


def total(samples: Samples, *begin: str) -> float:
    return sum(value for key, value in samples.items() if key[: len(begin)] == begin)


def counters(samples: Samples) -> Samples:
    return {key: value for key, value in samples.items() if key[0].startswith(("values", "dead_letters"))}


def test_they_add_up_and_go_on_after_a_kill(lab: Lab) -> None:
    lab.start()
    lab.wait_ready()
    now = int(time.time() * 1000)
    values = [event(number, instance, 0) for number in range(3) for instance in range(4)]
    [beat] = raw([heartbeat(now)])
    lab.produce([*values, values[0], b"{", beat])
    lab.wait_done()
    lab.wait_for(lambda: total(scraped(lab), "values_total") == 15, "all to be committed")
    found = scraped(lab)
    assert total(found, "values_read_total") == 15
    outcomes = ("applied", "duplicate", "ignored", "dead_lettered")
    assert [total(found, "values_total", outcome) for outcome in outcomes] == [13, 1, 0, 1]
    assert [key[2:] for key, value in found.items() if key[0] == "dead_letters_total" and value] == [
        ("not_json", "raw")
    ]
    assert (found["partitions", "raw"], found["partitions", "events"]) == (2, 2)
    assert len([key for key in found if key[0] == "committed_offset"]) == 4
    beats = {key: value for key, value in found.items() if key[0] == "feed_heartbeat_timestamp_seconds"}
    assert list(beats.values()) == [pytest.approx(now / 1000)]
    assert total(found, "checkpoint_seconds_count", "events") >= 1
    assert (found["assignments_total",], found["restored_ratio",], found["ready",]) == (1, 1, 1)
    assert found["process_start_time_seconds",] > now / 1000 - 300

    lab.stop(signal.SIGKILL)
    lab.start()
    lab.wait_ready()
    again = scraped(lab)
    assert counters(again) == counters(found)
    lab.produce([event(0, 9, 0)])
    lab.wait_for(lambda: total(scraped(lab), "values_total", "applied") == 14, "one more")
    assert all(value >= counters(found)[key] for key, value in counters(scraped(lab)).items())


def test_a_worker_pushes_them_where_it_is_told_to(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver().up() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "500")
        lab.start(instance_id="w1")
        lab.produce([event(0, instance, 0) for instance in range(3)])

        def applied() -> float:
            resource = receiver.got[-1][2].resource_metrics[0] if receiver.got else None
            metrics = () if resource is None else resource.scope_metrics[0].metrics
            points = [point for each in metrics if each.name == f"{PREFIX}_values" for point in each.sum.data_points]
            return sum(point.as_double for point in points if attributes(point.attributes)["outcome"] == "applied")

        lab.wait_for(lambda: applied() == 3, "three events to be told of")
        assert attributes(receiver.got[0][2].resource_metrics[0].resource.attributes)["service.instance.id"] == "w1"
    assert lab.stop() == 0  # nobody takes them any more, and nobody waits
    assert "Traceback" not in lab.log()
