"""Stories of the ledger of rollouts: what each did to whom, what it left behind, when it will be over."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from models.public import RolloutItem
from models.rows import ROLLOUTS
from tests.fleet import EPOCH, Fleet
from tests.stories import (
    Event,
    born,
    described,
    group,
    instance,
    patched,
    replacing,
    rollout_begins,
    shown,
    state_change,
    terminated,
)
from tests.test_models.test_stories_patch import fleet_of, rolled_back, touched

OLD, NEW = "ami-0old", "ami-0new"


def lists(item: RolloutItem) -> dict[str, list[str]]:
    """The lists that somebody is in."""
    return {name: list(ids) for name, ids in item.instances.model_dump().items() if ids}


def minute(time: str | None) -> float | None:
    """Minutes after the story's beginning."""
    return None if time is None else (datetime.fromisoformat(time) - EPOCH).total_seconds() / 60


def only(fleet: Fleet, now: int | None = None) -> RolloutItem:
    """The one rollout of the group."""
    (item,) = fleet.rollouts(now)
    return item


def rollout(*ids: str) -> list[Event]:
    """A whole rollout: scheduled, begun, one batch, everybody updated, completed.  6 min an instance and 3 beside."""
    return [*rollout_begins(), *(event for name in ids for event in patched(name)), group("PatchCompleted")]


def with_images(status: str, software: str, current: str, desired: str) -> Event:
    """A snapshot that names images."""
    images = {"CurrentImageId": current, "DesiredImageId": desired}
    return described(status, workers={**shown("InService", 2, 2, software), **images})


