"""A day of polls of a large cluster, as rows take it: nothing grows without bound, no event comes too late for it."""

from __future__ import annotations

import json

import pytest

from models import fold
from models.fold import Limits
from models.placement import cluster_key, group_key, instance_key
from models.reading import read
from models.rows import Row
from models.stored import encode
from models.unwrap import Value, unwrap
from models.workspace import Workspace
from streams.aws import plain
from streams.reconcile.answers import Json, unstamped
from streams.reconcile.news import Memory, NodeAnswer, Poll, tell
from tests.control_plane import checked
from tests.test_streams.test_reconcile_news import ARN, MINUTE, START, group, ms, node

DAY = 1440
GROUPS = 6


def cluster() -> Json:
    groups = [
        group(
            InstanceGroupName=f"workers-{number}",
            CurrentCount=170,
            TargetCount=170,
            InstanceType="ml.p5.48xlarge",
            SoftwareUpdateStatus="Succeeded",
            CurrentImageId="ami-0123456789abcdef0",
            DesiredImageId="ami-0123456789abcdef0",
        )
        for number in range(GROUPS)
    ]
    answer = {"ClusterArn": ARN, "ClusterName": "train", "ClusterStatus": "InService", "InstanceGroups": groups}
    return unstamped(plain(checked("DescribeCluster", answer)))


def lists(count: int) -> list[list[Json]]:
    """Pages of `count` nodes: all at rest, and with one that is checked."""
    found = []
    for strange in (None, 7):
        nodes = [
            node(
                number,
                "DeepHealthCheckInProgress" if number == strange else "Running",
                InstanceGroupName=f"workers-{number % GROUPS}",
                NodeLogicalId=f"workers-{number % GROUPS}-slot-{number:05d}",
            )
            for number in range(count)
        ]
        parts = [{"ClusterNodeSummaries": nodes[at : at + 100]} for at in range(0, count, 100)]
        found.append([plain(checked("ListClusterNodes", part)) for part in parts])
    return found


class Rows:
    """What the worker's rows make of a day; how many records, bytes and written rows that is."""

    def __init__(self) -> None:
        self.workspace = Workspace(ARN)
        self.records = self.bytes = self.written = 0

    def take(self, records: list[Json]) -> None:
        for record in records:
            data = json.dumps(record).encode()
            self.records, self.bytes = self.records + 1, self.bytes + len(data)
            (value,) = unwrap(data)
            assert isinstance(value, Value)
            found = read(value, latest=lambda _: None)
            self.workspace.apply(found)  # type: ignore[arg-type]
        if records:
            self.written += sum(len(row or b"") for row in self.workspace.take().rows.values())

    def row(self, number: int | None = None, of: str = "") -> Row:
        key = instance_key(ARN, node(number)["InstanceId"]) if number is not None else group_key(ARN, of)
        return self.workspace.rows[key if number is not None or of else cluster_key(ARN)]


@pytest.fixture(scope="module")
def day() -> Rows:
    """Two days of 1,000 nodes, asked every minute: of each hour one node is checked for ten minutes."""
    rows, memory, shown, (calm, busy) = Rows(), Memory(), cluster(), lists(1000)
    for minute in range(2 * DAY):
        at = ms(START + minute * MINUTE)
        nodes = NodeAnswer(at, busy if minute % 60 in range(20, 30) else calm)
        records, memory = tell(memory, Poll(ARN, "train", at, shown, nodes))
        rows.take(records)
    return rows


def test_a_late_event_of_the_day_still_finds_its_place(day: Rows) -> None:
    """Only the ceiling would make it come too late before its day is over."""
    kept = day.row()
    assert kept.horizon is not None
    assert kept.retained[-1].time - kept.retained[0].time >= 23 * 3600 * 1000
    assert len(kept.retained) < Limits().ceiling_events


def test_rows_do_not_grow_with_polls(day: Rows) -> None:
    assert len(encode(day.row())) < 400_000
    assert len(encode(day.row(of="workers-0"))) < 160_000
    assert len(encode(day.row(number=7))) < 8_000
    assert len(encode(day.row(number=8))) < 1_000


def test_the_topic_gets_a_few_megabytes_a_day(day: Rows) -> None:
    assert day.records / 2 < 500
    assert day.bytes / 2 < 3_000_000
    assert day.written / 2 < 100_000_000


def test_what_is_said_is_what_the_rows_know(day: Rows) -> None:
    fold.settle(day.row())
    state = day.row().state
    assert state.polls[-1] == day.row().retained[-1].time
    assert {row.observed.status for key, row in day.workspace.rows.items() if row.observed} == {"Running"}
    assert not day.workspace.picture(ms(START + 2 * DAY * MINUTE)).anomalies
