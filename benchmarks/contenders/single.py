"""Events one at a time, each a failure, and how long until it shows: on the topics, and in the API.

Knows: confluent-kafka, HTTP, the workload.
Must not know: what works between the topics.

Each is awaited everywhere before the next one comes, after a pause that is another every time, so that none meets the
worker's clock always at the same moment.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from http.client import HTTPConnection
from typing import Any

import orjson
from confluent_kafka import Consumer, Producer

from benchmarks.contenders.job import MARK, leave
from benchmarks.contenders.pace import SEND, listener_of, spans
from benchmarks.workload import ANOMALY_EVERY, Event, Shape, events

WARM = 5
"""Events that do not count: connections and the broker get warm."""
PATIENCE_SECONDS = 20.0
MOST_SECONDS = 150.0
"""For all of them: no event is begun after that, so that one that never shows does not cost its patience each time."""
PAUSES = (0.31, 0.17, 0.43, 0.22, 0.37, 0.13, 0.29)


def main(told: dict[str, Any]) -> None:
    """One after the other."""
    shape = Shape(**told["shape"])
    topics = {"transition": told["transitions"], "anomaly": told["anomalies"]}
    listeners = {kind: listener_of(told["bootstrap"], topic, shape.partitions) for kind, topic in topics.items()}
    producer, http = Producer({"bootstrap.servers": told["bootstrap"], **SEND}), HTTPConnection(told["http"])
    took: dict[str, list[float]] = {"transition": [], "anomaly": [], "api": []}
    until = time.monotonic() + MOST_SECONDS
    for number in range(WARM + shape.events):
        if time.monotonic() > until:
            break
        time.sleep(PAUSES[number % len(PAUSES)])
        event = _failure(shape, number)
        looks = {**{kind: _heard(listener, event) for kind, listener in listeners.items()}, "api": _shown(http, event)}
        for kind, seconds in _awaited(producer, told["raw"], event, looks).items():
            if number >= WARM:
                took[kind].append(seconds)
    print(MARK + json.dumps({kind: spans(sorted(found), heard=len(found)) for kind, found in took.items()}), flush=True)
    leave()


def _failure(shape: Shape, number: int) -> Event:
    """The first event of another instance each time, and of now."""
    first = ANOMALY_EVERY * (number + 1) - 1
    begin = round(time.time() * 1000) - first * shape.pace_ms
    return next(events(replace(shape, events=1, first=first, begin_ms=begin)))


def _awaited(producer: Producer, raw: str, event: Event, looks: dict[str, Callable[[], bool]]) -> dict[str, float]:
    """Seconds until each look finds it; what none has found in time is left out."""
    found: dict[str, float] = {}
    began = time.monotonic()
    producer.produce(raw, event.value, event.key, event.partition)
    producer.poll(0)
    while len(found) < len(looks) and time.monotonic() - began < PATIENCE_SECONDS:
        for kind in looks.keys() - found.keys():
            if looks[kind]():
                found[kind] = time.monotonic() - began
    return found


def _heard(listener: Consumer, event: Event) -> Callable[[], bool]:
    instance = _instance(event)

    def look() -> bool:
        """An anomaly names the instance, and so does a transition."""
        found = [orjson.loads(message.value()) for message in listener.consume(100, 0.002) if message.value()]
        return any(record["instance_id"] == instance for record in found)

    return look


def _shown(http: HTTPConnection, event: Event) -> Callable[[], bool]:
    path = f"/api/v1/instances/{_instance(event)}"

    def look() -> bool:
        """Asked again and again, as fast as it answers."""
        http.request("GET", path)
        answer = http.getresponse()
        answer.read()
        return answer.status == 200

    return look


def _instance(event: Event) -> str:
    found: str = orjson.loads(event.value)["detail"]["EventDetails"]["InstanceId"]
    return found


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
