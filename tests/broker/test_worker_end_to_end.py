"""A worker on a real Kafka: what it serves and writes is what the events say, whatever order they came in."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from models.timestamps import parse_ms
from streams.replay import replay
from tests.broker.lab import LISTS, Lab, event

if TYPE_CHECKING:
    from tests.kafka import Broker

BROKEN = [b"\xff\xfe{", b'{"a": NaN}', b"[" * 100, b'"text"', b"{", b'{"detail-type": 1}']
OTHER = json.dumps({"detail-type": "EC2 Instance State-change Notification", "detail": {}}).encode()


@pytest.fixture
def lab(kafka: Broker, tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(kafka.bootstrap, tmp_path, status_seconds=1, settle_seconds=1)
    yield lab
    lab.stop()


def story() -> list[bytes]:
    return [event(cluster, instance, step) for cluster in range(3) for instance in range(8) for step in range(3)]


def test_state_counts_and_topics_agree_with_the_events(lab: Lab) -> None:
    values = story()
    mixed = [*values, *values[::3], *BROKEN, OTHER, b"", b"[]"]
    random.Random(7).shuffle(mixed)
    lab.start()
    lab.wait_ready()
    lab.produce(mixed)
    lab.wait_done()
    counts = lab.audit()
    assert counts["applied"] == len(values)
    assert counts["duplicate"] == len(values[::3])
    assert counts["dead_lettered"] == len(BROKEN)
    assert counts["ignored"] == 1
    assert counts["read"] == len(values) + len(values[::3]) + len(BROKEN) + 1
    assert answers(lab) == expected(mixed, lab)
    assert lab.stop() == 0


def test_the_anomalies_topic_holds_what_http_answers(lab: Lab) -> None:
    lab.start()
    lab.wait_ready()
    lab.produce(story())
    lab.wait_done()

    def published() -> dict[str, dict[str, object]]:
        """The last record of each key, without what was taken back while the events came in."""
        last = {r.key.decode(): json.loads(r.value) for r in lab.read("anomalies") if r.value is not None}
        return {key: record for key, record in last.items() if record["status"] != "retracted"}

    def served() -> dict[str, dict[str, object]]:
        items = lab.get("/api/v1/anomalies?limit=1000")["items"]
        return {item["anomaly_id"]: item for item in items if item["status"] != "retracted"}

    lab.wait_for(lambda: published() == served() != {}, "the settling time of tentative anomalies")
    assert {item["status"] for item in served().values()} <= {"open", "resolved"}
    assert lab.read("transitions")
    assert {json.loads(record.value)["partition"] for record in lab.read("status")} == {0, 1}
    assert lab.stop() == 0


def test_a_dead_letter_is_whole_and_says_where_it_stood(lab: Lab) -> None:
    lab.start()
    lab.wait_ready()
    lab.produce([event(1, 1, 0), b"\xffbroken"], partition=1)
    lab.wait_done()
    lab.wait_for(lambda: lab.read("deadletter"), "the dead letter")
    [record] = [json.loads(each.value) for each in lab.read("deadletter")]
    assert record["reason"] == "invalid_utf8"
    assert record["data"] == "/2Jyb2tlbg=="
    assert record["origin"]["topic"] == lab.topic("raw")
    assert (record["origin"]["partition"], record["origin"]["offset"]) == (1, 1)


def answers(lab: Lab) -> dict[str, list[dict[str, object]]]:
    """What HTTP says, without revisions and without what had been published and was taken back: traces of arrival."""
    pages = {
        name: lab.get(f"/api/v1/{name}?limit=1000")["items"]
        for name in ("clusters", "instance-groups", "instances", "anomalies")
    }
    pages["anomalies"] = [item for item in pages["anomalies"] if item["status"] != "retracted"]
    for item in pages["anomalies"]:
        item.pop("revision")
    return pages


def expected(values: list[bytes], lab: Lab) -> dict[str, list[dict[str, object]]]:
    """The same from a file, by `replay`, at the moment that the answers are of."""
    now = parse_ms(lab.get("/api/v1/clusters")["as_of"])
    path = lab.folder / "values.jsonl"
    path.write_bytes(b"\n".join(values))
    document = replay([str(path)], now_ms=now).model_dump(mode="json")
    pages = {name: document[key] for name, key in LISTS.items()}
    for item in pages["anomalies"]:
        item.pop("revision")
    return pages
