"""Stories of what somebody began: planned while it lasts, and no longer."""

from __future__ import annotations

import json

from models.deadlines import Thresholds
from models.workspace import Workspace
from tests.fleet import Fleet, moment, wire
from tests.oracle import observe
from tests.stories import (
    ARN,
    Event,
    born,
    cluster,
    group,
    health,
    instance,
    rollout_begins,
    script,
    shown,
    state_change,
    terminated,
)

HOUR = 3_600_000
NOISE = "orchestration_ready_lost"
FAILS = [instance("InstanceProvisioned", "i-1"), script("i-1", "Started"), script("i-1", "Failed")]


def planned(fleet: Fleet, kind: str) -> bool:
    return fleet.only(kind).planned


def test_inside_an_operation_of_the_group_and_no_longer(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "scaling"), FAILS)
    assert planned(fleet, "lifecycle_script_failed")
    fleet.sees(group("GroupOperationCompleted", "scaling"))
    fleet.sees(born("i-9"))
    found = fleet.only("lifecycle_script_failed")
    assert (found.planned, found.status) == (False, "open")
    assert found.updated_at > found.opened_at


def test_what_ended_inside_stays_planned(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "scaling"), FAILS, script("i-1", "Started"), script("i-1", "Succeeded"))
    fleet.sees(group("GroupOperationCompleted", "scaling"), born("i-9"))
    assert planned(fleet, "lifecycle_script_failed")


def test_what_was_wrong_before_is_not_planned(fleet: Fleet) -> None:
    fleet.sees(FAILS, group("GroupOperationStarted", "scaling"))
    assert not planned(fleet, "lifecycle_script_failed")


def test_another_groups_operation_is_none_of_its_business(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "scaling", of="others"), FAILS)
    assert not planned(fleet, "lifecycle_script_failed")


def test_inside_an_operation_of_the_cluster_and_inside_a_rollout(fleet: Fleet) -> None:
    fleet.sees(cluster("ClusterOperationStarted", "update"), FAILS)
    assert planned(fleet, "lifecycle_script_failed")
    fleet.sees(cluster("ClusterOperationCompleted", "update"), rollout_begins(), health("i-9", "Unhealthy"))
    fleet.sees(instance("KubernetesConfigUpdateFailed", "i-2"))
    assert planned(fleet, "operation_failed")
    assert not planned(fleet, "unhealthy_node")  # nobody knows its group


def test_an_operation_whose_end_was_lost_excuses_a_day(fleet: Fleet) -> None:
    fleet.sees(group("GroupOperationStarted", "update"))
    fleet.waits(25 * 60)
    fleet.sees(FAILS)
    assert not planned(fleet, "lifecycle_script_failed")


def test_a_replacement_without_a_fault_was_asked_for(fleet: Fleet) -> None:
    fleet.sees(born("i-0", "s-1"), terminated("i-0"), instance("ReplacementStarted", "i-1").slot("s-1"), FAILS)
    assert planned(fleet, "lifecycle_script_failed")


def test_a_replacement_of_a_sick_one_was_not(fleet: Fleet) -> None:
    fleet.sees(born("i-0", "s-1"), health("i-0", "Unhealthy", "Replace"), terminated("i-0"))
    fleet.sees(instance("ReplacementStarted", "i-1").slot("s-1"), FAILS)
    assert not planned(fleet, "lifecycle_script_failed")


# Readiness


def ready(current: int, total: int = 8) -> Event:
    return cluster("OrchestrationReadyLost", current=str(current), total=str(total))


def test_lost_readiness_is_noise_while_counts_differ(fleet: Fleet) -> None:
    fleet.sees(state_change("InService", workers=shown("InService", 6, 8)), ready(6))
    noise = fleet.only("orchestration_ready_lost")
    assert (noise.planned, noise.severity) == (True, "info")
    fleet.sees(state_change("InService", workers=shown("InService", 8, 8)))
    found = fleet.only("orchestration_ready_lost")
    assert (found.planned, found.severity, found.anomaly_id) == (False, "warning", noise.anomaly_id)
    assert found.updated_at == fleet.document().summary.watermark
    fleet.sees(ready(8))
    assert fleet.only("orchestration_ready_lost").status == "resolved"


def test_noise_of_scaling_is_over_after_half_an_hour_without_any(fleet: Fleet) -> None:
    fleet.sees(state_change("InService", workers=shown("InService", 6, 8)), ready(6))
    fleet.sees(state_change("InService", workers=shown("InService", 8, 8)))
    even = fleet.clock

    def after(minutes: float) -> tuple[str, str | None]:
        (found,) = [a for a in fleet.document(even + int(minutes * 60_000)).anomalies if a.kind == NOISE]
        return found.status, found.resolved_at

    assert after(29) == ("open", None)
    assert after(31) == ("resolved", "2026-05-04T09:33:00.000Z")
    fleet.sees(ready(7))  # and this is no noise: the counts are equal
    assert fleet.only(NOISE).status == "open"
    assert after(1000) == ("open", None)


