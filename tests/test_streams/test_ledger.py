"""What the anomalies topic is told, and when."""

from __future__ import annotations

from typing import Any

import pytest

from models.public import Anomaly
from streams import codecs
from streams.codecs import AnomalyRow
from streams.ledger import Entry, Ledger

ARN = "arn:aws:sagemaker:us-west-2:111122223333:cluster/abc"
MINUTE = 60_000
NOW = 1_790_000_000_000
TIME = "2026-09-21T13:46:40.000Z"


def anomaly(name: str, kind: str = "operation_failed", **more: Any) -> Anomaly:
    fields = {"anomaly_id": name, "revision": 1, "kind": kind, "severity": "error", "status": "open"}
    fields |= {"cluster_arn": ARN, "resource_type": "Instance", "instance_id": "i-1", "title": name}
    return Anomaly(**{**fields, "opened_at": TIME, "updated_at": TIME, "evidence": (f"e-{name}",), **more})


def published(entries: list[Entry]) -> list[tuple[str, str | None, int | None]]:
    found = [(e.anomaly_id, e.record) for e in entries if e.publish]
    return [(name, record and record["status"], record and record["revision"]) for name, record in found]


class TestLedger:
    """What the anomalies topic is told."""

    def test_a_new_anomaly_is_published_once_with_the_revision_of_the_cut(self) -> None:
        ledger = Ledger((), MINUTE)
        assert published(ledger.revise(ARN, [anomaly("a")], NOW, 7)) == [("a", "open", 7)]
        assert ledger.revise(ARN, [anomaly("a")], NOW, 8) == []
        assert [record["revision"] for record in ledger.records()] == [7]

    def test_a_change_is_published_with_a_greater_revision(self) -> None:
        ledger = Ledger((), MINUTE)
        ledger.revise(ARN, [anomaly("a")], NOW, 7)
        ended = anomaly("a", status="resolved", resolved_at=TIME)
        assert published(ledger.revise(ARN, [ended], NOW, 9)) == [("a", "resolved", 9)]

    def test_what_vanishes_is_retracted_and_names_its_successor(self) -> None:
        ledger = Ledger((), MINUTE)
        ledger.revise(ARN, [anomaly("a", evidence=("e-1",))], NOW, 7)
        entries = ledger.revise(ARN, [anomaly("b", evidence=("e-0", "e-1"))], NOW, 8)
        assert published(entries) == [("a", "retracted", 8), ("b", "open", 8)]
        assert entries[0].record is not None
        assert entries[0].record["superseded_by"] == "b"
        assert ledger.revise(ARN, [anomaly("b", evidence=("e-0", "e-1"))], NOW, 9) == []

    @pytest.mark.parametrize(
        ("before", "after", "heir"),
        [
            ({"instance_id": None, "node_logical_id": "slot-9"}, {"node_logical_id": "slot-9"}, "b"),
            ({}, {"node_logical_id": "slot-9"}, "b"),
            ({"instance_id": None, "node_logical_id": "slot-8"}, {"node_logical_id": "slot-9"}, None),
            ({"node_logical_id": "slot-9"}, {"instance_id": "i-2", "node_logical_id": "slot-9"}, None),
            ({"instance_id": None}, {}, None),
        ],
        ids=["the slot got its instance", "the instance its slot", "another slot", "another instance", "a group"],
    )
    def test_an_entity_that_got_its_other_name_goes_on_under_it(
        self, before: dict[str, Any], after: dict[str, Any], heir: str | None
    ) -> None:
        ledger = Ledger((), MINUTE)
        ledger.revise(ARN, [anomaly("a", evidence=("e-1",), **before)], NOW, 7)
        [left, _] = ledger.revise(ARN, [anomaly("b", evidence=("e-1",), **after)], NOW, 8)
        assert left.record is not None
        assert (left.record["status"], left.record["superseded_by"]) == ("retracted", heir)

    @pytest.mark.parametrize("kind", ["missing_event", "unexpected_transition"])
    def test_what_a_late_event_may_explain_is_held_back(self, kind: str) -> None:
        ledger = Ledger((), MINUTE)
        tentative = [anomaly("a", kind), anomaly("child", parent_id="a"), anomaly("other")]
        assert published(ledger.revise(ARN, tentative, NOW, 7)) == [("other", "open", 7)]
        assert ledger.until(ARN) == NOW + MINUTE
        assert ledger.revise(ARN, tentative, NOW + MINUTE - 1, 8) == []
        assert published(ledger.revise(ARN, tentative, NOW + MINUTE, 9)) == [("a", "open", 7), ("child", "open", 7)]
        assert ledger.until(ARN) is None

    def test_what_was_retracted_leaves_when_it_is_time(self) -> None:
        ledger = Ledger((), MINUTE)
        ledger.revise(ARN, [anomaly("a")], NOW, 7)
        ledger.revise(ARN, [], NOW, 8)
        until = ledger.until(ARN)
        assert until is not None
        assert ledger.revise(ARN, [], until - 1, 9) == []
        assert published(ledger.revise(ARN, [], until, 10)) == [("a", None, None)]

    def test_what_is_explained_in_time_was_never_published(self) -> None:
        ledger = Ledger((), MINUTE)
        ledger.revise(ARN, [anomaly("a", "missing_event")], NOW, 7)
        [entry] = ledger.revise(ARN, [], NOW + 1000, 8)
        assert (entry.row, entry.publish) == (None, False)

    def test_a_ledger_from_its_rows_says_nothing_new(self) -> None:
        before = Ledger((), MINUTE)
        found = [anomaly("a"), anomaly("b", "missing_event")]
        rows = {e.anomaly_id: e.row for e in before.revise(ARN, found, NOW, 7) if e.row}
        data = {name: codecs.ANOMALY.decode(codecs.encode(row)) for name, row in rows.items()}
        after = Ledger(data.items(), MINUTE)
        assert after.revise(ARN, found, NOW + 1, 8) == []
        assert published(after.revise(ARN, found, NOW + MINUTE, 9)) == [("b", "open", 7)]

    def test_what_ended_a_month_ago_leaves_with_a_tombstone(self) -> None:
        row = AnomalyRow(ARN, anomaly("a", status="resolved", resolved_at=TIME).model_dump(mode="json"))
        [entry] = Ledger([("a", row)], MINUTE).revise(ARN, [], NOW + 30 * 86_400_000, 9)
        assert (entry.row, entry.publish) == (None, True)

    def test_what_rests_is_small_and_is_what_it_was(self) -> None:
        ledger, others = Ledger((), MINUTE), "arn:aws:sagemaker:us-west-2:111122223333:cluster/other"
        found = [*(anomaly(f"a-{number}") for number in range(50)), anomaly("late", "missing_event")]
        found.append(anomaly("over", status="resolved", resolved_at=TIME, severity="warning"))
        ledger.revise(ARN, found, NOW, 7)
        ledger.revise(others, [anomaly("x", cluster_arn=others, severity="critical")], NOW, 7)
        before = list(ledger.records()), ledger.open_counts(), ledger.until(ARN), ledger.clusters()
        ledger.rest(ARN)
        assert (list(ledger.records()), ledger.open_counts(), ledger.until(ARN), ledger.clusters()) == before
        assert ledger.open_counts() == {"critical": 1, "error": 51}
        packed = ledger._by_cluster[ARN]
        assert len(getattr(packed, "data", b"")) < 5_000 < sum(len(codecs.encode(record)) for record in before[0])
        assert ledger.revise(ARN, found, NOW + 1, 8) == []
        ledger.rest(ARN)
        assert published(ledger.revise(ARN, found, NOW + MINUTE, 9)) == [("late", "open", 7)]

    def test_where_nothing_is_left_nothing_is_kept(self) -> None:
        ledger = Ledger((), MINUTE)
        ledger.revise(ARN, [], NOW, 7)
        ledger.rest(ARN)
        ledger.rest("of whom nobody has heard")
        assert ledger.clusters() == set()