def test_no_rollout_no_ledger(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"))
    assert fleet.rollouts() == []


def test_a_scheduled_rollout_has_not_begun(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1", "i-2"), group("PatchScheduled"))
    item = only(fleet)
    assert (item.outcome, item.begun, item.ended, item.batches, item.total) == ("Scheduled", None, None, 0, 2)
    assert minute(item.scheduled) == fleet.clock / 60_000
    assert item.estimate is not None
    assert item.estimate.reason == "it has not begun"


def test_a_rollout_from_its_schedule_to_its_end(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1", "i-2"))
    begun = fleet.clock / 60_000 + 1
    fleet.sees(group("PatchScheduled"), group("PatchStarted"), group("PatchBatchSelected"))
    item = only(fleet)
    assert (minute(item.scheduled), minute(item.begun), item.ended) == (begun, begun + 1, None)
    assert (item.outcome, item.batches, minute(item.last_batch)) == ("InProgress", 1, begun + 2)
    assert lists(item) == {"not_reached": ["i-1", "i-2"]}
    fleet.sees(instance("PatchPrepared", "i-1"))
    assert lists(only(fleet)) == {"not_reached": ["i-2"], "prepared": ["i-1"]}
    fleet.sees(patched("i-1")[1:2])
    assert lists(only(fleet)) == {"not_reached": ["i-2"], "replacing_root_volume": ["i-1"]}
    fleet.sees(patched("i-1")[2:], group("PatchBatchSelected"), patched("i-2"))
    item = only(fleet)
    assert (lists(item), item.batches, item.residue) == ({"updated": ["i-1", "i-2"]}, 2, None)
    fleet.sees(group("PatchCompleted"))
    item = only(fleet)
    assert (item.outcome, minute(item.ended), item.estimate) == ("Completed", fleet.clock / 60_000, None)
    assert item.residue is not None
    assert item.residue.instances == ()


def test_what_was_skipped_failed_or_never_reached_is_left_on_the_old_image(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1", "i-2", "i-3", "i-4"), with_images("InService", "Pending", OLD, NEW), rollout_begins())
    fleet.sees(with_images("SystemUpdating", "InProgress", OLD, NEW))
    fleet.sees(instance("PatchSkipped", "i-1"), touched("i-2"), instance("RootVolumeReplacementFailed", "i-2"))
    fleet.sees(patched("i-3"), group("PatchCompleted"))
    item = only(fleet)
    assert lists(item) == {"not_reached": ["i-4"], "updated": ["i-3"], "skipped": ["i-1"], "failed": ["i-2"]}
    assert item.residue is not None
    assert (item.residue.instances, item.residue.image) == (("i-1", "i-2", "i-4"), OLD)
    assert (item.from_image, item.to_image) == (OLD, NEW)


def test_a_node_that_is_skipped_twice_in_a_row_is_in_both_ledgers(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"))
    for _ in range(2):
        fleet.sees(rollout_begins(), instance("PatchSkipped", "i-1"), group("PatchCompleted"))
    assert [lists(item) for item in fleet.rollouts()] == [{"skipped": ["i-1"]}] * 2


def test_an_instance_that_fails_and_is_tried_again_ends_where_it_was_last(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), touched("i-1"), instance("RootVolumeReplacementFailed", "i-1"))
    assert lists(only(fleet)) == {"failed": ["i-1"]}
    fleet.sees(patched("i-1"))
    assert lists(only(fleet)) == {"updated": ["i-1"]}


def test_bakes_one_after_the_other(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1", "i-2"), rollout_begins(), patched("i-1"))
    fleet.sees(group("BakeStarted", alarm_names="gpu-errors, nccl"))
    begun = fleet.clock / 60_000
    item = only(fleet)
    (bake,) = item.bakes
    assert (item.outcome, bake.result, bake.seconds, bake.watched) == ("Baking", "Running", 600, ("gpu-errors", "nccl"))
    assert (minute(bake.begun), minute(bake.due), bake.ended) == (begun, begun + 10, None)
    fleet.waits(9)
    fleet.sees(group("BakeCompleted"), group("PatchBatchSelected"), patched("i-2"))
    fleet.sees(group("BakeStarted", alarm_names="gpu-errors"), group("BakeAlarm", alarm_names="gpu-errors"))
    first, second = only(fleet).bakes
    assert (first.result, minute(first.ended), first.alarms) == ("Passed", begun + 10, ())
    assert (second.result, second.alarms) == ("Alarm", ("gpu-errors",))


def test_a_bake_that_would_end_after_the_last_year_is_shown_with_the_end_of_it(fleet: Fleet) -> None:
    last = int((datetime(9999, 12, 31, tzinfo=UTC) - EPOCH).total_seconds())
    steps = [*rollout_begins(), group("BakeStarted", alarm_names="nccl", duration="999999999")]
    fleet.sees([step.at(last + n) for n, step in enumerate(steps)])
    (bake,) = only(fleet).bakes
    assert (bake.seconds, bake.due) == (999_999_999, "9999-12-31T23:59:59.999Z")


def test_a_bake_of_which_only_the_end_was_seen(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), group("BakeCompleted"))
    (bake,) = only(fleet).bakes
    assert (bake.begun, bake.seconds, bake.due, bake.result) == (None, 600, None, "Passed")


def test_a_bake_whose_alarms_could_not_be_read(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), patched("i-1"), group("BakeStarted"), group("BakeEvaluationFailed"))
    item = only(fleet)
    assert (item.outcome, item.bakes[0].result) == ("Failed", "Failed")


def test_a_rollback_member_by_member(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1", "i-2", "i-3"), rollout_begins(), patched("i-1"), patched("i-2"))
    fleet.sees(group("BakeStarted"), group("BakeAlarm"), group("GroupRollbackStarted"), rolled_back("i-1"))
    item = only(fleet)
    assert (item.outcome, item.residue) == ("RollingBack", None)
    assert item.rollback is not None
    assert item.rollback.model_dump() | {"begun": None} == {
        "begun": None, "ended": None, "touched": 2, "rolled_back": 1, "failed": 0, "gone": 0,
    }  # fmt: skip
    assert item.estimate is not None
    assert (item.estimate.reason or "").startswith("it is rolling back")
    fleet.sees(instance("InstanceRollbackStarted", "i-2"))
    assert lists(only(fleet)) == {"not_reached": ["i-3"], "rolling_back": ["i-2"], "rolled_back": ["i-1"]}
    fleet.sees(rolled_back("i-2")[1:4])
    item = only(fleet)
    assert (item.outcome, minute(item.ended)) == ("RolledBack", fleet.clock / 60_000)
    assert item.residue is not None
    assert item.residue.instances == ()


def test_who_could_not_be_rolled_back_is_left_on_the_new_image(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1", "i-2"), with_images("InService", "Pending", OLD, NEW), rollout_begins())
    fleet.sees(with_images("SystemUpdating", "InProgress", OLD, NEW), patched("i-1"), patched("i-2"))
    fleet.sees(group("BakeStarted"), group("BakeAlarm"), with_images("RollingBack", "RollbackInProgress", NEW, OLD))
    fleet.sees(rolled_back("i-1"), rolled_back("i-2")[:1], instance("InstanceRollbackFailed", "i-2"))
    item = only(fleet)
    assert (item.outcome, item.from_image, item.to_image) == ("RollbackFailed", OLD, NEW)
    assert lists(item) == {"rolled_back": ["i-1"], "rollback_failed": ["i-2"]}
    assert item.residue is not None
    assert (item.residue.instances, item.residue.image) == (("i-2",), NEW)


def test_a_rollback_is_over_where_its_members_say_also_after_the_next_rollout(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), patched("i-1"), group("BakeStarted"), group("BakeAlarm"))
    fleet.sees(rolled_back("i-1")[:4])
    ended = only(fleet).ended
    fleet.waits(60)
    fleet.sees(rollout("i-1"))
    newest, earlier = fleet.rollouts()
    assert (newest.outcome, earlier.outcome, earlier.ended) == ("Completed", "RolledBack", ended)
    assert (lists(newest), lists(earlier)) == ({"updated": ["i-1"]}, {"rolled_back": ["i-1"]})


@pytest.mark.parametrize("how", ["replaced", "terminated", "rolled back"])
def test_a_rollback_that_members_ended_stays_ended_when_the_next_rollout_begins(fleet: Fleet, how: str) -> None:
    fleet.sees(born("i-1", "s-1"), rollout_begins(), patched("i-1"), group("BakeStarted"), group("BakeAlarm"))
    coming = [instance(code, "i-2", "creation").slot("s-1") for code in ("ReplacementStarted", "ReplacementCompleted")]
    ways = {"replaced": coming, "terminated": terminated("i-1"), "rolled back": rolled_back("i-1")}
    fleet.sees(ways[how])
    over = fleet.only("bake_alarm")
    fleet.waits(60)
    fleet.sees(rollout_begins())
    assert (over.status, fleet.only("bake_alarm").resolved_at) == ("resolved", over.resolved_at)


def test_members_that_leave_or_come_meanwhile(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1", "i-2", "i-3"), rollout_begins(), patched("i-1"), touched("i-2"))
    fleet.sees(terminated("i-1"), terminated("i-2"), terminated("i-3"), replacing("i-4"), born("i-5"))
    fleet.sees(group("PatchCompleted"))
    item = only(fleet)
    assert (lists(item), item.total) == ({"updated": ["i-1"], "gone": ["i-2", "i-3"]}, 3)
    assert item.residue is not None
    assert item.residue.instances == ()


def test_who_was_gone_before_is_no_member(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1", "i-2"), terminated("i-2"), rollout("i-1"))
    assert (lists(only(fleet)), only(fleet).total) == ({"updated": ["i-1"]}, 1)


def test_nor_is_who_was_leaving_before(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1", "i-2"), instance("TerminationInProgress", "i-2"), rollout("i-1"))
    assert (lists(only(fleet)), only(fleet).total) == ({"updated": ["i-1"]}, 1)


def test_who_lost_its_place_to_another_is_gone(fleet: Fleet) -> None:
    fleet.sees(born("i-1", "s-1"), born("i-2", "s-2"), rollout_begins(), patched("i-1"))
    fleet.sees([instance("ReplacementStarted", "i-3").slot("s-2"), instance("ReplacementCompleted", "i-3").slot("s-2")])
    fleet.sees(group("PatchCompleted"))
    assert lists(only(fleet)) == {"updated": ["i-1"], "gone": ["i-2"]}


def test_an_end_is_estimated_from_the_groups_own_past(fleet: Fleet) -> None:
    """Two instances in 14 min from begin to end, then two in 26: 7 and 13 min each; four take 40 by their median."""
    fleet.sees(fleet_of("i-1", "i-2"), rollout("i-1", "i-2"), rollout_begins(), patched("i-1"))
    fleet.waits(12)
    fleet.sees(patched("i-2"), group("PatchCompleted"), born("i-3"), born("i-4"), rollout_begins())
    newest, second, first = fleet.rollouts()
    took = [minute(item.ended) - minute(item.begun) for item in (first, second)]  # type: ignore[operator]
    assert took == [14, 26]
    estimate, begun = newest.estimate, minute(newest.begun)
    assert estimate is not None
    assert begun is not None
    assert (estimate.seconds_per_instance, estimate.n, estimate.reason) == (600.0, 2, None)
    ends = [minute(time) for time in (estimate.earliest, estimate.ends_at, estimate.latest)]
    assert ends == [begun + 28, begun + 40, begun + 52]


@pytest.mark.parametrize(("after", "reason"), [(41, "median"), (53, "every earlier rollout")])
def test_an_estimate_that_was_outlived_is_none(fleet: Fleet, after: int, reason: str) -> None:
    fleet.sees(fleet_of("i-1", "i-2"), rollout("i-1", "i-2"), rollout_begins(), patched("i-1"))
    fleet.waits(12)
    fleet.sees(patched("i-2"), group("PatchCompleted"), born("i-3"), born("i-4"), rollout_begins())
    begun = minute(fleet.rollouts()[0].begun)
    assert begun is not None
    estimate = fleet.rollouts(int((begun + after) * 60_000))[0].estimate
    assert estimate is not None
    assert estimate.ends_at is None
    assert reason in (estimate.reason or "")


def test_nothing_is_estimated_without_a_past_or_from_failures(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), touched("i-1"), group("PatchCompletionFailed"), rollout_begins())
    newest, failed = fleet.rollouts()
    assert failed.outcome == "Failed"
    assert newest.estimate is not None
    assert newest.estimate.n == 0
    assert newest.estimate.reason == "no earlier rollout of this group is known from beginning to completion"


def test_a_failed_step_after_which_the_rollout_goes_on(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), group("PatchBatchSelectionFailed"))
    assert only(fleet).outcome == "Failed"
    fleet.sees(group("PatchBatchSelected"), patched("i-1"))
    assert (only(fleet).outcome, only(fleet).ended) == ("InProgress", None)
    fleet.sees(group("PatchBatchSelectionFailed"), group("PatchCompleted"))
    item = only(fleet)
    assert (item.outcome, minute(item.ended), item.batches) == ("Completed", fleet.clock / 60_000, 2)


def test_a_rollout_that_another_schedule_overtakes(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), group("PatchScheduled"))
    assert [item.outcome for item in fleet.rollouts()] == ["Scheduled", "Superseded"]


def test_a_rollout_that_only_snapshots_tell(fleet: Fleet) -> None:
    fleet.sees(state_change("InService", workers=shown("InService", 2, 2)))
    fleet.waits(10)
    fleet.sees(state_change("SystemUpdating", workers=shown("SystemUpdating", 2, 2, "InProgress")))
    assert (only(fleet).outcome, only(fleet).total) == ("InProgress", 0)
    fleet.waits(30)
    fleet.sees(state_change("InService", workers=shown("InService", 2, 2, "Succeeded")))
    assert only(fleet).outcome == "Completed"


def test_the_image_that_it_comes_from_is_the_one_in_place_when_it_begins(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), with_images("InService", "Succeeded", OLD, NEW), rollout_begins())
    assert only(fleet).from_image == OLD


def test_the_ledger_is_bounded_and_the_newest_come_first(fleet: Fleet) -> None:
    fleet.order_matters = True
    fleet.sees(fleet_of("i-1"))
    for _ in range(ROLLOUTS + 2):
        fleet.sees(rollout("i-1"))
    found = fleet.rollouts()
    assert len(found) == ROLLOUTS
    assert [item.begun for item in found] == sorted((item.begun for item in found), reverse=True)  # type: ignore[type-var]
    assert minute(found[0].ended) == fleet.clock / 60_000


def test_a_snapshot_that_shows_the_end_of_a_rollback_later_does_not_move_it(fleet: Fleet) -> None:
    fleet.sees(fleet_of("i-1"), rollout_begins(), patched("i-1"), group("BakeStarted"), group("BakeAlarm"))
    fleet.sees(rolled_back("i-1")[:4])
    ended, since = only(fleet).ended, fleet.group().since
    fleet.waits(10)
    fleet.sees(state_change("InService", workers=shown("InService", 1, 1, "RollbackComplete")))
    assert (only(fleet).outcome, only(fleet).ended, fleet.group().since) == ("RolledBack", ended, since)
    assert {a.resolved_at for a in fleet.anomalies("rollback_started") if a.instance_id is None} <= {ended}
