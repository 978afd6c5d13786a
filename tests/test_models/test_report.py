"""Stories of figures that can be counted by hand: every number here was."""

from __future__ import annotations

from typing import Any

import pytest

from models.public import iso
from models.report import DEFINITIONS, Figures, Offender, Report, StateFigures, report
from models.rows import HISTORY
from tests.fleet import EPOCH, Fleet
from tests.stories import (
    ARN,
    Event,
    born,
    cluster,
    described,
    group,
    health,
    instance,
    patched,
    rollout_begins,
    script,
    shown,
    terminated,
)

EPOCH_MS = int(EPOCH.timestamp() * 1000)
NO_CAPACITY = "We currently do not have sufficient capacity to launch new ml.p5.48xlarge instances."


def told(fleet: Fleet, minute: float, since: float | None = None, **asked: Any) -> Report:
    """The report at a minute of the story."""
    now = int(minute * 60_000)
    begun = None if since is None else EPOCH_MS + int(since * 60_000)
    return report(fleet.picture(now), iso(EPOCH_MS + now), since_ms=begun, **{"keep_ms": None, **asked})


def whole(found: Report, by: str = "fleet") -> Figures:
    """The one record of a kind of scope."""
    (figures,) = [each for each in found.figures if each.by == by and (by != "cause" or each.cluster_arn is None)]
    return figures


def state(found: Report, machine: str, word: str) -> StateFigures:
    """A state's figures in the whole fleet."""
    return next(each for each in found.states if (each.by, each.machine, each.state) == ("fleet", machine, word))


def hours(minutes: float) -> float:
    return round(minutes / 60, 4)


def unhealthy(name: str, begun: float, healed: float) -> list[Event]:
    """An instance that is unhealthy for a while."""
    return [health(name, "Unhealthy").at(begun * 60), health(name, "Healthy").at(healed * 60)]


def timed(events: list[Event], *minutes: float) -> list[Event]:
    """Events at minutes of the story."""
    return [event.at(minute * 60) for event, minute in zip(events, minutes, strict=True)]


def replaced(old: str, new: str, slot: str, at: float) -> list[Event]:
    """Unhealthy at `at`, leaving 1 min later, gone after 10; the new one comes after 5 and is in service after 21."""
    going = [health(old, "Unhealthy", "Replace"), instance("TerminationInProgress", old), terminated(old)[-1]]
    coming = [
        instance("ReplacementStarted", new).slot(slot),
        instance("InstanceProvisioned", new).slot(slot),
        script(new, "Started").slot(slot),
        script(new, "Succeeded").slot(slot),
        instance("ReplacementCompleted", new, "creation").slot(slot),
    ]
    minutes = [at + more for more in (0, 1, 10, 5, 15, 16, 20, 21)]
    return timed([*going, *coming], *minutes)


def test_of_nothing_nothing_is_told() -> None:
    found = report(Fleet().picture(), None)
    assert (found.since, found.until, found.figures, found.states, found.offenders) == (None, None, (), (), ())


def test_a_birth_and_an_hour_of_service(fleet: Fleet) -> None:
    """Provisioned at 1, script at 2, in service at 3; asked at 63."""
    fleet.sees(born("i-1"))
    found = told(fleet, 63)
    figures = whole(found)
    assert (found.since, found.until) == (iso(EPOCH_MS + 60_000), iso(EPOCH_MS + 63 * 60_000))
    assert (figures.places, figures.instances, figures.provisioned) == (1, 1, 1)
    assert (figures.instance_hours, figures.up_hours) == (hours(62), hours(60))
    assert (figures.lost_hours_planned, figures.lost_hours_unplanned) == (hours(2), 0)
    assert figures.availability == round(60 / 62, 4)
    assert (figures.failures, figures.mttr_seconds, figures.mtbf_hours) == (0, None, None)
    assert (figures.capacity_shortage, figures.capacity_longest_wait_seconds) == (0, None)
    for word, seconds, is_open in (("Provisioning", 60, 0), ("LifecycleScript", 60, 0), ("InService", 3600, 1)):
        stays = state(found, "phase", word)
        assert (stays.n, stays.open, stays.median_seconds, stays.p95_seconds) == (1, is_open, seconds, None)
        assert (stays.longest_seconds, stays.hours) == (seconds, round(seconds / 3600, 4))


