"""The typed client against a real worker and a real Kafka: the examples of docs/programs.md, and odd records."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from models.public import Anomaly as Published
from streams.client import AnomalyConsumer, NewerVersion, NoKafka
from tests.broker.lab import Lab, event
from tests.kafka import new_topic, produce
from tests.test_streams.serving import anomaly

if TYPE_CHECKING:
    from tests.kafka import Broker

PAGE = Path(__file__).resolve().parents[2] / "docs" / "programs.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S)
LINES = 15
WAIT = 120.0


@pytest.fixture(scope="module")
def lab(kafka: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A worker that knows of instances, two of which have failed."""
    lab = Lab(kafka.bootstrap, tmp_path_factory.mktemp("client"), settle_seconds=0, status_seconds=1)
    try:
        lab.start()
        lab.wait_ready()
        lab.produce(event(1, instance, step) for step in range(3) for instance in range(8))
        lab.produce([b"not JSON"])
        lab.wait_done()
        yield lab
    finally:
        lab.stop()


def environment(lab: Lab) -> dict[str, str]:
    """Of somebody who has set nothing but where things are."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("HYPERPOD_STATE_")}
    here = {
        "SERVER": f"http://127.0.0.1:{lab.port}",
        "BROKERS": lab.bootstrap,
        "ANOMALIES_TOPIC": lab.topic("anomalies"),
    }
    return {**known, **{f"HYPERPOD_STATE_{name}": value for name, value in here.items()}}


@pytest.mark.parametrize("code", EXAMPLES)
def test_an_example_is_short(code: str) -> None:
    assert len(EXAMPLES) == 2
    assert len(code.splitlines()) <= LINES


def test_the_example_of_http_prints_what_is_wrong(lab: Lab) -> None:
    (code,) = (each for each in EXAMPLES if "Api" in each)
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(lab), capture_output=True, text=True, timeout=WAIT, check=False
    )
    assert done.stderr == ""
    told = done.stdout.splitlines()
    assert [line for line in told if line.startswith("error lifecycle_script_failed i-0001")]
    assert [line for line in told if line.startswith("group-0 i-00010000000000000 ")]
    assert told[-1].startswith(("an hour ago: 0 failed", "nothing exact is kept"))


def test_the_example_of_the_topic_pages_for_what_fails(lab: Lab) -> None:
    (code,) = (each for each in EXAMPLES if "AnomalyConsumer" in each)
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment(lab), stdout=subprocess.PIPE, text=True
    ) as program:
        try:
            guard = threading.Timer(WAIT, program.kill)
            guard.start()
            assert program.stdout is not None
            first = list(itertools.islice(program.stdout, 2))
        finally:
            guard.cancel()
            program.kill()
    assert len(first) == 2
    assert all(re.match(r"page \w+ error ", line) for line in first), first


def test_every_record_is_as_it_was_published(lab: Lab) -> None:
    for kind in ("anomalies", "transitions", "deadletter", "status"):
        lab.wait_for(lambda kind=kind: lab.read(kind), f"{kind}, each of which is looked at")
    told = json.loads(lab.read("transitions")[0].value)
    assert (next(iter(told)), told["schema_version"]) == ("schema_version", "1")


def test_the_worker_describes_its_own_topics_and_itself(lab: Lab) -> None:
    channels = lab.get("/asyncapi.json")["channels"]
    for kind in ("anomalies", "transitions", "deadletter", "status", "silences", "events", "raw"):
        assert channels[kind]["address"] == lab.topic(kind)
    assert lab.get("/schemas/anomaly.v1.json")["$id"] == "anomaly.v1.json"
    assert "/api/v1/anomalies" in lab.get("/openapi.json")["paths"]


def test_what_is_now_is_what_the_worker_answers(lab: Lab) -> None:
    with AnomalyConsumer(lab.bootstrap, anomalies_topic=lab.topic("anomalies")) as consumer:
        told = {each.anomaly_id: each.status for each in consumer.now()}
    asked = lab.get("/api/v1/anomalies")["items"]
    assert told == {each["anomaly_id"]: each["status"] for each in asked if each["status"] != "retracted"}


def records(*anomalies: Published) -> list[tuple[bytes, bytes]]:
    return [(each.anomaly_id.encode(), each.model_dump_json().encode()) for each in anomalies]


def revised(name: str, revision: int, **changes: Any) -> Published:
    return anomaly(name, **changes).model_copy(update={"revision": revision})


def some(kafka: Broker, topic: str, count: int, **settings: Any) -> list[tuple[str, int]]:
    """The first so many that a consumer hands on."""
    with AnomalyConsumer(kafka.bootstrap, anomalies_topic=topic, **settings) as consumer:
        return [(each.anomaly_id, each.revision) for each in itertools.islice(consumer, count)]


def test_each_revision_is_handed_on_once_and_what_is_no_anomaly_is_not(
    kafka: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    topic = new_topic(kafka.bootstrap)
    told = [revised("a", 1), revised("a", 1), revised("b", 5), revised("a", 3), revised("a", 2), revised("b", 5)]
    produce(kafka.bootstrap, topic, records(*told))
    produce(kafka.bootstrap, topic, [(b"x", b"what is this"), (b"other", records(revised("c", 1))[0][1]), (b"b", None)])
    newer = {**revised("d", 1).model_dump(mode="json"), "gpu": 3, "kind": "gpu_lost"}
    produce(kafka.bootstrap, topic, [(b"d", json.dumps(newer).encode()), *records(revised("b", 5))])
    assert some(kafka, topic, 5) == [("a", 1), ("b", 5), ("a", 3), ("d", 1), ("b", 5)]
    assert [
        record.getMessage().partition(" is left out: ")[2] for record in caplog.records if "left out" in record.msg
    ] == [
        "not JSON",
        "its key is another anomaly's",
    ]
    with AnomalyConsumer(kafka.bootstrap, anomalies_topic=topic) as consumer:
        assert sorted((each.anomaly_id, each.revision) for each in consumer.now()) == [("a", 2), ("b", 5), ("d", 1)]


def test_a_group_goes_on_with_what_it_had_not_finished(kafka: Broker) -> None:
    topic = new_topic(kafka.bootstrap)
    produce(kafka.bootstrap, topic, records(*(revised("a", number) for number in range(1, 6))))
    assert some(kafka, topic, 2, group="g-1") == [("a", 1), ("a", 2)]
    with AnomalyConsumer(kafka.bootstrap, anomalies_topic=topic, group="g-1") as consumer:
        source = iter(consumer)
        assert [next(source).revision for _ in range(5)] == [1, 2, 3, 4, 5]
        produce(kafka.bootstrap, topic, records(revised("a", 6)))
        assert next(source).revision == 6
    assert some(kafka, topic, 1, group="g-1") == [("a", 6)]


def test_a_record_of_a_newer_version_stops_the_reader_by_name(kafka: Broker) -> None:
    topic = new_topic(kafka.bootstrap)
    newer = {**revised("a", 1).model_dump(mode="json"), "schema_version": "2"}
    produce(kafka.bootstrap, topic, [(b"a", json.dumps(newer).encode())])
    with pytest.raises(NewerVersion, match=rf"{topic}/0 at 0: a record of schema_version 2"):
        some(kafka, topic, 1)


def test_a_topic_or_a_broker_that_is_not_there_is_named(kafka: Broker) -> None:
    with pytest.raises(NoKafka, match="There is no topic nowhere"):
        AnomalyConsumer(kafka.bootstrap, anomalies_topic="nowhere")
    with pytest.raises(NoKafka, match=r"No Kafka broker answers at 127.0.0.1:9"):
        AnomalyConsumer("127.0.0.1:9")
