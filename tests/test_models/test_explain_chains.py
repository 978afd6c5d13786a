"""Chains of replacements: from the first instance of a slot to the one that serves."""

from __future__ import annotations

import pytest

from models.explain import lineage_chain
from models.public import Anomaly, InstanceItem, Picture, sort_instances
from tests.test_models.told_items import at, fault, node, step


def chain_of(*items: InstanceItem, of: int = 0, now: str | None = None, anomalies: tuple[Anomaly, ...] = ()):
    picture = Picture(instances=sort_instances(items), anomalies=anomalies)
    return lineage_chain(picture, items[of], now)


def story_of_three() -> tuple[InstanceItem, ...]:
    first = node(
        "i-9",
        step(0, "provision", "Provisioned", "InService", "LifecycleScriptStatus"),
        step(10, "health", "Unknown", "Unhealthy", "NodeHealth"),
        step(12, "provision", "InService", "Terminating", "ReplacementStarted"),
        step(20, "provision", "Terminating", "Terminated", "EniDeleted"),
        new="i-5",
    )
    failed = node(
        "i-5",
        step(12, "replace", "None", "Replacing", "ReplacementStarted"),
        step(25, "replace", "Replacing", "Failed", "ReplacementFailed"),
        old="i-9",
        new="i-7",
    )
    last = node(
        "i-7",
        step(30, "replace", "None", "Replacing", "ReplacementStarted"),
        step(45, "provision", "Provisioned", "InService", "LifecycleScriptStatus"),
        step(46, "replace", "Replacing", "Replaced", "ReplacementCompleted"),
        old="i-5",
    )
    return first, failed, last


@pytest.mark.parametrize("of", [0, 1, 2])
def test_a_chain_is_whole_from_wherever_it_is_asked(of: int):
    chain = chain_of(*story_of_three(), of=of, now=at(60), anomalies=(fault("i-9", status="resolved"),))
    assert [item.instance_id for item in chain] == ["i-9", "i-5", "i-7"]
    assert [item.attempt for item in chain] == [None, 1, 2]
    assert [item.minutes_lost for item in chain] == [None, 15.0, 20.0]  # 10 → 25 failed, 25 → 45 in service
    assert [item.replaced_at for item in chain] == [None, at(45), None]
    assert (chain[0].in_service_at, chain[0].lost_at, chain[0].terminated_at) == (at(0), at(10), at(20))
    assert [f.kind for f in chain[0].faults] == ["unhealthy_node"]
    assert chain[2].first_seen == at(30)


def test_attempts_are_counted_anew_after_one_that_served():
    first, failed, last = story_of_three()
    again = node("i-8", step(90, "replace", "None", "Replacing", "ReplacementStarted"), old="i-7")
    chain = chain_of(first, failed, last.model_copy(update={"replaced_by": "i-8"}), again, now=at(100))
    assert [item.attempt for item in chain] == [None, 1, 2, 1]
    assert chain[3].minutes_lost is None  # nothing says that i-7 was lost
    assert chain[3].in_service_at is None


def test_what_is_not_over_costs_until_now():
    first, failed, _ = story_of_three()
    still = failed.model_copy(update={"history": failed.history[:1], "replaced_by": None})
    assert chain_of(first, still, now=at(40))[1].minutes_lost == 30.0
    assert chain_of(first, still, now=None)[1].minutes_lost is None


def test_what_recovered_was_not_lost():
    item = node(
        "i-1",
        step(0, "health", "Unknown", "Unhealthy", "NodeHealth"),
        step(5, "reboot", "Rebooting", "Rebooted", "InstanceOperationCompleted"),
    )
    assert chain_of(item, now=at(9))[0].lost_at is None


def test_a_slot_that_waits_for_its_next_instance_ends_the_chain():
    old = node("i-1", step(0, "provision", "InService", "Terminating", "ReplacementStarted"), slot="s-1")
    coming = node(None, step(8, "provision", "Unknown", "Requested", "InstanceOperationStarted"), slot="s-1")
    other = node(None, step(8, "provision", "Unknown", "Requested", "InstanceOperationStarted"), slot="s-2")
    for of in (0, 1):
        chain = chain_of(old, coming, other, of=of, now=at(10))
        assert [(item.instance_id, item.node_logical_id) for item in chain] == [("i-1", "s-1"), (None, "s-1")]
        assert chain[1].minutes_lost == 10.0
    assert [item.node_logical_id for item in chain_of(old, coming, other, of=2)] == ["s-2"]


def test_a_chain_that_bites_its_tail_or_names_the_unknown_ends():
    a, b = node("i-1", old="i-2", new="i-2"), node("i-2", old="i-1", new="i-1")
    assert len(chain_of(a, b)) == 2
    assert len(chain_of(node("i-1", old="i-gone", new="i-new"))) == 1
