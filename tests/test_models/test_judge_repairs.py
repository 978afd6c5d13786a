"""Stories of repairs that the health agent asks for: `repair_not_started`."""

from __future__ import annotations

import pytest

from models.deadlines import Thresholds
from models.public import Anomaly
from tests.fleet import Fleet
from tests.stories import Event, born, group, health, instance, script

MINUTE = 60_000


def owed(fleet: Fleet, minutes: float) -> list[Anomaly]:
    """Repairs that had not begun in time, so many minutes after the newest event."""
    found = fleet.document(fleet.clock + int(minutes * MINUTE)).anomalies
    return [a for a in found if a.kind == "repair_not_started"]


@pytest.mark.parametrize("action", ["Replace", "replace", "REPLACE", "Reboot", "reboot", " Replace "])
def test_a_repair_is_owed_after_ten_minutes(fleet: Fleet, action: str) -> None:
    fleet.sees(born("i-1"), health("i-1", "Unhealthy", action))
    assert not owed(fleet, 10)
    (found,) = owed(fleet, 11)
    assert (found.status, found.severity, found.instance_id) == ("open", "critical", "i-1")
    assert (found.machine, found.state) == ("health", "Unhealthy")


@pytest.mark.parametrize("action", ["None", "none", "NONE", ""])
def test_nothing_is_owed_where_nothing_was_asked(fleet: Fleet, action: str) -> None:
    fleet.sees(born("i-1"), health("i-1", "Unhealthy", action))
    assert not owed(fleet, 1000)


def test_the_agents_own_text_asks_too(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), instance("HealthAgentUnhealthy", "i-1", action="Reboot"))
    assert [a.title for a in owed(fleet, 11)] == ["Repair was asked for (Reboot) and nothing began"]


BEGINNINGS: dict[str, Event] = {
    "reboot": instance("RebootInProgress", "i-1"),
    "termination": instance("TerminationInProgress", "i-1"),
    "healthy": health("i-1", "Healthy"),
    "the old one goes": instance("ReplacementStarted", "i-1", "deletion"),
    "a new one comes": instance("ReplacementStarted", "i-2").slot("s-1"),
    "the slot's attempt": instance("ReplacementStarted").slot("s-1"),
    "inferred": instance("ReplacementStarted", "i-2"),
}


@pytest.mark.parametrize("how", BEGINNINGS)
def test_it_is_not_owed_once_it_begins(fleet: Fleet, how: str) -> None:
    fleet.sees(born("i-1", "s-1"), health("i-1", "Unhealthy", "Replace"), BEGINNINGS[how])
    assert not owed(fleet, 1000)


@pytest.mark.parametrize("how", BEGINNINGS)
def test_it_resolves_when_it_begins_late(fleet: Fleet, how: str) -> None:
    fleet.sees(born("i-1", "s-1"), health("i-1", "Unhealthy", "Replace"))
    (before,) = owed(fleet, 30)
    fleet.waits(30)
    fleet.sees(BEGINNINGS[how])
    (found,) = owed(fleet, 0)
    assert (found.status, found.anomaly_id, found.opened_at) == ("resolved", before.anomaly_id, before.opened_at)
    assert found.resolved_at == fleet.document().summary.watermark
    assert found.state == "Unhealthy"


def test_asking_again_while_it_is_under_way_owes_nothing(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), health("i-1", "Unhealthy", "Replace"), instance("TerminationInProgress", "i-1"))
    fleet.sees(health("i-1", "Unhealthy", "Replace"))
    assert not owed(fleet, 50)


def test_asking_again_after_the_successor_began_owes_nothing(fleet: Fleet) -> None:
    fleet.sees(born("i-1", "s-1"), instance("ReplacementStarted", "i-2").slot("s-1"))
    fleet.sees(health("i-1", "Unhealthy", "Replace"))
    assert not owed(fleet, 50)


def test_asking_twice_is_one_repair_and_a_next_one_is_another(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), health("i-1", "Unhealthy", "Reboot"), health("i-1", "Degraded", "Reboot"))
    (first,) = owed(fleet, 20)
    assert len(first.evidence) == 2
    fleet.waits(20)
    fleet.sees(instance("RebootInProgress", "i-1"), instance("InstanceOperationCompleted", "i-1", "reboot"))
    fleet.sees(health("i-1", "Unhealthy", "Reboot"))
    assert [a.status for a in owed(fleet, 20)] == ["resolved", "open"]


def test_nothing_is_owed_to_a_group_that_is_gone(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), health("i-1", "Unhealthy", "Replace"))
    fleet.sees(group("GroupOperationStarted", "deletion"), group("GroupOperationCompleted", "deletion"))
    assert not owed(fleet, 1000)


def test_the_time_can_be_set() -> None:
    fleet = Fleet(thresholds=Thresholds(repair_minutes=2))
    fleet.sees(born("i-1"), health("i-1", "Unhealthy", "Replace"))
    assert not owed(fleet, 2)
    assert owed(fleet, 3)


def test_a_script_is_no_repair(fleet: Fleet) -> None:
    fleet.sees(born("i-1"), health("i-1", "Unhealthy", "Replace"), script("i-1", "Started"))
    assert [a.status for a in owed(fleet, 20)] == ["open"]