def test_what_is_said_after_it_was_over_is_another_one(fleet: Fleet) -> None:
    fleet.sees(state_change("InService", workers=shown("InService", 6, 8)), ready(6))
    fleet.sees(state_change("InService", workers=shown("InService", 8, 8)))
    fleet.waits(60)
    fleet.sees(cluster("SlurmReconfigured"))
    (morning,) = fleet.anomalies(NOISE)
    fleet.sees(state_change("InService", workers=shown("InService", 8, 9)), ready(8, 9))
    before, evening = fleet.anomalies(NOISE)
    assert (morning.status, before, evening.status, evening.count) == ("resolved", morning, "open", 1)
    fleet.sees(ready(9, 9))
    assert [a.status for a in fleet.anomalies(NOISE)] == ["resolved", "resolved"]
    assert fleet.anomalies(NOISE)[0] == morning


def test_noise_goes_on_with_the_next_scaling(fleet: Fleet) -> None:
    fleet.sees(state_change("InService", workers=shown("InService", 6, 8)), ready(6))
    fleet.sees(state_change("InService", workers=shown("InService", 8, 8)))
    fleet.waits(20)
    fleet.sees(state_change("InService", workers=shown("InService", 8, 9)))
    fleet.waits(60)
    fleet.sees(cluster("SlurmReconfigured"))
    assert fleet.only(NOISE).status == "open"


def test_lost_readiness_while_counts_are_equal_lasts_until_a_text_says_otherwise(fleet: Fleet) -> None:
    fleet.sees(state_change("InService", workers=shown("InService", 8, 8)), ready(6))
    assert [a.status for a in fleet.document(fleet.clock + 24 * HOUR).anomalies] == ["open"]


def test_what_comes_later_does_not_change_what_is_over(fleet: Fleet) -> None:
    fleet.sees(state_change("InService", workers=shown("InService", 8, 8)), ready(6), ready(8))
    before = fleet.only("orchestration_ready_lost")
    fleet.sees(state_change("InService", workers=shown("InService", 8, 9)))
    assert fleet.only("orchestration_ready_lost") == before
    assert not before.planned


# History


def read_at(events: list[tuple[Event, int]]) -> Workspace:
    """A workspace that read each event so many milliseconds after it had happened, an hour between them."""
    return heard([(event, place, delay) for place, (event, delay) in enumerate(events)])


def heard(events: list[tuple[Event, int, int]]) -> Workspace:
    """The same of events that happened at such an hour; two of one hour are copies."""
    known = Workspace(ARN)
    for event, hour, delay in events:
        for obs in observe([_bytes(event, hour)]):
            known.apply(obs, read_at=obs.time + delay)
    return known


def _bytes(event: Event, place: int) -> bytes:
    return json.dumps(wire(event, f"e-{place}", place * HOUR)).encode()


def _now(hours: float) -> int:
    return int((moment(int(hours * HOUR))).timestamp() * 1000)


def kinds(known: Workspace, hours: float) -> list[tuple[str, str]]:
    return [(a.kind.value, a.status.value) for a in known.picture(_now(hours), Thresholds()).anomalies]


def test_what_was_history_when_it_was_read_has_no_deadlines() -> None:
    late = 25 * HOUR
    known = read_at([(instance("InstanceProvisioned", "i-1"), late), (script("i-1", "Started"), late)])
    assert kinds(known, 100) == [("stale", "open")]


def test_the_next_timely_event_ends_that() -> None:
    late = 25 * HOUR
    events = [(instance("InstanceProvisioned", "i-1"), late), (instance("TerminationInProgress", "i-1"), 0)]
    assert kinds(read_at(events), 1.1) == [("stale", "resolved")]
    assert kinds(read_at(events), 4) == [("stale", "resolved"), ("stuck", "open")]


def test_a_day_late_is_still_in_time() -> None:
    known = read_at([(instance("InstanceProvisioned", "i-1"), 24 * HOUR), (script("i-1", "Started"), 24 * HOUR)])
    assert kinds(known, 4) == [("stuck", "open")]


def test_of_copies_the_one_that_was_read_first_counts_whichever_way_they_come() -> None:
    begun = script("i-1", "Started")
    news, backfill = (begun, 0, 0), (begun, 0, 30 * HOUR)
    assert kinds(heard([news, backfill]), 40) == [("stuck", "open")]
    assert kinds(heard([backfill, news]), 40) == [("stuck", "open")]
    assert kinds(heard([backfill, backfill]), 40) == [("stale", "open")]


def test_a_slot_whose_events_became_an_instances_begins_again() -> None:
    asked, came = instance("InstanceOperationStarted").slot("s-1"), instance("InstanceProvisioned", "i-1").slot("s-1")
    known = read_at([(asked, 25 * HOUR), (came, 0), (asked, 0)])
    assert ("stale", "resolved") not in kinds(known, 2.1)
