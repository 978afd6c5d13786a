"""The events that contenders are given."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmarks import small_step as small
from benchmarks.workload import ANOMALY_EVERY, BIRTH, FAILURE, ROLLOUT, Shape, events, values
from streams.replay import Replay

SMALL = Shape(events=2000, clusters=4, instances=25)


def _told(value: bytes) -> dict[str, object]:
    record: dict[str, object] = json.loads(value)["detail"]["EventDetails"]
    return record


def test_the_same_shape_gives_the_same_bytes():
    assert values(SMALL) == values(SMALL)


def test_an_event_has_the_size_of_a_real_one():
    assert 1100 < sum(map(len, values(SMALL))) / SMALL.events < 1250


def test_each_event_goes_to_the_partition_of_its_cluster():
    places = {(event.key, event.partition) for event in events(SMALL)}
    assert len(places) == SMALL.clusters
    assert {partition for _, partition in places} == set(range(SMALL.partitions))


def test_one_in_fifty_is_a_failure_and_not_always_of_the_same_instance():
    failed = [_told(value)["InstanceId"] for value in values(SMALL) if b"has Failed" in value]
    assert len(failed) == SMALL.events // ANOMALY_EVERY
    assert len(set(failed)) > len(failed) / 2


@pytest.mark.parametrize("share", [0.01, 0.3])
def test_disorder_holds_back_that_share_and_loses_nothing(share):
    arrived = values(Shape(events=5000, clusters=4, instances=25, disorder=share))
    assert sorted(arrived) == sorted(values(Shape(events=5000, clusters=4, instances=25)))
    newest: dict[object, int] = {}
    late = 0
    for record in map(_told, arrived):
        moment = record["EventTime"]
        assert isinstance(moment, int)
        late += moment < newest.get(record["InstanceId"], 0)
        newest[record["InstanceId"]] = max(moment, newest.get(record["InstanceId"], 0))
    assert share / 2 < late / len(arrived) <= share * 1.2


def test_what_comes_later_and_elsewhere_has_other_events():
    more = Shape(events=100, clusters=4, instances=25, first=SMALL.events)
    other = Shape(events=100, clusters=4, instances=25, first_cluster=4)
    ids = [_told(value)["EventId"] for shape in (SMALL, more, other) for value in values(shape)]
    assert len(set(ids)) == len(ids)


def test_the_fold_understands_every_event():
    job = Replay()
    for value in values(SMALL):
        job.feed("here", value)
    summary = job.summary()
    assert (summary.applied, summary.unrecognized, summary.late) == (SMALL.events, 0, 0)


def test_the_small_step_knows_every_text_and_finds_every_failure():
    rows: dict[bytes, small.Row] = {}
    found = 0
    for value in values(SMALL):
        record = small.parse(value)
        row, anomaly = small.step(rows.get(small.key_of(record)), record)
        rows[small.key_of(record)] = row
        found += anomaly is not None
    assert found == SMALL.events // ANOMALY_EVERY
    assert len(rows) == SMALL.fleet
    assert all(430 < len(small.encode(row)) < 520 for row in rows.values())
    assert set(small.CODES) == {*BIRTH, *ROLLOUT, FAILURE}


def test_a_row_is_the_same_after_a_store_as_bytes_or_as_plain_values():
    row, _ = small.step(None, small.parse(values(SMALL, 1)[0]))
    assert small.decode(small.encode(row)) == row == small.revive(small.plain(row))


def test_the_step_in_java_knows_the_same_texts_and_states():
    source = Path(small.__file__).parent / "kafka-streams/src/main/java/bench/Step.java"
    pairs = dict(re.findall(r'^\s*"([^"]+)", "([^"]+)"[,)]', source.read_text(), re.MULTILINE))
    assert pairs == {**small.CODES, **small.STATES}
