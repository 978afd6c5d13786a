"""Stories of what the bound has passed: it can change no more, and is known as well as before."""

from __future__ import annotations

import pytest

from models.fold import Limits
from models.public import Picture
from models.rows import HISTORY
from tests.fleet import Fleet
from tests.oracle import observe, picture
from tests.properties import harness
from tests.properties.harness import Table, now_of
from tests.stories import ARN, born, group, instance, patched, says, script, shown, state_change, terminated

DAY = 86_400
NEXT = instance("InstanceOperationStarted").slot("s-1")
LIFE = [*born("i-1", "s-1"), *patched("i-1"), *terminated("i-1"), *born("i-2", "s-1")]
LIVES = {
    "one instance after the other in a slot": LIFE,
    "a word for the slot goes to its present instance": [*LIFE, says("Something new").slot("s-1")],
    "a next attempt": [*LIFE, *terminated("i-2"), NEXT],
    "a slot that is first seen at its end": [*(event.slot("s-1") for event in terminated("i-1")), *born("i-2", "s-1")],
}


def bounded(**limits: int) -> Fleet:
    fleet = Fleet(Limits(**limits))
    fleet.order_matters = True
    return fleet


def known(fleet: Fleet) -> list[object]:
    document = fleet.document()
    return [getattr(document, name) for name in Picture.model_fields if name in type(document).model_fields]


@pytest.mark.parametrize("name", LIVES)
@pytest.mark.parametrize("keep", [1, 2, 5])
def test_a_life_is_the_same_behind_the_bound(fleet: Fleet, name: str, keep: int) -> None:
    fleet.sees(LIVES[name])
    tight = bounded(lateness_ms=60_000, keep=keep)
    tight.sees(LIVES[name])
    assert known(tight) == known(fleet)


@pytest.mark.parametrize("name", LIVES)
def test_and_is_the_same_from_stored_rows_that_are_read_again_after_every_event(fleet: Fleet, name: str) -> None:
    fleet.sees(LIVES[name])
    told, limits, table = observe(value for _, value in fleet.values), Limits(lateness_ms=60_000, keep=1), Table()
    for obs in told:
        known = table.reopened(ARN, limits)
        known.apply(obs)
        table.write(known.take().rows)
    now = now_of(told)
    assert harness.shown(table.reopened(ARN, limits).picture(now)) == harness.shown(picture(ARN, told, now))


def test_the_last_few_events_are_always_within_the_bound() -> None:
    fleet = bounded(lateness_ms=60_000, keep=3)
    first, *rest = [event.at(DAY * place).named(f"n-{place}") for place, event in enumerate(born("i-1")[:3])]
    fleet.sees(first, rest, instance("KubernetesConfigUpdated", "i-1").at(1.5 * DAY))
    assert fleet.document().summary.late == 0
    tight = bounded(lateness_ms=60_000, keep=3)
    tight.sees(first, rest, first)
    assert (tight.document().summary.late, tight.document().summary.duplicate) == (0, 1)


@pytest.mark.parametrize(
    ("keep", "steps"),
    [
        (5, [("provision", "Requested"), ("provision", "NetworkReady"), ("provision", "Provisioned")]),
        (4, [(None, None), (None, None), ("provision", "Provisioned")]),
    ],
)
def test_steps_before_the_id_are_history_only_once_the_bound_has_passed_the_birth_that_no_event_gave_a_slot(
    keep: int, steps: list[tuple[str | None, str | None]]
) -> None:
    fleet = bounded(lateness_ms=60_000, keep=keep)
    named = instance("KubernetesConfigUpdated", "i-1").slot("s-1")
    fleet.sees(NEXT, instance("EniCreated").slot("s-1"), born("i-1"), named)
    assert [(item.machine, item.to) for item in fleet.instance("i-1").history][:3] == steps
    assert ([item.phase for item in fleet.document().instances], fleet.kinds()) == (["InService"], [])
    fleet.check()


