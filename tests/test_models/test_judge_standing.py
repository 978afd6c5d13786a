"""Since when a group is Degraded, or in service again: its members tell."""

from __future__ import annotations

from collections.abc import Iterable

from models.timestamps import iso
from tests.fleet import EPOCH, Fleet
from tests.stories import Event, born, group, instance, script

OLD, NEW, NEWER, OTHER = "i-0a000000000000001", "i-0a000000000000002", "i-0a000000000000003", "i-0b000000000000001"
HALF_AN_HOUR = 1800


def serves(fleet: Fleet) -> None:
    """A group of two, in service after a quarter of an hour."""
    fleet.sees(
        group("GroupOperationStarted", "creation").counts(0, 2).at(0), born(OLD, "slot-1"), born(OTHER, "slot-2")
    )
    fleet.sees(group("GroupOperationCompleted", "creation").counts(2, 2).at(900))
    assert stands(fleet) == ("InService", after(900))


def stands(fleet: Fleet) -> tuple[str, str | None]:
    return fleet.group().phase, fleet.group().since


def after(seconds: float) -> str:
    return iso(int((EPOCH.timestamp() + seconds) * 1000))


def in_turn(events: Iterable[Event], begin: float) -> list[Event]:
    return [event.at(begin + 60 * place) for place, event in enumerate(events)]


def test_a_group_is_in_service_again_when_what_was_missing_is(fleet: Fleet) -> None:
    serves(fleet)
    fleet.sees(instance("TerminationInProgress", OLD).at(HALF_AN_HOUR))
    assert stands(fleet) == ("Degraded", after(HALF_AN_HOUR))
    fleet.sees(in_turn(born(NEW, "slot-1"), HALF_AN_HOUR + 60))
    assert stands(fleet) == ("InService", after(HALF_AN_HOUR + 60 + 4 * 60)), "when the script was through"


def test_the_second_one_that_is_missing_begins_nothing(fleet: Fleet) -> None:
    serves(fleet)
    fleet.sees(instance("TerminationInProgress", OLD).at(HALF_AN_HOUR))
    fleet.sees(instance("TerminationInProgress", OTHER).at(HALF_AN_HOUR + 600))
    assert stands(fleet) == ("Degraded", after(HALF_AN_HOUR))


def test_attempts_that_fail_one_after_the_other_are_one_time_of_it(fleet: Fleet) -> None:
    serves(fleet)
    fleet.sees(instance("TerminationInProgress", OLD).at(HALF_AN_HOUR))
    fleet.sees(in_turn([*born(NEW, "slot-1")[:4], script(NEW, "Failed").slot("slot-1")], HALF_AN_HOUR + 60))
    assert stands(fleet) == ("Degraded", after(HALF_AN_HOUR))
    fleet.sees(in_turn(born(NEWER, "slot-1"), HALF_AN_HOUR + 600))
    assert stands(fleet) == ("InService", after(HALF_AN_HOUR + 600 + 4 * 60))


def test_who_is_missing_while_the_group_scales_is_missed_from_its_end_on(fleet: Fleet) -> None:
    serves(fleet)
    fleet.sees(group("GroupOperationStarted", "scaling").counts(2, 3).at(HALF_AN_HOUR))
    fleet.sees(group("GroupOperationCompleted", "scaling").counts(2, 3).at(HALF_AN_HOUR + 60))
    assert stands(fleet) == ("Degraded", after(HALF_AN_HOUR + 60))