def test_an_unhealthy_node_that_heals(fleet: Fleet) -> None:
    """Up from 3; unhealthy from 13 to 28; asked at 63: 45 min up, 15 lost to it."""
    fleet.sees(born("i-1"), unhealthy("i-1", 13, 28))
    found = told(fleet, 63)
    figures, cause = whole(found), whole(found, "cause")
    assert (figures.failures, figures.failures_planned, figures.failures_open, figures.repairs) == (1, 0, 0, 1)
    assert (figures.mttr_seconds, figures.repair_median_seconds, figures.repair_p95_seconds) == (900, 900, None)
    assert (figures.up_hours, figures.mtbf_hours) == (hours(45), hours(45))
    assert (figures.lost_hours_planned, figures.lost_hours_unplanned) == (hours(2), hours(15))
    assert (cause.cause, cause.failures, cause.mtbf_hours) == ("unknown", 1, hours(45))
    assert (cause.lost_hours_unplanned, cause.places, cause.availability) == (hours(15), None, None)
    assert state(found, "health", "Unhealthy").median_seconds == 900


def test_what_is_not_repaired_is_open_and_has_no_time_to_repair(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), health("i-1", "Unhealthy").at(13 * 60))
    figures = whole(told(fleet, 63))
    assert (figures.failures, figures.failures_open, figures.repairs, figures.mttr_seconds) == (1, 1, 0, None)
    assert (figures.longest_open_seconds, figures.lost_hours_unplanned) == (3000, hours(50))


def test_a_replacement_is_repaired_when_the_place_is_up_again(fleet: Fleet) -> None:
    """Born 1 to 5 and lost 60 to 81; the fault itself was over with the old instance, at 70.  Asked at 100."""
    fleet.sees(born("i-1", "s-1"), replaced("i-1", "i-2", "s-1", 60))
    assert fleet.instance("i-2").replaces == "i-1"
    found = told(fleet, 100)
    figures = whole(found)
    assert (figures.places, figures.instances, figures.failures) == (1, 2, 1)
    assert (figures.mttr_seconds, figures.repairs) == (1260, 1)
    assert (figures.up_hours, figures.lost_hours_planned, figures.lost_hours_unplanned) == (
        hours(55 + 19),
        hours(4),
        hours(21),
    )
    assert figures.instance_hours == hours(69 + 35)
    assert state(found, "phase", "Replacing").median_seconds == 960
    during = whole(told(fleet, 75))
    assert (during.failures_open, during.longest_open_seconds, during.mttr_seconds) == (1, 900, None)


def test_who_leaves_without_a_fault_is_not_missed(fleet: Fleet) -> None:
    """Up from 3 to 33, leaving until 43: nobody counts those ten minutes, nor what comes after."""
    fleet.sees(born("i-1"), timed([terminated("i-1")[0], terminated("i-1")[-1]], 33, 43))
    figures = whole(told(fleet, 500))
    assert (figures.up_hours, figures.lost_hours_planned, figures.lost_hours_unplanned) == (hours(30), hours(2), 0)
    assert figures.instance_hours == hours(42)


def test_who_leaves_for_a_fault_is_missed_until_it_is_gone(fleet: Fleet) -> None:
    """Unhealthy at 33, leaving at 34, gone at 43, and nobody is heard to come: ten minutes are lost."""
    fleet.sees(born("i-1"), health("i-1", "Unhealthy", "Replace").at(33 * 60))
    fleet.sees(timed([terminated("i-1")[0], terminated("i-1")[-1]], 34, 43))
    figures = whole(told(fleet, 500))
    assert (figures.lost_hours_unplanned, figures.failures, figures.repairs) == (hours(10), 1, 1)
    assert figures.mttr_seconds == 600


def test_a_software_update_is_a_planned_loss(fleet: Fleet) -> None:
    """Four minutes from the cordon to the update, and two of the birth."""
    fleet.sees(born("i-1"), rollout_begins(), patched("i-1"), group("PatchCompleted"))
    found = told(fleet, 60)
    assert (whole(found).lost_hours_planned, whole(found).lost_hours_unplanned) == (hours(6), 0)
    assert state(found, "phase", "Patching").median_seconds == 240


def test_a_script_that_fails_on_its_own_costs_from_its_failure_on(fleet: Fleet) -> None:
    """Provisioned at 1, script at 2, failed at 5, again at 15, well at 20: 4 min as planned, 15 not."""
    fleet.sees(born("i-1")[:2], timed([script("i-1", "Failed"), script("i-1", "Started")], 5, 15))
    fleet.sees(script("i-1", "Succeeded").at(20 * 60))
    found = told(fleet, 80)
    figures = whole(found)
    assert (figures.lost_hours_planned, figures.lost_hours_unplanned) == (hours(4), hours(15))
    assert (figures.mttr_seconds, figures.failures_planned) == (900, 0)
    assert whole(found, "cause").cause == "lifecycle_script"


