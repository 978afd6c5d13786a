"""Stories that only many events tell: flapping, storms, instances that fail together."""

from __future__ import annotations

import pytest

from models.deadlines import Thresholds
from models.public import Anomaly
from tests.fleet import Fleet, moment
from tests.stories import Event, born, health, instance, node_list, script

HOUR = 3_600_000
DAY = 24 * HOUR


def told(fleet: Fleet, kind: str, after: int = 0) -> list[Anomaly]:
    """Anomalies of a kind so many milliseconds after the newest event."""
    return [a for a in fleet.document(fleet.clock + after).anomalies if a.kind == kind]


def iso(ms: int) -> str:
    return moment(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def reboot(fleet: Fleet, name: str = "i-1") -> None:
    fleet.sees(instance("RebootInProgress", name), instance("InstanceOperationCompleted", name, "reboot"))


# Flapping


def test_the_third_reboot_within_a_day_is_flapping_until_a_day_is_quiet(fleet: Fleet) -> None:
    fleet.sees(born("i-1"))
    for _ in range(2):
        reboot(fleet)
        fleet.waits(600)
    assert not told(fleet, "flapping")
    reboot(fleet)
    (found,) = told(fleet, "flapping")
    assert (found.status, found.severity, found.instance_id) == ("open", "error", "i-1")
    assert (found.machine, found.state, found.count) == ("reboot", "Rebooting", 3)
    last = fleet.clock - 60_000
    assert found.opened_at == iso(last)
    assert [a.status for a in told(fleet, "flapping", DAY - 120_000)] == ["open"]
    (over,) = told(fleet, "flapping", DAY)
    assert (over.status, over.resolved_at, over.anomaly_id) == ("resolved", iso(last + DAY), found.anomaly_id)


def test_three_reboots_in_three_days_are_none(fleet: Fleet) -> None:
    fleet.sees(born("i-1"))
    for _ in range(4):
        reboot(fleet)
        fleet.waits(13 * 60)
    assert not told(fleet, "flapping")


def test_a_run_goes_on_while_it_is_fed(fleet: Fleet) -> None:
    fleet.sees(born("i-1"))
    for _ in range(6):
        reboot(fleet)
        fleet.waits(11 * 60)
    (found,) = told(fleet, "flapping")
    assert found.count == 6


def test_two_runs_are_two_anomalies(fleet: Fleet) -> None:
    fleet.sees(born("i-1"))
    for _ in range(2):
        for _ in range(3):
            reboot(fleet)
        fleet.waits(25 * 60)
    assert [a.status for a in told(fleet, "flapping")] == ["resolved", "resolved"]


def test_failing_again_and_again_is_flapping(fleet: Fleet) -> None:
    fleet.sees(instance("InstanceProvisioned", "i-1"))
    for _ in range(3):
        fleet.sees(script("i-1", "Started"), script("i-1", "Failed"))
    assert [(a.machine, a.state) for a in told(fleet, "flapping")] == [("lifecycle_script", "Failed")]


@pytest.mark.parametrize("slot", ["s-1", None])
def test_replacements_are_counted_by_place(fleet: Fleet, slot: str | None) -> None:
    fleet.sees(born("i-0", slot))
    for number in range(1, 5):
        assert len(told(fleet, "flapping")) == (number > 3)
        fleet.sees(health(f"i-{number - 1}", "Unhealthy", "Replace"))
        event = instance("ReplacementStarted", f"i-{number}")
        fleet.sees(event.slot(slot) if slot else event)
    (found,) = told(fleet, "flapping")
    assert (found.machine, found.state, found.count, found.instance_id) == ("replace", "Replacing", 4, "i-3")


def test_replacements_of_different_slots_do_not_flap(fleet: Fleet) -> None:
    fleet.sees([instance("ReplacementStarted", f"i-{n}").slot(f"s-{n}") for n in range(4)])
    assert not told(fleet, "flapping")


# Storms


def replacements(fleet: Fleet, count: int, gap: float, groups: int = 9) -> None:
    for number in range(count):
        at = f"g{number % groups}"
        fleet.sees(instance("ReplacementStarted", f"i-{number}", group=at).slot(f"s-{number}"))
        fleet.waits(gap)


def test_five_replacements_in_a_day_are_a_storm_of_the_cluster(fleet: Fleet) -> None:
    replacements(fleet, 4, 5 * 60)
    assert not told(fleet, "replacement_storm")
    fleet.sees(instance("ReplacementStarted", "i-9", group="g9"))
    (storm,) = told(fleet, "replacement_storm")
    assert (storm.resource_type, storm.status, storm.severity, storm.count) == ("Cluster", "open", "critical", 5)
    (over,) = told(fleet, "replacement_storm", DAY)
    assert (over.status, over.resolved_at) == ("resolved", iso(fleet.clock + DAY))


def test_a_storm_that_goes_on_is_one(fleet: Fleet) -> None:
    replacements(fleet, 12, 5 * 60)
    assert [a.count for a in told(fleet, "replacement_storm")] == [12]


def test_five_in_a_week_are_a_storm_of_their_group(fleet: Fleet) -> None:
    replacements(fleet, 5, 30 * 60, groups=1)
    (storm,) = told(fleet, "replacement_storm")
    assert (storm.resource_type, storm.instance_group) == ("InstanceGroup", "g0")
    assert [a.status for a in told(fleet, "replacement_storm", 7 * DAY)] == ["resolved"]


def test_one_replacement_told_twice_is_one(fleet: Fleet) -> None:
    for number in range(4):
        start = instance("ReplacementStarted", f"i-{number}").slot(f"s-{number}")
        fleet.sees(instance("ReplacementStarted").slot(f"s-{number}"), start)
    assert not told(fleet, "replacement_storm")


def test_the_numbers_can_be_set() -> None:
    fleet = Fleet(thresholds=Thresholds(storm_starts=2, storm_cluster_hours=1))
    replacements(fleet, 2, 30)
    assert [a.title for a in told(fleet, "replacement_storm") if a.resource_type == "Cluster"] == [
        "Replacement storm: 2 replacements, 2 or more in 1 h (2 times)"
    ]


# Failing together


def fails(name: str, **shared: str) -> list[Event]:
    """A birth in which the script fails."""
    begin = instance("InstanceOperationStarted", operation="creation")
    found = [
        instance("CapacityReservationFound", reservation_id=shared["reservation"])
        if "reservation" in shared
        else instance("CapacityReservationNotFound")
    ]
    slotted = [event.slot(f"s-{name}") for event in (begin, *found)]
    own = [instance("InstanceProvisioned", name), script(name, "Started"), script(name, "Failed")]
    return [*slotted, own[0].slot(f"s-{name}"), *own[1:]]


def test_three_instances_of_a_group(fleet: Fleet) -> None:
    fleet.sees(fails("i-1"), fails("i-2"))
    assert not told(fleet, "correlated_failure")
    fleet.sees(fails("i-3"))
    (incident,) = told(fleet, "correlated_failure")
    members = told(fleet, "lifecycle_script_failed")
    assert (incident.status, incident.severity, incident.count) == ("open", "critical", 3)
    assert incident.title == "Failed together: 3 instances with group workers (3 times)"
    assert {a.parent_id for a in members} == {incident.anomaly_id}
    assert incident.opened_at == max(a.opened_at for a in members)
    assert incident.cause == "lifecycle_script"


def test_what_is_shared_most_closely_names_it(fleet: Fleet) -> None:
    fleet.sees([fails(f"i-{n}", reservation="cr-0123456789abcdef0") for n in range(3)], fails("i-9"))
    (incident,) = told(fleet, "correlated_failure")
    assert "capacity reservation cr-0123456789abcdef0" in incident.title
    lone = [a for a in told(fleet, "lifecycle_script_failed") if a.instance_id == "i-9"]
    assert [a.parent_id for a in lone] == [None]


def test_over_half_an_hour_apart_is_chance(fleet: Fleet) -> None:
    for number in range(3):
        fleet.sees(fails(f"i-{number}"))
        fleet.waits(20)
    assert not told(fleet, "correlated_failure")


def test_one_instance_that_fails_thrice_is_no_incident(fleet: Fleet) -> None:
    fleet.sees(fails("i-1"))
    for _ in range(3):
        fleet.sees(script("i-1", "Started"), script("i-1", "Failed"))
    fleet.sees(health("i-1", "Unhealthy"), instance("KubernetesConfigUpdateFailed", "i-1"))
    assert not told(fleet, "correlated_failure")


def test_retries_of_one_slot_are_no_incident(fleet: Fleet) -> None:
    for number in range(4):
        fleet.sees(instance("InstanceProvisioned", f"i-{number}").slot("s-1"))
        fleet.sees(script(f"i-{number}", "Started"), script(f"i-{number}", "Failed"))
    assert not told(fleet, "correlated_failure")


def test_slots_without_an_instance_count(fleet: Fleet) -> None:
    fleet.sees([instance("InstanceProvisionFailed").slot(f"s-{n}") for n in range(3)])
    assert [a.count for a in told(fleet, "correlated_failure")] == [3]


def test_retries_of_several_slots_at_once_are_one_incident(fleet: Fleet) -> None:
    for slot in range(3):  # each began on its own, an hour apart; then the retries fall together
        fleet.sees(instance("InstanceProvisionFailed").slot(f"s-{slot}"))
        fleet.waits(60)
    for _ in range(3):
        fleet.sees([instance("InstanceProvisionFailed").slot(f"s-{slot}") for slot in range(3)])
        fleet.waits(20)
    (incident,) = told(fleet, "correlated_failure")
    assert incident.count == 3


def test_it_resolves_with_its_last_member(fleet: Fleet) -> None:
    fleet.sees([fails(f"i-{n}") for n in range(3)])
    for number in range(3):
        assert [a.status for a in told(fleet, "correlated_failure")] == ["open"]
        fleet.sees(script(f"i-{number}", "Started"), script(f"i-{number}", "Succeeded"))
    (incident,) = told(fleet, "correlated_failure")
    last = max(str(a.resolved_at) for a in told(fleet, "lifecycle_script_failed"))
    assert (incident.status, incident.resolved_at) == ("resolved", last)


def test_unhealthy_nodes_fail_together_too(fleet: Fleet) -> None:
    fleet.sees([born(f"i-{n}") for n in range(3)], [health(f"i-{n}", "Unhealthy") for n in range(3)])
    assert [a.count for a in told(fleet, "correlated_failure")] == [3]


def test_its_id_stays_when_another_group_joins(fleet: Fleet) -> None:
    near = {"reservation": "cr-0123456789abcdef0"}
    fleet.sees([fails(f"i-{n}", **near) for n in range(3)])
    (before,) = told(fleet, "correlated_failure")
    fleet.sees(instance("CapacityReservationFound", group="others", reservation_id=near["reservation"]).slot("s-7"))
    fleet.sees(instance("InstanceProvisionFailed", group="others").slot("s-7"))
    (after,) = told(fleet, "correlated_failure")
    assert (after.anomaly_id, after.count) == (before.anomaly_id, 4)
    assert (before.instance_group, after.instance_group) == ("workers", None)


def test_a_list_of_nodes_makes_nobody_fail(fleet: Fleet) -> None:
    fleet.sees(node_list(i_1="Failed", i_2="Failed", i_3="Failed"))
    assert not told(fleet, "correlated_failure")
