"""docs/maintenance.md, tried: a fleet with more partitions beside the old one; everything anew from the raw topic."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from kafka import KafkaAdminClient, KafkaProducer

from models.public_silence import Silence
from streams.silences import dump
from tests.broker.lab import LISTS, Lab, event

if TYPE_CHECKING:
    from tests.kafka import Broker

CLUSTERS, INSTANCES = 5, 8
KEPT = ("raw", "silences", "alerts")
"""What nothing else can be made of: a fleet that begins anew has the same."""


class Anew(Lab):
    """The same fleet under another `app_id`, with an empty folder."""

    def __init__(self, old: Lab, name: str, partitions: int, *, own_names: bool) -> None:
        (old.folder / name).mkdir()
        self._old, self._own_names = old, own_names
        super().__init__(old.bootstrap, old.folder / name, partitions)
        self.settings = {**old.settings, **self.settings}

    def topic(self, kind: str) -> str:
        return super().topic(kind) if self._own_names and kind not in KEPT else self._old.topic(kind)


@pytest.fixture
def old(kafka: Broker, tmp_path: Path) -> Iterator[Lab]:
    """A fleet with a story behind it, a part of which somebody has silenced."""
    lab = Lab(kafka.bootstrap, tmp_path, settle_seconds=1)
    try:
        lab.start()
        lab.wait_ready()
        silence(lab)
        lab.produce(story(3))
        lab.wait_done()
        lab.wait_for(lambda: silenced(lab), "the silence to be heard")
        yield lab
    finally:
        lab.stop(signal.SIGKILL)


def story(steps: int) -> list[bytes]:
    every = [(cluster, instance) for cluster in range(CLUSTERS) for instance in range(INSTANCES)]
    return [event(cluster, instance, step) for step in range(steps) for cluster, instance in every]


def silence(lab: Lab) -> None:
    """Of the failures of one cluster."""
    span = {"starts_at": "2026-01-01T00:00:00.000Z", "until": "2036-01-01T00:00:00.000Z"}
    told = Silence.model_validate({"silence_id": "s-1", "matchers": {"cluster": "lab-1"}, **span})
    producer = KafkaProducer(bootstrap_servers=lab.bootstrap, acks="all")
    try:
        producer.send(lab.topic("silences"), key=b"s-1", value=dump(told)).get(timeout=30)
    finally:
        producer.close()


def silenced(lab: Lab) -> list[Any]:
    return [each for each in pictures(lab)["anomalies"] if each["silenced_by"]]


def pictures(lab: Lab) -> dict[str, list[Any]]:
    """All that the API says, but for how often a record was changed."""
    found = {key: lab.get(f"/api/v1/{name}?limit=1000")["items"] for name, key in LISTS.items()}
    return {key: [{k: v for k, v in each.items() if k != "revision"} for each in items] for key, items in found.items()}


def agrees(new: Lab, before: dict[str, list[Any]]) -> None:
    """With another fleet, at last: it may show parts of the story first."""
    new.wait_done()
    new.wait_for(lambda: pictures(new) == before, "the state of the fleet before")
    assert new.audit()["applied"] == CLUSTERS * INSTANCES * 3


def test_a_fleet_with_more_partitions_makes_the_same_of_the_raw_topic_and_goes_on(old: Lab) -> None:
    before = pictures(old)
    assert len(before["instances"]) == CLUSTERS * INSTANCES
    assert {each["cluster_name"] for each in silenced(old)} == {"lab-1"}
    assert old.audit()["applied"] == CLUSTERS * INSTANCES * 3
    assert old.stop() == 0
    admin = KafkaAdminClient(bootstrap_servers=old.bootstrap)
    try:
        admin.create_partitions({old.topic("raw"): 4})
        raw = [old.topic("raw")]
        old.wait_for(lambda: len(admin.describe_topics(raw)[0]["partitions"]) == 4, "four raw partitions")
    finally:
        admin.close()
    new = Anew(old, "four", 4, own_names=True)
    try:
        new.start()
        agrees(new, before)
        assert len(new.owned()) == 4
        new.produce(event(cluster, 100, step) for step in range(3) for cluster in range(CLUSTERS))  # to all raw ones
        new.wait_done()
        assert len(pictures(new)["instances"]) == CLUSTERS * (INSTANCES + 1)
        assert new.stop() == 0
        assert old.start().wait(60) != 0
        assert "has 4 partitions, 2 are wanted" in old.log()
    finally:
        new.stop(signal.SIGKILL)


def test_everything_is_made_anew_from_the_raw_topic(old: Lab) -> None:
    before, told = pictures(old), old.read("anomalies")
    assert old.stop() == 0
    admin = KafkaAdminClient(bootstrap_servers=old.bootstrap)
    try:
        derived = [old.topic(kind) for kind in ("events", "transitions", "anomalies", "deadletter", "status")]
        gone = {*derived, *(name for name in admin.list_topics() if name.startswith(f"{old.app_id}-"))}
        admin.delete_topics(sorted(gone))
        old.wait_for(lambda: not gone & set(admin.list_topics()), "the topics to be gone")
    finally:
        admin.close()
    shutil.rmtree(old.folder / "worker")
    assert old.start().wait(60) == 1  # under the old `app_id` the group's offsets are ahead of the tables
    assert "a changelog lost records" in old.log().splitlines()[-1]
    new = Anew(old, "anew", 2, own_names=False)
    try:
        new.start()
        agrees(new, before)
        assert {record.key for record in new.read("anomalies")} == {record.key for record in told}
        assert new.stop() == 0
    finally:
        new.stop(signal.SIGKILL)