def test_failures_inside_an_operation_are_planned(fleet: Fleet) -> None:
    """They are counted, and nothing is lost to them nor put into the time between failures."""
    fleet.sees(group("GroupOperationStarted", "creation").at(0), born("i-1")[:2], script("i-1", "Failed").at(300))
    fleet.sees(timed([script("i-1", "Started"), script("i-1", "Succeeded")], 15, 20))
    fleet.sees(group("GroupOperationCompleted", "creation").at(21 * 60))
    figures = whole(told(fleet, 80))
    assert (figures.failures, figures.failures_planned, figures.mtbf_hours) == (1, 1, None)
    assert (figures.lost_hours_planned, figures.lost_hours_unplanned) == (hours(19), 0)


def test_two_of_three_attempts_find_no_capacity(fleet: Fleet) -> None:
    """Errors at 2 and 22, provisioned at 43: the wait is 41 min."""
    failed = instance("InstanceProvisionFailed").slot("s-1").because(NO_CAPACITY)
    fleet.sees(
        instance("InstanceOperationStarted").slot("s-1").at(60), failed.at(120), failed.named("again").at(22 * 60)
    )
    fleet.sees(timed(born("i-1", "s-1"), 41, 42, 43, 44, 45, 46))
    found = told(fleet, 60)
    figures = whole(found)
    assert (figures.provisioned, figures.capacity_failures, figures.capacity_shortage) == (1, 2, round(2 / 3, 4))
    assert figures.capacity_longest_wait_seconds == 41 * 60
    assert (figures.places, figures.instances, whole(found, "cause").cause) == (1, 1, "capacity")


def test_a_percentile_needs_twenty_values(fleet: Fleet) -> None:
    """Scripts that run 1, 2 … 20 minutes: the 19th of 20 is the 95th percentile, the median lies between 10 and 11."""
    for number in range(1, 21):
        fleet.sees(timed(born(f"i-{number:02}")[:3], 1, 2, 2 + number))
        stays = state(told(fleet, 60), "lifecycle_script", "Running")
        assert stays.n == number
        assert stays.p95_seconds == (19 * 60 if number == 20 else None)
    assert (stays.median_seconds, stays.longest_seconds) == (630, 1200)


def test_a_window_takes_what_lies_in_it(fleet: Fleet) -> None:
    """The same unhealthy quarter of an hour, from 20 on: it opened before, so 8 min are lost to no failure of here."""
    fleet.sees(born("i-1"), unhealthy("i-1", 13, 28))
    found = told(fleet, 63, since=20)
    figures = whole(found)
    assert found.since == iso(EPOCH_MS + 20 * 60_000)
    assert (figures.failures, figures.mtbf_hours, figures.provisioned) == (0, None, 0)
    assert (figures.up_hours, figures.lost_hours_unplanned, figures.instance_hours) == (hours(35), hours(8), hours(43))
    stays = state(found, "phase", "InService")
    assert (stays.median_seconds, stays.hours) == (3600, hours(43))


def test_a_place_that_fails_again_and_again(fleet: Fleet) -> None:
    """Slot s-1 loses 21 min twice; another slot fails once and is no offender."""
    fleet.sees(timed(born("i-1", "s-1"), 1, 2, 3, 4, 5, 6), timed(born("i-9", "s-9"), 1, 2, 3, 4, 5, 6))
    fleet.sees(replaced("i-1", "i-2", "s-1", 60), replaced("i-2", "i-3", "s-1", 120), unhealthy("i-9", 70, 75))
    (offender,) = told(fleet, 200).offenders
    assert (offender.node_logical_id, offender.instances) == ("s-1", ("i-1", "i-2", "i-3"))
    assert (offender.failures, offender.replacements, offender.causes) == (2, 2, {"unknown": 2})
    assert (offender.lost_hours_unplanned, offender.last_failure) == (hours(42), iso(EPOCH_MS + 120 * 60_000))
    assert told(fleet, 200, since=100).offenders == ()