@pytest.mark.parametrize("keep", [1, 2, 5, 20])
def test_and_a_slot_that_was_asked_for_again_and_again_before_waits_for_nobody_then(keep: int) -> None:
    fleet = bounded(lateness_ms=60_000, keep=keep)
    asked = [NEXT.at(200 * place).named(f"ask-{place}") for place in range(1, 10)]
    fleet.sees(asked, instance("EniCreated").slot("s-1").at(2000).named("eni"), born("i-1"))
    fleet.sees(instance("KubernetesConfigUpdated", "i-1").slot("s-1").at(3000))
    fleet.waits(300)
    fleet.sees(instance("KubernetesConfigUpdated", "i-1").slot("s-1"))
    assert [(item.instance_id, item.phase) for item in fleet.document().instances] == [("i-1", "InService")]
    assert fleet.kinds("open") == []
    told = [item.event_id for item in fleet.instance("i-1").history]
    assert told[:10] == [*(f"ask-{place}" for place in range(1, 10)), "eni"]
    fleet.gets(fleet.values[0][1])
    assert fleet.document().summary.duplicate == 1
    fleet.check()


@pytest.mark.parametrize("name", LIVES)
def test_copies_of_what_the_bound_has_passed_are_copies(name: str) -> None:
    once, twice = (bounded(lateness_ms=60_000, keep=1) for _ in range(2))
    once.sees(LIVES[name])
    twice.sees(LIVES[name])
    for _, value in once.values:
        twice.gets(value)
    assert (twice.document().summary.late, twice.document().summary.duplicate) == (0, len(LIVES[name]))
    assert known(twice) == known(once)


def test_so_are_copies_of_snapshots_that_showed_nothing_new() -> None:
    fleet = bounded(lateness_ms=60_000, keep=1)
    snapshots = [state_change("InService", workers=shown("InService", 1, 1)).at(DAY * place) for place in range(4)]
    fleet.sees(snapshots)
    for _, value in [*fleet.values]:
        fleet.gets(value)
    assert (fleet.document().summary.late, fleet.document().summary.duplicate) == (0, 4)
    assert fleet.kinds() == []


def test_what_history_has_forgotten_is_late_when_it_comes_again() -> None:
    fleet = bounded(lateness_ms=60_000, keep=1)
    first = born("i-1")[0].at(60).named("first")
    fleet.sees(first, [instance("KubernetesConfigUpdated", "i-1") for _ in range(HISTORY + 5)], first)
    assert (fleet.document().summary.late, fleet.document().summary.duplicate) == (1, 0)


def test_what_is_within_the_bound_is_never_late() -> None:
    fleet = bounded(lateness_ms=600_000, keep=1)
    fleet.sees(script("i-1", "Started").at(90), script("i-1", "Succeeded").at(120), born("i-1")[0].at(30))
    assert fleet.document().summary.late == 0


def test_a_row_keeps_no_more_bytes_than_it_may() -> None:
    fleet = bounded(ceiling_bytes=4096)
    first, *rest = [script("i-1", "Started").named(f"n-{place}") for place in range(30)]
    fleet.sees(first.at(60), rest, script("i-1", "Started").at(61))
    assert (fleet.document().summary.late, fleet.document().summary.duplicate) == (1, 0)


def test_every_late_event_is_counted_once_a_day() -> None:
    fleet = bounded(lateness_ms=60_000, keep=1)
    one, other = script("i-1", "Failed").at(30).named("one"), script("i-1", "Started").at(31).named("other")
    fleet.sees(born("i-1"), one, other, one, other)
    assert (fleet.only("late_event").count, fleet.only("late_event").evidence) == (2, ("one", "other"))
    assert (fleet.document().summary.late, fleet.document().summary.duplicate) == (2, 2)


def test_what_the_ceiling_pushed_out_is_not_told_again_behind_it() -> None:
    fleet = bounded(ceiling_events=2)
    fleet.sees(born("i-1"), script("i-1", "Failed").at(90))
    assert (fleet.kinds(), fleet.phase("i-1")) == (["late_event"], "InService")


def test_copies_that_say_more_take_no_more_room() -> None:
    fleet = bounded(ceiling_bytes=4096)
    event = instance("InstanceProvisioned", "i-1").named("one").at(60)
    fleet.sees(event, script("i-1", "Started"))
    for length in range(100, 0, -5):
        fleet.sees(event.because("x" * length))
    fleet.sees(instance("InstanceOperationStarted", "i-1", "creation").at(30))
    assert fleet.kinds() == []
    assert fleet.document().summary.late == 0


def test_an_event_that_moves_on_takes_its_fault_along(fleet: Fleet) -> None:
    failed = instance("InstanceProvisionFailed").named("one").at(120)
    fleet.sees(group("GroupOperationStarted", "creation").at(60), failed, failed.slot("s-1"))
    assert fleet.only("operation_failed").resource_type == "Instance"