def test_figures_by_cluster_group_type_and_cause(fleet: Fleet) -> None:
    fleet.sees(timed(born("i-1"), 1, 2, 3, 4), timed(born("i-2", group="cpu"), 1, 2, 3, 4))
    fleet.sees(unhealthy("i-1", 13, 28), cluster("ClusterOperationFailed", "update").at(30 * 60))
    types = {"workers": "ml.p5.48xlarge", "cpu": "ml.m5.large"}
    entries = {name: {**shown("InService", 1, 1), "InstanceType": kind} for name, kind in types.items()}
    fleet.sees(described("InService", **entries).at(40 * 60))
    found = told(fleet, 63)
    rows = {(e.by, e.instance_group, e.instance_type, e.cause): e.failures for e in found.figures}
    assert rows == {
        ("fleet", None, None, None): 2,
        ("cluster", None, None, None): 2,
        ("instance_group", "cpu", "ml.m5.large", None): 0,
        ("instance_group", "workers", "ml.p5.48xlarge", None): 1,
        ("instance_type", None, "ml.m5.large", None): 0,
        ("instance_type", None, "ml.p5.48xlarge", None): 1,
        ("cause", None, None, "unknown"): 2,
        ("cause", "workers", "ml.p5.48xlarge", "unknown"): 1,
    }
    only = told(fleet, 63, groups=["cpu"])
    assert (whole(only).instances, whole(only).failures) == (1, 0)
    assert told(fleet, 63, clusters=[]).figures == ()
    assert whole(told(fleet, 63, clusters=[ARN])).instances == 2


def test_an_instance_whose_group_is_deleted_lives_no_longer(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), group("GroupOperationStarted", "deletion").at(20 * 60))
    fleet.sees(group("GroupOperationCompleted", "deletion").at(33 * 60))
    figures = whole(told(fleet, 500))
    assert (figures.instance_hours, figures.up_hours) == (hours(32), hours(30))


def test_a_failed_attempt_ends_with_its_successor(fleet: Fleet) -> None:
    """The first fails at 5 and is never heard of again; the second comes at 20: from there the place has one life."""
    fleet.sees(timed(born("i-1", "s-1")[:4], 1, 2, 3, 4), script("i-1", "Failed").slot("s-1").at(300))
    fleet.sees(timed(born("i-2", "s-1"), 20, 21, 22, 23, 25, 26))
    found = told(fleet, 85)
    figures = whole(found)
    assert (figures.places, figures.up_hours) == (1, hours(60))
    assert (figures.lost_hours_planned, figures.lost_hours_unplanned) == (hours(4), hours(20))
    failed = state(found, "phase", "Failed")
    assert (failed.n, failed.open, failed.median_seconds) == (1, 0, 15 * 60)


def test_where_histories_were_cut_figures_say_since_when_they_are_complete(fleet: Fleet) -> None:
    fleet.order_matters = True
    fleet.sees(born("i-1"))
    for _ in range(HISTORY):
        fleet.sees(instance("KubernetesConfigUpdated", "i-1"))
    found = told(fleet, 500)
    assert found.complete_since == iso(EPOCH_MS + 5 * 60_000)
    assert whole(found).provisioned == 0
    fleet.sees(born("i-2"))
    found = told(fleet, 500, since=1)
    assert found.since == iso(EPOCH_MS + 60_000)
    assert any(note.startswith(f"before {found.complete_since} figures are too low") for note in found.notes)


def test_what_a_worker_no_longer_keeps_is_said(fleet: Fleet) -> None:
    fleet.sees(born("i-1"))
    day = 24 * 60
    found = told(fleet, 40 * day, keep_ms=30 * day * 60_000)
    assert found.complete_since == iso(EPOCH_MS + 10 * day * 60_000)


def test_what_was_adopted_has_no_time_before_its_first_event(fleet: Fleet) -> None:
    fleet.sees(script("i-1", "Succeeded"))
    found = told(fleet, 61)
    assert (whole(found).instance_hours, whole(found).provisioned) == (1, 0)
    assert any("were there before their first event" in note for note in found.notes)


@pytest.mark.parametrize(
    ("section", "record"), [("figures", Figures), ("states", StateFigures), ("offenders", Offender)]
)
def test_every_figure_is_defined(section: str, record: type[Figures | StateFigures | Offender]) -> None:
    names = {"by", "cluster_arn", "cluster_name", "instance_group", "instance_type", "cause", "machine", "state"}
    names |= {"node_logical_id", "instances" if record is Offender else "", "causes", "last_failure"}
    assert {found.name for found in DEFINITIONS[section]} == set(record.model_fields) - names
    assert all(found.formula.strip() and found.unit and found.source for found in DEFINITIONS[section])
